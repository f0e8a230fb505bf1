// Shutdown, step by step:
//
//  1. `closed_` is set: Submit() accepts nothing from here on. Idle threads are
//     woken; they find the queue empty and leave.
//  2. Busy threads run what is queued, then leave. A thread decides so, and
//     leaves `workers_` under one lock, so that no task is queued for it.
//  3. Who leaves takes the handle of the thread that left before, puts its own
//     in place of that, and joins the former on its way out. So joining the
//     last one joins all.
//  4. When `workers_` is empty, one caller of Shutdown() joins the last; others
//     wait for it (`joining_`).
//
// Races that it survives: Submit() against step 1 (both hold mu_; a task is
// either refused or queued and seen by step 2 or handed back); idle timeout
// against Submit() (who is in `idle_` gets the task, who is not does not); a
// thread that leaves against the destructor (that joins it, so mu_ outlives
// it); callers from outside and from tasks, in any number (a task counts itself
// and other such tasks out, see TasksToAwait()).
#include "troupe/scheduler/blocking_pool.h"

#include <cstddef>
#include <iterator>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"
#include "troupe/base/contain.h"
#include "troupe/base/log.h"
#include "troupe/scheduler/thread_factory.h"

namespace troupe {

BlockingPool::BlockingPool(BlockingPoolOptions options)
    : options_(std::move(options)) {
  TROUPE_CHECK(options_.max_threads >= 1, "a pool may have a thread");
  TROUPE_CHECK(options_.idle_timeout >= absl::ZeroDuration(),
               "an idle timeout is not negative");
  TROUPE_CHECK(options_.thread_factory != nullptr, "threads have a factory");
  TROUPE_CHECK(options_.clock != nullptr, "a pool has a clock");
}

BlockingPool::~BlockingPool() {
  {
    absl::MutexLock lock(&mu_);
    TROUPE_CHECK(CallingWorker() == nullptr,
                 "a task does not destroy the pool that runs it");
  }
  Shutdown(MonotonicTime::InfiniteFuture());
}

absl::Status BlockingPool::Submit(Task&& task) {
  TROUPE_CHECK(task != nullptr, "a task can be called");
  absl::Status growth;
  {
    absl::MutexLock lock(&mu_);
    if (closed_) {
      return absl::FailedPreconditionError("the blocking pool is shut down");
    }
    if (!idle_.empty()) {
      Worker* const worker = idle_.back();
      idle_.pop_back();
      worker->task = std::move(task);
      worker->wake.Signal();
      return absl::OkStatus();
    }
    if (workers_.size() < static_cast<size_t>(options_.max_threads)) {
      growth = StartWorker(task);
      if (growth.ok()) {
        growth_failed_ = false;
        return absl::OkStatus();
      }
      if (workers_.empty()) {
        return absl::UnavailableError(
            absl::StrCat("no thread for blocking work: ", growth.message()));
      }
    }
    if (queue_.size() >= options_.max_queued_tasks) {
      return absl::ResourceExhaustedError(
          absl::StrCat("all ", workers_.size(), " threads for blocking work ",
                       "are busy and ", queue_.size(), " tasks wait"));
    }
    queue_.push_back(std::move(task));
    // Once per series: the system is short of something already.
    if (growth.ok() || std::exchange(growth_failed_, true)) {
      return absl::OkStatus();
    }
  }
  options_.logger.Log(
      LogSeverity::kWarning,
      absl::StrCat("blocking work waits for a thread: ", growth.message()));
  return absl::OkStatus();
}

BlockingPool::ShutdownResult BlockingPool::Shutdown(MonotonicTime deadline) {
  ShutdownResult result;
  absl::MutexLock lock(&mu_);
  closed_ = true;
  for (Worker* worker : idle_) worker->wake.Signal();

  Worker* const caller = CallingWorker();
  if (caller != nullptr) {
    caller->in_shutdown = true;
    progress_.SignalAll();  // Others have one task less to wait for.
  }
  while (TasksToAwait(caller) > 0 && WaitUntil(progress_, deadline)) {
  }

  const int running = TasksToAwait(caller);
  if (running > 0) {
    result.status = absl::DeadlineExceededError(
        absl::StrCat(running, " threads for blocking work are still busy"));
  }
  result.unstarted.assign(std::make_move_iterator(queue_.begin()),
                          std::make_move_iterator(queue_.end()));
  queue_.clear();
  if (workers_.empty()) JoinThoseWhoLeft();
  return result;
}

BlockingPool::Stats BlockingPool::GetStats() const {
  absl::MutexLock lock(&mu_);
  return {.threads = static_cast<int>(workers_.size()),
          .idle_threads = static_cast<int>(idle_.size()),
          .queued_tasks = queue_.size()};
}

absl::Status BlockingPool::StartWorker(Task& task) {
  // First what needs memory: a thread that runs is never lost, and finds room
  // for itself when it goes idle.
  workers_.reserve(workers_.size() + 1);
  idle_.reserve(workers_.size() + 1);
  auto worker = std::make_unique<Worker>();
  // Under the lock, so that a thread is never counted on that cannot be had:
  // another Submit() would queue a task for it.
  absl::StatusOr<std::unique_ptr<JoinableThread>> thread =
      options_.thread_factory->Start(
          absl::StrCat(options_.thread_name_prefix, "-", threads_started_ + 1),
          [this, self = worker.get()] { WorkerMain(self); });
  if (!thread.ok()) return thread.status();
  ++threads_started_;
  worker->task = std::move(task);
  worker->thread = *std::move(thread);
  workers_.push_back(std::move(worker));
  return absl::OkStatus();
}

void BlockingPool::WorkerMain(Worker* self) {
  mu_.Lock();
  self->id = std::this_thread::get_id();
  while (WaitForTask(self)) {
    Task task = std::exchange(self->task, nullptr);
    mu_.Unlock();
    RunTask(std::move(task));
    mu_.Lock();
  }
  const std::unique_ptr<JoinableThread> predecessor = Leave(self);
  mu_.Unlock();
  // The pool may be gone when this returns, see step 3.
  if (predecessor != nullptr) predecessor->Join();
}

bool BlockingPool::WaitForTask(Worker* self) {
  if (self->task != nullptr) return true;
  if (!queue_.empty()) {
    self->task = std::move(queue_.front());
    queue_.pop_front();
    return true;
  }

  idle_.push_back(self);
  const MonotonicTime deadline = options_.clock->Now() + options_.idle_timeout;
  while (self->task == nullptr && !closed_ && WaitUntil(self->wake, deadline)) {
  }
  if (self->task != nullptr) return true;  // Submit() took it out of idle_.
  std::erase(idle_, self);
  return false;
}

std::unique_ptr<JoinableThread> BlockingPool::Leave(Worker* self) {
  std::unique_ptr<JoinableThread> predecessor =
      std::exchange(last_to_leave_, std::move(self->thread));
  std::erase_if(workers_, [self](const std::unique_ptr<Worker>& worker) {
    return worker.get() == self;
  });
  progress_.SignalAll();
  return predecessor;
}

void BlockingPool::RunTask(Task task) {
  const absl::Status status = internal::Contain(std::move(task));
  if (!status.ok()) {
    options_.logger.Log(
        LogSeverity::kError,
        absl::StrCat("a blocking task failed: ", status.message()));
  }
}

BlockingPool::Worker* BlockingPool::CallingWorker() const {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    if (worker->id == std::this_thread::get_id()) return worker.get();
  }
  return nullptr;
}

int BlockingPool::TasksToAwait(const Worker* caller) const {
  int count = 0;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    // Two tasks that waited for each other would wait for ever.
    if (caller == nullptr || !worker->in_shutdown) ++count;
  }
  return count;
}

void BlockingPool::JoinThoseWhoLeft() {
  // Brief: the thread being joined holds no lock and runs no task any more.
  while (joining_) progress_.Wait(&mu_);
  if (last_to_leave_ == nullptr) return;
  const std::unique_ptr<JoinableThread> thread = std::move(last_to_leave_);
  joining_ = true;
  mu_.Unlock();
  thread->Join();
  mu_.Lock();
  joining_ = false;
  progress_.SignalAll();
}

bool BlockingPool::WaitUntil(CondVar& event, MonotonicTime deadline) {
  const absl::Duration left = deadline - options_.clock->Now();
  if (left <= absl::ZeroDuration()) return false;
  event.WaitWithTimeout(&mu_, left);
  return true;
}

}  // namespace troupe
