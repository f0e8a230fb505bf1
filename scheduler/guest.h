// Lets a thread that passes input on to actors, such as one that waits for
// sockets, run them too: a worker that sleeps, and would have to be woken, is
// driven by the very thread that found the input. What wakes a thread, and then
// this one again, costs more than most handlers.
//
//   Guest guest([&] { return LetAnotherPoll(); });
//   while (poll(&input)) {
//     if (!guest.Deliver([&] { handler.OnInput(input); })) return;
//   }
//
// The guest leaves when nothing is ready any more, or after a moment: then the
// worker's own thread goes on. A handler that does not return costs the guest
// its seat, as it would any other thread, and its caller this thread: the
// executor asks for it, and joins it when it ends. So somebody else has to be
// there to poll.
//
// Only of an executor with threads, and where it takes workers over soon;
// elsewhere, wakes are what they are without it.
//
// Blocking: Deliver() runs handlers of others.
// Thread safety: each thread has its own.
#ifndef TROUPE_SCHEDULER_GUEST_H_
#define TROUPE_SCHEDULER_GUEST_H_

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "troupe/scheduler/thread_factory.h"

namespace troupe {

class ThreadExecutor;
class Worker;

class Guest {
 public:
  // `let_go` is called once at most, by any thread, under locks of the
  // executor, while the calling thread of Deliver() is in a handler: has
  // another thread do what that one did, and returns it.
  explicit Guest(
      absl::AnyInvocable<std::unique_ptr<JoinableThread>() &&> let_go)
      : let_go_(std::move(let_go)) {}
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  // Calls `deliver`, and drives what it wakes: the first sleeping worker.
  // False: `let_go` was called, the thread has served the executor since, and
  // ends; what it worked for may be gone.
  // REQUIRES: not a thread of an executor.
  [[nodiscard]] bool Deliver(absl::FunctionRef<void()> deliver);

 private:
  friend class ThreadExecutor;

  // Whether it will drive `worker`, which its executor was asked to wake.
  bool Keep(ThreadExecutor& executor, Worker& worker);
  // Wakes it after all: the thread is about to wait.
  void WakeKept();

  absl::AnyInvocable<std::unique_ptr<JoinableThread>() &&> let_go_;
  ThreadExecutor* executor_ = nullptr;
  Worker* kept_ = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_GUEST_H_
