// What an actor was given, or hands on, may act when it is destroyed: as user
// code does, and so outside of the steps of the runtime (§19, §20), wherever
// nobody took it (§8, §27).
#include <functional>
#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/internal/system_testing.h"

namespace troupe {
namespace {

using internal::Handed;

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

}  // namespace
}  // namespace troupe
