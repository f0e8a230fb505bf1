// Messages from actor to actor (clauses 2 and 24).
//
// Invariants:
//   order of each pair               and nothing twice, whatever session it was
//   nothing is lost in a session     from its begin to its end, or to rest
//   what is refused leaves no trace  see rules.h
#ifndef TROUPE_TESTING_SWARM_CLUSTER_MAIL_H_
#define TROUPE_TESTING_SWARM_CLUSTER_MAIL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "troupe/testing/swarm/cluster/journal.h"
#include "troupe/testing/swarm/cluster/lives.h"
#include "troupe/testing/swarm/cluster/rules.h"
#include "troupe/testing/swarm/cluster/sessions.h"

namespace troupe::cluster_swarm {

enum class Way : uint8_t { kNormal, kUrgent, kWhenReady, kCount };

// On each message. Crosses.
struct Stamp {
  Number sender = 0;
  Number receiver = 0;
  Way way = Way::kNormal;
  // Of all from that sender to that receiver in that way.
  uint32_t number = 0;
  // The sender's session with the receiver's node.
  uint32_t epoch = 0;
  // Of those in that session that must arrive; 0: it need not.
  uint32_t index = 0;
  // Of all of the sender's that keeps an order, to whomever; 0: it does not.
  uint64_t tick = 0;
};

class Mail {
 public:
  Mail(Journal& journal, Lives& lives, Sessions& sessions, const Rules& rules)
      : journal_(journal), lives_(lives), sessions_(sessions), rules_(rules) {}

  // A message is about to be sent; `surely`: what takes it refuses nothing.
  Stamp Sends(Number sender, Number receiver, Way way, bool surely);
  // It was refused, and nothing was sent since.
  void Refused(const Stamp& stamp);
  void Handled(Number who, const Stamp& stamp);

  // The same order for what goes to groups: what `sender` sends next, and what
  // `who` handles.
  uint64_t NextTick(Number sender) { return ++ticks_[sender]; }
  void HeardTick(Number sender, Number who, uint64_t tick);

  void CheckAtRest();

 private:
  struct Key {
    Number sender;
    Number receiver;
    Way way;
    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const Key& key) {
      return H::combine(std::move(state), key.sender, key.receiver, key.way);
    }
  };
  struct Pair {
    uint32_t sent = 0;
    uint32_t sent_epoch = 0;
    uint32_t sent_index = 0;
    uint32_t handled = 0;
    uint32_t handled_epoch = 0;
    uint32_t handled_index = 0;
  };

  Journal& journal_;
  Lives& lives_;
  Sessions& sessions_;
  const Rules& rules_;
  absl::flat_hash_map<Key, Pair> pairs_;
  absl::flat_hash_map<Number, uint64_t> ticks_;
  // By sender and receiver.
  absl::flat_hash_map<std::pair<Number, Number>, uint64_t> heard_ticks_;
};

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_MAIL_H_
