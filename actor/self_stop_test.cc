// How actors end that are stopped in a handler of their own. Most of them do so
// in one step, and nobody can tell.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/name_service.h"
#include "troupe/actor/send_result.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/mailbox/capacity.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

using Log = std::vector<std::string>;

struct Act {};
struct Rest {};

// Does in its handler what a test wants. Has no hook and no destructor.
class Child : public Actor<Act, Rest> {
 public:
  using Body = std::function<void(Child&)>;

  explicit Child(const Body& body) : body_(body) {}
  void Handle(Act) { body_(*this); }
  void Handle(Rest) {}

  using Actor::Fail;
  using Actor::self;
  using Actor::Spawn;
  using Actor::StopSelf;

 private:
  const Body& body_;
};

// Notes its destruction.
class Destroyed : public Child {
 public:
  Destroyed(const Body& body, Log& log) : Child(body), log_(log) {}
  ~Destroyed() { log_.push_back("destroyed"); }

 private:
  Log& log_;
};

// Notes its stop.
class Hooked : public Child {
 public:
  Hooked(const Body& body, Log& log) : Child(body), log_(log) {}
  void PostStop(const ExitReason& reason) {
    log_.push_back(absl::StrCat("stopped: ", reason.ToString()));
  }

 private:
  Log& log_;
};

// Does it in its first turn.
class Born : public Child {
 public:
  explicit Born(const Body& body) : Child(body), body_(body) {}
  void PostStart() { body_(*this); }

 private:
  const Body& body_;
};

// Asks to stop when that is too late.
class Late : public Child {
 public:
  using Child::Child;
  ~Late() { StopSelf(); }
};

// Lets a child act, notes why it ended, and ends too.
class Parent : public Actor<Act> {
 public:
  using Birth = std::function<Child::Ref(Parent&)>;

  Parent(const Birth& birth, std::optional<ExitReason>& heard)
      : birth_(birth), heard_(heard) {}
  void Handle(Act) { birth_(*this).Send<Act>(); }
  void OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kStarted) return;
    heard_ = event.reason;
    StopSelf();
  }

  using Actor::Spawn;

 private:
  const Birth& birth_;
  std::optional<ExitReason>& heard_;
};

class SelfStopTest : public internal::SystemTest {
 protected:
  // Why a C that does `body` ended, as its parent heard.
  template <typename C = Child, typename... Args>
  std::optional<ExitReason> EndOf(const Child::Body& body, Args&... args) {
    return EndOfBorn(
        [&](Parent& parent) { return parent.Spawn<C>(body, args...).value(); });
  }
  std::optional<ExitReason> EndWith(const SpawnOptions& options,
                                    const Child::Body& body) {
    return EndOfBorn([&](Parent& parent) {
      return parent.Spawn<Child>(options, body).value();
    });
  }

  const std::unique_ptr<ActorSystem> system_ = MakeSystem();

 private:
  std::optional<ExitReason> EndOfBorn(const Parent::Birth& birth) {
    std::optional<ExitReason> heard;
    system_->Spawn<Parent>(birth, heard).value().Send<Act>();
    EXPECT_TRUE(system_->AwaitNoActors());
    return heard;
  }
};

INSTANTIATE_TEST_SUITE_P(Executors, SelfStopTest, internal::AllExecutors());

TEST_P(SelfStopTest, ParentHearsTheReason) {
  EXPECT_EQ(EndOf([](Child& me) { me.StopSelf(); }), ExitReason::Normal());
  EXPECT_EQ(EndOf([](Child& me) { me.StopSelf(ExitReason::Shutdown()); }),
            ExitReason::Shutdown());
  EXPECT_EQ(EndOf([](Child& me) { me.StopSelf(ExitReason::Normal("done")); }),
            ExitReason::Normal("done"));
  EXPECT_EQ(EndOf([](Child& me) { me.self().Drain(); }), ExitReason::Drained());
  EXPECT_EQ(EndOf([](Child& me) { me.self().Kill(); }), ExitReason::Killed());
}

TEST_P(SelfStopTest, StrongerReasonsStay) {
  EXPECT_EQ(EndOf([](Child& me) {
              me.self().Kill();
              me.StopSelf();
            }),
            ExitReason::Killed());
  const ExitReason failed = ExitReason::Failed(absl::InternalError("no disk"));
  EXPECT_EQ(EndOf([&](Child& me) {
              me.StopSelf();
              me.Fail(failed.status());
            }),
            failed);
  EXPECT_EQ(EndOf<Late>([&](Child& me) { me.Fail(failed.status()); }), failed);
}

TEST_P(SelfStopTest, MayComeInPostStart) {
  int calls = 0;
  EXPECT_EQ(EndOf<Born>([&](Child& me) {
              ++calls;
              me.StopSelf();
            }),
            ExitReason::Normal());
  EXPECT_EQ(calls, 1);  // The message that followed is not handled.
  EXPECT_EQ(system_->dead_letters(), 1u);
}

// Whatever lane it waits in, and whoever sent it.
TEST_P(SelfStopTest, WhatWaitsBecomesADeadLetter) {
  const std::vector<Child::Body> sends = {
      [](Child& me) { me.self().Send<Rest>(); },
      [](Child& me) { me.self().SendUrgent<Rest>(); },
      [](Child& me) {
        std::thread([ref = me.self()] { ref.Send<Rest>(); }).join();
      },
  };
  uint64_t dead_letters = 0;
  for (const Child::Body& send : sends) {
    EndOf([&send](Child& me) {
      send(me);
      me.StopSelf();
    });
    EXPECT_EQ(system_->dead_letters(), ++dead_letters);
  }
}

TEST_P(SelfStopTest, LaterMessagesAreRefused) {
  for (const Capacity& mailbox : {Capacity{}, Capacity{.messages = 10}}) {
    std::optional<SendResult> result;
    EndWith({.mailbox = mailbox}, [&result](Child& me) {
      me.StopSelf();
      result = me.self().TrySend(Rest{});
    });
    EXPECT_EQ(result, SendResult::kStopped);
  }
}

TEST_P(SelfStopTest, ChildrenEndBefore) {
  const Child::Body idle = [](Child&) {};
  Log log;
  EndOf([&](Child& me) {
    ASSERT_TRUE(me.Spawn<Destroyed>(idle, log).ok());
    me.StopSelf();
  });
  EXPECT_THAT(log, ElementsAre("destroyed"));
}

TEST_P(SelfStopTest, HookAndDestructorRun) {
  const Child::Body stop = [](Child& me) { me.StopSelf(); };
  Log log;
  EndOf<Hooked>(stop, log);
  EndOf<Destroyed>(stop, log);
  EXPECT_THAT(log, ElementsAre("stopped: normal", "destroyed"));
}

TEST_P(SelfStopTest, NameIsFreeAfterwards) {
  class Names : public NameService {
   public:
    explicit Names(Log& log) : log_(log) {}
    absl::Status Reserve(absl::string_view, AnyActorRef) override {
      return absl::OkStatus();
    }
    void OnActorEnd(const AnyActorRef&) override { log_.push_back("released"); }

   private:
    Log& log_;
  };
  Log log;
  Names names(log);
  system_->SetNameService(names);
  // Woken when it has rested, by a child: its wake token is in the mailbox
  // then.
  bool rested = false;
  Child::Body wake;
  EndWith({.name = "bob"}, [&](Child& me) {
    if (std::exchange(rested, true)) return me.StopSelf();
    wake = [ref = me.self()](Child& child) {
      ref.Send<Act>();
      child.StopSelf();
    };
    me.Spawn<Child>(wake).value().Send<Act>();
  });
  EXPECT_THAT(log, ElementsAre("released"));
}

TEST_P(SelfStopTest, SubscribersAreTold) {
  Log log;
  const Subscription ended = system_->Subscribe<ActorEnded>(
      [&log](const ActorEnded& event) { log.emplace_back(event.class_name); });
  EndOf([](Child& me) { me.StopSelf(); });
  EXPECT_THAT(log, SizeIs(2));  // The child, and its parent.
}

}  // namespace
}  // namespace troupe
