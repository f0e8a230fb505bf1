#include "troupe/testing/swarm/ticks.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace troupe::swarm {

uint32_t Ticks::Set(Timer timer, int64_t delay_ns, int64_t period_ns) {
  timer.first_ns = journal_.now_ns() + std::max<int64_t>(delay_ns, 0);
  timer.period_ns = period_ns;
  timer.over = false;
  timers_.push_back(timer);
  const uint32_t number = static_cast<uint32_t>(timers_.size() - 1);
  journal_.Note(What::kSetsTimer, timer.owner, timer.target, number);
  return number;
}

void Ticks::Ticked(uint32_t timer, Number by) {
  Timer& entry = timers_[timer];
  journal_.Note(What::kTicks, by, entry.owner, timer);
  ++entry.ticks;
  if (by != entry.target && !lives_.is_supervised(entry.target))
    Break(timer, "it ticks at its target");
  const int64_t since_first = journal_.now_ns() - entry.first_ns;
  if (since_first < 0) return Break(timer, "it ticks never early");
  const int64_t times =
      entry.period_ns == 0 ? 1 : since_first / entry.period_ns + 1;
  if (entry.ticks > times) Break(timer, "it ticks once for each time");
  if (entry.over && entry.is_own) {
    Break(timer, "it ticks no more once it was cancelled");
  }
  if (lives_.has_ended(entry.owner) &&
      lives_.ended_at_ns(entry.owner) <
          entry.first_ns + (entry.ticks - 1) * entry.period_ns) {
    Break(timer, "it ticks no more when its actor has ended");
  }
  if (entry.period_ns == 0) entry.over = true;
}

void Ticks::Cancelled(uint32_t timer) {
  timers_[timer].over = true;
  journal_.Note(What::kCancels, timers_[timer].owner, 0, timer);
}

void Ticks::CheckAtRest() {
  for (uint32_t timer = 1; timer < timers_.size(); ++timer) {
    Timer& entry = timers_[timer];
    if (entry.over) continue;
    // What is sent to others may have met a full mailbox, or an end.
    if (!entry.is_own || !lives_.is_alive(entry.owner)) {
      entry.over = true;
      continue;
    }
    Break(timer, "at rest no time is left to come");
  }
}

void Ticks::Break(uint32_t timer, std::string_view rule) {
  journal_.Break(kName,
                 absl::StrCat("timer ", timer, " of #", timers_[timer].owner,
                              " to #", timers_[timer].target, ": ",
                              absl::string_view(rule.data(), rule.size())));
}

}  // namespace troupe::swarm
