// Invariants "nothing is forgotten" and "tables agree", for a system at rest:
// no actor is ready, no mail waits, and what one side keeps of a child, a link
// or a monitor, the other side does, too.
#ifndef TROUPE_TESTING_SWARM_REST_H_
#define TROUPE_TESTING_SWARM_REST_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "troupe/actor/actor_system.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"

namespace troupe::internal {
struct Cell;
}  // namespace troupe::internal

namespace troupe::swarm {

class Rest {
 public:
  static constexpr std::string_view kForgotten = "nothing is forgotten";
  static constexpr std::string_view kTables = "tables agree";

  Rest(Journal& journal, const Lives& lives)
      : journal_(journal), lives_(lives) {}

  // REQUIRES: nothing is ready, and no timer is pending.
  void Check(ActorSystem& system);

  // For people: who is ready, and why. At any time between two steps.
  std::string Ready() const;

 private:
  void CheckIdle(internal::Cell& cell, uint64_t id);
  void CheckChildren(internal::Cell& cell, uint64_t id);
  void CheckWatches(internal::Cell& cell, uint64_t id);
  void Break(std::string_view invariant, uint64_t id, std::string_view rule);

  Journal& journal_;
  const Lives& lives_;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_REST_H_
