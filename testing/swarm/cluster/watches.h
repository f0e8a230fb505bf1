// Monitors, links and waits for ends (clause 28).
//
// Invariants:
//   one Down for each monitor        at most; at rest exactly, where the actor
//                                    has ended or the session was lost
//   links tell of ends               the same for the two of a link
//   ends are told truly              nobody has ended who lives
#ifndef TROUPE_TESTING_SWARM_CLUSTER_WATCHES_H_
#define TROUPE_TESTING_SWARM_CLUSTER_WATCHES_H_

#include <cstdint>
#include <initializer_list>
#include <map>
#include <utility>
#include <vector>

#include "troupe/actor/exit_reason.h"
#include "troupe/cluster/authorization.h"
#include "troupe/testing/swarm/cluster/journal.h"
#include "troupe/testing/swarm/cluster/lives.h"
#include "troupe/testing/swarm/cluster/rules.h"
#include "troupe/testing/swarm/cluster/sessions.h"

namespace troupe::cluster_swarm {

class Watches {
 public:
  Watches(Journal& journal, Lives& lives, Sessions& sessions,
          const Rules& rules)
      : journal_(journal), lives_(lives), sessions_(sessions), rules_(rules) {}

  // The number of the monitor.
  uint32_t Monitored(Number watcher, Number target);
  void Demonitored(uint32_t monitor);
  // 0: it is no monitor of that watcher's any more.
  void HearsDown(uint32_t monitor, Number watcher, Number target,
                 const ExitReason& reason);

  // `traps`: it hears of the end of the other, and lives on.
  void Linked(Number one, Number other, bool traps);
  void Unlinked(Number one, Number other);
  void HearsExit(Number one, Number other, const ExitReason& reason);

  // `who` was told at the end of a wait that began in that session.
  void SaidToHaveEnded(Number who, Number target, Epoch since,
                       const ExitReason& reason);

  void CheckAtRest() const;

 private:
  struct Watch {
    Number watcher;
    Number target;
    Epoch epoch;
    bool is_over = false;
  };
  struct Link {
    Epoch epoch;
    bool must_tell = false;  // Nobody has ended it, as far as is known.
    bool may_tell = false;   // Somebody has made it.
    // The other has ended it once: that may be under way while this one takes
    // it that there still is a link, and makes none.
    bool is_disputed = false;
  };

  // `needed`: what whoever hears of it has to be allowed.
  void CheckReason(Number who, Number target, Epoch since,
                   const ExitReason& reason,
                   std::initializer_list<Verb> needed = {Verb::kWatch});

  Journal& journal_;
  Lives& lives_;
  Sessions& sessions_;
  const Rules& rules_;
  std::vector<Watch> watches_;
  // Who hears of whom.
  std::map<std::pair<Number, Number>, Link> links_;
};

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_WATCHES_H_
