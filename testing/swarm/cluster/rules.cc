#include "troupe/testing/swarm/cluster/rules.h"

#include <algorithm>
#include <cstddef>

namespace troupe::cluster_swarm {
namespace {

// What a rule may be about. All rules allow something, so who may do it to one
// without a name may do it to all.
constexpr absl::string_view kPrefixes[] = {"", "", "r", "r1", Rules::kFactory};

Authorization Draw(Random& random, const std::vector<std::string>& nodes) {
  Authorization rules = Authorization::Nothing();
  rules.Allow("friend", {Verb::kSend, Verb::kCall, Verb::kWatch, Verb::kStop,
                         Verb::kKill, Verb::kSpawn, Verb::kIntrospect});
  for (const std::string& node : nodes) {
    if (random.Uniform(2) == 0) rules.Assign(node, "friend");
  }
  for (int i = 0; i < kVerbCount; ++i) {
    const Verb verb = static_cast<Verb>(i);
    if (random.Uniform(3) != 0) {
      rules.Allow(Authorization::kPeer, {verb}, kPrefixes[random.Uniform(5)]);
    }
    if (random.Uniform(3) != 0) {
      rules.Allow(Authorization::kPeer, {verb}, "group:");
    }
  }
  return rules;
}

}  // namespace

Rules::Rules(const Lives& lives, const Sessions& sessions, Random& random,
             const std::vector<std::string>& nodes, bool any)
    : lives_(lives), sessions_(sessions), nodes_(nodes) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    rules_.push_back(any ? Draw(random, nodes) : Authorization::Everything());
  }
}

const Authorization& Rules::Of(const std::string& node) const {
  const auto found = std::find(nodes_.begin(), nodes_.end(), node);
  return rules_[static_cast<size_t>(found - nodes_.begin())];
}

bool Rules::MayOn(NodeRun run, Verb verb, const std::string& node,
                  absl::string_view target) const {
  const std::string& asker = sessions_.id(run).name;
  if (asker == node) return true;
  const Authorization& rules = Of(node);
  return rules.Allows(rules.RoleOf(asker), verb, target);
}

bool Rules::MayKnowOn(NodeRun run, const std::string& node,
                      absl::string_view target) const {
  const std::string& asker = sessions_.id(run).name;
  if (asker == node) return true;
  const Authorization& rules = Of(node);
  return rules.AllowsToKnow(rules.RoleOf(asker), target);
}

bool Rules::Allows(NodeRun run, Verb verb, Number who,
                   absl::string_view target) const {
  return run == lives_.run(who) ||
         MayOn(run, verb, sessions_.id(lives_.run(who)).name, target);
}

bool Rules::May(NodeRun run, Verb verb, Number who) const {
  const NodeRun starter = lives_.starter(who);
  if (starter == 0) return Allows(run, verb, who, lives_.name(who));
  return sessions_.id(starter).name == sessions_.id(run).name ||
         Allows(run, verb, who, "") || Allows(run, verb, who, kFactory);
}

bool Rules::SurelyMay(NodeRun run, Verb verb, Number who) const {
  return Allows(run, verb, who, "") ||
         (lives_.starter(who) == 0 && May(run, verb, who));
}

}  // namespace troupe::cluster_swarm
