#include "troupe/cluster/internal/receptionist.h"

#include <functional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/codec/shape.h"
#include "troupe/cluster/internal/keeper.h"

namespace troupe::internal {
namespace {

std::string_view ToStd(absl::string_view text) {
  return std::string_view(text.data(), text.size());
}

}  // namespace

absl::Status ExportedNames::Add(absl::string_view name,
                                const AnyActorRef& actor) {
  absl::MutexLock lock(&mu_);
  const auto [entry, is_new] = actors_.try_emplace(std::string(name), actor);
  if (!is_new && entry->second != actor) {
    if (entry->second.status() != ActorStatus::kStopped) {
      return absl::AlreadyExistsError(absl::StrCat(
          entry->second.ToString(), " is exported as '", name, "'"));
    }
    entry->second = actor;
  }
  return absl::OkStatus();
}

AnyActorRef ExportedNames::Find(absl::string_view name) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto found = actors_.find(ToStd(name));
  return found != actors_.end() ? found->second : AnyActorRef();
}

std::vector<std::string> ExportedNames::All() const {
  absl::ReaderMutexLock lock(&mu_);
  std::vector<std::string> names;
  for (const auto& [name, actor] : actors_) {
    if (actor.status() != ActorStatus::kStopped) names.push_back(name);
  }
  return names;
}

absl::StatusOr<AnyActorRef> Receptionist::Handle(const ResolveName& m) {
  const AnyActorRef actor = names_.Find(m.name);
  if (actor.messages().empty()) {
    return absl::NotFoundError(absl::StrCat(
        "'", node_.self().name, "' exports nothing as '", m.name, "'"));
  }
  const absl::Status status =
      CheckAsked(node_.types(), actor.messages(), m.types);
  if (!status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat("'", m.name, "' of '", node_.self().name,
                                     "': ", status.message()));
  }
  return actor;
}

absl::Status Receptionist::Check(const SpawnActor& asked,
                                 const Factory* factory) const {
  if (factory == nullptr) {
    return absl::NotFoundError(absl::StrCat(
        "'", node_.self().name, "' exports no factory '", asked.factory, "'"));
  }
  absl::Status status = CompareShapes(factory->shape, asked.shape);
  if (!status.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the arguments of '", asked.factory, "' of '",
                     node_.self().name, "': ", status.message()));
  }
  status = CheckAsked(node_.types(), factory->messages, asked.types);
  if (status.ok()) return status;
  return absl::Status(
      status.code(),
      absl::StrCat("what '", asked.factory, "' of '", node_.self().name,
                   "' makes: ", status.message()));
}

void Receptionist::Handle(SpawnActor m, ReplyTo<StartedActor> reply) {
  const Factory* const factory = node_.factories().Find(m.factory);
  if (absl::Status status = Check(m, factory); !status.ok()) {
    (void)reply.Send(std::move(status));
    return;
  }
  // No child: what it keeps outlives the node. If the system ends, the answer
  // is dropped, which is one.
  (void)system().SpawnInstant<Keeper>(std::ref(node_), std::cref(*factory),
                                      std::move(m), std::move(reply));
}

NodeReport Receptionist::Handle(const AskReport&) {
  NodeReport report;
  report.name = node_.self().name;
  report.incarnation = node_.self().incarnation;
  for (const NodeId& peer : node_.Peers()) report.peers.push_back(peer.name);
  report.names = names_.All();
  report.actors = system().live_actors();
  report.exposed = node_.exports().size();
  report.dead_letters = system().dead_letters();
  return report;
}

}  // namespace troupe::internal
