#include "troupe/scheduler/blocking_pool.h"

#include <pthread.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/scheduler/internal/thread_testing.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::RecordingSink;
using internal::TestThreadFactory;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;
using testing::StatusIs;
using Task = BlockingPool::Task;

constexpr absl::Duration kForEver = absl::InfiniteDuration();

// A task that runs until it is released.
class Blocker {
 public:
  Task MakeTask() {
    return [this] {
      thread_ = std::this_thread::get_id();
      started_.Notify();
      release_.WaitForNotification();
    };
  }

  void AwaitStart() { started_.WaitForNotification(); }
  void Release() { release_.Notify(); }
  // REQUIRES: AwaitStart() returned.
  std::thread::id thread() const { return thread_; }

 private:
  absl::Notification started_;
  absl::Notification release_;
  std::thread::id thread_;
};

// Waits for what a thread of the pool does after its task, which nothing tells.
void AwaitStats(const BlockingPool& pool,
                absl::FunctionRef<bool(const BlockingPool::Stats&)> reached) {
  while (!reached(pool.GetStats())) std::this_thread::yield();
}

MonotonicTime Now() { return RealClock().Now(); }

TEST(BlockingPoolTest, RunsATaskOnAnotherThread) {
  std::thread::id thread;
  BlockingPool pool({});

  ASSERT_THAT(pool.Submit([&] { thread = std::this_thread::get_id(); }),
              IsOk());
  EXPECT_THAT(pool.Shutdown(MonotonicTime::InfiniteFuture()).status, IsOk());

  EXPECT_NE(thread, std::thread::id());
  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST(BlockingPoolTest, StartsNoThreadBeforeItHasWork) {
  BlockingPool pool({});

  EXPECT_EQ(pool.GetStats().threads, 0);
}

TEST(BlockingPoolTest, NamesItsThreads) {
  char name[16] = "";
  BlockingPool pool({.thread_name_prefix = "files"});

  ASSERT_THAT(pool.Submit([&name] {
    pthread_getname_np(pthread_self(), name, sizeof(name));
  }),
              IsOk());
  pool.Shutdown(MonotonicTime::InfiniteFuture());

  EXPECT_STREQ(name, "files-1");
}

TEST(BlockingPoolTest, GrowsToItsLimitAndThenQueues) {
  Blocker blockers[3];
  BlockingPool pool({.max_threads = 2});
  for (Blocker& blocker : blockers) {
    ASSERT_THAT(pool.Submit(blocker.MakeTask()), IsOk());
  }

  blockers[0].AwaitStart();
  blockers[1].AwaitStart();
  EXPECT_EQ(pool.GetStats().threads, 2);
  EXPECT_EQ(pool.GetStats().queued_tasks, 1);

  blockers[1].Release();
  blockers[2].AwaitStart();
  EXPECT_EQ(blockers[2].thread(), blockers[1].thread());
  EXPECT_EQ(pool.GetStats().queued_tasks, 0);

  blockers[0].Release();
  blockers[2].Release();
}

TEST(BlockingPoolTest, StartsQueuedTasksInOrder) {
  std::vector<int> order;  // Touched by the one thread of the pool.
  BlockingPool pool({.max_threads = 1});

  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(pool.Submit([&order, i] { order.push_back(i); }), IsOk());
  }
  pool.Shutdown(MonotonicTime::InfiniteFuture());

  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4));
}

TEST(BlockingPoolTest, FullQueueLeavesTheTaskWithTheCaller) {
  Blocker blocker;
  bool ran = false;
  BlockingPool pool({.max_threads = 1, .max_queued_tasks = 1});
  ASSERT_THAT(pool.Submit(blocker.MakeTask()), IsOk());
  ASSERT_THAT(pool.Submit([] {}), IsOk());

  Task refused = [&ran] { ran = true; };
  EXPECT_THAT(pool.Submit(std::move(refused)),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("1 threads"), HasSubstr("1 tasks"))));

  blocker.Release();
  ASSERT_TRUE(refused);
  std::move(refused)();
  EXPECT_TRUE(ran);
}

TEST(BlockingPoolTest, PrefersAnIdleThreadToANewOne) {
  Blocker first;
  Blocker second;
  BlockingPool pool({.idle_timeout = kForEver});
  ASSERT_THAT(pool.Submit(first.MakeTask()), IsOk());
  first.AwaitStart();
  first.Release();
  AwaitStats(pool, [](const auto& stats) { return stats.idle_threads == 1; });

  ASSERT_THAT(pool.Submit(second.MakeTask()), IsOk());
  second.AwaitStart();

  EXPECT_EQ(second.thread(), first.thread());
  EXPECT_EQ(pool.GetStats().threads, 1);
  second.Release();
}

TEST(BlockingPoolTest, WakesTheThreadThatWentIdleLast) {
  Blocker blockers[3];
  BlockingPool pool({.idle_timeout = kForEver});
  for (int i : {0, 1}) ASSERT_THAT(pool.Submit(blockers[i].MakeTask()), IsOk());
  for (int i : {0, 1}) blockers[i].AwaitStart();
  for (int i : {0, 1}) {
    blockers[i].Release();
    AwaitStats(pool,
               [i](const auto& stats) { return stats.idle_threads == i + 1; });
  }

  ASSERT_THAT(pool.Submit(blockers[2].MakeTask()), IsOk());
  blockers[2].AwaitStart();

  EXPECT_EQ(blockers[2].thread(), blockers[1].thread());
  blockers[2].Release();
}

TEST(BlockingPoolTest, IdleThreadsEndAndAreReplaced) {
  TestThreadFactory factory;
  BlockingPool pool(
      {.idle_timeout = absl::Nanoseconds(1), .thread_factory = &factory});

  for (int round = 0; round < 3; ++round) {
    absl::BlockingCounter done(4);
    for (int i = 0; i < 4; ++i) {
      ASSERT_THAT(pool.Submit([&done] { done.DecrementCount(); }), IsOk());
    }
    done.Wait();
    AwaitStats(pool, [](const auto& stats) { return stats.threads == 0; });
    // All but the last are joined, or on their way: no thread piles up.
    while (factory.unjoined() > 1) std::this_thread::yield();
  }
}

TEST(BlockingPoolTest, IdleTimeIsThatOfTheClock) {
  ManualClock clock;
  BlockingPool pool({.idle_timeout = absl::Microseconds(1), .clock = &clock});
  ASSERT_THAT(pool.Submit([] {}), IsOk());
  AwaitStats(pool, [](const auto& stats) { return stats.idle_threads == 1; });

  clock.Advance(absl::Microseconds(1));

  AwaitStats(pool, [](const auto& stats) { return stats.threads == 0; });
}

TEST(BlockingPoolTest, DestroysATaskBeforeItsThreadGoesIdle) {
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = owned;
  BlockingPool pool({.idle_timeout = kForEver});

  ASSERT_THAT(pool.Submit([owned = std::move(owned)] {}), IsOk());
  AwaitStats(pool, [](const auto& stats) { return stats.idle_threads == 1; });

  EXPECT_TRUE(watched.expired());
}

TEST(BlockingPoolTest, TasksMaySubmitTasks) {
  absl::Notification done;
  BlockingPool pool({.max_threads = 1});

  ASSERT_THAT(pool.Submit([&] {
    EXPECT_THAT(pool.Submit([&done] { done.Notify(); }), IsOk());
  }),
              IsOk());

  done.WaitForNotification();
}

TEST(BlockingPoolTest, WithoutAnyThreadTheTaskStaysWithTheCaller) {
  TestThreadFactory factory;
  factory.Allow(0);
  absl::Notification done;
  BlockingPool pool({.thread_factory = &factory});

  Task task = [&done] { done.Notify(); };
  EXPECT_THAT(
      pool.Submit(std::move(task)),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no threads left")));
  EXPECT_EQ(pool.GetStats().threads, 0);
  EXPECT_EQ(pool.GetStats().queued_tasks, 0);

  factory.Allow(1);
  ASSERT_TRUE(task);
  EXPECT_THAT(pool.Submit(std::move(task)), IsOk());
  done.WaitForNotification();
}

TEST(BlockingPoolTest, WithoutAnotherThreadTasksWaitForTheFirst) {
  TestThreadFactory factory;
  factory.Allow(1);
  RecordingSink sink;
  Blocker blocker;
  absl::BlockingCounter done(2);
  BlockingPool pool({.logger = Logger(&sink), .thread_factory = &factory});
  ASSERT_THAT(pool.Submit(blocker.MakeTask()), IsOk());

  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(pool.Submit([&done] { done.DecrementCount(); }), IsOk());
  }
  EXPECT_EQ(pool.GetStats().queued_tasks, 2);
  blocker.Release();
  done.Wait();

  // Said once, not for each task.
  EXPECT_THAT(sink.messages(), ElementsAre(HasSubstr("no threads left")));
}

TEST(BlockingPoolTest, SaysItAgainWhenThreadsRunOutAgain) {
  TestThreadFactory factory;
  RecordingSink sink;
  Blocker blockers[4];
  BlockingPool pool({.logger = Logger(&sink), .thread_factory = &factory});

  for (int i = 0; i < 4; ++i) {
    factory.Allow(i % 2 == 0 ? 1 : 0);
    ASSERT_THAT(pool.Submit(blockers[i].MakeTask()), IsOk());
  }

  EXPECT_THAT(sink.messages(), SizeIs(2));
  for (Blocker& blocker : blockers) blocker.Release();
}

TEST(BlockingPoolTest, LogsExceptionsAndGoesOn) {
  RecordingSink sink;
  bool ran = false;
  BlockingPool pool({.max_threads = 1, .logger = Logger(&sink)});

  ASSERT_THAT(pool.Submit([] { throw std::runtime_error("disk on fire"); }),
              IsOk());
  ASSERT_THAT(pool.Submit([] { throw 17; }), IsOk());
  ASSERT_THAT(pool.Submit([&ran] { ran = true; }), IsOk());
  pool.Shutdown(MonotonicTime::InfiniteFuture());

  EXPECT_TRUE(ran);
  EXPECT_THAT(sink.messages(),
              ElementsAre(HasSubstr("disk on fire"),
                          HasSubstr("not from std::exception")));
}

TEST(BlockingPoolShutdownTest, RunsWhatIsQueued) {
  TestThreadFactory factory;
  absl::BlockingCounter done(20);
  BlockingPool pool({.max_threads = 2, .thread_factory = &factory});
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(pool.Submit([&done] { done.DecrementCount(); }), IsOk());
  }

  const BlockingPool::ShutdownResult result =
      pool.Shutdown(MonotonicTime::InfiniteFuture());

  EXPECT_THAT(result.status, IsOk());
  EXPECT_THAT(result.unstarted, IsEmpty());
  EXPECT_EQ(factory.unjoined(), 0);
  done.Wait();
}

TEST(BlockingPoolShutdownTest, EndsIdleThreads) {
  TestThreadFactory factory;
  BlockingPool pool({.idle_timeout = kForEver, .thread_factory = &factory});
  ASSERT_THAT(pool.Submit([] {}), IsOk());
  AwaitStats(pool, [](const auto& stats) { return stats.idle_threads == 1; });

  EXPECT_THAT(pool.Shutdown(MonotonicTime::InfiniteFuture()).status, IsOk());

  EXPECT_EQ(factory.unjoined(), 0);
}

TEST(BlockingPoolShutdownTest, RefusesTasksAfterwards) {
  BlockingPool pool({});
  EXPECT_THAT(pool.Shutdown(Now()).status, IsOk());

  Task task = [] {};
  EXPECT_THAT(pool.Submit(std::move(task)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_TRUE(task);
}

TEST(BlockingPoolShutdownTest, HandsBackWhatHasNotStartedAtTheDeadline) {
  Blocker blocker;
  std::vector<int> order;
  BlockingPool pool({.max_threads = 1});
  ASSERT_THAT(pool.Submit(blocker.MakeTask()), IsOk());
  blocker.AwaitStart();
  for (int i : {1, 2}) {
    ASSERT_THAT(pool.Submit([&order, i] { order.push_back(i); }), IsOk());
  }

  BlockingPool::ShutdownResult result = pool.Shutdown(Now());

  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kDeadlineExceeded,
                                      HasSubstr("1 threads")));
  ASSERT_THAT(result.unstarted, SizeIs(2));
  blocker.Release();
  EXPECT_THAT(pool.Shutdown(MonotonicTime::InfiniteFuture()).status, IsOk());
  EXPECT_THAT(order, IsEmpty());
  for (Task& task : result.unstarted) std::move(task)();
  EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST(BlockingPoolShutdownTest, ReadsTheDeadlineFromItsClock) {
  ManualClock clock(MonotonicTime::FromNanoseconds(1000));
  Blocker blocker;
  BlockingPool pool({.clock = &clock});
  ASSERT_THAT(pool.Submit(blocker.MakeTask()), IsOk());

  EXPECT_THAT(pool.Shutdown(MonotonicTime::FromNanoseconds(1000)).status,
              StatusIs(absl::StatusCode::kDeadlineExceeded));

  blocker.Release();
}

TEST(BlockingPoolShutdownTest, TaskDoesNotWaitForItself) {
  TestThreadFactory factory;
  absl::Notification queued;
  BlockingPool::ShutdownResult inner;
  bool ran = false;
  BlockingPool pool({.max_threads = 1, .thread_factory = &factory});
  ASSERT_THAT(pool.Submit([&] {
    queued.WaitForNotification();
    inner = pool.Shutdown(MonotonicTime::InfiniteFuture());
  }),
              IsOk());
  ASSERT_THAT(pool.Submit([&ran] { ran = true; }), IsOk());
  queued.Notify();

  EXPECT_THAT(pool.Shutdown(MonotonicTime::InfiniteFuture()).status, IsOk());

  EXPECT_THAT(inner.status, IsOk());
  EXPECT_THAT(inner.unstarted, SizeIs(1));  // No thread was free to run it.
  EXPECT_FALSE(ran);
  EXPECT_EQ(factory.unjoined(), 0);
}

TEST(BlockingPoolShutdownTest, TasksDoNotWaitForEachOther) {
  TestThreadFactory factory;
  constexpr int kTasks = 4;
  absl::BlockingCounter running(kTasks);
  absl::Notification all_running;
  absl::Status inner[kTasks];
  BlockingPool pool({.thread_factory = &factory});
  for (absl::Status& status : inner) {
    ASSERT_THAT(pool.Submit([&] {
      running.DecrementCount();
      all_running.WaitForNotification();
      status = pool.Shutdown(MonotonicTime::InfiniteFuture()).status;
    }),
                IsOk());
  }

  running.Wait();
  all_running.Notify();
  EXPECT_THAT(pool.Shutdown(MonotonicTime::InfiniteFuture()).status, IsOk());

  EXPECT_THAT(inner, Each(IsOk()));
  EXPECT_EQ(factory.unjoined(), 0);
}

TEST(BlockingPoolShutdownTest, TaskStopsWaitingForATaskThatShutsDownToo) {
  absl::Notification both_are_there;
  absl::Notification other_returned;
  BlockingPool pool({});
  ASSERT_THAT(pool.Submit([&] {
    both_are_there.WaitForNotification();
    while (!absl::IsFailedPrecondition(pool.Submit([] {}))) {
      std::this_thread::yield();
    }
    // The other task is waiting for this one.
    pool.Shutdown(MonotonicTime::InfiniteFuture());
    other_returned.WaitForNotification();
  }),
              IsOk());
  ASSERT_THAT(pool.Submit([&] {
    both_are_there.Notify();
    pool.Shutdown(MonotonicTime::InfiniteFuture());
    other_returned.Notify();
  }),
              IsOk());

  other_returned.WaitForNotification();
}

TEST(BlockingPoolShutdownTest, TaskWaitsForOtherTasks) {
  Blocker other;
  bool other_ended = false;
  absl::Notification closing;
  BlockingPool pool({});
  ASSERT_THAT(pool.Submit([&, task = other.MakeTask()]() mutable {
    std::move(task)();
    other_ended = true;
  }),
              IsOk());
  ASSERT_THAT(pool.Submit([&] {
    closing.Notify();
    pool.Shutdown(MonotonicTime::InfiniteFuture());
    EXPECT_TRUE(other_ended);
  }),
              IsOk());

  closing.WaitForNotification();
  other.Release();
}

TEST(BlockingPoolShutdownTest, ManyCallersAllFindThreadsJoined) {
  TestThreadFactory factory;
  Blocker blocker;
  BlockingPool pool({.thread_factory = &factory});
  ASSERT_THAT(pool.Submit(blocker.MakeTask()), IsOk());
  std::vector<std::thread> callers;

  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      EXPECT_THAT(pool.Shutdown(MonotonicTime::InfiniteFuture()).status,
                  IsOk());
      EXPECT_EQ(factory.unjoined(), 0);
    });
  }
  blocker.Release();

  for (std::thread& caller : callers) caller.join();
}

TEST(BlockingPoolDeathTest, RefusesWhatItCannotCall) {
  EXPECT_DEATH(
      {
        BlockingPool pool({});
        (void)pool.Submit(Task());  // Dies.
      },
      "a task can be called");
}

TEST(BlockingPoolDeathTest, RefusesToBeDestroyedByItsTask) {
  EXPECT_DEATH(
      {
        auto* pool = new BlockingPool({});
        absl::Notification never;
        EXPECT_THAT(pool->Submit([pool] { delete pool; }), IsOk());
        never.WaitForNotification();
      },
      "a task does not destroy the pool that runs it");
}

TEST(BlockingPoolDeathTest, RefusesSenselessOptions) {
  EXPECT_DEATH(BlockingPool({.max_threads = 0}), "a pool may have a thread");
  EXPECT_DEATH(BlockingPool({.idle_timeout = absl::Seconds(-1)}),
               "not negative");
}

}  // namespace
}  // namespace troupe
