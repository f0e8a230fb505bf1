// A door is the stable address of a supervised child: an actor that hands each
// message, unopened, to the child's current instance. Between two instances
// messages wait in it, in order, up to a limit.
//
// Whoever links to an address, or monitors it, hears of the end of the door; no
// end of others ends a door.
//
// What waits keeps its sender's deadline, and the instance answers callers
// directly; who gives up a call is passed on too.
//
// Order: per sender, as they were sent through the door.
// Ownership: a child of the supervisor, or of one above it, and ends with that.
#ifndef TROUPE_SUPERVISION_INTERNAL_DOOR_H_
#define TROUPE_SUPERVISION_INTERNAL_DOOR_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/internal/actor_base.h"
#include "troupe/actor/internal/actor_type.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/dispatcher.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/spawn.h"
#include "troupe/actor/internal/user_code.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/send_result.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe::internal {

// From the supervisor to a door: whom it leads to from now on.
struct DoorLeadsTo {
  enum class Where : uint8_t {
    kInstance,  // To `instance`, which has started.
    kNowhere,   // There will be a next instance: messages wait.
    kGone,      // There will be none: messages are dead letters.
  };
  Where where;
  AnyActorRef instance;
};

class DoorBase : public ActorBase {
 public:
  explicit DoorBase(size_t most_waiting) : most_waiting_(most_waiting) {}
  // What waits becomes dead letters.
  ~DoorBase();

  // Hands a message on, keeps it, or makes a dead letter of it.
  void Pass(Envelope* envelope);
  // A caller gives up its call, or looks for a cycle of calls; or somebody
  // links to this door.
  void PassControl(Envelope* envelope);
  // A link must not end what others have as an address.
  void OnExit(const Exit&) {}
  void LeadTo(const DoorLeadsTo& to);

 private:
  using Where = DoorLeadsTo::Where;

  // False: the instance takes no more messages; the envelope is still ours.
  bool Forward(Envelope* envelope);
  void Keep(Envelope* envelope);
  void Lose(Envelope* envelope, SendResult why);
  // Makes a dead letter of the request that has this route, if it waits here.
  bool DropWaiting(const ReplyRoute& route);

  const size_t most_waiting_;
  Where where_ = Where::kNowhere;
  AnyActorRef instance_;
  size_t waiting_count_ = 0;
  EnvelopeRing waiting_;
};

// The door to children that take the messages of `List`.
template <typename List>
class Door final : public DoorBase {
 public:
  using Messages = List;
  using DoorBase::DoorBase;
};

template <typename... Ms>
struct Dispatcher<Door<TypeList<Ms...>>, TypeList<Ms...>> {
  static bool DeliverAndReturn(Cell& cell, DoorBase& door, Envelope* envelope) {
    (void)DeliverAny(cell, door, envelope);
    return ReturnFromUserCode();
  }
  static bool DeliverAny(Cell&, DoorBase& door, Envelope* envelope) {
    if (envelope->type == &kMessageType<DoorLeadsTo>) [[unlikely]] {
      door.LeadTo(envelope->As<DoorLeadsTo>());
      DestroyEnvelope(envelope);
    } else {
      door.Pass(envelope);
    }
    return true;
  }
};

// Makes a door, a child of `parent`, whose handler the caller is. Null: it
// could not, and `failure` says why.
using MakeDoor = AnyActorRef (*)(Cell& parent, size_t most_waiting,
                                 absl::Status& failure);
template <typename List>
AnyActorRef MakeDoorFor(Cell& parent, size_t most_waiting,
                        absl::Status& failure) {
  return SpawnChildHere(
      parent, kActorType<Door<List>>, kSlotClass<Door<List>>,
      [most_waiting](Cell& cell) {
        ConstructIn<Door<List>>(cell, most_waiting);
      },
      failure);
}

// Tells a door; overtakes what waits in its mailbox.
void SetDoor(const AnyActorRef& door, DoorLeadsTo::Where where,
             const AnyActorRef& instance);

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_DOOR_H_
