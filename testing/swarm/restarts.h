// Invariants of supervision (§29): a supervisor restarts as often as its
// intensity allows, and gives up then, not before; a restart waits for its
// backoff; children start and stop in order, one instance at a time; and at
// rest whoever is to run does.
#ifndef TROUPE_TESTING_SWARM_RESTARTS_H_
#define TROUPE_TESTING_SWARM_RESTARTS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/strategy.h"
#include "troupe/supervision/supervision_report.h"
#include "troupe/supervision/supervision_tree.h"
#include "troupe/supervision/supervisor_api.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"
#include "troupe/testing/swarm/watches.h"

namespace troupe::swarm {

class Restarts {
 public:
  static constexpr std::string_view kName = "restarts keep to the intensity";
  static constexpr std::string_view kBackoff = "restarts wait";
  static constexpr std::string_view kOrder = "children start and stop in order";
  static constexpr std::string_view kRun = "supervised children run";

  Restarts(Journal& journal, const Lives& lives, const Watches& watches)
      : journal_(journal), lives_(lives), watches_(watches) {}

  // -- what there is to be

  // The next supervisor, whose name or id is its number in decimal.
  uint32_t Supervisor(Strategy strategy, const Intensity& intensity);
  // The next child, the last of the supervisor, with an id of its own.
  // `added`: it is not in the supervisor's Spec.
  uint32_t Child(uint32_t supervisor, const ChildOptions& options, bool added);

  // -- what happens

  // An instance of the supervisor is made: of those before it nothing counts.
  void Begins(uint32_t supervisor, Number instance);
  // It has started.
  void Ready(uint32_t supervisor);
  // The supervisor starts an instance of the child.
  void Starts(uint32_t child, Number instance);
  // The PostStop of an instance of some child.
  void Stops(Number instance, ExitReason::Kind kind);
  // Somebody asks for something to be done about the child, and then has the
  // outcome: meanwhile there is another reason for whatever becomes of it.
  void ByHandBegins(uint32_t child);
  void ByHandEnds(uint32_t child, Number asked);
  // By its supervisor, who was asked to start it.
  void SaidToRun(Number instance);
  void Reported(const SupervisionReport& report);

  // -- what is known

  uint32_t supervisors() const {
    return static_cast<uint32_t>(supervisors_.size());
  }
  uint32_t children() const { return static_cast<uint32_t>(children_.size()); }
  // 0: there was none yet.
  Number instance(uint32_t supervisor) const {
    return supervisors_[supervisor].instance;
  }
  uint32_t supervisor_of(uint32_t child) const {
    return children_[child].supervisor;
  }
  bool is_citizen(uint32_t child) const {
    return children_[child].options.kind == kWorker;
  }
  const std::string& id_of(uint32_t child) const {
    return children_[child].options.id;
  }

  // At rest: what it answers.
  void CheckAtRest(uint32_t supervisor,
                   const absl::StatusOr<std::vector<ChildInfo>>& children,
                   const absl::StatusOr<ChildCounts>& counts,
                   const absl::StatusOr<SupervisionTree>& tree);

 private:
  struct Supervised {
    uint32_t supervisor;
    ChildOptions options;
    bool added;
    bool touched = false;  // By hand, ever.
    int by_hand = 0;       // Requests about it that are under way.
    Number instance = 0;
    bool has_started = false;   // In the life of the supervisor's instance.
    uint32_t failures = 0;      // In a row, if they are never forgotten.
    int64_t not_before_ns = 0;  // The next start.
  };
  struct Supervising {
    Strategy strategy;
    Intensity intensity;
    Number instance = 0;
    bool is_ready = false;
    bool ends_itself = false;
    std::vector<uint32_t> children = {};   // In order.
    std::deque<int64_t> restarts_ns = {};  // Those within the intensity.
  };

  void FailedWithBackoff(uint32_t supervisor, Supervised& child,
                         const SupervisionReport& report);
  void FailedWithout(uint32_t supervisor, const SupervisionReport& report);
  // Which of the children's instances it is; null: none.
  Supervised* ChildOf(Number instance);
  void Break(std::string_view invariant, uint32_t supervisor,
             absl::string_view rule);

  Journal& journal_;
  const Lives& lives_;
  const Watches& watches_;
  std::vector<Supervising> supervisors_;
  std::vector<Supervised> children_;
  std::map<std::string, uint32_t, std::less<>> by_id_;
  absl::flat_hash_map<Number, uint32_t> by_instance_;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_RESTARTS_H_
