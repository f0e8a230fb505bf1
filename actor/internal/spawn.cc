#include "troupe/actor/internal/spawn.h"

#include <new>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/children.h"
#include "troupe/actor/internal/ending.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/send.h"
#include "troupe/base/check.h"
#include "troupe/base/contain.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {
namespace {

absl::string_view ClassName(const SpawnPlan& plan) {
  return absl::string_view(plan.type.class_name.data(),
                           plan.type.class_name.size());
}

absl::Status WithContext(const SpawnPlan& plan, const SpawnOptions& options,
                         const absl::Status& status) {
  return absl::Status(
      status.code(),
      absl::StrCat("starting a ", ClassName(plan),
                   options.name.empty() ? "" : " '", options.name,
                   options.name.empty() ? ": " : "': ", status.message()));
}

absl::Status ShuttingDown(const SpawnPlan& plan) {
  return absl::FailedPreconditionError(absl::StrCat(
      "spawning a ", ClassName(plan), ": the ",
      plan.parent != nullptr ? "parent" : "system", " is shutting down"));
}

// Gives a cell that is not open yet a bounded mailbox.
absl::Status Bound(Cell& cell, const SpawnOptions& options) {
  absl::Status status = Validate(options.mailbox);
  if (!status.ok()) return status;
  status =
      Contain([&] { cell.Extras().bounded.reset(&BoundedMailbox::Take()); });
  if (!status.ok()) return absl::ResourceExhaustedError("no memory");
  BoundedMailbox& bounded = *cell.extras->bounded;
  bounded.queue.Open(options.mailbox, cell.target());
  cell.ShareType(cell.actor_type(), cell.parent != nullptr, &bounded);
  return absl::OkStatus();
}

// A cell for a new actor, which nobody owns; the caller has its wake token.
// Null: there is none, and `failure` says why.
inline Cell* MakeCell(const SpawnPlan& plan, absl::Status& failure) {
  const bool admitted = plan.parent != nullptr
                            ? plan.parent->phase < Phase::kExiting
                            : plan.system.AdmitTopLevelSpawn();
  if (!admitted) [[unlikely]] {
    failure = ShuttingDown(plan);
    return nullptr;
  }
  Cell* taken = nullptr;
  if (!Contain([&] { taken = &CellPool::Take(plan.slot_class); }).ok())
      [[unlikely]] {
    if (plan.parent == nullptr) plan.system.CountEnd(nullptr);
    failure = absl::ResourceExhaustedError(
        absl::StrCat("no memory for a ", ClassName(plan)));
    return nullptr;
  }
  Cell& cell = *taken;
  TROUPE_DCHECK(cell.newest_child == nullptr && cell.extras == nullptr &&
                    cell.handler == nullptr && cell.empty(),
                "an actor leaves nothing behind in its cell");
  cell.ClearAttention(0xff);
  cell.set_request(Ending::kNone);
  cell.set_owner_bits(0);
  cell.type = &plan.type;
  cell.system = &plan.system;
  cell.parent = plan.parent;
  cell.older_sibling = cell.newer_sibling = nullptr;
  cell.status.store(ActorStatus::kStarting, std::memory_order_relaxed);
  cell.phase = Phase::kPreStarting;
  cell.exit_kind = ExitReason::Kind::kNormal;
  cell.ShareType(plan.type, plan.parent != nullptr, /*bounded=*/nullptr);
  const uint64_t tag = EnterSeat();
  Worker* const worker = plan.system.WorkerOfThisThread(tag);
  cell.id.store(plan.system.NewId(worker), std::memory_order_relaxed);
  if (plan.parent != nullptr) plan.system.CountSpawn(worker);
  LeaveSeat();
  return &cell;
}

AnyActorRef RefTo(Cell& cell) { return AnyActorRef(&cell, cell.CurrentId()); }

// Bounds and opens the mailbox, and takes the name.
absl::Status Reserve(Cell& cell, const SpawnOptions& options) {
  if (IsBounded(options.mailbox)) {
    absl::Status status = Bound(cell, options);
    if (!status.ok()) return status;
  }
  cell.Open(/*token_inside=*/false);
  if (options.name.empty()) return absl::OkStatus();
  NameService* const names = cell.system->names();
  if (names == nullptr) {
    return absl::FailedPreconditionError(
        "the system has no name service; depend on //registry and install one");
  }
  absl::Status status = names->Reserve(options.name, RefTo(cell));
  if (status.ok()) cell.Extras().name = options.name;
  return status;
}

void LinkToParent(Cell& cell) {
  Cell* const parent = cell.parent;
  if (parent == nullptr) return;
  cell.older_sibling = parent->newest_child;
  if (cell.older_sibling != nullptr) {
    cell.older_sibling->newer_sibling = &cell;
  }
  parent->newest_child = &cell;
  ++parent->children;
}

// Whether the actor's parent wants to hear of its start.
bool HasListener(const Cell& cell) {
  return cell.parent != nullptr && HearsOfChildren(*cell.parent);
}

// In the seat with `tag`: whether the actor runs as soon as it is made. A
// parent that is not here must be told by a turn of the actor.
bool NeedsNoFirstTurn(const Cell& cell, uint64_t tag) {
  return cell.actor_type().post_start == nullptr &&
         (!HasListener(cell) || cell.parent->IsMine(tag)) &&
         !cell.system->events().channel<ActorStarted>().HasSubscribers();
}

// Hands a started actor over to a worker: the caller's, if it has one.
void Launch(Cell& cell, bool opened) {
  cell.phase = Phase::kStarted;
  const uint64_t tag = EnterSeat();
  Worker* const worker = cell.system->WorkerOfThisThread(tag);
  const bool stays =
      worker != nullptr && worker->kind() == Worker::Kind::kShared;
  if (!opened && NeedsNoFirstTurn(cell, tag)) [[likely]] {
    cell.phase = Phase::kRunning;
    cell.status.store(ActorStatus::kRunning, std::memory_order_relaxed);
    if (HasListener(cell)) TellParentOfStart(cell, *worker);
    if (stays) {
      worker->AdoptNew(cell, /*reached=*/false);
      cell.Open(/*token_inside=*/true);
      LeaveSeat();
      return;
    }
  } else {
    cell.AddAttention(Cell::kLifecycle);
  }
  if (!opened) cell.Open(/*token_inside=*/false);
  if (stays) {
    worker->AdoptNew(cell, /*reached=*/true);
    cell.AddAttention(Cell::kToken);
    worker->Schedule(cell);
    LeaveSeat();
  } else {
    LeaveSeat();
    cell.system->executor().Inject(cell);
  }
}

void LaunchOn(Cell& cell, Worker* dedicated) {
  cell.AddAttention(Cell::kLifecycle);
  if (dedicated != nullptr) {
    dedicated->Deliver(cell);
  } else {
    cell.system->executor().Inject(cell);
  }
}

// A shutdown that began since the spawn was admitted may not have found the
// actor.
void StopIfClosed(const SpawnPlan& plan, const AnyActorRef& ref) {
  if (plan.parent == nullptr && plan.system.closed()) [[unlikely]] {
    ref.Stop(ExitReason::Shutdown());
  }
}

absl::StatusOr<AnyActorRef> SpawnDeferred(
    const SpawnPlan& plan, const SpawnOptions& options,
    absl::AnyInvocable<void(Cell&)> construct,
    std::shared_ptr<StartWaiter> waiter) {
  absl::Status status;
  Cell* const made = MakeCell(plan, status);
  if (made == nullptr) return status;
  Cell& cell = *made;
  status = Reserve(cell, options);
  Worker* dedicated = nullptr;
  if (status.ok() && options.dedicated_thread) {
    absl::StatusOr<Worker*> worker =
        plan.system.executor().StartDedicatedWorker(
            options.name.empty() ? "actor" : options.name);
    if (worker.ok()) {
      dedicated = *worker;
    } else {
      status = worker.status();
    }
  }
  if (!status.ok()) {
    AbandonStart(cell);
    return WithContext(plan, options, status);
  }
  CellExtras& extras = cell.Extras();
  extras.construct = std::move(construct);
  extras.start_waiter = std::move(waiter);
  extras.dedicated_worker = dedicated;
  cell.phase = Phase::kCreated;
  LinkToParent(cell);
  const AnyActorRef ref = RefTo(cell);
  LaunchOn(cell, dedicated);
  StopIfClosed(plan, ref);
  return ref;
}

}  // namespace

AnyActorRef SpawnHere(const SpawnPlan& plan, const SpawnOptions& options,
                      absl::FunctionRef<void(Cell&)> construct,
                      absl::Status& failure) {
  Cell* const made = MakeCell(plan, failure);
  if (made == nullptr) [[unlikely]]
    return AnyActorRef();
  Cell& cell = *made;
  // With nothing to reserve and no hook, nobody can know the actor before it is
  // launched.
  const bool opened = !options.name.empty() || IsBounded(options.mailbox) ||
                      plan.type.pre_start != nullptr;
  if (opened) failure = Reserve(cell, options);
  if (failure.ok()) failure = Contain([&] { construct(cell); });
  if (failure.ok()) {
    cell.set(Cell::kHasObject);
    if (plan.type.pre_start != nullptr) {
      plan.type.pre_start(cell);
      if (HasFailed(cell)) failure = cell.handler->TakeFailure();
    }
  }
  if (!failure.ok()) [[unlikely]] {
    failure = WithContext(plan, options, failure);
    RecordFailure(cell, failure);
    AbandonStart(cell);
    return AnyActorRef();
  }
  LinkToParent(cell);
  const AnyActorRef ref = RefTo(cell);
  Launch(cell, opened);
  StopIfClosed(plan, ref);
  return ref;
}

absl::StatusOr<AnyActorRef> SpawnThere(
    const SpawnPlan& plan, const SpawnOptions& options,
    absl::AnyInvocable<void(Cell&)> construct) {
  return SpawnDeferred(plan, options, std::move(construct), nullptr);
}

absl::StatusOr<AnyActorRef> SpawnThereAndWait(
    const SpawnPlan& plan, const SpawnOptions& options,
    absl::AnyInvocable<void(Cell&)> construct) {
  if (this_thread.InTurn()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "spawning a ", ClassName(plan),
        " on its own thread would block this handler until it has started; use "
        "SpawnInstant"));
  }
  const auto waiter = std::make_shared<StartWaiter>();
  absl::StatusOr<AnyActorRef> ref =
      SpawnDeferred(plan, options, std::move(construct), waiter);
  if (!ref.ok()) return ref;
  plan.system.executor().WaitFor(waiter->started,
                                 MonotonicTime::InfiniteFuture());
  if (!waiter->status.ok()) return WithContext(plan, options, waiter->status);
  return ref;
}

}  // namespace troupe::internal
