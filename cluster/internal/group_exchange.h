// What one session says and hears of groups.
//
// Thread safety: belongs to the session. Outside the seat.
#ifndef TROUPE_CLUSTER_INTERNAL_GROUP_EXCHANGE_H_
#define TROUPE_CLUSTER_INTERNAL_GROUP_EXCHANGE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/group_book.h"
#include "troupe/cluster/internal/group_items.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/registry/group_name.h"

namespace troupe::internal {

class GroupExchange {
 public:
  // A peer that has more memberships and groups, together, means no good.
  static constexpr size_t kMaxMembers = size_t{1} << 24;

  GroupExchange(NodeCore& node, FarCell& peer, size_t max_members = kMaxMembers)
      : node_(node), peer_(peer), max_members_(max_members) {}

  void Open(uint64_t session_number) {
    node_.groups().Open(peer_, session_number);
  }
  // What the peer has said is forgotten; to be told before any actor hears of
  // the end of the session.
  void Close() { node_.groups().Close(peer_); }

  // -- out

  // Appends what there is to say. `number_of` gives types their numbers, and
  // writes what that introduces into the frame. Nothing: it cannot cross.
  using NumberOf =
      absl::FunctionRef<std::optional<uint64_t>(const WireType& type)>;
  void Append(const GroupNewsOut& out, NumberOf number_of, Encoder& frame);
  void CatchUp() { node_.groups().CatchUp(peer_); }

  // -- in

  // The peer hears of those that it may.
  absl::Status OnWanted(const GroupsWantedItem& item,
                        GroupBook::Filter may_hear);
  // `find` finds a type that the peer has introduced; null: it is not known
  // here, or another one is, as `why` says.
  using FindType =
      absl::FunctionRef<const WireType*(uint64_t number, absl::Status& why)>;
  // `may_join`: whether what is said to be members are any here.
  absl::Status OnSaid(const GroupSaidItem& item, bool may_join, FindType find);
  absl::Status OnLeft(const GroupLeftItem& item);

 private:
  // Of so many groups whose members do not fit it is logged.
  static constexpr size_t kMaxUnfit = 100;

  // Members that are being told in several items.
  struct Begun {
    GroupName group;
    std::vector<GroupSeam::Numbered> members;
  };

  absl::Status CheckSequence(uint64_t sequence);
  // The members by their ids.
  absl::Status Read(absl::Span<const uint64_t> ids,
                    std::vector<AnyActorRef>& members);
  // How many the peer has in the group.
  size_t MembersOf(const GroupName& group) const;
  // It has so many from now on.
  void SetMembersOf(const GroupName& group, size_t count);
  // What a group with so many takes of the bound.
  static size_t Cost(size_t count) { return count == 0 ? 0 : count + 1; }
  // Whether all that is said to members of the group is taken by the peer's.
  bool Fits(const GroupName& group, const GroupBook::Share& share,
            absl::Span<const uint32_t> types, FindType find);

  NodeCore& node_;
  FarCell& peer_;
  uint64_t heard_ = 0;  // The number of what was said last.
  std::optional<Begun> begun_;
  const size_t max_members_;
  // The peer's memberships of each group where it has some, and the cost of
  // all.
  absl::flat_hash_map<GroupName, size_t> members_;
  size_t cost_ = 0;
  // Groups of which the log says that they do not fit.
  std::set<GroupName> unfit_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_GROUP_EXCHANGE_H_
