#include "troupe/supervision/supervisor.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "troupe/supervision/internal/supervision.h"
#include "troupe/supervision/internal/tree_look.h"

namespace troupe {

using internal::Supervision;

ChildSpec Supervisor::ChildOf(ChildOptions options, Spec spec) {
  options.kind = kSupervisor;
  auto shared = std::make_shared<Spec>(std::move(spec));
  ChildSpec child =
      ChildSpec::Of(std::move(options), [shared](StartContext& start) {
        return start.Spawn<Supervisor>(
            shared, absl::StrCat(start.supervisor_path(), "/", start.id()));
      });
  child.set_children({shared, &shared->children});
  return child;
}

ChildRef<SupervisorApi> Supervisor::Spec::Add(ChildOptions options, Spec spec) {
  return Append(ChildOf(std::move(options), std::move(spec)),
                static_cast<Supervisor::Ref*>(nullptr));
}

absl::StatusOr<SupervisorRef> Supervisor::Start(ActorSystem& system, Spec spec,
                                                const SpawnOptions& options) {
  const absl::StatusOr<Ref> ref =
      system.Spawn<Supervisor>(options, std::move(spec));
  if (!ref.ok()) return ref.status();
  return *ref;
}

Supervisor::Supervisor(Spec spec)
    : spec_(std::make_shared<Spec>(std::move(spec))), path_(spec_->name) {}

Supervisor::Supervisor(std::shared_ptr<Spec> spec, std::string path)
    : spec_(std::move(spec)), path_(std::move(path)) {}

Supervisor::~Supervisor() = default;

Task<absl::Status> Supervisor::PreStart() {
  supervision_ = std::make_unique<Supervision>(*this, spec_, path_);
  return supervision_->Start();
}

Task<void> Supervisor::PostStop(const ExitReason&) {
  return supervision_->End();
}

void Supervisor::OnChild(const ChildEvent& event) {
  supervision_->OnChild(event);
}

void Supervisor::Handle(StartChild m, ReplyTo<AnyActorRef> reply) {
  supervision_->StartChild(std::move(m.child), std::move(reply));
}

void Supervisor::Handle(const TerminateChild& m, ReplyTo<absl::Status> reply) {
  supervision_->TerminateChild(m.which, std::move(reply));
}

void Supervisor::Handle(const RestartChild& m, ReplyTo<AnyActorRef> reply) {
  supervision_->RestartChild(m.which, std::move(reply));
}

void Supervisor::Handle(const DeleteChild& m, ReplyTo<absl::Status> reply) {
  supervision_->DeleteChild(m.which, std::move(reply));
}

std::vector<ChildInfo> Supervisor::Handle(const ListChildren&) {
  return supervision_->List();
}

absl::StatusOr<ChildInfo> Supervisor::Handle(const GetChild& m) {
  return supervision_->Get(m.which);
}

ChildCounts Supervisor::Handle(const CountChildren&) {
  return supervision_->Count();
}

absl::Status Supervisor::Handle(const SetStrategy& m) {
  return supervision_->SetStrategy(m.strategy, m.intensity);
}

void Supervisor::Handle(GetTree, ReplyTo<SupervisionTree> reply) {
  if (!reply.pending()) return;  // Nobody asks.
  std::vector<AnyActorRef> instances;
  for (const ChildInfo& child : supervision_->List()) {
    instances.push_back(child.instance);
  }
  internal::LookAtTree look(supervision_->Snapshot(), std::move(instances),
                            std::move(reply));
  // No child: those of a supervisor are what it supervises.
  const absl::StatusOr<internal::TreeLook::Ref> eyes =
      system().Spawn<internal::TreeLook>();
  if (eyes.ok()) {
    eyes->Send(std::move(look));
  } else {
    look.reply.Send(eyes.status());
  }
}

void Supervisor::Handle(internal::SupervisorTick) { supervision_->GoOn(); }

}  // namespace troupe
