// Invariants "one Down for each monitor" and "a link ends both" (§28): at most
// one, none once it was ended, and at rest exactly one if the actor has ended.
#ifndef TROUPE_TESTING_SWARM_WATCHES_H_
#define TROUPE_TESTING_SWARM_WATCHES_H_

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/actor/exit_reason.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"

namespace troupe::swarm {

class Watches {
 public:
  static constexpr std::string_view kMonitors = "one Down for each monitor";
  static constexpr std::string_view kLinks = "a link ends both";

  Watches(Journal& journal, const Lives& lives)
      : journal_(journal), lives_(lives), monitors_(1) {}

  uint32_t Monitored(Number watcher, Number target);
  // `was_on`: what Demonitor() said.
  void Demonitored(uint32_t monitor, bool was_on);
  // `monitor` is 0 if the watcher does not know of it.
  void HearsDown(uint32_t monitor, Number watcher, const ExitReason& reason);

  void Linked(Number who, Number other);
  void Unlinked(Number who, Number other);
  void HearsExit(Number who, Number other, const ExitReason& reason);
  // Has the hook OnExit.
  void Traps(Number who);
  // Whether it ever was linked.
  bool HasLinks(Number who) const {
    return who < linked_.size() && linked_[who];
  }

  void CheckAtRest();

 private:
  struct Monitor {
    Number watcher = 0;
    Number target = 0;
    bool on = false;
    bool told = false;
    ExitReason::Kind kind = ExitReason::Kind::kNormal;
  };
  // Of two, the lower number first.
  struct Link {
    uint32_t links = 0;
    uint32_t exits[2] = {0, 0};  // That each has heard of.
    bool unlinked = false;
    bool settled = false;  // Looked at when both had ended.
  };
  using Pair = std::pair<Number, Number>;

  static Pair PairOf(Number a, Number b) {
    return a < b ? Pair{a, b} : Pair{b, a};
  }
  void BreakMonitor(uint32_t monitor, std::string_view rule);
  void BreakLink(const Pair& pair, std::string_view rule);
  void CheckLink(const Pair& pair, Link& link);

  Journal& journal_;
  const Lives& lives_;
  std::vector<Monitor> monitors_;
  std::map<Pair, Link> links_;
  std::vector<bool> traps_;
  std::vector<bool> linked_;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_WATCHES_H_
