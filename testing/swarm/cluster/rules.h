// Who may do what on which node (clause 35): rules that a seed draws.
//
// Invariants:
//   what is refused leaves no trace  nothing of it happens
//   what is allowed is not refused
#ifndef TROUPE_TESTING_SWARM_CLUSTER_RULES_H_
#define TROUPE_TESTING_SWARM_CLUSTER_RULES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/string_view.h"
#include "troupe/base/random.h"
#include "troupe/cluster/authorization.h"
#include "troupe/testing/swarm/cluster/journal.h"
#include "troupe/testing/swarm/cluster/lives.h"
#include "troupe/testing/swarm/cluster/sessions.h"

namespace troupe::cluster_swarm {

class Rules {
 public:
  static constexpr std::string_view kNoTrace =
      "what is refused leaves no trace";
  static constexpr std::string_view kAllowed = "what is allowed is not refused";
  // Of what nodes have others start.
  static constexpr absl::string_view kFactory = "started";

  // `any`: nodes refuse something. Their names are those of `nodes`.
  Rules(const Lives& lives, const Sessions& sessions, Random& random,
        const std::vector<std::string>& nodes, bool any);

  const Authorization& Of(const std::string& node) const;

  // Whether it is possible that somebody on `run` may do that to `who`.
  bool May(NodeRun run, Verb verb, Number who) const;
  // Whether it is certain. Between the start of an actor and its answer the
  // node does not know the one that has asked for it.
  bool SurelyMay(NodeRun run, Verb verb, Number who) const;
  // The same for a target of the node of that name that is no actor.
  bool MayOn(NodeRun run, Verb verb, const std::string& node,
             absl::string_view target) const;
  // Whether it may do anything at all with that target.
  bool MayKnowOn(NodeRun run, const std::string& node,
                 absl::string_view target) const;

 private:
  bool Allows(NodeRun run, Verb verb, Number who,
              absl::string_view target) const;

  const Lives& lives_;
  const Sessions& sessions_;
  const std::vector<std::string> nodes_;
  std::vector<Authorization> rules_;  // By node.
};

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_RULES_H_
