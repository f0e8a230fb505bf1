#include "troupe/actor/internal/spawn.h"

#include <memory>
#include <new>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/blocked_thread.h"
#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/children.h"
#include "troupe/actor/internal/end_observers.h"
#include "troupe/actor/internal/ending.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/owed_answer.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/shared_thread.h"
#include "troupe/base/check.h"
#include "troupe/base/contain.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {
namespace {

absl::string_view ClassName(const ActorType& type) {
  return absl::string_view(type.class_name.data(), type.class_name.size());
}

[[gnu::cold]] absl::Status ShuttingDown(const ActorType& type, bool is_child) {
  return absl::FailedPreconditionError(
      absl::StrCat("spawning a ", ClassName(type), ": the ",
                   is_child ? "parent" : "system", " is shutting down"));
}

[[gnu::cold]] absl::Status NoMemoryFor(const ActorType& type) {
  return absl::ResourceExhaustedError(
      absl::StrCat("no memory for a ", ClassName(type)));
}

// What `function` returns, or that there is no memory for it.
template <typename F>
absl::Status OrNoMemory(F&& function) {
#ifdef __cpp_exceptions
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("no memory");
  }
#else
  return function();
#endif
}

// Gives a cell that is not open yet a bounded mailbox.
absl::Status Bound(Cell& cell, const SpawnOptions& options) {
  absl::Status status = Validate(options.mailbox);
  if (!status.ok()) return status;
  status = OrNoMemory([&] {
    cell.Extras().bounded.reset(&BoundedMailbox::Take());
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  BoundedMailbox& bounded = *cell.extras->bounded;
  bounded.queue.Open(options.mailbox, cell.target());
  cell.ShareType(cell.actor_type(), cell.parent != nullptr, &bounded);
  return absl::OkStatus();
}

// Null: there is no memory.
inline Cell* TakeCell(uint8_t slot_class) {
  Cell* cell = nullptr;
  const bool taken = Contain([&] { cell = &CellPool::Take(slot_class); }).ok();
  return taken ? cell : nullptr;
}

// Writes what a new actor begins with, but for its identity and its phase.
[[gnu::always_inline]] inline void Fill(Cell& cell, SystemCore& system,
                                        Cell* parent, const ActorType& type) {
  TROUPE_DCHECK(cell.newest_child == nullptr && cell.extras == nullptr &&
                    cell.handler == nullptr && cell.empty(),
                "an actor leaves nothing behind in its cell");
  cell.ClearAttention(0xff);
  cell.ClearMarks();
  cell.set_request(Ending::kNone);
  cell.set_owner_bits(0);
  cell.type = &type;
  cell.system = &system;
  cell.parent = parent;
  cell.older_sibling = cell.newer_sibling = nullptr;
  cell.exit_kind = ExitReason::Kind::kNormal;
  cell.ShareType(type, parent != nullptr, /*bounded=*/nullptr);
}

// Gives the actor its id, and counts it. In the seat of `worker`, which may be
// null.
inline void Identify(Cell& cell, Worker* worker) {
  SystemCore& system = *cell.system;
  cell.id.store(system.NewId(worker), std::memory_order_relaxed);
  // A top-level actor was counted when it was admitted.
  if (cell.parent != nullptr) system.CountSpawn(worker);
}

void IdentifyHere(Cell& cell) {
  const uint64_t tag = EnterSeat();
  Identify(cell, cell.system->WorkerOfThisThread(tag));
  LeaveSeat();
}

// A cell for a new actor, which nobody owns; the caller has its wake token.
// Null: there is none, and `failure` says why.
Cell* MakeCell(const SpawnPlan& plan, absl::Status& failure) {
  if (plan.parent == nullptr && plan.system.executor().lost_threads()) {
    failure = ParentsThreads(absl::StrCat("spawning a ", ClassName(plan.type)));
    return nullptr;
  }
  const bool admitted = plan.parent != nullptr
                            ? plan.parent->phase < Phase::kExiting
                            : plan.system.AdmitTopLevelSpawn();
  if (!admitted) [[unlikely]] {
    failure = ShuttingDown(plan.type, plan.parent != nullptr);
    return nullptr;
  }
  Cell* const cell = TakeCell(plan.slot_class);
  if (cell == nullptr) [[unlikely]] {
    if (plan.parent == nullptr) plan.system.CountEnd(nullptr);
    failure = NoMemoryFor(plan.type);
    return nullptr;
  }
  Fill(*cell, plan.system, plan.parent, plan.type);
  cell->status.store(ActorStatus::kStarting, std::memory_order_relaxed);
  cell->phase = Phase::kPreStarting;
  IdentifyHere(*cell);
  return cell;
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
  return OrNoMemory([&] {
    // All that can fail first. Nobody runs the actor yet: it is this thread's.
    std::string name = options.name;
    AddEndObserver(cell, *names);
    absl::Status status = names->Reserve(name, RefTo(cell));
    if (status.ok()) {
      cell.extras->name = std::move(name);
    } else {
      (void)TakeEndObservers(cell);  // It hears only of whom it has given one.
    }
    return status;
  });
}

// Puts a child into the tree.
void Link(Cell& parent, Cell& child) {
  child.older_sibling = parent.newest_child;
  if (child.older_sibling != nullptr) {
    child.older_sibling->newer_sibling = &child;
  }
  parent.newest_child = &child;
  ++parent.children;
}
void LinkToParent(Cell& cell) {
  if (cell.parent != nullptr) Link(*cell.parent, cell);
}

// Whether the actor's parent wants to hear of its start.
bool HasListener(const Cell& cell) {
  return cell.parent != nullptr && HearsOfChildren(*cell.parent);
}

// In the seat with `tag`: whether this thread drives the worker that owns it.
bool IsOwnedHere(const Cell& cell, uint64_t tag) {
  return tag != OwnerTag::kNoSeat &&
         OwnerTag::SameOwner(cell.owner.load(std::memory_order_relaxed), tag);
}

// In the seat with `tag`: whether the actor runs as soon as it is made. A
// parent that is not here must be told by a turn of the actor.
bool NeedsNoFirstTurn(const Cell& cell, uint64_t tag) {
  return cell.actor_type().post_start == nullptr &&
         (!HasListener(cell) || IsOwnedHere(*cell.parent, tag)) &&
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
    if (HasListener(cell)) TellOfStart(*cell.parent, cell, *worker);
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

// As SpawnChildHere(), on a thread that lost its seat, or whose worker is for
// its parent alone: `cell` has its object and no identity yet.
[[gnu::noinline]] AnyActorRef LaunchElsewhere(Cell& cell) {
  cell.status.store(ActorStatus::kStarting, std::memory_order_relaxed);
  IdentifyHere(cell);
  LinkToParent(cell);
  const AnyActorRef ref = RefTo(cell);
  Launch(cell, /*opened=*/false);
  return ref;
}

// The thread that the actor is to keep to; null: to none.
absl::StatusOr<std::shared_ptr<SharedThread>> ThreadFor(
    SystemCore& system, const SpawnOptions& options) {
  if (options.dedicated_thread) {
    if (!options.thread.IsNull()) {
      return absl::InvalidArgumentError(
          "an actor runs on a thread of its own or on a shared one, not both");
    }
    return SharedThread::Start(system,
                               options.name.empty() ? "actor" : options.name);
  }
  if (!options.thread.IsNull() &&
      &options.thread.shared()->system() != &system) {
    return absl::InvalidArgumentError("the thread is another system's");
  }
  return options.thread.shared();
}

void LaunchOn(Cell& cell, SharedThread* thread) {
  cell.AddAttention(Cell::kLifecycle);
  if (thread != nullptr) {
    thread->worker().Deliver(cell);
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

}  // namespace

[[gnu::cold]] absl::Status WithContext(const ActorType& type,
                                       absl::string_view name,
                                       const absl::Status& status) {
  return absl::Status(
      status.code(),
      absl::StrCat("starting a ", ClassName(type), name.empty() ? "" : " '",
                   name, name.empty() ? ": " : "': ", status.message()));
}

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
      const ActingFor acting(cell);
      plan.type.pre_start(cell);
      if (HasFailed(cell)) failure = cell.handler->TakeFailure().status();
    }
  }
  if (!failure.ok()) [[unlikely]] {
    failure = WithContext(plan.type, options.name, failure);
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

AnyActorRef SpawnChildHere(Cell& parent, const ActorType& type,
                           uint8_t slot_class,
                           absl::FunctionRef<void(Cell&)> construct,
                           absl::Status& failure) {
  if (parent.phase >= Phase::kExiting) [[unlikely]] {
    failure = ShuttingDown(type, /*is_child=*/true);
    return AnyActorRef();
  }
  Cell* const taken = TakeCell(slot_class);
  if (taken == nullptr) [[unlikely]] {
    failure = NoMemoryFor(type);
    return AnyActorRef();
  }
  Cell& cell = *taken;
  if (absl::Status status = Contain([&] { construct(cell); }); !status.ok())
      [[unlikely]] {
    CellPool::Return(cell);
    failure = WithContext(type, /*name=*/"", status);
    return AnyActorRef();
  }
  SystemCore& system = *parent.system;
  Fill(cell, system, &parent, type);
  cell.set(Cell::kHasObject);
  const uint64_t tag = EnterSeat();
  Worker* const worker = this_thread.worker;
  if (!IsOwnedHere(parent, tag) || worker->kind() != Worker::Kind::kShared)
      [[unlikely]] {
    LeaveSeat();
    return LaunchElsewhere(cell);
  }
  Identify(cell, worker);
  Link(parent, cell);
  if (type.post_start == nullptr &&
      !system.events().channel<ActorStarted>().HasSubscribers()) [[likely]] {
    cell.phase = Phase::kRunning;
    cell.status.store(ActorStatus::kRunning, std::memory_order_relaxed);
    if (HearsOfChildren(parent)) TellOfStart(parent, cell, *worker);
  } else {
    cell.phase = Phase::kStarted;
    cell.status.store(ActorStatus::kStarting, std::memory_order_relaxed);
    cell.AddAttention(Cell::kLifecycle);
    worker->Schedule(cell);
  }
  worker->AdoptNew(cell, /*reached=*/false);
  cell.Open(/*token_inside=*/true);
  const AnyActorRef ref = RefTo(cell);
  LeaveSeat();
  return ref;
}

absl::StatusOr<AnyActorRef> SpawnThere(
    const SpawnPlan& plan, const SpawnOptions& options,
    absl::AnyInvocable<void(Cell&)> construct,
    OwedAnswer<absl::Status> start_answer) {
  absl::Status status;
  Cell* const made = MakeCell(plan, status);
  if (made == nullptr) return status;
  Cell& cell = *made;
  status = Reserve(cell, options);
  std::shared_ptr<SharedThread> thread;
  if (status.ok()) {
    status = OrNoMemory([&] {
      (void)cell.Extras();
      absl::StatusOr<std::shared_ptr<SharedThread>> found =
          ThreadFor(plan.system, options);
      if (found.ok()) thread = *std::move(found);
      return std::move(found).status();
    });
  }
  if (!status.ok()) {
    AbandonStart(cell);
    return WithContext(plan.type, options.name, status);
  }
  CellExtras& extras = *cell.extras;
  extras.construct = std::move(construct);
  extras.start_answer = std::move(start_answer);
  extras.thread = thread;
  cell.phase = Phase::kCreated;
  LinkToParent(cell);
  const AnyActorRef ref = RefTo(cell);
  LaunchOn(cell, thread.get());
  StopIfClosed(plan, ref);
  return ref;
}

absl::StatusOr<AnyActorRef> SpawnThereAndWait(
    const SpawnPlan& plan, const SpawnOptions& options,
    absl::AnyInvocable<void(Cell&)> construct) {
  if (this_thread.InTurn()) {
    return absl::FailedPreconditionError(
        absl::StrCat("spawning a ", ClassName(plan.type),
                     " would block this handler until it has started; await "
                     "SpawnAsync(), or use SpawnInstant()"));
  }
  const BlockedThreadPtr thread(new BlockedThread);
  absl::StatusOr<AnyActorRef> ref = SpawnThere(
      plan, options, std::move(construct), {thread->route(), absl::OkStatus()});
  if (!ref.ok()) return ref;
  if (!plan.system.executor().WaitFor(thread->answered(),
                                      MonotonicTime::InfiniteFuture())) {
    // An executor without threads has nothing left to play.
    ref->Kill();
    return WithContext(
        plan.type, options.name,
        absl::AbortedError("PreStart waits for what never comes"));
  }
  const EnvelopePtr started = thread->TakeReply();
  const absl::Status& status = started->As<absl::Status>();
  if (!status.ok()) return WithContext(plan.type, options.name, status);
  return ref;
}

}  // namespace troupe::internal
