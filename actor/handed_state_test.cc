// What actors hand on to their parents when they end (§27, R-060).
#include "troupe/actor/handed_state.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/task.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Handed;
using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::Pointee;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

TEST(HandedStateTest, GivesItsValueOnceToTheRightType) {
  const HandedState state(std::make_unique<int>(3));
  const HandedState copy = state;
  EXPECT_FALSE(copy.IsEmpty());
  EXPECT_EQ(copy.Take<int>(), std::nullopt);
  EXPECT_THAT(copy.Take<std::unique_ptr<int>>(), Optional(Pointee(3)));
  EXPECT_TRUE(state.IsEmpty());
  EXPECT_EQ(state.Take<std::unique_ptr<int>>(), std::nullopt);
}

TEST(HandedStateTest, NothingCanBeTakenOfNothing) {
  EXPECT_TRUE(HandedState().IsEmpty());
  EXPECT_EQ(HandedState().Take<int>(), std::nullopt);
}

struct Add {
  int number;
};
struct Break {};

class Collector : public Actor<Add, Break> {
 public:
  enum class Mood { kWell, kThrowsAtTheEnd };

  explicit Collector(Mood mood = Mood::kWell) : mood_(mood) {}
  void Handle(Add m) { numbers_.push_back(m.number); }
  absl::Status Handle(Break) { return absl::DataLossError("torn"); }
  std::vector<int> TakeState() && {
    if (mood_ == Mood::kThrowsAtTheEnd) throw std::runtime_error("no state");
    return std::move(numbers_);
  }

 private:
  const Mood mood_;
  std::vector<int> numbers_;
};

struct Ended {
  ChildEvent::Kind kind;
  ExitReason reason;
  std::optional<std::vector<int>> state;
};

// Spawns a Collector, and hands to the test how it ended.
class Parent : public Actor<> {
 public:
  Parent(Collector::Mood mood, Handed<Collector::Ref>& child,
         Handed<Ended>& ended)
      : mood_(mood), child_(child), ended_(ended) {}
  void PostStart() { child_.Put(Spawn<Collector>(mood_).value()); }
  void OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kStarted) return;
    ended_.Put(
        {event.kind, event.reason, event.state.Take<std::vector<int>>()});
  }

 private:
  const Collector::Mood mood_;
  Handed<Collector::Ref>& child_;
  Handed<Ended>& ended_;
};

class TakeStateTest : public internal::SystemTest {
 protected:
  Collector::Ref Start(Collector::Mood mood = Collector::Mood::kWell) {
    system_ = MakeSystem();
    EXPECT_THAT(
        system_->Spawn<Parent>(mood, std::ref(child_), std::ref(ended_)),
        IsOk());
    return child_.Await(*system_);
  }
  const Ended& AwaitEnd() { return ended_.Await(*system_); }

 private:
  Handed<Collector::Ref> child_;
  Handed<Ended> ended_;
  std::unique_ptr<ActorSystem> system_;
};

INSTANTIATE_TEST_SUITE_P(Executors, TakeStateTest, internal::AllExecutors());

TEST_P(TakeStateTest, ParentReceivesWhatWasHandedOn) {
  const Collector::Ref child = Start();
  child.Send<Add>(1);
  child.Send<Add>(2);
  child.Drain();
  EXPECT_EQ(AwaitEnd().kind, ChildEvent::Kind::kStopped);
  EXPECT_THAT(AwaitEnd().state, Optional(ElementsAre(1, 2)));
}

TEST_P(TakeStateTest, NothingIsHandedOnAfterAFailure) {
  const Collector::Ref child = Start();
  child.Send<Add>(1);
  child.Send<Break>();
  EXPECT_EQ(AwaitEnd().kind, ChildEvent::Kind::kFailed);
  EXPECT_EQ(AwaitEnd().state, std::nullopt);
}

TEST_P(TakeStateTest, NothingIsHandedOnAfterAKill) {
  const Collector::Ref child = Start();
  child.Send<Add>(1);
  child.Kill();
  EXPECT_EQ(AwaitEnd().reason, ExitReason::Killed());
  EXPECT_EQ(AwaitEnd().state, std::nullopt);
}

// §7: what is thrown there fails the actor.
TEST_P(TakeStateTest, ThrowFailsTheActor) {
  Start(Collector::Mood::kThrowsAtTheEnd).Stop();
  EXPECT_EQ(AwaitEnd().kind, ChildEvent::Kind::kFailed);
  EXPECT_THAT(
      AwaitEnd().reason.status(),
      StatusIs(absl::StatusCode::kUnknown, ::testing::HasSubstr("no state")));
  EXPECT_EQ(AwaitEnd().state, std::nullopt);
}

}  // namespace
}  // namespace troupe
