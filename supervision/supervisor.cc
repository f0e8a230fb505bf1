#include "troupe/supervision/supervisor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/internal/queue_length.h"
#include "troupe/actor/when_all.h"
#include "troupe/supervision/internal/supervision.h"

namespace troupe {

using internal::Supervision;

namespace {

// How long an actor may take to say how many messages wait for it.
constexpr absl::Duration kLookTimeout = absl::Milliseconds(100);

// Completes what is told of one child, in the supervisor's turns.
Task<void> LookAt(AnyActorRef instance, SupervisionTree& child) {
  const absl::StatusOr<uint64_t> waiting =
      co_await internal::QueueLength(instance, kLookTimeout);
  if (waiting.ok()) child.mailbox_messages = *waiting;
  if (child.kind != kSupervisor) co_return;
  const absl::StatusOr<SupervisorRef> supervisor = instance.As<SupervisorApi>();
  if (!supervisor.ok()) co_return;
  absl::StatusOr<SupervisionTree> below = co_await supervisor->Call<GetTree>();
  if (below.ok()) child.children = std::move(below->children);
}

}  // namespace

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

Task<SupervisionTree> Supervisor::Handle(GetTree) {
  // Other messages are handled meanwhile: what is shown is what was.
  SupervisionTree tree = supervision_->Snapshot();
  const std::vector<ChildInfo> list = supervision_->List();
  std::vector<Task<void>> looks;
  looks.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    looks.push_back(LookAt(list[i].instance, tree.children[i]));
  }
  (void)co_await WhenAll(std::move(looks));
  co_return tree;
}

void Supervisor::Handle(internal::SupervisorTick) { supervision_->GoOn(); }

}  // namespace troupe
