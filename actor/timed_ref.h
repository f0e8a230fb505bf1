// A TimedRef<P...> is an ActorRef<P...> whose calls wait for a time of its own
// instead of the system's ActorSystem::Options::call_timeout:
//
//   explicit Index(ActorRef<StoreApi> store)
//       : store_(store.WithTimeout(absl::Milliseconds(50))) {}
//   ...
//   absl::StatusOr<Row> row = co_await store_.Call<Read>(key);   // 50 ms
//   ... co_await store_.Call<Scan>().Within(absl::Seconds(2));   // 2 s
//
// It converts to an ActorRef, and loses its time then: CallAll() and CallAny(),
// which take ActorRefs, have one time for all.
//
// Ownership, order, blocking, thread safety: as of an ActorRef. 24 bytes,
// trivially copyable.
#ifndef TROUPE_ACTOR_TIMED_REF_H_
#define TROUPE_ACTOR_TIMED_REF_H_

#include <cstdint>
#include <limits>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/protocol.h"

namespace troupe {

template <typename... Ps>
class TimedRef : public ActorRef<Ps...> {
 public:
  // Refers to no actor.
  TimedRef() = default;
  // Its calls give up after `timeout`, as if each said Within(timeout).
  TimedRef(const ActorRef<Ps...>& ref, absl::Duration timeout)
      : ActorRef<Ps...>(ref), timeout_ns_(absl::ToInt64Nanoseconds(timeout)) {}

  // From one that takes all of these messages; with its time.
  template <typename... Qs>
  requires internal::kIsSubset<MessagesOf<Ps...>, MessagesOf<Qs...>>
  // NOLINTNEXTLINE(google-explicit-constructor)
  TimedRef(const TimedRef<Qs...>& other)
      : ActorRef<Ps...>(other), timeout_ns_(other.timeout_ns_) {}

  absl::Duration timeout() const {
    return timeout_ns_ == kInfinite ? absl::InfiniteDuration()
                                    : absl::Nanoseconds(timeout_ns_);
  }

  // As ActorRef::Call().
  template <typename M, typename... Args>
  auto Call(Args&&... args) const {
    return ActorRef<Ps...>::template Call<M>(std::forward<Args>(args)...)
        .Within(timeout());
  }

 private:
  template <typename... Qs>
  friend class TimedRef;

  static constexpr int64_t kInfinite = std::numeric_limits<int64_t>::max();

  int64_t timeout_ns_ = kInfinite;  // An absl::Duration takes twice as much.
};

template <typename... Ps>
TimedRef<Ps...> ActorRef<Ps...>::WithTimeout(absl::Duration timeout) const {
  return TimedRef<Ps...>(*this, timeout);
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_TIMED_REF_H_
