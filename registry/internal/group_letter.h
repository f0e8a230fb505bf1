// A message to all members of a group that are on another node: one letter for
// the node, which gives it to each of its members when it arrives there.
//
// Who is a member says the node of the members, when the letter comes: it need
// not be told, and the letter is as long for a thousand as for one.
//
// Order: that of messages to the node; so, for each pair of actors, that of
// what is sent to them directly.
#ifndef TROUPE_REGISTRY_INTERNAL_GROUP_LETTER_H_
#define TROUPE_REGISTRY_INTERNAL_GROUP_LETTER_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_view.h"

namespace troupe::internal {

// What lies in the outbox of a node.
struct GroupLetter {
  GroupName group;
  SharedBody body;
};

// Its type: the name is that of the message.
struct GroupLetterType : MessageType {
  const SharedMessageType* message;
};

template <typename M>
constexpr GroupLetterType MakeGroupLetterType() {
  GroupLetterType type{kMessageType<GroupLetter>, &kSharedMessageType<M>};
  type.name = kMessageType<M>.name;
  return type;
}
template <typename M>
inline constexpr GroupLetterType kGroupLetterType = MakeGroupLetterType<M>();

// Envelope::tag of letters; see reply.h for others.
inline constexpr uint16_t kGroupLetterTag = 128;

inline bool IsGroupLetter(const Envelope& envelope) {
  return (envelope.tag & kGroupLetterTag) != 0;
}
// REQUIRES: it is a letter.
inline const SharedMessageType& MessageTypeOf(const Envelope& letter) {
  return *static_cast<const GroupLetterType&>(*letter.type).message;
}

using MembersElsewhere = GroupView<AnyActorRef, GroupProtocol>::Elsewhere;

// Sends one letter to each of the nodes. Returns how many members that is for;
// a letter that is not taken is a dead letter.
size_t SendLetters(const GroupName& group,
                   absl::Span<const MembersElsewhere> elsewhere,
                   const GroupLetterType& type, const SharedBody& body);

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_GROUP_LETTER_H_
