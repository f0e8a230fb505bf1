// What a monitor of groups is told: a message, or an event of the system.
//
//   class Host : public troupe::Actor<troupe::GroupChanged> {
//    public:
//     void Handle(const troupe::GroupChanged& change) {
//       guests_ += static_cast<int>(change.joined.size());
//       guests_ -= static_cast<int>(change.left.size());
//     }
//   };
//   groups.Monitor(lobby, host);
//
// A monitor begins with nothing: the first changes that it is told are all that
// has joined until then. See Groups::Monitor().
#ifndef TROUPE_REGISTRY_GROUP_CHANGED_H_
#define TROUPE_REGISTRY_GROUP_CHANGED_H_

#include <cstdint>
#include <vector>

#include "troupe/actor/any_actor_ref.h"
#include "troupe/registry/group_name.h"

namespace troupe {

struct GroupChanged {
  GroupName group;
  // Grows with every change of any group of the system.
  uint64_t version;
  // As often as they have; as one call of Join() or Leave(), or one end, did.
  std::vector<AnyActorRef> joined;
  std::vector<AnyActorRef> left;
};

}  // namespace troupe

#endif  // TROUPE_REGISTRY_GROUP_CHANGED_H_
