// Invariant "what was set aside comes back in order" (§36): before what waits
// in the mailbox, in the order in which it was set aside. Of requests, those
// that nobody waits for any more may be missing.
#ifndef TROUPE_TESTING_SWARM_STASH_ORDER_H_
#define TROUPE_TESTING_SWARM_STASH_ORDER_H_

#include <cstdint>
#include <deque>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "troupe/testing/swarm/calls.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"

namespace troupe::swarm {

// Of one actor, with one stash.
class StashOrder {
 public:
  static constexpr std::string_view kName =
      "what was set aside comes back in order";

  StashOrder(Journal& journal, Calls& calls, Number actor)
      : journal_(journal), calls_(calls), actor_(actor) {}

  // `call`: 0 for what is no request.
  void SetAside(uint32_t message, uint32_t call = 0) {
    aside_.push_back({message, call});
  }
  void Unstashed() {
    back_.insert(back_.begin(), aside_.begin(), aside_.end());
    aside_.clear();
  }
  // A message of the normal lane is handled.
  void Handled(uint32_t message, bool was_aside) {
    if (back_.empty() && !was_aside) [[likely]]
      return;
    while (!back_.empty() && back_.front().message != message &&
           back_.front().call != 0) {
      calls_.Vanished(back_.front().call);
      back_.pop_front();
    }
    // Behind all of it comes what waits in the mailbox.
    if (back_.empty() && !was_aside) return;
    if (back_.empty() || back_.front().message != message) {
      journal_.Break(
          kName,
          absl::StrCat("#", actor_, " handles message ", message, ", and not ",
                       back_.empty() ? 0 : back_.front().message));
      return;
    }
    back_.pop_front();
  }

 private:
  struct Aside {
    uint32_t message;
    uint32_t call;
  };

  Journal& journal_;
  Calls& calls_;
  const Number actor_;
  std::deque<Aside> aside_;
  std::deque<Aside> back_;  // Given back, and not handled.
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_STASH_ORDER_H_
