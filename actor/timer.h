// A Timer is a handle to something that an actor has told itself to do later;
// see Actor::SendAfter(), SendEvery(), StopAfter() and KillAfter().
//
//   void Handle(const Line& line) {
//     idle_.Cancel();
//     idle_ = SendAfter<Idle>(absl::Seconds(30));
//   }
//
// Time: the monotonic clock of the system's executor. Never early; up to 1 ms
// late, or as late as the actor and its worker are busy.
// Order: those of one actor by their times, and at the same time in the order
// in which they were started.
// Ownership: none. Dropping a handle cancels nothing; it may outlive its timer.
// A timer belongs to the actor that started it, and ends with it, before
// PostStop: what its message has not become until then, it never becomes.
// Thread safety: a value, to be used by the actor that started the timer only.
#ifndef TROUPE_ACTOR_TIMER_H_
#define TROUPE_ACTOR_TIMER_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace troupe {

// What becomes of ticks whose time passes while earlier ones are not handled.
enum class MissedTicks : uint8_t {
  kCoalesce,  // They are one: the latest.
  kBurst,     // Each is handled, one after the other.
};

// When a message is repeated: at a fixed rate. The n-th tick is due when
// first_after + n * period has passed, however late those before it were.
struct Every {
  absl::Duration period = absl::InfiniteDuration();  // At least 1 ns.
  std::optional<absl::Duration> first_after = {};    // As period, if not given.
  MissedTicks missed = MissedTicks::kCoalesce;
};

class Timer {
 public:
  // Stands for none: it is over.
  Timer() = default;

  // Ends the timer: once this has returned nothing of it arrives, not even what
  // was due. Returns how long it would have been to the (next) time, to 1 ms,
  // and zero if that had come; nothing if the timer was over: cancelled, or a
  // single one whose handler has begun.
  std::optional<absl::Duration> Cancel();

  // The same without ending it.
  std::optional<absl::Duration> time_left() const;
  bool pending() const;

  // For the runtime.
  Timer(uint64_t actor_id, uint64_t serial, uint32_t slot)
      : actor_id_(actor_id), serial_(serial), slot_(slot) {}

 private:
  uint64_t actor_id_ = 0;  // 0: none.
  uint64_t serial_ = 0;    // No two of one actor have the same.
  uint32_t slot_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_TIMER_H_
