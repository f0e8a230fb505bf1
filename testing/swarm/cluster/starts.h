// Actors that nodes start on others, and children that they supervise there.
//
// Invariants:
//   a start starts one actor           or none, and says which
//   a started actor ends with its owner
//   nobody knows of no actor           what fails to start does not run
//   there is one child                 at rest; at most one in sessions that
//                                      last, where starts are in time
#ifndef TROUPE_TESTING_SWARM_CLUSTER_STARTS_H_
#define TROUPE_TESTING_SWARM_CLUSTER_STARTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/testing/swarm/cluster/journal.h"
#include "troupe/testing/swarm/cluster/lives.h"
#include "troupe/testing/swarm/cluster/rules.h"
#include "troupe/testing/swarm/cluster/sessions.h"

namespace troupe::cluster_swarm {

class Starts {
 public:
  // How long one start may take.
  static constexpr absl::Duration kWithin = absl::Seconds(1);
  // How long one is kept of which nobody has said that he knows it, and for how
  // long all may stand still meanwhile.
  static constexpr absl::Duration kKept = absl::Seconds(12);
  static constexpr absl::Duration kStandstills = absl::Seconds(20);

  // `last`: no session ever ends, and no outbox is full. `in_time`: nothing
  // delays who waits for a start.
  Starts(Journal& journal, Lives& lives, Sessions& sessions, const Rules& rules,
         bool last, bool in_time)
      : journal_(journal),
        lives_(lives),
        sessions_(sessions),
        rules_(rules),
        last_(last),
        in_time_(in_time) {}

  // The number of a start on the node of that name, for one on `run`; 0: no
  // owner.
  uint32_t Asked(NodeRun run, const std::string& node, Number owner);
  // The same for all starts of a child that `run` supervises there.
  uint32_t Supervised(NodeRun run, const std::string& node);
  // It is constructed: `who`.
  void Begins(uint32_t start, Number who);
  // The one who has asked is told.
  void Answered(uint32_t start, const absl::StatusOr<Number>& started);

  bool any() const { return !starts_.empty(); }
  // There is one that its node may be about to end.
  bool IsWaiting() const;
  void CheckAtRest() const;

 private:
  struct Instance {
    Number who;
    Epoch to_owner;
    absl::Duration begun;
  };
  struct Start {
    NodeRun run;
    std::string node;
    Number owner = 0;
    bool is_supervised = false;
    Epoch epoch = {};  // With that node, when it was asked for.
    bool may = false;
    bool is_known = false;
    std::vector<Instance> instances = {};
  };

  Start& Get(uint32_t start) { return starts_[start - 1]; }
  void CheckOne(const Start& start, const Instance& instance) const;
  void CheckChild(const Start& start) const;

  Journal& journal_;
  Lives& lives_;
  Sessions& sessions_;
  const Rules& rules_;
  const bool last_;
  const bool in_time_;
  std::vector<Start> starts_;
};

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_STARTS_H_
