// What the actors of other nodes may do to those of this one: rules over roles,
// verbs and the names of targets.
//
//   Authorization authorization;
//   authorization.Assign("worker-*", "worker")
//       .Allow("worker", {Verb::kSpawn}, "jobs/")
//       .Deny("worker", {Verb::kStop});
//   Node::Start(system, {.name = "a", .authorization = authorization, ...});
//
// Roles: each node has one, by its name; the session knows which node it is,
// and what it sends cannot claim otherwise. A node to which none was assigned
// has the role "peer".
// Targets: names by which actors were exported, or of the factory that started
// them. Whoever may do nothing with a name is not told what has it. A rule is
// for all that begin with its prefix; an actor with several
// names may be used by each of them. One without a name, to which a reference
// has left this node in a message, is the target of rules with an empty prefix
// alone. Whoever has started an actor here may use and end it.
// Order: the last rule that fits decides; if none does, it is refused.
//
// Peers: where some nodes were admitted, no other one becomes a peer.
//
// A group that is shared is the target "group:" and its name, as in
// "group:sales/lobby": kWatch is to hear of its members here, kSend to send to
// all of them. That holds for each group of a scope that is shared as a whole:
// of those that a peer may not watch it hears nothing, of the others all. Who
// may do nothing with a group has no members in it here.
//
// Nothing concerns actors that were not exposed: they cannot be addressed.
// Thread safety: values.
// Errors: what is refused is kPermissionDenied, and says who may not do what,
// and which rule would allow it. It ends a call, is what a monitor, a link or
// a wait hears, and makes a dead letter of a message, here. A refused request
// to end changes nothing; both nodes log it.
#ifndef TROUPE_CLUSTER_AUTHORIZATION_H_
#define TROUPE_CLUSTER_AUTHORIZATION_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace troupe {

enum class Verb : uint8_t {
  kSend,
  kCall,
  kWatch,  // Monitor, or wait for its end. A link needs kStop, too.
  kStop,   // Stop or drain.
  kKill,
  kSpawn,       // Start an actor by the factory that is the target.
  kIntrospect,  // Ask what the node does. The target is empty.
};
inline constexpr int kVerbCount = 7;

// Such as "kill".
absl::string_view VerbName(Verb verb);

class Authorization {
 public:
  // Of a node to which no role was assigned.
  static constexpr absl::string_view kPeer = "peer";
  // In a rule: every role.
  static constexpr absl::string_view kAnyRole = "*";

  // Everybody may send to, call, watch and stop what is exposed, and nothing
  // else.
  Authorization();
  // Nobody may do anything.
  static Authorization Nothing();
  // Everybody may do everything: for tests, and where all nodes are one
  // program.
  static Authorization Everything();

  // Gives the node of that name a role; "name*" is for all that begin so. An
  // exact name comes first, then the longest beginning.
  Authorization& Assign(absl::string_view node, absl::string_view role);
  // From the first call on, only nodes that were admitted may be peers; "name*"
  // as above.
  Authorization& Admit(absl::string_view node);
  // Adds a rule.
  Authorization& Allow(absl::string_view role,
                       std::initializer_list<Verb> verbs,
                       absl::string_view target_prefix = "");
  Authorization& Deny(absl::string_view role, std::initializer_list<Verb> verbs,
                      absl::string_view target_prefix = "");

  bool Admits(absl::string_view node) const;
  absl::string_view RoleOf(absl::string_view node) const;
  bool Allows(absl::string_view role, Verb verb,
              absl::string_view target) const;
  // Whether no target of that verb is refused; or none that begins so.
  bool AllowsAll(absl::string_view role, Verb verb,
                 absl::string_view target_prefix = "") const;
  // Whether it may do anything at all with actors of that name: only then is it
  // told whether there is one.
  bool AllowsToKnow(absl::string_view role, absl::string_view target) const;

 private:
  // A name, or how names begin.
  struct Nodes {
    explicit Nodes(absl::string_view text);
    bool Include(absl::string_view node) const;

    std::string name;
    bool is_beginning;
  };
  struct Assigned {
    Nodes nodes;
    std::string role;
  };
  struct Rule {
    std::string role;
    uint32_t verbs;  // Bits.
    std::string prefix;
    bool allows;

    bool IsFor(absl::string_view who, Verb verb) const;
  };

  void Add(absl::string_view role, std::initializer_list<Verb> verbs,
           absl::string_view prefix, bool allows);

  std::vector<Nodes> admitted_;  // None: all.
  std::vector<Assigned> assigned_;
  std::vector<Rule> rules_;
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_AUTHORIZATION_H_
