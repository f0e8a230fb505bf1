// Invariant "timers tick in time" (§33): never early, never for an actor that
// has ended before, never once they were cancelled, not more often than their
// times have come, and at rest each time has been told.
#ifndef TROUPE_TESTING_SWARM_TICKS_H_
#define TROUPE_TESTING_SWARM_TICKS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"

namespace troupe::swarm {

class Ticks {
  struct Timer {
    Number owner = 0;
    Number target = 0;
    int64_t first_ns = 0;
    int64_t period_ns = 0;
    int64_t ticks = 0;
    bool is_own = false;
    bool over = true;  // Cancelled, or a single one that has ticked.
  };

 public:
  static constexpr std::string_view kName = "timers tick in time";

  Ticks(Journal& journal, const Lives& lives)
      : journal_(journal), lives_(lives), timers_(1) {}

  // A timer of `owner` that has it handle a message; first in `delay_ns`, then,
  // if that is not 0, each `period_ns`.
  uint32_t SetOwn(Number owner, int64_t delay_ns, int64_t period_ns) {
    return Set({.owner = owner, .target = owner, .is_own = true}, delay_ns,
               period_ns);
  }
  // One that sends to `target`.
  uint32_t SetFor(Number owner, Number target, int64_t delay_ns) {
    return Set({.owner = owner, .target = target}, delay_ns, 0);
  }
  // Its message is handled.
  void Ticked(uint32_t timer, Number by);
  // By its owner; nothing of it must arrive there any more.
  void Cancelled(uint32_t timer);
  bool IsOver(uint32_t timer) const { return timers_[timer].over; }

  void CheckAtRest();

 private:
  uint32_t Set(Timer timer, int64_t delay_ns, int64_t period_ns);
  void Break(uint32_t timer, std::string_view rule);

  Journal& journal_;
  const Lives& lives_;
  std::vector<Timer> timers_;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_TICKS_H_
