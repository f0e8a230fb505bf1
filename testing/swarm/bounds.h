// Invariant "bounds hold" (§21): no bounded mailbox ever has more than it may.
#ifndef TROUPE_TESTING_SWARM_BOUNDS_H_
#define TROUPE_TESTING_SWARM_BOUNDS_H_

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"

namespace troupe::swarm {

class Bounds {
 public:
  static constexpr std::string_view kName = "bounds hold";

  explicit Bounds(Journal& journal) : journal_(journal) {}

  void Bounded(Number number, const AnyActorRef& ref, uint64_t messages) {
    bounded_.push_back({ref, number, messages});
  }
  bool IsBounded(Number number) const {
    return std::any_of(
        bounded_.begin(), bounded_.end(),
        [number](const Entry& entry) { return entry.number == number; });
  }
  // At some of them. `chance`: any number.
  void LookAtSome(uint64_t chance) {
    if (!bounded_.empty()) Look(bounded_[chance % bounded_.size()]);
  }

 private:
  struct Entry {
    AnyActorRef ref;
    Number number;
    uint64_t messages;
  };

  void Look(const Entry& entry) {
    const internal::Cell& cell = *entry.ref.cell();
    if (!cell.IsAliveAs(entry.ref.id().value()) || cell.bounded() == nullptr) {
      return;
    }
    const uint64_t queued = cell.bounded()->queue.messages();
    if (queued <= entry.messages) return;
    journal_.Break(kName,
                   absl::StrCat("#", entry.number, " has ", queued,
                                " messages, and may have ", entry.messages));
  }

  Journal& journal_;
  std::vector<Entry> bounded_;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_BOUNDS_H_
