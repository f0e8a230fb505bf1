#include "troupe/scheduler/post.h"

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/internal/thread_testing.h"
#include "troupe/scheduler/internal/worker_testing.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::IdleExecutor;
using internal::MakeWorker;
using internal::RecordingSink;
using internal::RunAll;
using internal::Sleep;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::SeedTrace;
using testing::TestSeeds;

// ---- on one worker, by hand

TEST(PostTest, RunsInTheOrderPostedFromOutside) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<int> notes;
  for (int i = 0; i < 3; ++i) Post(*worker, [&, i] { notes.push_back(i); });
  EXPECT_THAT(notes, IsEmpty());
  RunAll(*worker);
  EXPECT_THAT(notes, ElementsAre(0, 1, 2));
}

TEST(PostTest, RunsWhatATurnPostsLastFirst) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Post(*worker, [&] {
    Post(*worker, [&] { notes.push_back("first"); });
    Post(executor, [&] { notes.push_back("second"); });
    notes.push_back("turn");
  });
  Post(*worker, [&] { notes.push_back("outside"); });
  RunAll(*worker);
  EXPECT_THAT(notes, ElementsAre("turn", "second", "first", "outside"));
  EXPECT_THAT(executor.unparked, IsEmpty());
}

TEST(PostTest, WakesASleepingWorkerOnce) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  Sleep(*worker);
  int ran = 0;
  for (int i = 0; i < 3; ++i) Post(*worker, [&] { ++ran; });
  EXPECT_THAT(executor.unparked, ElementsAre(worker.get()));
  RunAll(*worker);
  EXPECT_EQ(ran, 3);
}

TEST(PostTest, LetsAWaitingClosureMove) {
  IdleExecutor executor;
  const auto loaded = MakeWorker(executor);
  const auto receiver = MakeWorker(executor);
  std::vector<int> notes;
  for (int i = 0; i < 4; ++i) Post(*loaded, [&, i] { notes.push_back(i); });
  {
    const internal::Seated seated(*loaded);
    loaded->Poll();
    EXPECT_EQ(loaded->ShareWith(*receiver), 2u);
  }
  RunAll(*receiver);
  EXPECT_THAT(notes, ElementsAre(0, 1));
  RunAll(*loaded);
  EXPECT_THAT(notes, ElementsAre(0, 1, 2, 3));
}

// ---- on either executor

enum class Which { kThreads, kDeterministic };

class PostOnEitherTest : public ::testing::TestWithParam<Which> {
 protected:
  void SetUp() override {
    if (GetParam() == Which::kDeterministic) {
      executor_ = std::make_unique<DeterministicExecutor>(
          DeterministicExecutor::Options{.workers = 3,
                                         .logger = Logger(&sink_)});
      return;
    }
    absl::StatusOr<std::unique_ptr<ThreadExecutor>> executor =
        ThreadExecutor::Create({.workers = 3,
                                .long_turn_after = absl::InfiniteDuration(),
                                .logger = Logger(&sink_)});
    ASSERT_THAT(executor, IsOk());
    executor_ = *std::move(executor);
  }

  bool WaitFor(Event& event) {
    return executor_->WaitFor(event, MonotonicTime::InfiniteFuture());
  }

  RecordingSink sink_;
  std::unique_ptr<Executor> executor_;
};

// A tree of closures: posts two of the next depth from each.
void PostTree(Executor& executor, int depth, std::atomic<int>& ran) {
  Post(executor, [&executor, depth, &ran] {
    ran.fetch_add(1);
    if (depth == 0) return;
    PostTree(executor, depth - 1, ran);
    PostTree(executor, depth - 1, ran);
  });
}

TEST_P(PostOnEitherTest, RunsEachClosureOnce) {
  std::atomic<int> ran{0};
  for (int i = 0; i < 8; ++i) PostTree(*executor_, 6, ran);
  EXPECT_THAT(executor_->Shutdown(), IsOk());
  EXPECT_EQ(ran.load(), 8 * 127);
}

// `written` is plain: under TSan a missing edge shows.
TEST_P(PostOnEitherTest, ShowsTheClosureWhatCameBefore) {
  int written = 0, seen = 0;
  Event done;
  written = 7;
  Post(*executor_, [&] {
    written *= 2;
    Post(*executor_, [&] {
      seen = written;
      done.Set();
    });
  });
  ASSERT_TRUE(WaitFor(done));
  EXPECT_EQ(seen, 14);
}

TEST_P(PostOnEitherTest, DestroysTheClosureWhenItHasRun) {
  struct SetsAtEnd {
    ~SetsAtEnd() {
      in_turn = this_thread.InTurn();
      event.Set();
    }
    Event& event;
    bool& in_turn;
  };
  Event destroyed;
  bool in_turn = false;
  Post(*executor_,
       [owned = std::make_unique<SetsAtEnd>(destroyed, in_turn)] {});
  ASSERT_TRUE(WaitFor(destroyed));
  EXPECT_TRUE(in_turn);
}

TEST_P(PostOnEitherTest, LogsFailuresWithTheirOrigin) {
  Post(*executor_, [] { throw std::runtime_error("disk on fire"); });
  const int line = __LINE__ - 1;
  EXPECT_THAT(executor_->Shutdown(), IsOk());
  EXPECT_THAT(sink_.messages(), ElementsAre("a posted closure failed: UNKNOWN: "
                                            "exception: disk on fire"));
  EXPECT_THAT(
      sink_.origins(),
      ElementsAre(EndsWith(absl::StrCat("scheduler/post_test.cc:", line))));
}

TEST_P(PostOnEitherTest, LogsAStatusThatIsNotOk) {
  Post(*executor_, [] { return absl::OkStatus(); });
  Post(*executor_, [] { return absl::NotFoundError("no such file"); });
  EXPECT_THAT(executor_->Shutdown(), IsOk());
  EXPECT_THAT(sink_.messages(),
              ElementsAre("a posted closure failed: NOT_FOUND: no such file"));
}

TEST_P(PostOnEitherTest, KeepsADedicatedWorkersClosuresThere) {
  const absl::StatusOr<Worker*> dedicated =
      executor_->StartDedicatedWorker("own");
  ASSERT_THAT(dedicated, IsOk());
  Event done;
  std::vector<Worker*> seen;
  Post(**dedicated, [&] {
    seen.push_back(this_thread.worker);
    Post(**dedicated, [&] {
      seen.push_back(this_thread.worker);
      done.Set();
    });
  });
  ASSERT_TRUE(WaitFor(done));
  EXPECT_THAT(seen, ElementsAre(*dedicated, *dedicated));
}

TEST_P(PostOnEitherTest, LeavesADedicatedWorkerForASharedOne) {
  const absl::StatusOr<Worker*> dedicated =
      executor_->StartDedicatedWorker("own");
  ASSERT_THAT(dedicated, IsOk());
  Event done;
  Worker::Kind seen = Worker::Kind::kDedicated;
  Post(**dedicated, [&] {
    Post(*executor_, [&] {
      seen = this_thread.worker->kind();
      done.Set();
    });
  });
  ASSERT_TRUE(WaitFor(done));
  EXPECT_EQ(seen, Worker::Kind::kShared);
}

TEST_P(PostOnEitherTest, ReachesAnotherExecutor) {
  DeterministicExecutor other({.workers = 1});
  Event posted;
  bool ran = false;
  Post(*executor_, [&] {
    Post(other, [&] { ran = &this_thread.worker->executor() == &other; });
    posted.Set();
  });
  ASSERT_TRUE(WaitFor(posted));
  EXPECT_FALSE(ran);
  other.RunUntilIdle();
  EXPECT_TRUE(ran);
}

TEST_P(PostOnEitherTest, IsCalledFromAlarms) {
  Event done;
  Alarm alarm([&] { Post(*executor_, [&] { done.Set(); }); });
  executor_->SetAlarm(alarm, executor_->clock().Now() + absl::Milliseconds(1));
  EXPECT_TRUE(WaitFor(done));
}

INSTANTIATE_TEST_SUITE_P(Executors, PostOnEitherTest,
                         ::testing::Values(Which::kThreads,
                                           Which::kDeterministic),
                         [](const auto& info) {
                           return info.param == Which::kThreads
                                      ? "Threads"
                                      : "Deterministic";
                         });

// ---- deterministic

// The order in which the closures of a tree run.
std::vector<int> OrderOfATree(const DeterministicExecutor::Options& options) {
  DeterministicExecutor executor(options);
  std::vector<int> order;
  std::function<void(int)> post = [&](int i) {
    Post(executor, [&, i] {
      order.push_back(i);
      if (i >= 64) return;
      post(2 * i);
      post(2 * i + 1);
    });
  };
  post(1);
  executor.RunUntilIdle();
  return order;
}

// Whatever the seed throws in: turns that lose their seat before, between and
// after their posts, and closures given away.
TEST(PostSimTest, RunsEachClosureOnceWhateverIsLost) {
  std::vector<int> all(127);
  for (int i = 0; i < 127; ++i) all[i] = i + 1;
  for (const uint64_t seed : TestSeeds(100)) {
    SCOPED_TRACE(SeedTrace(seed));
    EXPECT_THAT(OrderOfATree({.seed = seed,
                              .workers = 3,
                              .hand_over_probability = 0.3,
                              .lost_seat_probability = 0.5}),
                ::testing::UnorderedElementsAreArray(all));
  }
}

TEST(PostSimTest, RepeatsTheOrderOfASeed) {
  const std::vector<int> order = OrderOfATree({.seed = 1});
  EXPECT_EQ(OrderOfATree({.seed = 1}), order);
  EXPECT_NE(OrderOfATree({.seed = 2}), order);
}

// ---- on threads

// §19, with one worker: the closure that waits is not in the way of those for
// which it waits.
// How many closures run while a turn is in a call of `post`.
template <typename P>
int RunWithin(P post) {
  int within = 0;
  for (const uint64_t seed : TestSeeds(20)) {
    DeterministicExecutor executor(
        {.seed = seed, .workers = 2, .lost_seat_probability = 1});
    bool in_call = false;
    for (int i = 0; i < 5; ++i) {
      Post(executor, [&] {
        if (std::exchange(in_call, true)) ++within;
        post(executor, [&] { within += in_call ? 1 : 0; });
        in_call = false;
      });
    }
    executor.RunUntilIdle();
  }
  return within;
}

TEST(PostSimTest, RunsNothingWithinACallUnderALock) {
  EXPECT_EQ(RunWithin([](Executor& executor, auto closure) {
              PostUnderLock(executor, closure);
            }),
            0);
  EXPECT_GT(RunWithin([](Executor& executor, auto closure) {
              Post(executor, closure);
            }),
            0);
}

TEST(PostOnThreadsTest, RunsOthersWhileAClosureBlocks) {
  absl::StatusOr<std::unique_ptr<ThreadExecutor>> executor =
      ThreadExecutor::Create({.workers = 1});
  ASSERT_THAT(executor, IsOk());
  absl::BlockingCounter others(3);
  absl::Notification waited;
  Post(**executor, [&] {
    Post(**executor, [&] { others.DecrementCount(); });
    Post(**executor, [&] { others.DecrementCount(); });
    others.Wait();
    waited.Notify();
  });
  Post(**executor, [&] { others.DecrementCount(); });
  waited.WaitForNotification();
  EXPECT_GE((*executor)->take_overs(), 1u);
}

TEST(PostOnThreadsTest, NamesItsOriginWhereATurnIsLong) {
  absl::Mutex mu;
  std::string name;
  absl::Notification reported;
  absl::StatusOr<std::unique_ptr<ThreadExecutor>> executor =
      ThreadExecutor::Create(
          {.workers = 1,
           .long_turn_after = absl::Milliseconds(1),
           .on_long_turn = [&](const ThreadExecutor::LongTurn& turn) {
             absl::MutexLock lock(&mu);
             if (!name.empty()) return;
             name = turn.name;
             reported.Notify();
           }});
  ASSERT_THAT(executor, IsOk());
  Post(**executor, [&] { reported.WaitForNotification(); });
  const int line = __LINE__ - 1;
  reported.WaitForNotification();
  absl::MutexLock lock(&mu);
  EXPECT_THAT(name, ::testing::MatchesRegex(absl::StrCat(
                        "the closure posted at .*post_test.cc:", line)));
}

}  // namespace
}  // namespace troupe
