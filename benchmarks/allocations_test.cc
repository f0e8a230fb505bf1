// What messages and actors allocate, exactly: everything that the process does
// between two points inside handlers is counted.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/benchmarks/allocation_count.h"
#include "troupe/benchmarks/stage.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::benchmarks {
namespace {

using ::troupe::testing::IsOk;

constexpr int64_t kWarmUp = 20'000;
constexpr int64_t kCounted = 50'000;

// Remembers how much was allocated from step kWarmUp to step kWarmUp + kCounted
// of something.
class Window {
 public:
  // Returns whether that was the last step.
  bool Step() {
    ++steps_;
    if (steps_ == kWarmUp) before_ = AllocationCount();
    if (steps_ != kWarmUp + kCounted) return false;
    allocations_ = AllocationCount() - before_;
    return true;
  }
  uint64_t allocations() const { return allocations_; }

 private:
  int64_t steps_ = 0;
  uint64_t before_ = 0;
  uint64_t allocations_ = 0;
};

// Runs something once. The options say where its two sides live.
class CountedRun {
 public:
  explicit CountedRun(bool forced = false)
      : stage_(Stage::Create({
                                 .workers = forced ? 2 : 1,
                                 .forced = forced,
                                 // A thread that is started allocates.
                                 .take_over_after = absl::InfiniteDuration(),
                             })
                   .value()) {
    stage_->Begin(kCounted);
  }

  Stage& stage() { return *stage_; }
  Window& window() { return window_; }

  uint64_t AwaitAllocations() {
    EXPECT_THAT(stage_->Await(absl::InfiniteDuration()), IsOk());
    return window_.allocations();
  }

 private:
  Window window_;
  const std::unique_ptr<Stage> stage_;
};

// On one worker, and on two that keep their actors.
class MessageAllocationsTest : public ::testing::TestWithParam<bool> {
 protected:
  MessageAllocationsTest() : run_(/*forced=*/GetParam()) {}

  CountedRun run_;
};

INSTANTIATE_TEST_SUITE_P(Forced, MessageAllocationsTest, ::testing::Bool());

template <size_t kBytes>
struct Ball;
template <size_t kBytes>
struct PlayerApi : Protocol<Ball<kBytes>> {};

// A message of kBytes in all.
template <size_t kBytes>
struct Ball {
  ActorRef<PlayerApi<kBytes>> from;
  std::array<char, kBytes - sizeof(ActorRef<>)> rest;
};

// Both players share the window: only one of them has the ball.
template <size_t kBytes>
class Player : public Actor<PlayerApi<kBytes>> {
 public:
  Player(Stage& stage, Window& window) : stage_(stage), window_(window) {}

  void Handle(const Ball<kBytes>& ball) {
    if (window_.Step()) return stage_.Finish();
    ball.from.template Send<Ball<kBytes>>(this->self(), ball.rest);
  }

 private:
  Stage& stage_;
  Window& window_;
};

template <size_t kBytes>
uint64_t AllocationsOfPingPong(CountedRun& run) {
  Stage& stage = run.stage();
  Window& window = run.window();
  const auto ann = stage.here().Spawn<Player<kBytes>>(stage, window).value();
  const auto bob = stage.there().Spawn<Player<kBytes>>(stage, window).value();
  ann.Send(Ball<kBytes>{bob, {}});
  return run.AwaitAllocations();
}

TEST_P(MessageAllocationsTest, MessageOfOneLineAllocatesNothing) {
  EXPECT_EQ(AllocationsOfPingPong<40>(run_), 0);
}

TEST_P(MessageAllocationsTest, LargerMessageAllocatesNothing) {
  EXPECT_EQ(AllocationsOfPingPong<1000>(run_), 0);
}

struct Item {};

class Counter : public Actor<Item> {
 public:
  Counter(Stage& stage, Window& window) : stage_(stage), window_(window) {}
  void Handle(Item) {
    if (window_.Step()) stage_.Finish();
  }

 private:
  Stage& stage_;
  Window& window_;
};

struct Produce {};

class Producer : public Actor<Produce> {
 public:
  explicit Producer(Counter::Ref counter) : counter_(counter) {}
  void Handle(Produce) {
    for (int i = 0; i < kSendsPerTurn && left_ > 0; ++i, --left_) {
      counter_.Send<Item>();
    }
    if (left_ > 0) self().Send<Produce>();
  }

 private:
  const Counter::Ref counter_;
  int64_t left_ = kWarmUp + kCounted;
};

TEST_P(MessageAllocationsTest, FloodAllocatesNothing) {
  Stage& stage = run_.stage();
  const Counter::Ref counter =
      stage.there().Spawn<Counter>(stage, run_.window()).value();
  stage.here().Spawn<Producer>(counter).value().Send<Produce>();
  EXPECT_EQ(run_.AwaitAllocations(), 0);
}

// An actor whose object takes `kBytes`, and that stops at its first message.
template <size_t kBytes>
class Mayfly : public Actor<Item> {
 public:
  void Handle(Item) { StopSelf(); }

 private:
  std::array<char, kBytes> state_ = {};
};

// Has one child at a time; a step is a spawn, a message and the end.
template <size_t kBytes>
class Parent : public Actor<Produce> {
 public:
  Parent(Stage& stage, Window& window) : stage_(stage), window_(window) {}
  void Handle(Produce) {
    Spawn<Mayfly<kBytes>>().value().template Send<Item>();
  }
  void OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kStarted) return;
    if (window_.Step()) return stage_.Finish();
    self().template Send<Produce>();
  }

 private:
  Stage& stage_;
  Window& window_;
};

template <size_t kBytes>
uint64_t AllocationsOfSpawns() {
  CountedRun run;
  run.stage()
      .here()
      .Spawn<Parent<kBytes>>(run.stage(), run.window())
      .value()
      .template Send<Produce>();
  return run.AwaitAllocations();
}

TEST(SpawnAllocationsTest, SpawnMessageAndStopAllocateNothing) {
  EXPECT_EQ(AllocationsOfSpawns<8>(), 0);
}

TEST(SpawnAllocationsTest, LargeActorIsOneAllocation) {
  EXPECT_EQ(AllocationsOfSpawns<4000>(), kCounted);
}

}  // namespace
}  // namespace troupe::benchmarks
