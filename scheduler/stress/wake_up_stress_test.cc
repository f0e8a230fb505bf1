// Deliveries to workers that are about to fall asleep: where a wake-up is lost,
// the test hangs. Nothing else runs meanwhile that could wake the worker by
// chance.
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/post.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using testing::IsOk;
using testing::SeedTrace;
using testing::TestSeeds;

// Lets a worker come a little further on its way to sleep, which takes some 50
// us.
void Linger(Random& random) {
  const MonotonicTime end =
      RealClock().Now() + absl::Microseconds(random.Uniform(80));
  while (RealClock().Now() < end) {
  }
}

void PostOneAndWait(Executor& executor, Worker* worker) {
  Event ran;
  if (worker != nullptr) {
    Post(*worker, [&ran] { ran.Set(); });
  } else {
    Post(executor, [&ran] { ran.Set(); });
  }
  ASSERT_TRUE(executor.WaitFor(ran, MonotonicTime::InfiniteFuture()));
}

TEST(WakeUpStressTest, WakesForOneFromOutside) {
  for (const uint64_t seed : TestSeeds(2)) {
    SCOPED_TRACE(SeedTrace(seed));
    for (const int threads : {1, 3}) {
      auto executor = ThreadExecutor::Create({.workers = 2});
      ASSERT_THAT(executor, IsOk());
      const absl::StatusOr<Worker*> own =
          (*executor)->StartDedicatedWorker("own");
      ASSERT_THAT(own, IsOk());
      std::vector<std::thread> senders;
      for (int t = 0; t < threads; ++t) {
        senders.emplace_back([&, t] {
          Random random(seed + t);
          Worker* const targets[] = {nullptr, &(*executor)->shared_worker(0),
                                     &(*executor)->shared_worker(1), *own};
          for (int round = 0; round < 1'500; ++round) {
            PostOneAndWait(**executor, targets[random.Uniform(4)]);
            Linger(random);
          }
        });
      }
      for (std::thread& sender : senders) sender.join();
      EXPECT_THAT((*executor)->Shutdown(), IsOk());
      EXPECT_GT((*executor)->wakes(), 0u);
    }
  }
}

// Two workers, of which one falls asleep while the other delivers to it.
class Rally {
 public:
  Rally(Worker& one, Worker& other, uint64_t seed)
      : workers_{&one, &other}, random_(seed) {}

  void Play(int hops) {
    // Plain members: the ball carries them from worker to worker.
    Post(*workers_[hops % 2], [this, hops] {
      if (random_.Bernoulli(0.2)) Linger(random_);
      if (hops == 0) {
        over_.Set();
      } else {
        Play(hops - 1);
      }
    });
  }

  Event& over() { return over_; }

 private:
  Worker* const workers_[2];
  Random random_;
  Event over_;
};

TEST(WakeUpStressTest, WakesForOneFromAnotherWorker) {
  for (const uint64_t seed : TestSeeds(2)) {
    SCOPED_TRACE(SeedTrace(seed));
    auto executor = ThreadExecutor::Create({.workers = 2});
    ASSERT_THAT(executor, IsOk());
    Rally rally((*executor)->shared_worker(0), (*executor)->shared_worker(1),
                seed);
    rally.Play(5'000);
    EXPECT_TRUE(
        (*executor)->WaitFor(rally.over(), MonotonicTime::InfiniteFuture()));
  }
}

}  // namespace
}  // namespace troupe
