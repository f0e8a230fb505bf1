// What becomes of the children of an actor: what it hears of them, and when
// they are gone.
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/scheduler/thread_executor.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

struct Live {};

class Mayfly : public Actor<Live> {
 public:
  void Handle(Live) { StopSelf(); }
};

struct Breed {
  int children;
};
struct Look {};

// Looks at its children when all of them have ended.
class Deaf : public Actor<Breed, Look> {
 public:
  Deaf(std::optional<size_t>& left, absl::Notification& seen)
      : left_(left), seen_(seen) {}

  void Handle(Breed m) {
    for (int i = 0; i < m.children; ++i) {
      Spawn<Mayfly>().value().Send<Live>();
    }
    self().Send<Look>();
  }
  void Handle(Look) {
    if (system().live_actors() > 1) {
      self().Send<Look>();
      return;
    }
    left_ = children().size();
    seen_.Notify();
  }

 private:
  std::optional<size_t>& left_;
  absl::Notification& seen_;
};

// §10: the budget is for events that are heard. What nobody hears of takes no
// turn, and holds no memory.
TEST(ChildrenTest, EndsThatNobodyHearsDoNotPileUp) {
  std::optional<size_t> left;
  absl::Notification seen;
  // One thread: when the parent runs again, its children have run.
  std::unique_ptr<ActorSystem> system = ActorSystem::CreateOn(
      ThreadExecutor::Create(
          {.workers = 1, .take_over_after = absl::InfiniteDuration()})
          .value(),
      {});
  system->Spawn<Deaf>(left, seen).value().Send<Breed>(1000);
  seen.WaitForNotification();
  EXPECT_EQ(left, 0u);
}

// Waits, in its handler, until its children have ended.
class Waiter : public Actor<Breed, Look> {
 public:
  Waiter(std::optional<size_t>& before, std::optional<size_t>& after,
         absl::Notification& seen)
      : before_(before), after_(after), seen_(seen) {}

  void Handle(Breed m) {
    for (int i = 0; i < m.children; ++i) {
      Spawn<Mayfly>().value().Send<Live>();
    }
    // Another thread runs them.
    system().executor().GiveUpSeat();
    while (system().live_actors() > 1) std::this_thread::yield();
    before_ = children().size();
    self().Send<Look>();
  }
  void Handle(Look) {
    // Behind the events that the other thread left.
    if (!std::exchange(looked_, true)) {
      self().Send<Look>();
      return;
    }
    after_ = children().size();
    seen_.Notify();
  }

 private:
  std::optional<size_t>& before_;
  std::optional<size_t>& after_;
  absl::Notification& seen_;
  bool looked_ = false;
};

// The children of a handler that lost its seat are the handler's list, which no
// turn of a child touches.
TEST(ChildrenTest, EndsLeaveTheListOfABusyHandlerAlone) {
  std::optional<size_t> before;
  std::optional<size_t> after;
  absl::Notification seen;
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  system->Spawn<Waiter>(before, after, seen).value().Send<Breed>(100);
  seen.WaitForNotification();
  EXPECT_EQ(before, 100u);
  EXPECT_EQ(after, 0u);
}

// Notes what it hears of its children.
class Listener : public Actor<Breed> {
 public:
  Listener(std::map<ActorId, std::vector<ChildEvent::Kind>>& heard,
           absl::Notification& seen)
      : heard_(heard), seen_(seen) {}

  void Handle(Breed m) {
    left_ = m.children;
    for (int i = 0; i < m.children; ++i) {
      Mayfly::Ref child = Spawn<Mayfly>().value();
      // At once, before it has had a turn, or by a message.
      i % 2 == 0 ? AnyActorRef(child).Stop() : child.Send<Live>();
    }
  }
  void OnChild(const ChildEvent& event) {
    heard_[event.child.id()].push_back(event.kind);
    if (event.kind == ChildEvent::Kind::kStopped && --left_ == 0) {
      seen_.Notify();
    }
  }

 private:
  std::map<ActorId, std::vector<ChildEvent::Kind>>& heard_;
  absl::Notification& seen_;
  int left_ = 0;
};

class ChildEventsTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, ChildEventsTest, internal::AllExecutors());

// R-273, §27: also where a child starts and ends without a turn of its own.
TEST_P(ChildEventsTest, ParentHearsOfEachStartBeforeTheEnd) {
  std::map<ActorId, std::vector<ChildEvent::Kind>> heard;
  absl::Notification seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  system->Spawn<Listener>(heard, seen).value().Send<Breed>(200);
  ASSERT_TRUE(system->executor().RunUntil(
      [&] { return seen.HasBeenNotified(); },
      system->executor().clock().Now() + absl::Minutes(5)));
  EXPECT_EQ(heard.size(), 200u);
  for (const auto& [child, kinds] : heard) {
    EXPECT_THAT(kinds, ElementsAre(ChildEvent::Kind::kStarted,
                                   ChildEvent::Kind::kStopped))
        << child.ToString();
  }
}

}  // namespace
}  // namespace troupe
