// Runs closures on the workers of an Executor: the scheduler without actors.
//
//   Post(*executor, [&] { Parse(file); });
//
// Order: none is promised between closures, as any of them may move to another
// worker; and two may run at once even where there is one worker, as it goes on
// beside a closure that blocks, or that the system does not let run. Until it
// moves, what a turn posts runs on its worker as soon as the turn has ended,
// the last one first, so that trees of closures are walked in little memory;
// what comes from outside waits behind all that is ready, in the order posted.
// Ownership: the executor owns the closure until it has run, and destroys it
// before its turn ends, on the thread that ran it.
// Blocking: no call blocks. A closure may: its worker then gets another thread,
// as with any turn (ThreadExecutor).
// Thread safety: any thread, closures included.
// Memory ordering: what happened before Post() is visible to the closure.
// Errors: what a closure throws, and a Status that is not OK, goes to the
// executor's log, with the place where it was posted. Post() itself throws only
// where memory runs out; the closure does not run then.
// Cost: one allocation of 48 bytes and the closure. No lock, unless a worker
// has to be woken: the one that is named, or one of several that all sleep.
#ifndef TROUPE_SCHEDULER_POST_H_
#define TROUPE_SCHEDULER_POST_H_

#include <concepts>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "troupe/base/contain.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/worker.h"

namespace troupe {

// What can be posted: it can be called once, without arguments.
template <typename F>
concept Postable = std::constructible_from<std::decay_t<F>, F> &&
    std::invocable<std::decay_t<F>>;

namespace internal {

// A closure on its way, and in its turn.
class PostedClosure : public Runnable {
 public:
  explicit PostedClosure(std::source_location location);
  virtual ~PostedClosure() = default;

 private:
  // Calls the closure and destroys it; once.
  virtual absl::Status Call() noexcept = 0;

  static bool Run(Runnable& runnable, Worker& worker);
  static bool Finish(Runnable& runnable, Worker&);
  static bool Returned(Runnable& runnable, Worker&);
  static std::string Name(const Runnable& runnable);
  static const RunnableType kType;
  static const RunnableType kSpentType;

  const std::source_location location_;
};

template <typename F>
class PostedClosureOf final : public PostedClosure {
 public:
  template <typename G>
  PostedClosureOf(std::source_location location, G&& function)
      : PostedClosure(location), function_(std::forward<G>(function)) {}
  // Call() has destroyed the closure: every closure that is posted runs.
  ~PostedClosureOf() override {}

 private:
  absl::Status Call() noexcept override {
    absl::Status status = Contain(std::move(function_));
    std::destroy_at(&function_);
    return status;
  }

  union {
    F function_;
  };
};

template <typename F>
std::unique_ptr<PostedClosure> MakePostedClosure(
    F&& function, std::source_location location) {
  static_assert(Postable<F>,
                "a closure takes no arguments; one that cannot be copied is "
                "given as std::move(closure)");
  if constexpr (Postable<F>) {
    using Closure = std::decay_t<F>;
    using Result = std::invoke_result_t<Closure>;
    static_assert(
        std::is_void_v<Result> || std::is_same_v<Result, absl::Status>,
        "a closure returns nothing or absl::Status");
    static_assert(std::is_nothrow_destructible_v<Closure>,
                  "a closure's destructor does not throw");
    return std::make_unique<PostedClosureOf<Closure>>(
        location, std::forward<F>(function));
  }
}

void Post(Executor& executor, std::unique_ptr<PostedClosure> closure);
void Post(Worker& worker, std::unique_ptr<PostedClosure> closure);

}  // namespace internal

// Has `function` called once, in a turn of its own on some shared worker: on
// the calling thread's, if it is in a turn of one.
// REQUIRES: as for Executor::Inject(), not after Executor::Shutdown() began,
// except by what that still waits for.
template <typename F>
void Post(Executor& executor, F&& function,
          std::source_location location = std::source_location::current()) {
  internal::Post(executor, internal::MakePostedClosure(
                               std::forward<F>(function), location));
}

// The same for who holds a lock that closures take. Post() may be where a turn
// loses its seat, and a DeterministicExecutor then plays other turns within the
// call; in this they do not run. It costs a delivery, to whichever worker.
template <typename F>
void PostUnderLock(
    Executor& executor, F&& function,
    std::source_location location = std::source_location::current()) {
  executor.Inject(
      *internal::MakePostedClosure(std::forward<F>(function), location)
           .release());
}

// The same as Post() on `worker`. A dedicated worker runs it on its own thread,
// in the order posted except by the worker's own closures; from a shared one it
// may move to another. REQUIRES: `worker` is not released, and its executor as
// above.
template <typename F>
void Post(Worker& worker, F&& function,
          std::source_location location = std::source_location::current()) {
  internal::Post(
      worker, internal::MakePostedClosure(std::forward<F>(function), location));
}

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_POST_H_
