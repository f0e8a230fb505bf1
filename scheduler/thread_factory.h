// The seam through which every thread of the runtime is created, so that a test
// can make that fail.
//
// Example:
//
//   auto thread = factory.Start("worker-0", [this] { Run(); });
//   if (!thread.ok()) return thread.status();
//   ...
//   (*thread)->Join();
#ifndef TROUPE_SCHEDULER_THREAD_FACTORY_H_
#define TROUPE_SCHEDULER_THREAD_FACTORY_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace troupe {

// A thread that was started. There are no detached threads: each is joined.
class JoinableThread {
 public:
  // REQUIRES: Join() returned.
  virtual ~JoinableThread() = default;

  // Blocks until the thread has ended; what it did is visible afterwards.
  // REQUIRES: called once, and not by the thread itself.
  virtual void Join() = 0;
};

// Creates threads.
//
// Thread safety: Start() may be called from any thread.
class ThreadFactory {
 public:
  virtual ~ThreadFactory() = default;

  // Starts a thread that calls `body` once and ends. `body` must not throw.
  // Debuggers and `top` show the first 15 bytes of `name`.
  //
  // It begins alike whoever starts it: in the default floating-point
  // environment, the global locale, and with all signals blocked, so that
  // their handlers run on threads of the program's own, and never amid a step
  // of the runtime. Not blocked are those that a thread raises itself by an
  // error (SIGSEGV and its like), and SIGPROF, by which profilers look at each
  // thread.
  //
  // kResourceExhausted: the system has no room for another thread. `body` was
  // destroyed without being called.
  virtual absl::StatusOr<std::unique_ptr<JoinableThread>> Start(
      absl::string_view name, absl::AnyInvocable<void() &&> body) = 0;
};

// Creates threads of the operating system. Has no state and is never destroyed.
ThreadFactory& RealThreadFactory();

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_THREAD_FACTORY_H_
