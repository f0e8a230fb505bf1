// What travels in the kSignal and kEvent lanes.
#ifndef TROUPE_ACTOR_INTERNAL_SIGNALS_H_
#define TROUPE_ACTOR_INTERNAL_SIGNALS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/owed_answer.h"

namespace troupe::internal {

// Signals, from anybody.
struct EndRequest {
  Ending request;
  ExitReason reason;
};
struct AwaitEnd {
  OwedAnswer<ExitReason> why;  // By default: there is no such actor.
  // What is asked for next, for the node of an actor elsewhere: it tells at
  // once if it refuses that. And with a drain it goes behind what was sent
  // before.
  Ending next = Ending::kNone;
};
// Who asked for that waits no more.
struct AwaitEndNoMore {
  ReplyRoute route;
  Ending next = Ending::kNone;  // As in the question, which this follows.
};
struct AskQueueLength {
  OwedAnswer<uint64_t> length;
};
// From the alarm of an actor that stops its children.
struct ChildMayBeLate {};
// A bounded mailbox was empty and is not any more.
struct MailWaits {};

// Events, from children. The envelope of ChildExited lies in the child's cell,
// where its object was; the cell is the parent's from then on.
struct ChildStarted {
  AnyActorRef child;
  std::unique_ptr<const std::string> name;  // Null: it has none.
};
struct ChildExited {
  Cell* child;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_SIGNALS_H_
