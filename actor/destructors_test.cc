// What an actor was given, or hands on, may act when it is destroyed: as user
// code does, and so outside of the steps of the runtime (§19, §20), wherever
// nobody took it (§8, §27).
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/call.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/timer.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Handed;
using ::troupe::testing::StatusIs;

struct Farewell {};

class Listener : public Actor<Farewell> {
 public:
  explicit Listener(Handed<bool>& heard) : heard_(heard) {}
  void Handle(Farewell) { heard_.Put(true); }

 private:
  Handed<bool>& heard_;
};

// Sends a message when it goes, unless it was moved from.
class LastWords {
 public:
  explicit LastWords(const Listener::Ref& listener) : listener_(listener) {}
  LastWords(LastWords&& other) noexcept
      : listener_(std::exchange(other.listener_, Listener::Ref())) {}
  LastWords& operator=(LastWords&&) = delete;
  ~LastWords() {
    if (!listener_.IsNull()) listener_.Send<Farewell>();
  }

 private:
  Listener::Ref listener_;
};

// Is given something, and keeps nothing.
class Heir : public Actor<> {
 public:
  explicit Heir(const LastWords&) {}
};

// Hands something on.
class Testator : public Actor<> {
 public:
  explicit Testator(const Listener::Ref& listener) : listener_(listener) {}
  LastWords TakeState() && { return LastWords(listener_); }

 private:
  const Listener::Ref listener_;
};

// Hears of a Testator, and takes nothing.
class Parent : public Actor<> {
 public:
  Parent(const Listener::Ref& listener, Handed<AnyActorRef>& child)
      : listener_(listener), child_(child) {}
  void PostStart() { child_.Put(Spawn<Testator>(listener_).value()); }
  void OnChild(const ChildEvent&) {}

 private:
  const Listener::Ref listener_;
  Handed<AnyActorRef>& child_;
};

// Ends with a child that has not had its first turn.
class Hasty : public Actor<> {
 public:
  explicit Hasty(const Listener::Ref& listener) : listener_(listener) {}
  void PostStart() {
    SpawnInstant<Heir>(LastWords(listener_)).value().Kill();
    StopSelf();
  }

 private:
  const Listener::Ref listener_;
};

struct Ask {
  using Reply = int;
};
struct Answer {
  absl::StatusOr<int> outcome;
};

// Answers later, if at all; gets the answers of others.
class Peer : public Actor<Ask, Answer> {
 public:
  void Handle(Ask, ReplyTo<int> reply) { asked_.push_back(std::move(reply)); }
  void Handle(const Answer&) { ADD_FAILURE() << "its caller has ended"; }

 private:
  std::vector<ReplyTo<int>> asked_;
};

// A message that makes calls when it goes, unless it was moved from.
class Question {
 public:
  Question(const Peer::Ref& peer, std::optional<StartedCall<Ask>>& started)
      : peer_(peer), started_(&started) {}
  Question(Question&& other) noexcept
      : peer_(std::exchange(other.peer_, Peer::Ref())),
        started_(other.started_) {}
  Question& operator=(Question&&) = delete;
  ~Question() {
    if (peer_.IsNull()) return;
    peer_.Call<Ask>().Forward<Answer>(peer_);
    started_->emplace(peer_.Call<Ask>().Start());
  }

 private:
  Peer::Ref peer_;
  std::optional<StartedCall<Ask>>* started_;
};

// Does not start, and leaves a message behind.
class Unstarted : public Actor<Question> {
 public:
  enum class Leaves { kMessage, kTimer };
  Unstarted(const Peer::Ref& peer, std::optional<StartedCall<Ask>>& started,
            Leaves leaves)
      : peer_(peer), started_(started), leaves_(leaves) {}
  absl::Status PreStart() {
    if (leaves_ == Leaves::kMessage) {
      self().Send<Question>(peer_, started_);
    } else {
      SendAfter<Question>(absl::Hours(1), peer_, started_);
    }
    return absl::DataLossError("lost");
  }
  void Handle(const Question&) {}

 private:
  const Peer::Ref peer_;
  std::optional<StartedCall<Ask>>& started_;
  const Leaves leaves_;
};

class DestructorsTest : public internal::SystemTest {
 protected:
  void AwaitFarewell() { EXPECT_TRUE(heard_.Await(*system_)); }

  Handed<bool> heard_;
  Handed<AnyActorRef> child_;
  const std::unique_ptr<ActorSystem> system_ = MakeSystem();
  const Listener::Ref listener_ =
      system_->Spawn<Listener>(std::ref(heard_)).value();
};

INSTANTIATE_TEST_SUITE_P(Executors, DestructorsTest, internal::AllExecutors());

TEST_P(DestructorsTest, OfAnArgumentWhoseActorIsKilledBeforeItsFirstTurn) {
  system_->SpawnInstant<Heir>(LastWords(listener_)).value().Kill();
  AwaitFarewell();
}

TEST_P(DestructorsTest, OfAnArgumentWhoseActorsParentEnds) {
  const AnyActorRef hasty = system_->Spawn<Hasty>(listener_).value();
  AwaitFarewell();
  EXPECT_TRUE(hasty.Wait().ok());
}

TEST_P(DestructorsTest, OfAStateThatTheHookDoesNotTake) {
  const AnyActorRef parent =
      system_->Spawn<Parent>(listener_, std::ref(child_)).value();
  child_.Await(*system_).Stop();
  AwaitFarewell();
  EXPECT_EQ(parent.status(), ActorStatus::kRunning);
}

TEST_P(DestructorsTest, OfAStateWhoseParentEnds) {
  const AnyActorRef parent =
      system_->Spawn<Parent>(listener_, std::ref(child_)).value();
  (void)child_.Await(*system_);
  parent.Stop();
  AwaitFarewell();
  EXPECT_TRUE(parent.Wait().ok());
}

// §20: the calls that they make end with the actor in whose name they are made.
TEST_P(DestructorsTest, OfMessagesToAnActorThatDoesNotStart) {
  using Leaves = Unstarted::Leaves;
  const Peer::Ref peer = system_->Spawn<Peer>().value();
  for (const Leaves leaves : {Leaves::kMessage, Leaves::kTimer}) {
    std::optional<StartedCall<Ask>> started;
    EXPECT_THAT(
        system_->Spawn<Unstarted>(peer, std::ref(started), leaves).status(),
        StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_TRUE(started.has_value());
    started.reset();
  }
  peer.Stop();
  EXPECT_TRUE(peer.Wait().ok());
}

}  // namespace
}  // namespace troupe
