// Threads that submit, threads and tasks that shut down, threads that end for
// want of work and threads that cannot be created, all at once. What must hold
// over the whole run: every accepted task runs once or is handed back once, and
// no thread is left.
//
// `runs` is plain data on purpose: under TSan a missing happens-before edge
// from Submit() to the task, or from the task to Shutdown(), shows as a race on
// it.
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/blocking_pool.h"
#include "troupe/scheduler/thread_factory.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

using testing::SeedTrace;
using testing::TestSeeds;

constexpr int kSubmitters = 3;
constexpr int kTasksPerSubmitter = 400;

class SilentSink : public LogSink {
  void Send(const LogEntry&) override {}
};

// Fails every third time.
class UnreliableThreadFactory : public ThreadFactory {
 public:
  absl::StatusOr<std::unique_ptr<JoinableThread>> Start(
      absl::string_view name, absl::AnyInvocable<void() &&> body) override {
    {
      absl::MutexLock lock(&mu_);
      if (++calls_ % 3 == 0) return absl::ResourceExhaustedError("third");
    }
    return RealThreadFactory().Start(name, std::move(body));
  }

 private:
  absl::Mutex mu_;
  int calls_ ABSL_GUARDED_BY(mu_) = 0;
};

// The fate of one task.
struct Fate {
  bool accepted = false;
  int runs = 0;
  int destroyed_unrun = 0;
};

// Tells what becomes of the task that owns it.
class Probe {
 public:
  explicit Probe(Fate* fate) : fate_(fate) {}
  Probe(Probe&& other) noexcept : fate_(std::exchange(other.fate_, nullptr)) {}
  ~Probe() {
    if (fate_ != nullptr) ++fate_->destroyed_unrun;
  }

  void operator()() { ++std::exchange(fate_, nullptr)->runs; }

 private:
  Fate* fate_;
};

// Keeps what is handed back until nobody else looks at it.
class HandedBack {
 public:
  void Add(BlockingPool::ShutdownResult result) {
    absl::MutexLock lock(&mu_);
    for (BlockingPool::Task& task : result.unstarted) {
      tasks_.push_back(std::move(task));
    }
  }

  // Destroys the tasks and returns how many they were.
  int Clear() {
    absl::MutexLock lock(&mu_);
    const int count = static_cast<int>(tasks_.size());
    tasks_.clear();
    return count;
  }

 private:
  absl::Mutex mu_;
  std::vector<BlockingPool::Task> tasks_ ABSL_GUARDED_BY(mu_);
};

MonotonicTime SomeDeadline(Random& random) {
  if (random.Bernoulli(0.3)) return MonotonicTime::InfiniteFuture();
  return RealClock().Now() + absl::Microseconds(random.Uniform(2'000));
}

// Submits for a thread; shuts down from a task and from itself now and then.
void SubmitMany(BlockingPool& pool, std::vector<Fate>& fates, uint64_t seed,
                HandedBack& handed_back) {
  Random random(seed);
  for (Fate& fate : fates) {
    const bool shuts_down = random.Bernoulli(0.002);
    BlockingPool::Task task = [probe = Probe(&fate), shuts_down,
                               deadline = SomeDeadline(random), &pool,
                               &handed_back]() mutable {
      probe();
      if (shuts_down) handed_back.Add(pool.Shutdown(deadline));
    };
    fate.accepted = pool.Submit(std::move(task)).ok();
    if (random.Bernoulli(0.001)) {
      handed_back.Add(pool.Shutdown(SomeDeadline(random)));
    }
    if (random.Bernoulli(0.1)) std::this_thread::yield();
  }
}

void RunOnce(uint64_t seed) {
  Random random(seed);
  SilentSink sink;
  UnreliableThreadFactory factory;
  std::vector<std::vector<Fate>> fates(kSubmitters);
  HandedBack handed_back;
  {
    BlockingPool pool({.max_threads = 1 + static_cast<int>(random.Uniform(5)),
                       .max_queued_tasks = random.Uniform(50),
                       .idle_timeout = absl::Microseconds(random.Uniform(50)),
                       .logger = Logger(&sink),
                       .thread_factory = &factory});
    std::vector<std::thread> submitters;
    for (std::vector<Fate>& mine : fates) {
      mine.resize(kTasksPerSubmitter);
      submitters.emplace_back([&, submitter_seed = random.NextUint64()] {
        SubmitMany(pool, mine, submitter_seed, handed_back);
      });
    }
    for (std::thread& submitter : submitters) submitter.join();
    handed_back.Add(pool.Shutdown(MonotonicTime::InfiniteFuture()));
  }
  const int handed_back_count = handed_back.Clear();

  int accepted = 0;
  int runs = 0;
  for (const std::vector<Fate>& mine : fates) {
    for (const Fate& fate : mine) {
      ASSERT_EQ(fate.runs + fate.destroyed_unrun, 1);
      ASSERT_LE(fate.runs, fate.accepted ? 1 : 0);
      accepted += fate.accepted ? 1 : 0;
      runs += fate.runs;
    }
  }
  EXPECT_EQ(accepted, runs + handed_back_count);
}

TEST(BlockingPoolStressTest, RunsOrHandsBackEachTaskOnce) {
  for (const uint64_t seed : TestSeeds(100)) {
    SCOPED_TRACE(SeedTrace(seed));
    RunOnce(seed);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace troupe
