// The groups of a system as what connects nodes sees them: it learns of members
// here, and says who is a member elsewhere.
//
// Thread safety: any thread; outside the seat.
#ifndef TROUPE_REGISTRY_INTERNAL_GROUP_SEAM_H_
#define TROUPE_REGISTRY_INTERNAL_GROUP_SEAM_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_range.h"
#include "troupe/registry/groups.h"
#include "troupe/registry/internal/group_shares.h"

namespace troupe::internal {

class GroupSeam {
 public:
  using Said = Groups::Table::Said;
  using Numbered = Groups::Table::Numbered;

  explicit GroupSeam(Groups& groups) : groups_(groups) {}

  // Once: `relay`, which outlives all actors, hears of members here, and
  // `offset` makes their numbers differ from those that other nodes give.
  void Connect(GroupRelay& relay, uint64_t offset)
      ABSL_LOCKS_EXCLUDED(groups_.mu_);

  // From now on these groups, one or those of a scope, are shared: all of their
  // members take the messages of `protocol`, those and no others. Calls
  // `shared` before any change of them. kFailedPrecondition: there are members
  // that do not, or they are shared already for other messages.
  absl::Status Share(const GroupRange& range, const GroupProtocol& protocol,
                     absl::FunctionRef<void()> shared)
      ABSL_LOCKS_EXCLUDED(groups_.mu_);

  // Calls look(group, members here), with the lock held: no change comes in
  // between. Of one group also if there are none, of a scope each that has.
  void LookAtLocal(const GroupRange& range,
                   absl::FunctionRef<void(const GroupName& group,
                                          absl::Span<const Numbered> members)>
                       look) const ABSL_LOCKS_EXCLUDED(groups_.mu_);

  // -- members elsewhere; `source` is their node's: see GroupTable

  bool Replace(GroupSource source, const Said& said)
      ABSL_LOCKS_EXCLUDED(groups_.mu_);
  bool Add(GroupSource source, const Said& said)
      ABSL_LOCKS_EXCLUDED(groups_.mu_);
  size_t Remove(GroupSource source, const GroupName& group,
                absl::Span<const AnyActorRef> members)
      ABSL_LOCKS_EXCLUDED(groups_.mu_);
  void Drop(GroupSource source) ABSL_LOCKS_EXCLUDED(groups_.mu_);

  // Gives a message that has come for a group to all of its members here.
  // Returns how many took it; what others did not is a dead letter. REQUIRES:
  // they take it.
  size_t Deliver(const GroupName& group, const SharedMessageType& type,
                 const SharedBody& body) ABSL_LOCKS_EXCLUDED(groups_.mu_);

 private:
  Groups& groups_;
};

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_GROUP_SEAM_H_
