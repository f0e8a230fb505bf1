// What messages and actors allocate, exactly: everything that the process does
// between two points inside handlers is counted.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/call_all.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/actor/timer.h"
#include "troupe/benchmarks/allocation_count.h"
#include "troupe/benchmarks/stage.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::benchmarks {
namespace {

using ::troupe::testing::IsOk;

constexpr int64_t kCounted = 5000;
constexpr int kWindows = 4;  // The first one warms up.
constexpr int64_t kSteps = kWindows * kCounted;

// What is allocated in kCounted steps of something. That is the least that was
// seen: what a thread allocates once, for itself, is no cost of a step.
class Windows {
 public:
  // Returns whether that was the last of kSteps.
  bool Step() {
    if (++steps_ % kCounted != 0) return false;
    const uint64_t now = AllocationCount();
    if (steps_ > kCounted) least_ = std::min(least_, now - before_);
    before_ = now;
    return steps_ == kSteps;
  }
  uint64_t allocations() const { return least_; }

 private:
  int64_t steps_ = 0;
  uint64_t before_ = 0;
  uint64_t least_ = std::numeric_limits<uint64_t>::max();
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
    stage_->Begin(kSteps);
  }

  Stage& stage() { return *stage_; }
  Windows& windows() { return windows_; }

  uint64_t AwaitAllocations() {
    EXPECT_THAT(stage_->Await(absl::InfiniteDuration()), IsOk());
    return windows_.allocations();
  }

 private:
  Windows windows_;
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

// Both players share the windows: only one of them has the ball.
template <size_t kBytes>
class Player : public Actor<PlayerApi<kBytes>> {
 public:
  Player(Stage& stage, Windows& windows) : stage_(stage), windows_(windows) {}

  void Handle(const Ball<kBytes>& ball) {
    if (windows_.Step()) return stage_.Finish();
    ball.from.template Send<Ball<kBytes>>(this->self(), ball.rest);
  }

 private:
  Stage& stage_;
  Windows& windows_;
};

template <size_t kBytes>
uint64_t AllocationsOfPingPong(CountedRun& run) {
  Stage& stage = run.stage();
  Windows& windows = run.windows();
  const auto ann = stage.here().Spawn<Player<kBytes>>(stage, windows).value();
  const auto bob = stage.there().Spawn<Player<kBytes>>(stage, windows).value();
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
  Counter(Stage& stage, Windows& windows) : stage_(stage), windows_(windows) {}
  void Handle(Item) {
    if (windows_.Step()) stage_.Finish();
  }

 private:
  Stage& stage_;
  Windows& windows_;
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
  int64_t left_ = kSteps;
};

TEST_P(MessageAllocationsTest, FloodAllocatesNothing) {
  Stage& stage = run_.stage();
  const Counter::Ref counter =
      stage.there().Spawn<Counter>(stage, run_.windows()).value();
  stage.here().Spawn<Producer>(counter).value().Send<Produce>();
  EXPECT_EQ(run_.AwaitAllocations(), 0);
}

struct Square {
  int64_t number;
  using Reply = int64_t;
};

class Server : public Actor<Square> {
 public:
  int64_t Handle(Square square) { return square.number * square.number; }
};

// Answers when another one has answered.
class Agent : public Actor<Square> {
 public:
  explicit Agent(ActorRef<Square> server) : server_(server) {}
  Task<absl::StatusOr<int64_t>> Handle(Square square) {
    co_return co_await server_.Call<Square>(square.number);
  }

 private:
  const ActorRef<Square> server_;
};

// A step is a call.
class Caller : public Actor<Produce> {
 public:
  Caller(Stage& stage, Windows& windows, ActorRef<Square> server)
      : stage_(stage), windows_(windows), server_(server) {}

  Task<void> Handle(Produce) {
    do {
      const absl::StatusOr<int64_t> answer = co_await server_.Call<Square>(3);
      if (!stage_.Check("an answer", answer.value_or(-1), 9)) co_return;
    } while (!windows_.Step());
    stage_.Finish();
  }

 private:
  Stage& stage_;
  Windows& windows_;
  const ActorRef<Square> server_;
};

TEST_P(MessageAllocationsTest, CallAllocatesNothing) {
  Stage& stage = run_.stage();
  const ActorRef<Square> server = stage.there().Spawn<Server>().value();
  stage.here()
      .Spawn<Caller>(stage, run_.windows(), server)
      .value()
      .Send<Produce>();
  EXPECT_EQ(run_.AwaitAllocations(), 0);
}

TEST_P(MessageAllocationsTest, CallOfCoroutineAllocatesNothing) {
  Stage& stage = run_.stage();
  const ActorRef<Square> server = stage.here().Spawn<Server>().value();
  const ActorRef<Square> agent = stage.there().Spawn<Agent>(server).value();
  stage.here()
      .Spawn<Caller>(stage, run_.windows(), agent)
      .value()
      .Send<Produce>();
  EXPECT_EQ(run_.AwaitAllocations(), 0);
}

struct Squared {
  absl::StatusOr<int64_t> outcome;
};
struct ForwarderApi : Protocol<Produce, Squared> {};

// A step is a call whose outcome comes as a message.
class Forwarder : public Actor<ForwarderApi> {
 public:
  Forwarder(Stage& stage, Windows& windows, ActorRef<Square> server)
      : stage_(stage), windows_(windows), server_(server) {}

  void Handle(Produce) { server_.Call<Square>(3).Forward<Squared>(self()); }
  void Handle(Squared m) {
    if (!stage_.Check("an answer", m.outcome.value_or(-1), 9)) return;
    if (windows_.Step()) return stage_.Finish();
    Handle(Produce());
  }

 private:
  Stage& stage_;
  Windows& windows_;
  const ActorRef<Square> server_;
};

TEST_P(MessageAllocationsTest, ForwardAllocatesNothing) {
  Stage& stage = run_.stage();
  const ActorRef<Square> server = stage.there().Spawn<Server>().value();
  stage.here()
      .Spawn<Forwarder>(stage, run_.windows(), server)
      .value()
      .Send<Produce>();
  EXPECT_EQ(run_.AwaitAllocations(), 0);
}

// A step is a call of several.
class Gatherer : public Actor<Produce> {
 public:
  Gatherer(Stage& stage, Windows& windows, ActorRef<Square> server)
      : stage_(stage), windows_(windows), servers_(3, server) {}

  Task<void> Handle(Produce) {
    do {
      const auto answers = co_await CallAll<Square>(servers_, 3);
      if (!stage_.Check("an answer", answers[2].value_or(-1), 9)) co_return;
    } while (!windows_.Step());
    stage_.Finish();
  }

 private:
  Stage& stage_;
  Windows& windows_;
  const std::vector<ActorRef<Square>> servers_;
};

// One vector of the calls, one of the outcomes.
TEST_P(MessageAllocationsTest, CallOfSeveralAllocatesTwoVectors) {
  Stage& stage = run_.stage();
  const ActorRef<Square> server = stage.there().Spawn<Server>().value();
  stage.here()
      .Spawn<Gatherer>(stage, run_.windows(), server)
      .value()
      .Send<Produce>();
  EXPECT_EQ(run_.AwaitAllocations(), 2 * kCounted);
}

TEST_P(MessageAllocationsTest, CallFromOutsideAllocatesNothing) {
  Stage& stage = run_.stage();
  const ActorRef<Square> server = stage.there().Spawn<Server>().value();
  do {
    // No matcher: it allocates.
    ASSERT_EQ(server.Call<Square>(3).Wait().value_or(-1), 9);
  } while (!run_.windows().Step());
  stage.Finish();
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
  Parent(Stage& stage, Windows& windows) : stage_(stage), windows_(windows) {}
  void Handle(Produce) {
    Spawn<Mayfly<kBytes>>().value().template Send<Item>();
  }
  void OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kStarted) return;
    if (windows_.Step()) return stage_.Finish();
    self().template Send<Produce>();
  }

 private:
  Stage& stage_;
  Windows& windows_;
};

template <size_t kBytes>
uint64_t AllocationsOfSpawns() {
  CountedRun run;
  run.stage()
      .here()
      .Spawn<Parent<kBytes>>(run.stage(), run.windows())
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

// A step is a tick: with a period that short there is always one that is late.
class Ticker : public Actor<Produce, Item> {
 public:
  Ticker(Stage& stage, Windows& windows) : stage_(stage), windows_(windows) {}
  void Handle(Produce) {
    timer_ = SendEvery<Item>(
        {.period = absl::Nanoseconds(1), .missed = MissedTicks::kBurst});
  }
  void Handle(Item) {
    if (!windows_.Step()) return;
    timer_.Cancel();
    stage_.Finish();
  }

 private:
  Stage& stage_;
  Windows& windows_;
  Timer timer_;
};

// A step is a timeout that is not needed.
class Hesitant : public Actor<Produce, Item> {
 public:
  Hesitant(Stage& stage, Windows& windows) : stage_(stage), windows_(windows) {}
  void Handle(Produce) {
    for (int i = 0; i < kSendsPerTurn; ++i) {
      SendAfter<Item>(absl::Hours(1)).Cancel();
      if (windows_.Step()) return stage_.Finish();
    }
    self().Send<Produce>();
  }
  void Handle(Item) {}

 private:
  Stage& stage_;
  Windows& windows_;
};

class Sleepy : public Actor<Produce> {
 public:
  Sleepy(Stage& stage, Windows& windows) : stage_(stage), windows_(windows) {}
  Task<void> Handle(Produce) {
    while (!windows_.Step()) co_await Sleep(absl::ZeroDuration());
    stage_.Finish();
  }

 private:
  Stage& stage_;
  Windows& windows_;
};

template <typename A>
uint64_t AllocationsOf() {
  CountedRun run;
  run.stage()
      .here()
      .Spawn<A>(run.stage(), run.windows())
      .value()
      .template Send<Produce>();
  return run.AwaitAllocations();
}

TEST(TimerAllocationsTest, TickAllocatesNothing) {
  EXPECT_EQ(AllocationsOf<Ticker>(), 0);
}

TEST(TimerAllocationsTest, StartAndCancelAllocateNothing) {
  EXPECT_EQ(AllocationsOf<Hesitant>(), 0);
}

TEST(TimerAllocationsTest, SleepAllocatesNothing) {
  EXPECT_EQ(AllocationsOf<Sleepy>(), 0);
}

}  // namespace
}  // namespace troupe::benchmarks
