// What the exact tests of Worker share: an executor that drives nothing, a
// seat, and a runnable that notes its turns.
#ifndef TROUPE_SCHEDULER_INTERNAL_WORKER_TESTING_H_
#define TROUPE_SCHEDULER_INTERNAL_WORKER_TESTING_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

// Drives nothing: the tests drive its workers.
class IdleExecutor final : public Executor {
 public:
  bool has_threads() const override { return false; }
  int shared_workers() const override { return 0; }
  Worker& shared_worker(int) override { std::abort(); }
  void SetLocals(
      absl::AnyInvocable<std::unique_ptr<WorkerLocal>(Worker&)>) override {}
  absl::StatusOr<Worker*> StartDedicatedWorker(absl::string_view) override {
    return absl::UnimplementedError("no threads");
  }
  void ReleaseDedicatedWorker(Worker&) override {}
  void Inject(Runnable&) override {}
  const Clock& clock() const override { return held_clock; }
  void SetAlarm(Alarm&, MonotonicTime) override {}
  bool CancelAlarm(Alarm&) override { return false; }
  bool WaitFor(Event&, MonotonicTime) override { return false; }
  bool RunUntil(absl::FunctionRef<bool()>, MonotonicTime) override {
    return false;
  }
  absl::Status Shutdown() override { return absl::OkStatus(); }
  uint64_t NewSeed() override { return 0; }
  const Logger& logger() const override { return logger_; }
  void Unpark(Worker& worker) override { unparked.push_back(&worker); }
  void AwaitSettledSeat() override {}
  void GiveUpSeat() override {}

  std::vector<Worker*> unparked;
  ManualClock held_clock;

 private:
  const Logger logger_;
};

inline std::unique_ptr<Worker> MakeWorker(
    Executor& executor, Worker::Kind kind = Worker::Kind::kShared) {
  return *Worker::Create(executor, kind, /*index=*/0);
}

// Seats the calling thread on a worker.
class Seated {
 public:
  explicit Seated(Worker& worker) : worker_(worker) {
    (void)this_thread.seat.Enter();
    worker_.SeatThread();
  }
  ~Seated() {
    worker_.UnseatThread();
    this_thread.worker = nullptr;
    this_thread.seat.Leave();
  }

 private:
  Worker& worker_;
};

// Receives what was delivered, and runs all that is ready.
inline void RunAll(Worker& worker) {
  const Seated seated(worker);
  do {
    worker.Poll();
    while (Runnable* const runnable = worker.Next()) {
      ASSERT_TRUE(worker.Run(*runnable));
    }
    worker.FlushLocal();
  } while (worker.ready() > 0 || worker.HasDeliveries());
}

inline void Sleep(Worker& worker) {
  ASSERT_TRUE(worker.Rest());
  ASSERT_TRUE(worker.FallAsleep());
}

// Notes its name in each turn.
struct Noter : Runnable {
  Noter(std::string given_name, std::vector<std::string>& notes_of_all)
      : name(std::move(given_name)), notes(notes_of_all) {
    type = &kType;
  }

  static bool Run(Runnable& runnable, Worker& worker) {
    Noter& noter = static_cast<Noter&>(runnable);
    noter.notes.push_back(noter.name);
    if (noter.during_turn != nullptr) noter.during_turn();
    if (--noter.turns_wanted > 0) {
      worker.Yield(noter);
    } else {
      noter.queue_next = nullptr;
    }
    return true;
  }
  static const RunnableType kType;

  std::string name;
  std::vector<std::string>& notes;
  int turns_wanted = 1;
  bool wants_turn = true;
  bool can_be_given = true;
  std::function<void()> during_turn;
};

inline const RunnableType Noter::kType = {
    .run = Run,
    .woken = [](Runnable& runnable,
                Worker&) { return static_cast<Noter&>(runnable).wants_turn; },
    .returned =
        [](Runnable& runnable, Worker&) {
          return static_cast<Noter&>(runnable).wants_turn;
        },
    .release =
        [](Runnable& runnable, Worker&) {
          return static_cast<Noter&>(runnable).can_be_given;
        },
    .name =
        [](const Runnable& runnable) {
          return static_cast<const Noter&>(runnable).name;
        },
};

}  // namespace troupe::internal

#endif  // TROUPE_SCHEDULER_INTERNAL_WORKER_TESTING_H_
