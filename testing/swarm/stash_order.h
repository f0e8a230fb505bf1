// Invariant "what was set aside comes back in order" (§36): before what waits
// in the mailbox, in the order in which it was set aside.
#ifndef TROUPE_TESTING_SWARM_STASH_ORDER_H_
#define TROUPE_TESTING_SWARM_STASH_ORDER_H_

#include <cstdint>
#include <deque>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"

namespace troupe::swarm {

// Of one actor, with one stash.
class StashOrder {
 public:
  static constexpr std::string_view kName =
      "what was set aside comes back in order";

  StashOrder(Journal& journal, Number actor)
      : journal_(journal), actor_(actor) {}

  void SetAside(uint32_t message) { aside_.push_back(message); }
  void Unstashed() {
    back_.insert(back_.begin(), aside_.begin(), aside_.end());
    aside_.clear();
  }
  // A message of the normal lane is handled.
  void Handled(uint32_t message, bool was_aside) {
    if (back_.empty() && !was_aside) [[likely]]
      return;
    if (back_.empty() || back_.front() != message) {
      journal_.Break(
          kName, absl::StrCat("#", actor_, " handles message ", message,
                              ", and not ", back_.empty() ? 0 : back_.front()));
      return;
    }
    back_.pop_front();
  }

 private:
  Journal& journal_;
  const Number actor_;
  std::deque<uint32_t> aside_;
  std::deque<uint32_t> back_;  // Given back, and not handled.
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_STASH_ORDER_H_
