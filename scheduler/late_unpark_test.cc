// Who has ended a worker's nap by a delivery, and has not come to unpark it
// yet, while the worker is woken by something else, runs what was delivered,
// and could be gone (Executor::Unpark()).
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/base/membarrier.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/internal/test_cell.h"
#include "troupe/scheduler/internal/thread_testing.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::TestCell;
using internal::TestMessage;
using internal::TestThreadFactory;
using testing::IsOk;

constexpr MonotonicTime kNoDeadline = MonotonicTime::InfiniteFuture();

// Stands before a ThreadExecutor, and keeps the thread of one sender in
// Unpark().
class LateExecutor final : public Executor {
 public:
  explicit LateExecutor(TestThreadFactory& threads)
      : inner_(ThreadExecutor::Create(
                   {.workers = 1, .threads = &threads, .facade = this})
                   .value()) {}

  ThreadExecutor& inner() { return *inner_; }

  // Sends on a thread of its own, which it keeps: returns when the message was
  // delivered, and the worker not unparked.
  std::thread SendButUnparkLate(TestCell& cell) {
    std::thread sender([&cell] {
      is_late = true;
      cell.Send({});
    });
    kept_.WaitWithTimeout(absl::InfiniteDuration());
    return sender;
  }
  void LetUnpark() { go_on_.Set(); }
  bool MayUnpark() const { return go_on_.IsSet(); }

  void Unpark(Worker& worker) override {
    if (std::exchange(is_late, false)) {
      kept_.Set();
      go_on_.WaitWithTimeout(absl::InfiniteDuration());
    }
    inner_->Unpark(worker);
  }

  bool has_threads() const override { return true; }
  int shared_workers() const override { return inner_->shared_workers(); }
  Worker& shared_worker(int i) override { return inner_->shared_worker(i); }
  void SetLocals(
      absl::AnyInvocable<std::unique_ptr<WorkerLocal>(Worker&)> make) override {
    inner_->SetLocals(std::move(make));
  }
  absl::StatusOr<Worker*> StartDedicatedWorker(
      absl::string_view name) override {
    return inner_->StartDedicatedWorker(name);
  }
  void ReleaseDedicatedWorker(Worker& worker) override {
    inner_->ReleaseDedicatedWorker(worker);
  }
  void Inject(Runnable& runnable) override { inner_->Inject(runnable); }
  const Clock& clock() const override { return RealClock(); }
  void SetAlarm(Alarm& alarm, MonotonicTime time) override {
    inner_->SetAlarm(alarm, time);
  }
  bool CancelAlarm(Alarm& alarm) override { return inner_->CancelAlarm(alarm); }
  uint64_t NewSeed() override { return inner_->NewSeed(); }
  bool WaitFor(Event& event, MonotonicTime deadline) override {
    return inner_->WaitFor(event, deadline);
  }
  bool RunUntil(absl::FunctionRef<bool()> done,
                MonotonicTime deadline) override {
    return inner_->RunUntil(done, deadline);
  }
  absl::Status Shutdown() override { return inner_->Shutdown(); }
  const Logger& logger() const override { return inner_->logger(); }
  void AwaitSettledSeat() override { inner_->AwaitSettledSeat(); }
  void GiveUpSeat() override { inner_->GiveUpSeat(); }

 private:
  static thread_local bool is_late;

  Event kept_;
  Event go_on_;
  const std::unique_ptr<ThreadExecutor> inner_;
};

thread_local bool LateExecutor::is_late = false;

// Notes when it goes, and its worker with it.
class NotingLocal final : public WorkerLocal {
 public:
  explicit NotingLocal(absl::AnyInvocable<void()> note)
      : note_(std::move(note)) {}
  ~NotingLocal() override { note_(); }
  void Flush() override {}
  void TimerDue(TimerNode&) override {}

 private:
  absl::AnyInvocable<void()> note_;
};

class LateUnparkTest : public ::testing::Test {
 protected:
  void Await(absl::FunctionRef<bool()> done) {
    executor_.RunUntil(done, kNoDeadline);
  }
  // Until the cell has got its next message, and its worker sleeps again.
  void AwaitMessage(Worker& worker) {
    const Event& handled = handled_;
    Await([&] { return handled.IsSet() && worker.LooksAsleep(); });
  }

  TestThreadFactory threads_;
  LateExecutor executor_{threads_};
  Event handled_;
  TestCell cell_{"cell",
                 [this](TestCell&, const TestMessage&) { handled_.Set(); }};
};

TEST_F(LateUnparkTest, ADedicatedWorkerStays) {
  Event gone;
  bool could_unpark = false;
  executor_.SetLocals([&](Worker& worker) -> std::unique_ptr<WorkerLocal> {
    if (worker.kind() == Worker::Kind::kShared) {
      return std::make_unique<NotingLocal>([] {});
    }
    return std::make_unique<NotingLocal>([&] {
      could_unpark = executor_.MayUnpark();
      gone.Set();
    });
  });
  absl::StatusOr<Worker*> worker = executor_.StartDedicatedWorker("dedicated");
  ASSERT_THAT(worker, IsOk());
  cell_.StartOn(**worker);
  Await([&] { return (*worker)->LooksAsleep(); });

  std::thread sender = executor_.SendButUnparkLate(cell_);
  executor_.inner().ClockMoved();  // Wakes it, whatever was delivered.
  AwaitMessage(**worker);
  executor_.ReleaseDedicatedWorker(**worker);
  Await([&] { return threads_.unjoined() == 2; });
  const uint64_t looks = executor_.inner().monitor_looks();
  Await([&] { return executor_.inner().monitor_looks() > looks + 1; });

  executor_.LetUnpark();
  sender.join();
  EXPECT_TRUE(executor_.WaitFor(gone, kNoDeadline));
  EXPECT_TRUE(could_unpark);
}

TEST_F(LateUnparkTest, TheExecutorStays) {
  Worker& worker = executor_.shared_worker(0);
  cell_.Start(executor_);
  Await([&] { return worker.LooksAsleep(); });

  std::thread sender = executor_.SendButUnparkLate(cell_);
  executor_.inner().ClockMoved();
  AwaitMessage(worker);
  Alarm alarm([&] { executor_.LetUnpark(); });
  executor_.SetAlarm(alarm, RealClock().Now() + absl::Milliseconds(20));
  ASSERT_THAT(executor_.Shutdown(), IsOk());
  // Alarms ring while the executor runs.
  EXPECT_TRUE(executor_.MayUnpark());
  executor_.LetUnpark();
  sender.join();
}

TEST_F(LateUnparkTest, AWorkerThatSleepsAgainGetsNoThread) {
  if (!AsymmetricBarrierAvailable()) GTEST_SKIP() << "no membarrier(2)";
  Event go_on;
  TestCell blocks("blocks", [&](TestCell&, const TestMessage&) {
    go_on.WaitWithTimeout(absl::InfiniteDuration());
  });
  Worker& worker = executor_.shared_worker(0);
  blocks.Start(executor_);
  Await([&] { return worker.LooksAsleep(); });

  std::thread sender = executor_.SendButUnparkLate(blocks);
  executor_.inner().ClockMoved();
  // Unpark() would wake the monitor, if it sleeps.
  Alarm alarm([] {});
  executor_.SetAlarm(alarm, RealClock().Now());
  Await([&] {
    return executor_.inner().take_overs() == 1 && worker.LooksAsleep();
  });
  executor_.LetUnpark();
  sender.join();
  EXPECT_EQ(threads_.unjoined(),
            2);  // Its own, which is lost, and the monitor.
  go_on.Set();
  EXPECT_THAT(executor_.Shutdown(), IsOk());
  (void)executor_.CancelAlarm(alarm);
}

}  // namespace
}  // namespace troupe
