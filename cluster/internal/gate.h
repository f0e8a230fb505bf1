// Asks the rules of this node before anything is done for a peer. Who the peer
// is, the session knows.
//
// Cost: a load and a branch where the rules refuse nothing of a kind.
// Thread safety: belongs to the session.
#ifndef TROUPE_CLUSTER_INTERNAL_GATE_H_
#define TROUPE_CLUSTER_INTERNAL_GATE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/internal/group_book.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/spawn_request.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/registry/group_name.h"

namespace troupe::internal {

class Gate {
 public:
  Gate(NodeCore& node, const FarCell& peer);

  // Whether the peer may do that to the actor `id` of this node.
  // kPermissionDenied, which is also logged: it may not.
  absl::Status Check(Verb verb, uint64_t id) {
    if (all_[static_cast<size_t>(verb)] && id != receptionist_) [[likely]]
      return absl::OkStatus();
    return CheckTarget(verb, id);
  }
  // The same for a message of that type, kSend or kCall. A RemoteEnd passes, up
  // to CheckContent().
  absl::Status CheckMessage(Verb verb, uint64_t id, absl::string_view type) {
    if (all_[static_cast<size_t>(verb)]) [[likely]]
      return absl::OkStatus();
    return CheckTypedMessage(verb, id, type);
  }
  // The same for a group: the target is "group:" and its name.
  absl::Status CheckGroup(Verb verb, const GroupName& group) {
    if (all_[static_cast<size_t>(verb)]) [[likely]]
      return absl::OkStatus();
    return CheckName(verb, TargetOf(group));
  }
  // Whether the peer may do anything at all with a group: otherwise it has no
  // members in it, either.
  bool MayKnow(const GroupName& group) const;
  // Of which groups of a scope the peer may hear. What it may not is logged.
  GroupBook::Filter WatchableIn(const std::string& scope);
  // The same for what the node itself is asked by a message that has come.
  // Writes into it who asks. And for a RemoteEnd, whatever the rules allow: it
  // is for what stands here for an actor of the peer's.
  absl::Status CheckContent(uint64_t id, Envelope& message) {
    if (message.type == &kMessageType<RemoteEnd>) [[unlikely]]
      return CheckEnd(id);
    return id != receptionist_ ? absl::OkStatus() : CheckRequest(message);
  }

 private:
  static std::string TargetOf(const GroupName& group) {
    return absl::StrCat("group:", group.ToString());
  }
  absl::Status CheckRequest(Envelope& message);
  absl::Status CheckEnd(uint64_t id);
  absl::Status CheckName(Verb verb, absl::string_view target);
  absl::Status CheckTarget(Verb verb, uint64_t id);
  absl::Status CheckTypedMessage(Verb verb, uint64_t id,
                                 absl::string_view type);
  absl::Status Refuse(Verb verb, absl::string_view target,
                      absl::string_view what);
  // To do what, and which verbs a rule that allows it has.
  absl::Status Refuse(absl::string_view to_do, absl::string_view verbs,
                      absl::string_view target, absl::string_view what);

  // Of each kind of refusal one is logged, and of so many kinds.
  static constexpr size_t kMaxLogged = 100;

  NodeCore& node_;
  const FarCell& peer_;
  const uint64_t receptionist_;
  const std::string role_;
  std::array<bool, kVerbCount> all_;  // Nothing is refused.
  absl::flat_hash_set<std::string> logged_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_GATE_H_
