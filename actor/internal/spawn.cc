#include "troupe/actor/internal/spawn.h"

#include <new>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/ending.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/send.h"
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

// A cell for a new actor, which nobody owns; the caller has its wake token.
absl::StatusOr<Cell*> MakeCell(const SpawnPlan& plan,
                               const SpawnOptions& options) {
  if (plan.parent != nullptr ? plan.parent->phase >= Phase::kExiting
                             : plan.system.closed()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "spawning a ", ClassName(plan), ": the ",
        plan.parent != nullptr ? "parent" : "system", " is shutting down"));
  }
  const bool is_bounded = IsBounded(options.mailbox);
  if (is_bounded) {
    const absl::Status valid = Validate(options.mailbox);
    if (!valid.ok()) return WithContext(plan, options, valid);
  }
  Cell* taken = nullptr;
  BoundedMailboxPtr bounded;
  const absl::Status memory = Contain([&] {
    if (is_bounded) bounded.reset(&BoundedMailbox::Take());
    taken = &CellPool::Take(plan.slot_class);
  });
  if (!memory.ok()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for a ", ClassName(plan)));
  }
  Cell& cell = *taken;
  cell.lanes = {};
  cell.ClearAttention(0xff);
  cell.set_request(Ending::kNone);
  cell.set_owner_bits(0);
  cell.type = &plan.type;
  cell.system = &plan.system;
  cell.parent = plan.parent;
  cell.newest_child = cell.older_sibling = cell.newer_sibling = nullptr;
  cell.children = 0;
  cell.phase = Phase::kPreStarting;
  cell.exit_kind = ExitReason::Kind::kNormal;
  cell.ShareType(plan.type, plan.parent != nullptr, bounded.get());
  cell.status.store(ActorStatus::kStarting, std::memory_order_relaxed);
  const uint64_t tag = EnterSeat();
  Worker* const worker = plan.system.WorkerOfThisThread(tag);
  cell.id.store(plan.system.NewId(worker), std::memory_order_relaxed);
  plan.system.CountSpawn(worker);
  LeaveSeat();
  if (is_bounded) {
    bounded->queue.Open(options.mailbox, cell.target());
    cell.Extras().bounded = std::move(bounded);
  }
  return &cell;
}

AnyActorRef RefTo(Cell& cell) { return AnyActorRef(&cell, cell.CurrentId()); }

// Opens the mailbox and takes the name.
absl::Status Reserve(Cell& cell, const SpawnOptions& options) {
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

// Whether the actor runs as soon as it is made: nobody sees it start.
bool NeedsNoFirstTurn(const Cell& cell) {
  return cell.actor_type().post_start == nullptr &&
         (cell.parent == nullptr ||
          cell.parent->actor_type().on_child == nullptr) &&
         !cell.system->events().channel<ActorStarted>().HasSubscribers();
}

// Hands a started actor over to a worker: the caller's, if it has one.
void Launch(Cell& cell, bool opened) {
  cell.phase = Phase::kStarted;
  const uint64_t tag = EnterSeat();
  Worker* const worker = cell.system->WorkerOfThisThread(tag);
  const bool stays =
      worker != nullptr && worker->kind() == Worker::Kind::kShared;
  if (!opened && NeedsNoFirstTurn(cell)) {
    cell.phase = Phase::kRunning;
    cell.status.store(ActorStatus::kRunning, std::memory_order_relaxed);
    if (stays) {
      worker->AdoptNew(cell, /*reached=*/cell.bounded() != nullptr);
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

absl::StatusOr<AnyActorRef> SpawnDeferred(
    const SpawnPlan& plan, const SpawnOptions& options,
    absl::AnyInvocable<void(Cell&)> construct,
    std::shared_ptr<StartWaiter> waiter) {
  absl::StatusOr<Cell*> made = MakeCell(plan, options);
  if (!made.ok()) return made.status();
  Cell& cell = **made;
  absl::Status status = Reserve(cell, options);
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
  return ref;
}

}  // namespace

absl::StatusOr<AnyActorRef> SpawnHere(
    const SpawnPlan& plan, const SpawnOptions& options,
    absl::FunctionRef<void(Cell&)> construct) {
  absl::StatusOr<Cell*> made = MakeCell(plan, options);
  if (!made.ok()) return made.status();
  Cell& cell = **made;
  // Without a name and a hook nobody can know the actor before it is launched.
  const bool opened = !options.name.empty() || plan.type.pre_start != nullptr;
  absl::Status status = opened ? Reserve(cell, options) : absl::OkStatus();
  if (status.ok()) status = Contain([&] { construct(cell); });
  if (status.ok()) {
    cell.set(Cell::kHasObject);
    if (plan.type.pre_start != nullptr) status = plan.type.pre_start(cell);
    // PreStart may have called Fail().
    if (status.ok() && cell.failure != nullptr) status = *cell.failure;
  }
  if (!status.ok()) {
    status = WithContext(plan, options, status);
    RecordFailure(cell, status);
    AbandonStart(cell);
    return status;
  }
  LinkToParent(cell);
  const AnyActorRef ref = RefTo(cell);
  Launch(cell, opened);
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
