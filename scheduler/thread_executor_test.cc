// What only threads show and can still be said exactly; stress/ has the rest.
#include "troupe/scheduler/thread_executor.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/base/ownership.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/internal/thread_testing.h"
#include "troupe/scheduler/post.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::RecordingSink;
using internal::TestThreadFactory;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::StartsWith;
using testing::StatusIs;

constexpr MonotonicTime kNoDeadline = MonotonicTime::InfiniteFuture();

std::unique_ptr<ThreadExecutor> Create(ThreadExecutor::Options options) {
  absl::StatusOr<std::unique_ptr<ThreadExecutor>> executor =
      ThreadExecutor::Create(std::move(options));
  EXPECT_THAT(executor, IsOk());
  return *std::move(executor);
}

// ---- threads that cannot be created (§34)

TEST(ThreadExecutorTest, FailsToStartWithoutAThreadForEach) {
  // Two workers and the monitor.
  for (int allowed = 0; allowed < 3; ++allowed) {
    TestThreadFactory threads;
    threads.Allow(allowed);
    EXPECT_THAT(
        ThreadExecutor::Create({.workers = 2, .threads = &threads}),
        StatusIs(absl::StatusCode::kResourceExhausted,
                 AllOf(StartsWith(absl::StrCat(
                           "only ", allowed,
                           " of 3 threads could be started: no threads left")),
                       HasSubstr("ask for fewer workers"))));
    EXPECT_EQ(threads.unjoined(), 0);
  }
}

TEST(ThreadExecutorTest, RefusesSenselessNumbers) {
  EXPECT_THAT(ThreadExecutor::Create({.workers = -1}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ThreadExecutor::Create({.max_spare_threads = -1}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ThreadExecutorTest, SurvivesADedicatedThreadThatCannotBe) {
  TestThreadFactory threads;
  const auto executor = Create({.workers = 1, .threads = &threads});
  threads.Allow(0);
  EXPECT_THAT(
      executor->StartDedicatedWorker("own"),
      StatusIs(absl::StatusCode::kResourceExhausted, "no threads left"));
  threads.Allow(1);
  const absl::StatusOr<Worker*> own = executor->StartDedicatedWorker("own");
  ASSERT_THAT(own, IsOk());
  Event ran;
  Post(**own, [&ran] { ran.Set(); });
  EXPECT_TRUE(executor->WaitFor(ran, kNoDeadline));
}

TEST(ThreadExecutorTest, StartsNoDedicatedWorkerAfterItsEnd) {
  const auto executor = Create({.workers = 1});
  ASSERT_THAT(executor->Shutdown(), IsOk());
  EXPECT_THAT(executor->StartDedicatedWorker("late"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(ThreadExecutorTest, JoinsTheThreadOfAReleasedWorker) {
  TestThreadFactory threads;
  const auto executor = Create({.workers = 1, .threads = &threads});
  const absl::StatusOr<Worker*> own = executor->StartDedicatedWorker("own");
  ASSERT_THAT(own, IsOk());
  Event ran;
  Post(**own, [&ran] { ran.Set(); });
  ASSERT_TRUE(executor->WaitFor(ran, kNoDeadline));
  EXPECT_EQ(threads.unjoined(), 3);
  executor->ReleaseDedicatedWorker(**own);
  EXPECT_TRUE(
      executor->RunUntil([&] { return threads.unjoined() == 2; }, kNoDeadline));
}

// Closures that take some time each, and post themselves again until they have
// been seen on both of two workers, or a minute has passed.
class Wanderers {
 public:
  static constexpr int kCount = 4;

  explicit Wanderers(ThreadExecutor& executor)
      : executor_(executor),
        deadline_(executor.clock().Now() + absl::Minutes(1)) {}

  // What a turn posts is its own worker's, unless it is given away.
  void Start() {
    Post(executor_, [this] {
      for (int i = 0; i < kCount; ++i) PostOne();
    });
  }
  // Returns whether they were seen on both.
  bool AwaitEnd() {
    ended_.Wait();
    return seen_.load() == kBoth;
  }

 private:
  static constexpr int kBoth = 3;

  void PostOne() {
    Post(executor_, [this] {
      const MonotonicTime begin = executor_.clock().Now();
      MonotonicTime now = begin;
      while (now < begin + absl::Microseconds(100)) {
        now = executor_.clock().Now();
      }
      seen_.fetch_or(1 << this_thread.worker->index());
      if (seen_.load() == kBoth || now > deadline_) {
        ended_.DecrementCount();
      } else {
        PostOne();
      }
    });
  }

  ThreadExecutor& executor_;
  const MonotonicTime deadline_;
  std::atomic<int> seen_{0};
  absl::BlockingCounter ended_{kCount};
};

TEST(ThreadExecutorTest, GivesWorkToAWorkerThatHasNone) {
  const auto executor = Create({.workers = 2});
  Wanderers wanderers(*executor);
  wanderers.Start();
  EXPECT_TRUE(wanderers.AwaitEnd());
}

// A closure that blocks until as many others have run on its only worker.
class BlockedWorker {
 public:
  BlockedWorker(ThreadExecutor& executor, int others)
      : executor_(executor), others_(others) {
    Post(executor_, [this] {
      began_.Notify();
      others_.Wait();
      returned_.Notify();
    });
    began_.WaitForNotification();
  }

  void PostOther() {
    Post(executor_, [this] {
      ran_.fetch_add(1);
      others_.DecrementCount();
    });
  }
  // Lets the closure return without one of the others.
  void Excuse() { others_.DecrementCount(); }
  void AwaitReturn() { returned_.WaitForNotification(); }
  int ran() const { return ran_.load(); }

 private:
  ThreadExecutor& executor_;
  absl::Notification began_, returned_;
  absl::BlockingCounter others_;
  std::atomic<int> ran_{0};
};

// The worker has something to run when it is taken over.
TEST(ThreadExecutorTest, RunsALoadedWorkerOnceThreadsCanBeHad) {
  TestThreadFactory threads;
  RecordingSink sink;
  const auto executor = Create({.workers = 1,
                                .long_turn_after = absl::InfiniteDuration(),
                                .logger = Logger(&sink),
                                .threads = &threads});
  threads.Allow(0);
  BlockedWorker worker(*executor, 2);
  worker.PostOther();
  worker.PostOther();
  ASSERT_TRUE(executor->RunUntil([&] { return !sink.messages().empty(); },
                                 kNoDeadline));
  const uint64_t looks = executor->monitor_looks();
  ASSERT_TRUE(executor->RunUntil(
      [&] { return executor->monitor_looks() >= looks + 5; }, kNoDeadline));
  EXPECT_EQ(worker.ran(), 0);
  EXPECT_EQ(executor->take_overs(), 1u);
  // Once, however often it was tried.
  EXPECT_THAT(sink.messages(),
              ElementsAre("no thread for a worker whose handler blocks: "
                          "RESOURCE_EXHAUSTED: no threads left"));
  threads.Allow(1);
  worker.AwaitReturn();
  EXPECT_EQ(worker.ran(), 2);
}

// The worker has fallen asleep without a thread when something is posted.
TEST(ThreadExecutorTest, WakesAWorkerOnceThreadsCanBeHad) {
  TestThreadFactory threads;
  RecordingSink sink;
  const auto executor = Create({.workers = 1,
                                .long_turn_after = absl::InfiniteDuration(),
                                .logger = Logger(&sink),
                                .threads = &threads});
  BlockedWorker worker(*executor, 1);
  ASSERT_TRUE(executor->RunUntil(
      [&] { return executor->shared_worker(0).LooksAsleep(); }, kNoDeadline));
  threads.Allow(0);
  worker.PostOther();
  ASSERT_TRUE(executor->RunUntil([&] { return !sink.messages().empty(); },
                                 kNoDeadline));
  EXPECT_EQ(worker.ran(), 0);
  threads.Allow(1);
  worker.AwaitReturn();
  EXPECT_EQ(worker.ran(), 1);
}

TEST(ThreadExecutorTest, GoesOnAfterTheHandlerWithoutThreads) {
  TestThreadFactory threads;
  RecordingSink sink;
  const auto executor = Create({.workers = 1,
                                .long_turn_after = absl::InfiniteDuration(),
                                .logger = Logger(&sink),
                                .threads = &threads});
  threads.Allow(0);
  Event ran;
  BlockedWorker worker(*executor, 1);
  Post(*executor, [&ran] { ran.Set(); });
  ASSERT_TRUE(executor->RunUntil([&] { return !sink.messages().empty(); },
                                 kNoDeadline));
  EXPECT_FALSE(ran.IsSet());
  worker.Excuse();
  EXPECT_TRUE(executor->WaitFor(ran, kNoDeadline));
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

TEST(ThreadExecutorTest, LeavesAWorkerAloneWithoutSpareThreads) {
  const auto executor = Create({.workers = 1, .max_spare_threads = 0});
  Event ran;
  BlockedWorker worker(*executor, 1);
  Post(*executor, [&ran] { ran.Set(); });
  // The monitor has looked at the turn for longer than it would have let it
  // last.
  const uint64_t looks = executor->monitor_looks();
  ASSERT_TRUE(executor->RunUntil(
      [&] { return executor->monitor_looks() >= looks + 20; }, kNoDeadline));
  EXPECT_EQ(executor->take_overs(), 0u);
  EXPECT_FALSE(ran.IsSet());
  worker.Excuse();
  EXPECT_TRUE(executor->WaitFor(ran, kNoDeadline));
}

// ---- seats that are given up

TEST(ThreadExecutorTest, RunsOthersOnceASeatIsGivenUp) {
  const auto executor =
      Create({.workers = 1, .take_over_after = absl::InfiniteDuration()});
  absl::BlockingCounter others(2);
  absl::Notification returned;
  Post(*executor, [&] {
    Post(*executor, [&] { others.DecrementCount(); });
    executor->GiveUpSeat();
    executor->GiveUpSeat();  // Not its to give any more.
    Post(*executor, [&] { others.DecrementCount(); });
    others.Wait();
    returned.Notify();
  });
  returned.WaitForNotification();
  EXPECT_THAT(executor->Shutdown(), IsOk());
  EXPECT_EQ(executor->take_overs(), 1u);
}

TEST(ThreadExecutorTest, KeepsSeatsThatAreNoneOfItsOwn) {
  const ThreadExecutor::Options options = {
      .workers = 1, .take_over_after = absl::InfiniteDuration()};
  const auto executor = Create(options);
  const auto other = Create(options);
  executor->GiveUpSeat();  // No worker's thread.
  const absl::StatusOr<Worker*> own = executor->StartDedicatedWorker("own");
  ASSERT_THAT(own, IsOk());
  Event kept_dedicated, kept_foreign;
  Post(**own, [&] {
    executor->GiveUpSeat();  // Keeps its thread.
    if (this_thread.seat.tag() != OwnerTag::kNoSeat) kept_dedicated.Set();
  });
  Post(*executor, [&] {
    other->GiveUpSeat();
    if (this_thread.seat.tag() != OwnerTag::kNoSeat) kept_foreign.Set();
  });
  EXPECT_THAT(executor->Shutdown(), IsOk());
  EXPECT_TRUE(kept_dedicated.IsSet());
  EXPECT_TRUE(kept_foreign.IsSet());
  EXPECT_EQ(executor->take_overs() + other->take_overs(), 0u);
}

// ---- an idle executor sleeps

TEST(ThreadExecutorTest, SleepsForEverWhenIdle) {
  const auto executor = Create({.workers = 2});
  Event ran;
  Post(*executor, [&ran] { ran.Set(); });
  ASSERT_TRUE(executor->WaitFor(ran, kNoDeadline));
  EXPECT_TRUE(executor->RunUntil(
      [&] { return executor->monitor_sleeps_until() == kNoDeadline; },
      kNoDeadline));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(executor->shared_worker(i).LooksAsleep());
  }
}

// Counts what an executor does while an alarm is all that it has. Anything that
// wakes up regularly is seen: a look a millisecond would be 300.
TEST(ThreadExecutorTest, SleepsUntilItsNextAlarm) {
  const auto executor = Create({.workers = 2});
  ASSERT_TRUE(executor->RunUntil(
      [&] { return executor->monitor_sleeps_until() == kNoDeadline; },
      kNoDeadline));
  const auto naps = [&] {
    return executor->shared_worker(0).naps() +
           executor->shared_worker(1).naps();
  };
  const uint64_t looks_before = executor->monitor_looks();
  const uint64_t naps_before = naps();
  uint64_t looks = 0;
  Event rang;
  Alarm alarm([&] {
    looks = executor->monitor_looks() - looks_before;
    rang.Set();
  });
  executor->SetAlarm(alarm, executor->clock().Now() + absl::Milliseconds(300));
  ASSERT_TRUE(executor->WaitFor(rang, kNoDeadline));
  // To take the alarm up, on the way through the wheel (TimerWheel), to ring.
  EXPECT_LE(looks, 12u);
  EXPECT_EQ(naps(), naps_before);
  EXPECT_EQ(executor->wakes(), 0u);
  EXPECT_TRUE(executor->RunUntil(
      [&] { return executor->monitor_sleeps_until() == kNoDeadline; },
      kNoDeadline));
}

}  // namespace
}  // namespace troupe
