// Work that blocks, off the workers, on threads and without.
#include "troupe/actor/run_blocking.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/task.h"
#include "troupe/base/allocation_gate.h"
#include "troupe/mailbox/envelope_pool.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Counted;
using internal::Do;
using internal::Handed;
using internal::InterleavedRunner;
using internal::Runner;
using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class RunBlockingTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, RunBlockingTest, internal::AllExecutors());

int Twice(int number) { return 2 * number; }
void Set(bool& done) { done = true; }
absl::Status Lose() { return absl::DataLossError("lost"); }
absl::StatusOr<std::string> Read(std::string path) { return path + " read"; }
int Throw() { throw std::runtime_error("no such file"); }
int Open(std::unique_ptr<int> number) { return *number; }

TEST_P(RunBlockingTest, YieldsWhatTheFunctionReturns) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  EXPECT_THAT(
      runner
          .Call<Do>([](Runner&) -> Task<absl::Status> {
            const absl::StatusOr<int> four = co_await RunBlocking(Twice, 2);
            EXPECT_THAT(four, IsOkAndHolds(4));
            bool done = false;
            const absl::Status set = co_await RunBlocking(Set, std::ref(done));
            EXPECT_THAT(set, IsOk());
            EXPECT_TRUE(done);
            const absl::Status lost = co_await RunBlocking(Lose);
            EXPECT_EQ(lost, absl::DataLossError("lost"));
            const absl::StatusOr<std::string> text =
                co_await RunBlocking(Read, "a.txt");
            EXPECT_THAT(text, IsOkAndHolds("a.txt read"));
            const absl::StatusOr<int> none = co_await RunBlocking(Throw);
            EXPECT_THAT(none, StatusIs(absl::StatusCode::kUnknown,
                                       HasSubstr("no such file")));
            const absl::StatusOr<int> moved =
                co_await RunBlocking(Open, std::make_unique<int>(5));
            EXPECT_THAT(moved, IsOkAndHolds(5));
            co_return absl::OkStatus();
          })
          .Wait(),
      IsOk());
}

// What it has captured is gone when the result is there.
TEST_P(RunBlockingTest, DestroysTheClosureFirst) {
  std::atomic<int> alive{0};
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  EXPECT_THAT(runner
                  .Call<Do>([&alive](Runner&) -> Task<absl::Status> {
                    const auto closure = [counted = Counted(alive), &alive] {
                      return alive.load();
                    };
                    EXPECT_EQ(alive, 1);
                    const absl::StatusOr<int> inside =
                        co_await RunBlocking(closure);
                    EXPECT_THAT(inside, IsOkAndHolds(2));
                    EXPECT_EQ(alive, 1);
                    // One that can only be moved.
                    absl::AnyInvocable<int()> once =
                        [number = std::make_unique<int>(6)] { return *number; };
                    const absl::StatusOr<int> six =
                        co_await RunBlocking(std::move(once));
                    EXPECT_THAT(six, IsOkAndHolds(6));
                    co_return absl::OkStatus();
                  })
                  .Wait(),
              IsOk());
  EXPECT_EQ(alive, 0);
}

TEST(RunBlockingLifetimeTest, NothingRunsThatIsNotAwaited) {
  std::atomic<int> alive{0};
  {
    const auto closure = [counted = Counted(alive)] { ADD_FAILURE(); };
    auto call = RunBlocking(closure);
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
}

TEST(RunBlockingLifetimeTest, AwaitedOutsideOfAnActorIsRefused) {
  const auto run = []() -> Task<absl::StatusOr<int>> {
    co_return co_await RunBlocking(Twice, 2);
  };
  EXPECT_THAT(internal::RunOutside(run()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("only the coroutine")));
}

TEST_P(RunBlockingTest, RunsNothingWhenItIsTooLate) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  EXPECT_THAT(
      runner
          .Call<Do>([](Runner&) -> Task<absl::Status> {
            const auto closure = [] { ADD_FAILURE() << "runs"; };
            const absl::Status late =
                co_await RunBlocking(closure).Within(absl::ZeroDuration());
            EXPECT_THAT(late, StatusIs(absl::StatusCode::kDeadlineExceeded,
                                       HasSubstr("had passed")));
            co_return absl::OkStatus();
          })
          .Wait(),
      IsOk());
}

// Given up in the turn that began it, on the only worker.
TEST(RunBlockingLifetimeTest, GivenUpBeforeItsTurnItDoesNotRun) {
  std::atomic<int> alive{0};
  Handed<bool> begun;
  {
    const auto system = ActorSystem::CreateOn(
        std::make_unique<DeterministicExecutor>(
            DeterministicExecutor::Options{.workers = 1,
                                           .hand_over_probability = 0,
                                           .lost_seat_probability = 0}),
        {});
    const auto runner = system->Spawn<Runner>().value();
    runner.Send<Do>([&](Runner& self) -> Task<absl::Status> {
      const auto closure = [counted = Counted(alive)] {
        ADD_FAILURE() << "runs";
      };
      self.self().Kill();
      begun.Put(true);
      co_return co_await RunBlocking(closure);
    });
    EXPECT_TRUE(system->AwaitNoActors());
    EXPECT_TRUE(begun.IsPut());
  }
  EXPECT_EQ(alive, 0);
}

// Refuses memory once.
class RefuseOnce final : public internal::AllocationGate {
 public:
  RefuseOnce() { Set(this); }
  RefuseOnce(const RefuseOnce&) = delete;
  RefuseOnce& operator=(const RefuseOnce&) = delete;
  ~RefuseOnce() { Set(nullptr); }
  bool Admits() override { return std::exchange(refused_, true); }
  bool refused() const { return refused_; }

 private:
  static void Set(internal::AllocationGate* gate) {
    EnvelopePool::KeepNothing(gate != nullptr);
    internal::allocation_gate = gate;
  }

  bool refused_ = false;
};

// Clause 34: with no memory for what the function has returned, the coroutine
// goes on all the same.
TEST(RunBlockingLifetimeTest, IsCancelledWithoutMemoryForItsResult) {
  // On one thread, whose gate it is.
  auto* const executor = new DeterministicExecutor({.workers = 1});
  const auto system =
      ActorSystem::CreateOn(std::unique_ptr<Executor>(executor), {});
  const auto runner = system->Spawn<Runner>().value();
  std::optional<RefuseOnce> shortage;
  Handed<absl::Status> yielded;
  runner.Send<Do>([&](Runner&) -> Task<absl::Status> {
    const auto closure = [&shortage] { shortage.emplace(); };
    yielded.Put(co_await RunBlocking(closure));
    co_return absl::OkStatus();
  });
  executor->RunUntilIdle();
  ASSERT_TRUE(shortage.has_value() && shortage->refused());
  shortage.reset();
  ASSERT_TRUE(yielded.IsPut());
  EXPECT_THAT(yielded.Await(*system), StatusIs(absl::StatusCode::kCancelled));
}

// -- what only threads can show

struct Blocked {
  absl::Notification began;
  absl::Notification until;

  void Run() {
    began.Notify();
    until.WaitForNotification();
  }
};

TEST(RunBlockingThreadsTest, WorkersGoOnMeanwhile) {
  Blocked blocked;
  const auto system = ActorSystem::Create({.workers = 1}).value();
  const auto runner = system->Spawn<InterleavedRunner>().value();
  Handed<absl::Status> ended;
  runner.Send<Do>([&](Runner&) -> Task<absl::Status> {
    ended.Put(co_await RunBlocking(&Blocked::Run, &blocked));
    co_return absl::OkStatus();
  });
  blocked.began.WaitForNotification();
  EXPECT_THAT(runner
                  .Call<Do>([](Runner&) -> Task<absl::Status> {
                    co_return absl::OkStatus();
                  })
                  .Wait(),
              IsOk());
  EXPECT_FALSE(ended.IsPut());
  blocked.until.Notify();
  EXPECT_THAT(ended.Await(*system), IsOk());
}

TEST(RunBlockingThreadsTest, OnlySoManyRunAtATime) {
  const auto system =
      ActorSystem::Create({.workers = 1, .blocking_threads = 2}).value();
  const auto runner = system->Spawn<InterleavedRunner>().value();
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  Handed<absl::Status> ended[20];
  for (auto& one : ended) {
    runner.Send<Do>([&](Runner&) -> Task<absl::Status> {
      const auto closure = [&running, &most] {
        const int now = ++running;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::yield();
        --running;
      };
      one.Put(co_await RunBlocking(closure));
      co_return absl::OkStatus();
    });
  }
  for (auto& one : ended) EXPECT_THAT(one.Await(*system), IsOk());
  EXPECT_LE(most, 2);
  EXPECT_EQ(ActorSystem::Create({.blocking_threads = 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// What waits for a thread and is given up does not run; its closure goes.
TEST(RunBlockingThreadsTest, GivenUpInTheQueueItDoesNotRun) {
  Blocked blocked;
  std::atomic<int> alive{0};
  {
    const auto system =
        ActorSystem::Create({.workers = 1, .blocking_threads = 1}).value();
    const auto first = system->Spawn<Runner>().value();
    const auto second = system->Spawn<Runner>().value();
    first.Send<Do>([&](Runner&) -> Task<absl::Status> {
      co_return co_await RunBlocking(&Blocked::Run, &blocked);
    });
    blocked.began.WaitForNotification();
    Handed<absl::Status> late;
    second.Send<Do>([&](Runner&) -> Task<absl::Status> {
      const auto closure = [counted = Counted(alive)] { ADD_FAILURE(); };
      late.Put(co_await RunBlocking(closure).Within(absl::Milliseconds(1)));
      co_return absl::OkStatus();
    });
    EXPECT_THAT(late.Await(*system),
                StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("")));
    blocked.until.Notify();
  }
  EXPECT_EQ(alive, 0);
}

// Who is killed does not wait for what runs; what that yields is dropped.
TEST(RunBlockingThreadsTest, KillDropsTheResult) {
  Blocked blocked;
  std::atomic<int> alive{0};
  {
    const auto system = ActorSystem::Create({.workers = 1}).value();
    const auto runner = system->Spawn<Runner>().value();
    runner.Send<Do>([&](Runner&) -> Task<absl::Status> {
      const auto closure = [&blocked, &alive] {
        blocked.Run();
        return Counted(alive);
      };
      (void)co_await RunBlocking(closure);
      ADD_FAILURE() << "goes on";
      co_return absl::OkStatus();
    });
    blocked.began.WaitForNotification();
    EXPECT_THAT(runner.KillAndWait(), IsOk());
    blocked.until.Notify();
  }
  EXPECT_EQ(alive, 0);
}

// §16
TEST(RunBlockingThreadsTest, ShutdownSaysWhatStillRuns) {
  Blocked blocked;
  const auto system = ActorSystem::Create({.workers = 1}).value();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>([&](Runner&) -> Task<absl::Status> {
    co_return co_await RunBlocking(&Blocked::Run, &blocked);
  });
  blocked.began.WaitForNotification();
  runner.Kill();
  EXPECT_THAT(system->Shutdown(absl::Milliseconds(1)),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       HasSubstr("threads for blocking work are still busy")));
  blocked.until.Notify();
  EXPECT_THAT(system->Shutdown(), IsOk());
}

}  // namespace
}  // namespace troupe
