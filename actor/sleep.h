// Sleep() lets time pass in a Task of an actor, without holding up a thread.
//
//   troupe::Task<void> Handle(Poll) {
//     while (!ready_) {
//       Look();
//       const bool slept = co_await troupe::Sleep(absl::Milliseconds(100));
//       if (!slept) co_return;
//     }
//   }
//
// It yields true if the time has passed; false if what the handler does was
// given up before: the caller of the request that it handles waits no more, or
// the request's deadline comes first. Then it yields at the deadline, at once
// if that has passed, and the next Sleep() yields false at once.
//
// Order: those of one actor wake in the order of their times, and at the same
// time in the order in which they began.
// Time: the monotonic clock of the system's executor; never early, and up to
// 1 ms late, or as late as the actor's worker is busy. Zero and less: others
// run, then it goes on. Infinite: until it is given up.
// Cancellation: destroying the coroutine, or its actor, ends it.
// Blocking: no thread; no other message of this actor is handled meanwhile,
// unless the actor interleaves them.
// Memory: allocates nothing of its own.
// Thread safety: belongs to the Task that awaits it.
// REQUIRES: awaited in a Task of an actor.
#ifndef TROUPE_ACTOR_SLEEP_H_
#define TROUPE_ACTOR_SLEEP_H_

#include <coroutine>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/internal/handler_state.h"

namespace troupe {

namespace internal {

class SleepWait final : public Wait {
 public:
  explicit SleepWait(int64_t duration_ns) : duration_ns_(duration_ns) {}

  bool await_ready() const noexcept { return false; }
  // False: it is over already.
  bool await_suspend(std::coroutine_handle<> waiting);
  bool await_resume() const noexcept { return outcome_.slept; }

  void OnDue(HandlerState& state) override;
  void OnCancel(const absl::Status& why) override;

 private:
  struct Outcome {
    bool slept;
    bool ends_early;  // At the deadline.
  };

  // What lies here lies in the frame of each actor that sleeps.
  union {
    int64_t duration_ns_;  // Until it waits.
    Outcome outcome_;      // From then on.
  };
};

}  // namespace internal

// To be awaited, also by WhenAll() and WhenAny().
class [[nodiscard]] Sleep {
 public:
  // By reference: g++ would keep a copy in the frame of who awaits.
  explicit Sleep(const absl::Duration& duration)
      : duration_ns_(absl::ToInt64Nanoseconds(duration)) {}

  internal::SleepWait operator co_await() const {
    return internal::SleepWait(duration_ns_);
  }

 private:
  int64_t duration_ns_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_SLEEP_H_
