// Invariant "order of each pair" (§17): what one actor sends another one
// arrives in that order, within the lane, and nothing arrives behind the news
// of its end.
#ifndef TROUPE_TESTING_SWARM_ORDER_H_
#define TROUPE_TESTING_SWARM_ORDER_H_

#include <cstdint>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"

namespace troupe::swarm {

// Ways by which messages come, each with an order of its own.
enum class Way : uint8_t {
  kNormal,
  kUrgent,
  kWhenReady,
};

class Order {
 public:
  static constexpr std::string_view kName = "order of each pair";

  explicit Order(Journal& journal) : journal_(journal) {}

  // `message`: its number, which grows with each. `receiver`: by whatever
  // address it was sent to.
  // `again`: it may come several times in a row.
  void Handled(Number sender, Number receiver, Way way, uint32_t message,
               bool again = false) {
    const uint64_t pair = Pair(sender, receiver);
    uint32_t& last = last_[pair * 4 + static_cast<uint64_t>(way)];
    if (message < last || (message == last && !again)) [[unlikely]] {
      journal_.Break(kName,
                     absl::StrCat("#", receiver, " handles message ", message,
                                  " of #", sender, " behind ", last));
    }
    last = message;
    if (!ended_.empty() && ended_.contains(pair)) [[unlikely]] {
      journal_.Break(
          kName, absl::StrCat("#", receiver, " handles message ", message,
                              " of #", sender, " behind the news of its end"));
    }
  }
  // `receiver` hears that `ended` has.
  void HearsOfEnd(Number ended, Number receiver) {
    ended_.insert(Pair(ended, receiver));
  }
  bool HasHeardOfEnd(Number ended, Number who) const {
    return ended_.contains(Pair(ended, who));
  }

 private:
  static uint64_t Pair(Number sender, Number receiver) {
    return uint64_t{sender} << 30 | receiver;
  }

  Journal& journal_;
  // Both are only asked, never listed.
  absl::flat_hash_map<uint64_t, uint32_t> last_;
  absl::flat_hash_set<uint64_t> ended_;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_ORDER_H_
