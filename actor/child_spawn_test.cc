// What a handler that spawns a child without hooks and options can rely on:
// such a child is made and launched in one step.
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/send_result.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::troupe::testing::StatusIs;

struct Act {};

// Calls a function in its constructor, and one in its handler.
class Child : public Actor<Act> {
 public:
  using Body = std::function<void()>;

  Child(const Body& born, const Body& acts) : acts_(acts) { born(); }
  void Handle(Act) {
    acts_();
    StopSelf();
  }

 private:
  const Body& acts_;
};

// Does in its handler, or in PostStop, what a test wants.
class Parent : public Actor<Act> {
 public:
  using Body = std::function<void(Parent&)>;

  Parent(const Body& handle, const Body& post_stop,
         std::vector<ChildEvent>& heard)
      : handle_(handle), post_stop_(post_stop), heard_(heard) {}
  void Handle(Act) { handle_(*this); }
  void PostStop(const ExitReason&) { post_stop_(*this); }
  void OnChild(const ChildEvent& event) {
    heard_.push_back(event);
    if (event.kind != ChildEvent::Kind::kStarted) StopSelf();
  }

  using Actor::children;
  using Actor::Spawn;
  using Actor::SpawnInstant;
  using Actor::StopSelf;
  using Actor::system;

 private:
  const Body& handle_;
  const Body& post_stop_;
  std::vector<ChildEvent>& heard_;
};

// Takes its time to start.
class SlowChild : public Actor<Act> {
 public:
  explicit SlowChild(int& handled) : handled_(handled) {}
  Task<absl::Status> PreStart() {
    co_await Sleep(absl::Microseconds(10));
    EXPECT_EQ(handled_, 0);
    co_return absl::OkStatus();
  }
  void Handle(Act) { ++handled_; }

 private:
  int& handled_;
};

void DoNothing() {}

class ChildSpawnTest : public internal::SystemTest {
 protected:
  // Lets a parent do `body`, and waits until it has ended.
  void RunParent(
      const Parent::Body& body,
      const Parent::Body& post_stop = [](Parent&) {}) {
    system_->Spawn<Parent>(body, post_stop, heard_).value().Send<Act>();
    ASSERT_TRUE(system_->AwaitNoActors());
  }

  const Child::Body idle_ = DoNothing;
  std::vector<ChildEvent> heard_;
  const std::unique_ptr<ActorSystem> system_ = MakeSystem();
};

INSTANTIATE_TEST_SUITE_P(Executors, ChildSpawnTest, internal::AllExecutors());

TEST_P(ChildSpawnTest, ChildRunsWhenSpawnReturns) {
  RunParent([&](Parent& me) {
    const Child::Ref child = me.Spawn<Child>(idle_, idle_).value();
    EXPECT_THAT(me.children(), ElementsAre(child));
    EXPECT_EQ(me.system().live_actors(), 2u);
    child.Send<Act>();
  });
  ASSERT_EQ(heard_.size(), 2u);
  EXPECT_EQ(heard_[0].kind, ChildEvent::Kind::kStarted);
  EXPECT_EQ(heard_[1].kind, ChildEvent::Kind::kStopped);
  EXPECT_EQ(heard_[0].child, heard_[1].child);
}

// and its parent hears nothing of that but the start and the end.
TEST_P(ChildSpawnTest, InstantChildTakesMessagesAtOnce) {
  int handled = 0;
  RunParent([&](Parent& me) {
    const SlowChild::Ref child =
        me.SpawnInstant<SlowChild>(std::ref(handled)).value();
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(child.TrySend(Act{}), SendResult::kSent);
    }
    child.Drain();
  });
  EXPECT_EQ(handled, 10);
  ASSERT_EQ(heard_.size(), 2u);
  EXPECT_EQ(heard_[0].kind, ChildEvent::Kind::kStarted);
  EXPECT_EQ(heard_[1].reason, ExitReason::Drained());
}

// and leaves nothing.
TEST_P(ChildSpawnTest, ThrowingConstructorIsTheSpawnsResult) {
  const Child::Body fail = [] { throw std::runtime_error("no disk"); };
  RunParent([&](Parent& me) {
    EXPECT_THAT(
        me.Spawn<Child>(fail, idle_),
        StatusIs(absl::StatusCode::kUnknown, HasSubstr("exception: no disk")));
    EXPECT_THAT(me.Spawn<Child>(fail, idle_),
                StatusIs(absl::StatusCode::kUnknown, HasSubstr("starting a ")));
    EXPECT_THAT(me.children(), ElementsAre());
    EXPECT_EQ(me.system().live_actors(), 1u);
    me.Spawn<Child>(idle_, idle_).value().Send<Act>();
  });
  EXPECT_EQ(heard_.size(), 2u);
}

TEST_P(ChildSpawnTest, EndingParentSpawnsNothing) {
  absl::Status late;
  RunParent([](Parent& me) { me.StopSelf(); },
            [&](Parent& me) { late = me.Spawn<Child>(idle_, idle_).status(); });
  EXPECT_THAT(late, StatusIs(absl::StatusCode::kFailedPrecondition,
                             HasSubstr("the parent is shutting down")));
}

TEST_P(ChildSpawnTest, SubscribersAreToldOfTheStart) {
  std::vector<std::string> started;
  const Subscription subscription =
      system_->Subscribe<ActorStarted>([&](const ActorStarted& event) {
        started.emplace_back(event.parent.IsNull() ? "parent" : "child");
      });
  RunParent(
      [&](Parent& me) { me.Spawn<Child>(idle_, idle_).value().Send<Act>(); });
  EXPECT_THAT(started, ElementsAre("parent", "child"));
}

// The child belongs to a worker, although the thread has none any more.
TEST_P(ChildSpawnTest, ConstructorMayLoseTheSeat) {
  const Child::Body give_up = [&] { system_->executor().GiveUpSeat(); };
  int acts = 0;
  const Child::Body act = [&] { ++acts; };
  RunParent(
      [&](Parent& me) { me.Spawn<Child>(give_up, act).value().Send<Act>(); });
  EXPECT_EQ(acts, 1);
  EXPECT_EQ(heard_.size(), 2u);
}

// A thread of its own is for its actor alone.
TEST(DedicatedParentTest, ChildRunsOnAnotherThread) {
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  std::thread::id parents;
  std::thread::id childs;
  const Child::Body born = DoNothing;
  const Child::Body acts = [&] { childs = std::this_thread::get_id(); };
  const Parent::Body body = [&](Parent& me) {
    parents = std::this_thread::get_id();
    me.Spawn<Child>(born, acts).value().Send<Act>();
  };
  const Parent::Body post_stop = [](Parent&) {};
  std::vector<ChildEvent> heard;
  system->Spawn<Parent>({.dedicated_thread = true}, body, post_stop, heard)
      .value()
      .Send<Act>();
  ASSERT_TRUE(system->AwaitNoActors());
  EXPECT_NE(childs, std::thread::id());
  EXPECT_NE(childs, parents);
}

}  // namespace
}  // namespace troupe
