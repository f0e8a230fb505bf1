#include "troupe/cluster/spawn.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {
namespace {

// Whom to ask; completes the request.
absl::StatusOr<ActorRef<SpawnActor>> Prepare(
    NodeCore& node, absl::string_view path,
    absl::StatusOr<SpawnActor>& request) {
  if (!request.ok()) return request.status();
  absl::string_view name;
  const absl::StatusOr<AnyActorRef> receptionist =
      node.ReceptionistFor(path, name);
  if (!receptionist.ok()) return receptionist.status();
  request->factory = std::string(name);
  return ActorRef<SpawnActor>(receptionist->cell(), receptionist->id().value());
}

// Says that the actor is known, and returns what was started; what a node has
// started lives there. Whatever else it names, such as an actor of this node,
// need not be of the type that was asked for.
absl::StatusOr<StartedActor> Claim(const AnyActorRef& receptionist,
                                   absl::StatusOr<StartedActor> started) {
  if (!started.ok()) return started;
  const FarCell* const place = FarCell::Of(receptionist.cell());
  for (const AnyActorRef& actor : {started->actor, started->keeper}) {
    if (FarCell::Of(actor.cell()) == place) continue;
    return absl::DataLossError(absl::StrCat(
        "what was asked of ", receptionist.ToString(), " is answered with ",
        actor.ToString(), ", which it cannot have started"));
  }
  // One for a call that was answered; without it the actor would be killed.
  SendOwed(started->keeper, EnvelopePtr(MakeEnvelope<KeepActor>()));
  return started;
}

}  // namespace

Task<absl::StatusOr<StartedActor>> StartOn(NodeCore& node, std::string path,
                                           absl::StatusOr<SpawnActor> request,
                                           absl::Duration within) {
  const auto receptionist = Prepare(node, path, request);
  if (!receptionist.ok()) co_return receptionist.status();
  auto call = receptionist->Call<SpawnActor>(*request).Within(within);
  absl::StatusOr<StartedActor> started = co_await std::move(call);
  co_return Claim(*receptionist, std::move(started));
}

absl::StatusOr<StartedActor> StartOnAndWait(NodeCore& node,
                                            const std::string& path,
                                            absl::StatusOr<SpawnActor> request,
                                            absl::Duration within) {
  const auto receptionist = Prepare(node, path, request);
  if (!receptionist.ok()) return receptionist.status();
  return Claim(*receptionist,
               receptionist->Call<SpawnActor>(*request).Within(within).Wait());
}

}  // namespace troupe::internal
