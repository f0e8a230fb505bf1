#include "troupe/cluster/spawn.h"

#include "absl/strings/string_view.h"

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

void Claim(const StartedActor& started) {
  ActorRef<KeepActor>(started.keeper.cell(), started.keeper.id().value())
      .Send<KeepActor>();
}

}  // namespace

Task<absl::StatusOr<StartedActor>> StartOn(NodeCore& node, std::string path,
                                           absl::StatusOr<SpawnActor> request,
                                           absl::Duration within) {
  const auto receptionist = Prepare(node, path, request);
  if (!receptionist.ok()) co_return receptionist.status();
  auto call = receptionist->Call<SpawnActor>(*request).Within(within);
  absl::StatusOr<StartedActor> started = co_await std::move(call);
  if (started.ok()) Claim(*started);
  co_return started;
}

absl::StatusOr<StartedActor> StartOnAndWait(NodeCore& node,
                                            const std::string& path,
                                            absl::StatusOr<SpawnActor> request,
                                            absl::Duration within) {
  const auto receptionist = Prepare(node, path, request);
  if (!receptionist.ok()) return receptionist.status();
  absl::StatusOr<StartedActor> started =
      receptionist->Call<SpawnActor>(*request).Within(within).Wait();
  if (started.ok()) Claim(*started);
  return started;
}

}  // namespace troupe::internal
