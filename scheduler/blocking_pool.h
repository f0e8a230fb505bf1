// Threads for work that blocks: files, name look-ups, libraries that wait. An
// actor's worker must not block; it hands such work to a BlockingPool.
//
// Example:
//
//   BlockingPool pool({.max_threads = 16});
//   absl::Status accepted = pool.Submit([path] { CopyFile(path); });
//   ...
//   pool.Shutdown(clock.Now() + absl::Seconds(5));
#ifndef TROUPE_SCHEDULER_BLOCKING_POOL_H_
#define TROUPE_SCHEDULER_BLOCKING_POOL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/base/clock.h"
#include "troupe/base/cond_var.h"
#include "troupe/base/log.h"
#include "troupe/scheduler/thread_factory.h"

namespace troupe {

struct BlockingPoolOptions {
  // The most threads at a time. At least 1.
  int max_threads = 64;
  // The most tasks that wait because all `max_threads` are busy.
  size_t max_queued_tasks = 16'384;
  // A thread that had nothing to do for this long ends.
  absl::Duration idle_timeout = absl::Seconds(10);
  // Threads are named "PREFIX-NUMBER".
  std::string thread_name_prefix = "blocking";
  // Where failures of tasks are reported.
  Logger logger = Logger();
  // These must outlive the pool. The clock is read, but waits take real time.
  ThreadFactory* thread_factory = &RealThreadFactory();
  const Clock* clock = &RealClock();
};

// A pool of threads that grows with the work, up to a limit, and shrinks when
// there is none. A pool without work has no thread.
//
// Order: tasks start in the order submitted, but run beside one another.
// Ownership: the pool owns a task from Submit() until it has run or was handed
// back by Shutdown(), and destroys it before it takes the next one.
// Blocking: Submit() may block while a thread is created (some 10 us).
// Shutdown() and the destructor wait for tasks.
// Thread safety: every member but the destructor may be called from any thread,
// that of a task included.
// Memory ordering: what happened before Submit() is visible to the task; what
// tasks did is visible after a Shutdown() that returned OK.
// Errors: an exception that leaves a task is logged and goes no further.
class BlockingPool {
 public:
  using Task = absl::AnyInvocable<void() &&>;

  struct ShutdownResult {
    // OK: every task ended and every thread was joined. To a task: every task
    // ended but those that called Shutdown().
    // kDeadlineExceeded: some tasks were still running at the deadline.
    absl::Status status;
    // Tasks that were accepted and will not run, in the order submitted.
    std::vector<Task> unstarted;
  };

  struct Stats {
    int threads = 0;
    int idle_threads = 0;
    size_t queued_tasks = 0;
  };

  // Starts no thread.
  explicit BlockingPool(BlockingPoolOptions options);
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  // Runs what is queued, waits for all tasks and joins all threads.
  // REQUIRES: not called by a task of this pool; no other call is in progress.
  ~BlockingPool();

  // Has `task` called once, on a thread of the pool: on an idle one, on a new
  // one, or, if there may be no more, on the next that is free. A task that is
  // refused stays with the caller.
  // REQUIRES: `task` is not null.
  //
  // kResourceExhausted: all threads are busy and the queue is full.
  // kUnavailable: the pool has no thread, and none could be created.
  // kFailedPrecondition: Shutdown() was called.
  [[nodiscard]] absl::Status Submit(Task&& task);

  // Refuses new tasks, runs those that are queued until `deadline`, and waits
  // until then for the threads to end. What has not started at the deadline is
  // handed back and never runs. Does not interrupt running tasks; a later call
  // can go on waiting for them.
  //
  // May be called repeatedly and by several threads: each returns at its own
  // deadline or when all is done, and a queued task is handed back to one of
  // them. Called by a task, it does not wait for that task, nor for others that
  // called Shutdown() too; what is queued when only such tasks are left is
  // handed back, since no thread is free to run it.
  ShutdownResult Shutdown(MonotonicTime deadline);

  Stats GetStats() const;

 private:
  // One thread. Guarded by mu_.
  struct Worker {
    std::unique_ptr<JoinableThread> thread;
    std::thread::id id;
    Task task;     // Handed over by Submit(), not yet taken by the thread.
    CondVar wake;  // `task` was set, or the pool was closed.
    // Its task called Shutdown(): other tasks that do so do not wait for it. It
    // is its last task, since Shutdown() leaves none in the queue.
    bool in_shutdown = false;
  };

  // Starts a thread that begins with `task`; leaves `task` alone if it cannot.
  absl::Status StartWorker(Task& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // What a thread does.
  void WorkerMain(Worker* self) ABSL_LOCKS_EXCLUDED(mu_);

  // Waits until `self->task` is set. False: the thread shall end.
  bool WaitForTask(Worker* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Removes and destroys `*self`. Returns the thread that left before, which
  // the caller must join after it released mu_, or null.
  [[nodiscard]] std::unique_ptr<JoinableThread> Leave(Worker* self)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  void RunTask(Task task) ABSL_LOCKS_EXCLUDED(mu_);

  // The calling thread, or null if it is not of this pool.
  Worker* CallingWorker() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // The tasks that `caller` of Shutdown() waits for; null if that is no task.
  int TasksToAwait(const Worker* caller) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Returns once no thread that left is unjoined. Releases mu_ meanwhile.
  void JoinThoseWhoLeft() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Waits for `event` until `deadline`, perhaps less. False if that has passed.
  bool WaitUntil(CondVar& event, MonotonicTime deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const BlockingPoolOptions options_;

  mutable absl::Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::unique_ptr<Worker>> workers_ ABSL_GUARDED_BY(mu_);
  // A stack: the thread that went idle last is woken first, so that the others
  // get old and end. While it is not empty, queue_ is.
  std::vector<Worker*> idle_ ABSL_GUARDED_BY(mu_);
  std::deque<Task> queue_ ABSL_GUARDED_BY(mu_);
  // The thread that left last. It joins the one that left before it, so at most
  // one is ever unjoined without being about to end.
  std::unique_ptr<JoinableThread> last_to_leave_ ABSL_GUARDED_BY(mu_);
  bool joining_ ABSL_GUARDED_BY(mu_) = false;
  bool growth_failed_ ABSL_GUARDED_BY(mu_) = false;  // And that was logged.
  uint64_t threads_started_ ABSL_GUARDED_BY(mu_) = 0;
  // A worker left or called Shutdown(), or joining_ became false.
  CondVar progress_;
};

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_BLOCKING_POOL_H_
