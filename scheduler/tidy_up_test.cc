// What a worker does when it has had nothing to run for a while.
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/post.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"

namespace troupe {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr MonotonicTime kNoDeadline = MonotonicTime::InfiniteFuture();

// Has some pieces to tidy up.
class Clutter : public WorkerLocal {
 public:
  void Flush() override {}
  void TimerDue(TimerNode&) override {}
  bool TidyUp() override {
    absl::MutexLock lock(&mu_);
    threads_.push_back(&this_thread);
    ++calls_;
    if (pieces_ > 0) --pieces_;
    if (called_ != nullptr) {
      std::exchange(called_, nullptr)->Set();
      const auto released = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
        return !held_;
      };
      mu_.Await(absl::Condition(&released));
    }
    return pieces_ > 0;
  }

  void EmptyCaches() override {
    absl::MutexLock lock(&mu_);
    emptied_.push_back(&this_thread);
  }

  void Add(int pieces) {
    absl::MutexLock lock(&mu_);
    pieces_ += pieces;
  }
  // The next call sets `called`, and returns after Release().
  void Hold(Event& called) {
    absl::MutexLock lock(&mu_);
    called_ = &called;
    held_ = true;
  }
  void Release() {
    absl::MutexLock lock(&mu_);
    held_ = false;
  }
  int pieces() {
    absl::MutexLock lock(&mu_);
    return pieces_;
  }
  int calls() {
    absl::MutexLock lock(&mu_);
    return calls_;
  }
  std::vector<const ThreadContext*> emptied() {
    absl::MutexLock lock(&mu_);
    return emptied_;
  }
  std::vector<const ThreadContext*> threads() {
    absl::MutexLock lock(&mu_);
    return threads_;
  }

 private:
  absl::Mutex mu_;
  int pieces_ ABSL_GUARDED_BY(mu_) = 0;
  int calls_ ABSL_GUARDED_BY(mu_) = 0;
  Event* called_ ABSL_GUARDED_BY(mu_) = nullptr;
  bool held_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<const ThreadContext*> threads_ ABSL_GUARDED_BY(mu_);
  std::vector<const ThreadContext*> emptied_ ABSL_GUARDED_BY(mu_);
};

// An executor with one worker and its clutter.
struct Place {
  explicit Place(ThreadExecutor::Options options = {.workers = 1})
      : executor(ThreadExecutor::Create(std::move(options)).value()) {
    executor->SetLocals([this](Worker&) {
      auto local = std::make_unique<Clutter>();
      clutter = local.get();
      return local;
    });
  }
  bool AwaitSleep() {
    return executor->RunUntil(
        [this] { return executor->monitor_sleeps_until() == kNoDeadline; },
        kNoDeadline);
  }
  // Runs `work` in a turn, and waits for its end.
  template <typename Work>
  void Run(Work work) {
    Event ran;
    Post(*executor, [&] {
      work();
      ran.Set();
    });
    EXPECT_TRUE(executor->WaitFor(ran, kNoDeadline));
  }

  const std::unique_ptr<ThreadExecutor> executor;
  Clutter* clutter = nullptr;
};

TEST(TidyUpTest, GoesOnUntilNothingIsLeft) {
  Place place;
  place.Run([&] { place.clutter->Add(100); });
  ASSERT_TRUE(place.AwaitSleep());
  EXPECT_TRUE(place.executor->RunUntil(
      [&] { return place.clutter->pieces() == 0; }, kNoDeadline));
}

TEST(TidyUpTest, HappensOnTheThreadOfTheWorker) {
  Place place({.workers = 1, .take_over_after = absl::InfiniteDuration()});
  const ThreadContext* of_worker = nullptr;
  place.Run([&] {
    of_worker = &this_thread;
    place.clutter->Add(3);
  });
  ASSERT_TRUE(place.executor->RunUntil(
      [&] { return place.clutter->pieces() == 0; }, kNoDeadline));
  EXPECT_THAT(place.clutter->threads(), Each(of_worker));
}

TEST(TidyUpTest, HappensOnceInEachNap) {
  Place place({.workers = 1, .take_over_after = absl::InfiniteDuration()});
  ASSERT_TRUE(place.AwaitSleep());
  for (int i = 0; i < 3; ++i) {
    int calls = 0;
    place.Run([&] { calls = place.clutter->calls(); });
    ASSERT_TRUE(place.executor->RunUntil(
        [&] { return place.clutter->calls() > calls; }, kNoDeadline));
    ASSERT_TRUE(place.AwaitSleep());
    EXPECT_EQ(place.clutter->calls(), calls + 1);
  }
}

TEST(TidyUpTest, WaitsForABetterTimeWhenThereIsWork) {
  Place place;
  Event called;
  place.Run([&] {
    place.clutter->Add(1'000'000'000);
    place.clutter->Hold(called);
  });
  ASSERT_TRUE(place.executor->WaitFor(called, kNoDeadline));
  Event ran;
  int left = 0;
  Post(*place.executor, [&] {
    left = place.clutter->pieces();
    ran.Set();
  });
  place.clutter->Release();
  ASSERT_TRUE(place.executor->WaitFor(ran, kNoDeadline));
  // The piece at hand was finished, and no more.
  EXPECT_EQ(left, 1'000'000'000 - 1);
}

TEST(TidyUpTest, ThreadThatLosesItsWorkerEmptiesItsCaches) {
  // Nobody loses it but who gives it up.
  Place place({.workers = 1, .take_over_after = absl::InfiniteDuration()});
  Event taken_over;
  const ThreadContext* lost = nullptr;
  Post(*place.executor, [&] {
    lost = &this_thread;
    place.executor->GiveUpSeat();
    EXPECT_TRUE(taken_over.WaitWithTimeout(absl::InfiniteDuration()));
  });
  Event ran;
  Post(*place.executor, [&] { ran.Set(); });
  ASSERT_TRUE(place.executor->WaitFor(ran, kNoDeadline));
  EXPECT_THAT(place.clutter->emptied(), IsEmpty());
  // The other thread has the worker, and keeps it while this one comes back.
  Post(*place.executor, [&] {
    taken_over.Set();
    EXPECT_TRUE(place.executor->RunUntil(
        [&] { return !place.clutter->emptied().empty(); }, kNoDeadline));
  });
  ASSERT_TRUE(place.executor->RunUntil(
      [&] { return !place.clutter->emptied().empty(); }, kNoDeadline));
  EXPECT_THAT(place.clutter->emptied(), ElementsAre(lost));
}

}  // namespace
}  // namespace troupe
