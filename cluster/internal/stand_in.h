// A stand-in is the child of a supervisor that stands for an actor on another
// node: it has that one started, hands each message on, unopened, and ends as
// that one does; with the connection it ends by kNoConnection. Asked to stop,
// it stops the other one first. So a supervisor knows nothing of nodes.
//
// Order: per sender, as they were sent through the stand-in.
#ifndef TROUPE_CLUSTER_INTERNAL_STAND_IN_H_
#define TROUPE_CLUSTER_INTERNAL_STAND_IN_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/actor_base.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/dispatcher.h"
#include "troupe/actor/internal/user_code.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/spawn_request.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

class RemoteStandInBase : public ActorBase {
 public:
  // Starts what `request` asks for at `path`.
  RemoteStandInBase(NodeCore& node, std::string path,
                    absl::StatusOr<SpawnActor> request, absl::Duration within)
      : node_(node),
        path_(std::move(path)),
        request_(std::move(request)),
        within_(within) {}

  Task<absl::Status> PreStart();
  Task<void> PostStop(const ExitReason& reason);
  void OnDown(const Down& down) { EndAs(down.reason); }

  // Hands a message on, or makes a dead letter of it.
  void Pass(Envelope* envelope);
  // A caller gives up its call; or somebody links to this one.
  void PassControl(Envelope* envelope);
  // The other one has ended.
  void EndAs(const ExitReason& reason);

 private:
  NodeCore& node_;
  const std::string path_;
  absl::StatusOr<SpawnActor> request_;
  const absl::Duration within_;
  AnyActorRef actor_;  // Null: it was not started yet.
  bool is_over_ = false;
};

// For an actor that takes the messages of `List`.
template <typename List>
class RemoteStandIn;
template <typename... Ms>
class RemoteStandIn<TypeList<Ms...>> final : public RemoteStandInBase {
 public:
  using Messages = TypeList<Ms..., RemoteEnd>;
  using Ref = ActorRef<Ms...>;
  using RemoteStandInBase::RemoteStandInBase;
};

template <typename List, typename... Ms>
struct Dispatcher<RemoteStandIn<List>, TypeList<Ms...>> {
  static bool DeliverAndReturn(Cell& cell, RemoteStandInBase& stand_in,
                               Envelope* envelope) {
    (void)DeliverAny(cell, stand_in, envelope);
    return ReturnFromUserCode();
  }
  static bool DeliverAny(Cell&, RemoteStandInBase& stand_in,
                         Envelope* envelope) {
    if (envelope->type == &kMessageType<RemoteEnd>) [[unlikely]] {
      stand_in.EndAs(envelope->As<RemoteEnd>().reason);
      DestroyEnvelope(envelope);
    } else {
      stand_in.Pass(envelope);
    }
    return true;
  }
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_STAND_IN_H_
