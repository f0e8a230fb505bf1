// Runs in a Task what blocks: files, name look-ups, libraries that wait. It has
// a thread of a pool for that, and the actor's worker goes on.
//
//   Task<absl::StatusOr<std::string>> Handle(Load m) {
//     co_return co_await RunBlocking(ReadFile, m.path);
//   }
//
// Yields what the function returns: an absl::StatusOr<T> for a T, and
// absl::Status for void; a Status and an absl::StatusOr as they are.
//
// Order: none between functions that run at the same time. At most
// ActorSystem::Options::blocking_threads do; the others wait, first come, first
// served.
// Ownership: function and arguments are copied or moved to where it runs, and
// destroyed before what they yield is seen. They may outlive the coroutine: one
// that is destroyed does not wait for them. So they must own what they use.
// Cancellation: as of a call, see call.h. Given up, it is not begun, if it has
// not begun; what runs runs to its end, and what it yields is dropped.
// Blocking: the pool's thread. The end of the system waits for what runs, see
// ActorSystem::Shutdown().
// Thread safety: the function runs on another thread than the actor, while the
// actor may run, too. On an executor without threads it runs in a turn of its
// own, and must not wait for actors.
// Memory ordering: what happened before the co_await is visible to the
// function, and what it did to who awaits.
//
// Errors, besides what the function returns:
//   kUnknown             it threw; the text says what
//   kDeadlineExceeded, kCancelled, kFailedPrecondition    as of a Completion
//   kResourceExhausted   all threads are busy, and 16,384 others wait
//   kUnavailable         there is no thread, and none could be created
//
// With GCC before 13, which would destroy them twice, closures with a
// destructor and aggregates are not taken as temporaries: pass a closure by its
// name, or the function and its arguments.
#ifndef TROUPE_ACTOR_RUN_BLOCKING_H_
#define TROUPE_ACTOR_RUN_BLOCKING_H_

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/internal/awaited_argument.h"
#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/internal/completion_state.h"
#include "troupe/base/contain.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/scheduler/blocking_pool.h"

namespace troupe {

namespace internal {

// A function and its arguments, to be called once on some thread.
template <typename T, typename... Parts>
class BlockingJob {
 public:
  using Outcome = typename Completer<T>::Outcome;

  template <typename... Args>
  explicit BlockingJob(Completer<T> completer, Args&&... parts)
      : completer_(std::move(completer)),
        parts_(std::in_place, std::forward<Args>(parts)...) {}

  void operator()() && {
    if (!completer_.is_wanted()) return;
    Outcome outcome = Call();
    parts_.reset();
    completer_.Complete(std::move(outcome));
  }

 private:
  Outcome Call() {
    const auto invoke = [this] {
      return std::apply(
          []<typename... Ps>(Ps&&... parts) {
            return std::invoke(std::forward<Ps>(parts)...);
          },
          *std::move(parts_));
    };
    std::optional<Outcome> outcome;
    absl::Status thrown = Contain([&] {
      if constexpr (std::is_void_v<T>) {
        invoke();
        outcome.emplace();
      } else {
        outcome.emplace(invoke());
      }
    });
    return thrown.ok() ? *std::move(outcome) : Outcome(std::move(thrown));
  }

  Completer<T> completer_;
  std::optional<std::tuple<Parts...>> parts_;
};

class BlockingWait : public CompletionWait {
 public:
  BlockingWait(BlockingPool::Task job, CompletionHandle handle,
               absl::Duration timeout, std::string_view what)
      : CompletionWait(std::move(handle), timeout, what),
        job_(std::move(job)) {}

 private:
  absl::Status BeginWork(Cell& caller) final;

  BlockingPool::Task job_;
};

template <typename Outcome>
class BlockingAwaiter final : public BlockingWait {
 public:
  using BlockingWait::BlockingWait;
  Outcome await_resume() { return OutcomeIn<Outcome>(TakeReply()); }
};

}  // namespace internal

// What RunBlocking() returns: nothing runs until it is awaited, once.
template <typename T>
class [[nodiscard]] BlockingCall {
 public:
  using Outcome = typename Completer<T>::Outcome;

  // Gives up after `timeout`. By default only the deadline of the request that
  // is handled counts.
  BlockingCall Within(absl::Duration timeout) && {
    timeout_ = timeout;
    return std::move(*this);
  }

  internal::BlockingAwaiter<Outcome> operator co_await() && {
    return internal::BlockingAwaiter<Outcome>(
        std::move(job_), std::move(handle_), timeout_, internal::TypeName<T>());
  }

  // For RunBlocking().
  BlockingCall(BlockingPool::Task job,
               std::shared_ptr<internal::CompletionState> state)
      : job_(std::move(job)), handle_(std::move(state)) {}

 private:
  BlockingPool::Task job_;
  internal::CompletionHandle handle_;
  absl::Duration timeout_ = absl::InfiniteDuration();
};

template <typename F, typename... Args>
auto RunBlocking(F&& function, Args&&... args) {
  static_assert(
      std::is_invocable_v<std::decay_t<F>, std::unwrap_ref_decay_t<Args>...>,
      "this function cannot be called with these arguments, as temporaries; "
      "one that cannot be copied is given as std::move(named)");
  static_assert(
      !(internal::kDestroyedTwiceWhenAwaited<F> || ... ||
        internal::kDestroyedTwiceWhenAwaited<Args>),
      "GCC before 13 would destroy this closure or aggregate twice: pass it by "
      "its name, which copies it, or in an absl::AnyInvocable; or pass a "
      "function and its arguments");
  using T = std::decay_t<
      std::invoke_result_t<std::decay_t<F>, std::unwrap_ref_decay_t<Args>...>>;
  auto state = std::make_shared<internal::CompletionState>();
  internal::BlockingJob<T, std::decay_t<F>, std::unwrap_ref_decay_t<Args>...>
  job(Completer<T>(state), std::forward<F>(function),
      std::forward<Args>(args)...);
  return BlockingCall<T>(std::move(job), std::move(state));
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_RUN_BLOCKING_H_
