// How timers end with their actor: clause 33 of docs/semantics.md.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/timer_testing.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/actor/timer.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

constexpr absl::Duration Ms(int64_t n) { return absl::Milliseconds(n); }

class TimerEndingTest : public TimerTest {};
INSTANTIATE_TEST_SUITE_P(Seeds, TimerEndingTest, ::testing::Range(1, 6));

// Starts timers in its hooks.
class Hooked : public Actor<Tick> {
 public:
  struct Script {
    std::function<void(Hooked&)> pre_start, post_start, post_stop, destroyed;
    absl::Status start_status;
  };
  using Actor::KillAfter;
  using Actor::SendAfter;
  using Actor::SendEvery;
  using Actor::StopAfter;

  Hooked(std::vector<std::string>& log, Script script)
      : log_(log), script_(std::move(script)) {}
  ~Hooked() {
    if (script_.destroyed) script_.destroyed(*this);
  }
  absl::Status PreStart() {
    if (script_.pre_start) script_.pre_start(*this);
    return script_.start_status;
  }
  Task<void> PostStart() {
    if (script_.post_start) script_.post_start(*this);
    co_await Sleep(Ms(10));
    log_.push_back("started");
  }
  Task<void> PostStop(const ExitReason&) {
    if (script_.post_stop) script_.post_stop(*this);
    co_await Sleep(Ms(50));
    log_.push_back("stopped");
  }
  void Handle(const Tick& tick) { log_.push_back(tick.name); }

 private:
  std::vector<std::string>& log_;
  const Script script_;
};

// Makes one in a handler.
class Maker : public Actor<Tick> {
 public:
  Maker(std::vector<std::string>& log, Hooked::Script& script)
      : log_(log), script_(script) {}
  void Handle(const Tick&) { made = Spawn<Hooked>(log_, script_).status(); }

  inline static absl::Status made;

 private:
  std::vector<std::string>& log_;
  Hooked::Script& script_;
};

TEST_P(TimerEndingTest, StartedInHooksArriveWhenItRuns) {
  Hooked::Script script;
  Timer cancelled;
  script.pre_start = [&](Hooked& a) {
    a.SendAfter<Tick>(Ms(0), "PreStart");
    cancelled = a.SendAfter<Tick>(Ms(0), "never");
    EXPECT_TRUE(cancelled.Cancel().has_value());
  };
  script.post_start = [&](Hooked& a) {
    EXPECT_FALSE(cancelled.pending());
    a.SendAfter<Tick>(Ms(5), "PostStart");
  };
  ASSERT_THAT(system_->Spawn<Hooked>(log_, script), IsOk());
  RunFor(9);
  EXPECT_THAT(log_, IsEmpty());
  RunFor(2);
  EXPECT_THAT(log_, ElementsAre("started", "PreStart", "PostStart"));
}

TEST_P(TimerEndingTest, ChildStartsThemWhileItsParentHandles) {
  Hooked::Script script;
  script.pre_start = [&](Hooked& a) {
    EXPECT_TRUE(a.SendAfter<Tick>(Ms(0), "never").Cancel().has_value());
    a.SendAfter<Tick>(Ms(12), "child");
  };
  system_->Spawn<Maker>(log_, script).value().Send<Tick>("");
  RunFor(20);
  EXPECT_THAT(Maker::made, IsOk());
  EXPECT_THAT(log_, ElementsAre("started", "child"));
}

TEST_P(TimerEndingTest, FailedStartLeavesNone) {
  Hooked::Script script;
  Timer timer;
  script.start_status = absl::InternalError("no");
  script.pre_start = [&](Hooked& a) {
    timer = a.SendAfter<Tick>(Ms(0), "never");
    a.SendEvery<Tick>(Ms(1), "never");
    a.KillAfter(Ms(0));
  };
  script.destroyed = [&](Hooked&) { EXPECT_TRUE(timer.Cancel().has_value()); };
  EXPECT_THAT(system_->Spawn<Hooked>(log_, script),
              StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(Tick::living(), 0);
  system_->Spawn<Maker>(log_, script).value().Send<Tick>("");
  RunFor(20);
  EXPECT_THAT(Maker::made, StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(Tick::living(), 0);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_P(TimerEndingTest, NoneArrivesInPostStop) {
  Hooked::Script script;
  Timer early, late;
  script.post_start = [&](Hooked& a) {
    early = a.SendEvery<Tick>(Ms(30), "tick");
    a.SendAfter<Tick>(Ms(50), "never");
    a.KillAfter(Ms(60));
  };
  script.post_stop = [&](Hooked& a) {
    EXPECT_FALSE(early.pending());
    EXPECT_EQ(Tick::living(), 0);
    late = a.SendAfter<Tick>(Ms(0), "never");
    EXPECT_FALSE(late.pending());
    EXPECT_FALSE(a.SendEvery<Tick>(Ms(1), "never").pending());
    EXPECT_FALSE(a.SendAfter<Tick>(actor_, Ms(1), "never").pending());
    EXPECT_FALSE(a.StopAfter(Ms(1)).pending());
    EXPECT_EQ(Tick::living(), 0);
  };
  script.destroyed = [&](Hooked& a) {
    EXPECT_EQ(early.Cancel(), std::nullopt);
    EXPECT_EQ(late.Cancel(), std::nullopt);
    EXPECT_FALSE(a.SendAfter<Tick>(Ms(0), "never").pending());
  };
  const auto actor = system_->Spawn<Hooked>(log_, script).value();
  RunFor(40);
  EXPECT_THAT(actor.StopAndWait(), IsOk());
  EXPECT_THAT(log_, ElementsAre("started", "tick", "stopped"));
}

// Ends it while ticks wait behind a suspended handler.
class EndWithTicksWaiting : public TimerTest {
 protected:
  void Begin() {
    InActor([&](TimedActor& a) {
      a.SendAfter<Tick>(Ms(5), "single");
      a.SendEvery<Tick>({.period = Ms(1), .missed = MissedTicks::kBurst},
                        "every");
      a.StopAfter(Ms(100));
    });
    actor_.Send(DoLater{Ms(20), [&](TimedActor& a) {
                          a.Note("handled");
                          if (at_end) at_end(a);
                        }});
    RunFor(10);
  }
  void ExpectNothingMore() {
    RunFor(200);
    EXPECT_EQ(actor_.status(), ActorStatus::kStopped);
    EXPECT_EQ(Tick::living(), 0);
    // Into the same memory.
    std::vector<std::string> later;
    const auto next = system_->Spawn<TimedActor>(later).value();
    RunFor(200);
    EXPECT_THAT(later, IsEmpty());
    EXPECT_EQ(next.status(), ActorStatus::kRunning);
  }

  std::function<void(TimedActor&)> at_end;
};
INSTANTIATE_TEST_SUITE_P(Seeds, EndWithTicksWaiting, ::testing::Range(1, 6));

TEST_P(EndWithTicksWaiting, Stop) {
  Begin();
  actor_.Stop();
  ExpectNothingMore();
  EXPECT_THAT(log_, ElementsAre("handled@20"));
}

TEST_P(EndWithTicksWaiting, StopOfItself) {
  at_end = [](TimedActor& a) { a.StopSelf(); };
  Begin();
  ExpectNothingMore();
  EXPECT_THAT(log_, ElementsAre("handled@20"));
}

TEST_P(EndWithTicksWaiting, Kill) {
  Begin();
  actor_.Kill();
  ExpectNothingMore();
  EXPECT_THAT(log_, IsEmpty());
}

TEST_P(EndWithTicksWaiting, Failure) {
  at_end = [](TimedActor& a) { a.Fail(absl::InternalError("failed")); };
  Begin();
  ExpectNothingMore();
  EXPECT_THAT(log_, ElementsAre("handled@20"));
}

// What is due when the last message has been handled is handled, once.
TEST_P(EndWithTicksWaiting, Drain) {
  at_end = [](TimedActor& a) {
    a.SendAfter<Tick>(Ms(0), "late");
    a.on_tick = [](TimedActor& actor, const std::string&) {
      actor.SendAfter<Tick>(Ms(0), "later");
    };
  };
  Begin();
  actor_.Send<Tick>("message");
  actor_.Drain();
  ExpectNothingMore();
  EXPECT_THAT(log_.front(), "handled@20");
  // The missed ticks are one by one in turns of their own, of which the drain
  // waits for those before the message and one more.
  const auto times = [&](const std::string& what) {
    return std::count(log_.begin(), log_.end(), what);
  };
  EXPECT_EQ(times("message@20"), 1);
  EXPECT_EQ(times("single@20"), 1);
}

// The same of messages to others.
TEST_P(TimerEndingTest, DrainSendsWhatIsDueToOthers) {
  std::vector<std::string> log;
  const auto other = system_->Spawn<TimedActor>(log).value();
  RunFor(1);
  actor_.Send(Do{[&](TimedActor& a) {
    a.SendAfter<Tick>(other, Ms(0), "once");
    a.SendEvery<Tick>(other, Every{.period = Ms(1), .first_after = Ms(0)},
                      "every");
    a.SendAfter<Tick>(other, Ms(1), "never");
  }});
  actor_.Drain();
  RunFor(20);
  EXPECT_EQ(actor_.status(), ActorStatus::kStopped);
  EXPECT_THAT(log, ElementsAre("once@1", "every@1"));
  EXPECT_EQ(Tick::living(), 0);
}

TEST_P(TimerEndingTest, DrainDropsWhatIsNotDue) {
  InActor([](TimedActor& a) {
    a.SendAfter<Tick>(Ms(1), "never");
    a.SendEvery<Tick>(Ms(1), "never");
  });
  EXPECT_THAT(actor_.DrainAndWait(), IsOk());
  EXPECT_EQ(Tick::living(), 0);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_P(TimerEndingTest, FailureInATickDropsTheOthers) {
  InActor([](TimedActor& a) {
    a.SendAfter<Tick>(Ms(1), "a");
    a.SendAfter<Tick>(Ms(1), "b");
    a.on_tick = [](TimedActor& actor, const std::string&) {
      actor.Fail(absl::InternalError("failed"));
    };
  });
  RunFor(10);
  EXPECT_EQ(actor_.status(), ActorStatus::kStopped);
  EXPECT_THAT(log_, ElementsAre("a@1"));
}

TEST_P(TimerEndingTest, StopInATickDropsTheOthers) {
  InActor([](TimedActor& a) {
    a.SendAfter<Tick>(Ms(1), "a");
    a.SendAfter<Tick>(Ms(1), "b");
    a.on_tick = [](TimedActor& actor, const std::string&) { actor.StopSelf(); };
  });
  RunFor(10);
  EXPECT_EQ(actor_.status(), ActorStatus::kStopped);
  EXPECT_THAT(log_, ElementsAre("a@1"));
}

// Throws when it is copied for the third time.
struct Fragile {
  Fragile() = default;
  Fragile(const Fragile& other) : copies(other.copies) {
    if (++*copies == 3) throw std::runtime_error("no third copy");
  }
  std::shared_ptr<int> copies = std::make_shared<int>(0);
};

class Copier : public Actor<Fragile> {
 public:
  explicit Copier(int& handled) : handled_(handled) {}
  void PostStart() { SendEvery<Fragile>(Ms(1)); }
  void Handle(const Fragile&) { ++handled_; }

 private:
  int& handled_;
};

TEST_P(TimerEndingTest, CopyThatThrowsFailsTheActor) {
  int handled = 0;
  const auto copier = system_->Spawn<Copier>(handled).value();
  RunFor(10);
  EXPECT_EQ(copier.status(), ActorStatus::kStopped);
  EXPECT_EQ(handled, 2);
}

}  // namespace
}  // namespace troupe::internal
