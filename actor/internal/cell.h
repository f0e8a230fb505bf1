// A Cell is an actor in memory: mailbox, identity, place in the scheduler and
// in the tree of actors, and behind all that the user's object.
//
// Ownership: cells live in type-stable memory of the process (cell_pool.h). A
// cell is constructed once, and then serves one actor after the other, each of
// which leaves it without children, extras, handler state and envelopes. A
// thread that comes late finds either the incarnation that it means or, by id
// and by the generation in the mailbox word, that it is gone.
// Thread safety: `id`, `status` and the mailbox word: any thread. Whatever is
// marked "parent's" belongs to the worker that owns the parent. All else
// belongs to the owning worker, or, while a handler runs that lost its seat,
// `handler`, the children and the object to the handler's thread.
#ifndef TROUPE_ACTOR_INTERNAL_CELL_H_
#define TROUPE_ACTOR_INTERNAL_CELL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/mailbox/lanes.h"
#include "troupe/mailbox/mailbox.h"
#include "troupe/scheduler/runnable.h"

namespace troupe {

struct ChildEvent;
class HandedState;
struct Down;
struct Exit;

namespace internal {

class SystemCore;
class HandlerState;
struct Cell;
struct CellExtras;

// What the runtime knows of an actor's class. One constant object for each.
struct ActorType : RunnableType {
  std::string_view class_name;
  absl::Span<const MessageType* const> messages;
  // Handles one message and frees its envelope. False: the actor failed, and
  // RecordFailure() was called.
  bool (*deliver)(Cell&, Envelope*);
  // Handles the messages of the normal lane, and ends the turn.
  bool (*handle_messages)(Cell&);
  // Null if there is nothing to do.
  void (*destroy)(Cell&);
  // Null where the class has no such hook. Failures are recorded; a hook that
  // is a coroutine may be suspended on return.
  void (*pre_start)(Cell&);
  void (*post_start)(Cell&);
  void (*post_stop)(Cell&, const ExitReason&);
  void (*on_child)(Cell&, const ChildEvent&);
  // Null where the class hands nothing on. May throw.
  HandedState (*take_state)(Cell&);
  // What the runtime itself has to say to the actor, and not answers, goes here
  // for an actor that hands on what it gets. Mostly null.
  void (*pass_control)(Cell&, Envelope*);
  void (*on_down)(Cell&, const Down&);
  void (*on_exit)(Cell&, const Exit&);
  // Whether on_child, which is no coroutine then, is also called while PreStart
  // or PostStop is suspended.
  bool hears_in_hooks;
};

// Where an actor is between its spawn and its end. "...ing" phases are those in
// which user code runs that may outlast its seat.
enum class Phase : uint8_t {
  kFree,     // No actor.
  kCreated,  // PreStart has not run; only for SpawnInstant.
  kPreStarting,
  kStarted,  // PostStart has not run.
  kPostStarting,
  kAnnouncing,  // Runs; whoever watches is told.
  kRunning,
  kExiting,  // The reason is decided.
  kPostStopping,
  kAwaitingChildren,
  kDestroying,
  kTelling,  // The object is gone; monitors and links are told.
  kEnding,   // They have been.
  kZombie,   // All is done but that the wake token is under way.
};

// What was asked of an actor and not done yet; the larger one wins.
enum class Ending : uint8_t { kNone, kDrain, kStop, kKill };

struct CellIdentity {
  std::atomic<uint64_t> id{0};
};

// What is written less often than messages are handled, but `status` by the
// owner only.
struct CellFacts {
  // For any thread: what the actor is, and whether it is a child. Written
  // before the mailbox is opened. For an actor with a bounded mailbox that is
  // where its type stands.
  std::atomic<uintptr_t> shared_type{0};
  uint32_t children = 0;
  std::atomic<ActorStatus> status{ActorStatus::kStopped};
  Phase phase = Phase::kFree;
  ExitReason::Kind exit_kind = ExitReason::Kind::kNormal;
  uint8_t slot_class = 0;  // The pool's. Set once.
};

struct CellLinks {
  SystemCore* system = nullptr;
  Cell* parent = nullptr;  // Null: a top-level actor.
  Cell* newest_child = nullptr;
  Cell* older_sibling = nullptr;  // Parent's.
  Cell* newer_sibling = nullptr;  // Parent's.
  CellExtras* extras = nullptr;   // Made when needed.
  // What its code has under way; made when needed, by the thread that runs it.
  HandlerState* handler = nullptr;
};

// Three cache lines, if the object is small: the first is what a stranger needs
// who sends a message, the last what the owner writes for each message, and the
// object. So strangers' lines stay with them while messages are handled.
struct alignas(16) Cell : Mailbox,
                          CellIdentity,
                          Runnable,
                          CellFacts,
                          CellLinks,
                          Lanes {
  // Why a turn must look beyond the normal lane, besides the reasons of Lanes.
  static constexpr uint8_t kToken = Lanes::kFirstFreeAttention;  // Is here.
  static constexpr uint8_t kRequested = kToken << 1;  // `request` is not kNone.
  static constexpr uint8_t kLifecycle = kToken << 2;  // `phase` has work.
  // Not all that waits are messages in the normal lane: the queue of a bounded
  // mailbox may hold something, and is not armed; or there are notices.
  static constexpr uint8_t kQueued = kToken << 3;
  // A handler is suspended beside which nothing is handled.
  static constexpr uint8_t kSuspended = kToken << 4;
  static constexpr uint8_t kTimerFired = kToken << 5;

  // Marks of the actor's code. kSuspended follows the first as soon as the
  // worker looks.
  static constexpr uint8_t kExclusive = Lanes::kFirstFreeMark;
  // A turn handles messages of timers.
  static constexpr uint8_t kTimerTurn = kExclusive << 1;

  static constexpr uintptr_t kIsChild = 1;
  static constexpr uintptr_t kIsBounded = 2;
  // A FarCell, and nothing else: it never has an actor.
  static constexpr uintptr_t kIsFar = 4;
  void ShareType(const ActorType& actor_type, bool is_child,
                 BoundedMailbox* bounded) {
    uintptr_t shared = reinterpret_cast<uintptr_t>(&actor_type);
    if (bounded != nullptr) {
      bounded->type.store(&actor_type, std::memory_order_relaxed);
      shared = reinterpret_cast<uintptr_t>(bounded) | kIsBounded;
    }
    // Relaxed: ordered by the mailbox word, which is opened later, and looked
    // at before.
    shared_type.store(shared | is_child, std::memory_order_relaxed);
  }
  // Null: the actor is gone, and its memory was given back to the system.
  const ActorType* SharedType() const {
    const uintptr_t shared = shared_type.load(std::memory_order_relaxed);
    if (BoundedMailbox* const bounded = BoundedIn(shared)) {
      return bounded->type.load(std::memory_order_relaxed);
    }
    return reinterpret_cast<const ActorType*>(shared & ~kIsChild);
  }
  bool IsChild() const {
    return (shared_type.load(std::memory_order_relaxed) & kIsChild) != 0;
  }
  bool IsFar() const {
    return shared_type.load(std::memory_order_relaxed) == kIsFar;
  }
  // Null: the mailbox has no bounds.
  BoundedMailbox* bounded() const {
    return BoundedIn(shared_type.load(std::memory_order_relaxed));
  }

  const ActorType& actor_type() const {
    return static_cast<const ActorType&>(*type);
  }
  // Facts that stay.
  static constexpr uint8_t kHasObject = 1;
  static constexpr uint8_t kStartFailed = 2;
  static constexpr uint8_t kReportedHighWater = 4;
  bool has(uint8_t fact) const { return (owner_bits() & fact) != 0; }
  void set(uint8_t fact) { set_owner_bits(owner_bits() | fact); }

  Ending request() const { return static_cast<Ending>(owner_byte()); }
  void set_request(Ending request) {
    set_owner_byte(static_cast<uint8_t>(request));
  }
  // For the owner, and for whoever checks it against a reading of the mailbox
  // word that was taken before: that orders it.
  uint64_t CurrentId() const { return id.load(std::memory_order_relaxed); }
  uint32_t target() const { return static_cast<uint32_t>(CurrentId()); }

  // For any thread: whether this is the actor with that id, alive.
  bool IsAliveAs(uint64_t expected_id) const {
    return Word::IsAlive(Load()) && CurrentId() == expected_id;
  }
  // Its status; kStopped if it is gone.
  ActorStatus StatusOf(uint64_t expected_id) const;

  // Makes a free cell again of one whose memory was given back to the system,
  // and so may be all zero, with a generation that none of its actors had.
  // Others may be looking.
  void Restart(uint64_t generation) {
    Mailbox::Restart(generation);
    // Relaxed: who looks goes by the id or the mailbox word.
    owner.store(OwnerTag::kUnowned, std::memory_order_relaxed);
    status.store(ActorStatus::kStopped, std::memory_order_relaxed);
  }

  // The user's object lies behind the cell if it fits there.
  static constexpr size_t kMaxInlineAlignment = 16;
  void* inline_storage() { return this + 1; }

  CellExtras& Extras();
  void DropExtras() {
    if (extras != nullptr) [[unlikely]]
      DeleteExtras();
  }

  bool IsMine(uint64_t tag) const {
    return owner.load(std::memory_order_relaxed) == tag;
  }

 private:
  void DeleteExtras();
  static BoundedMailbox* BoundedIn(uintptr_t shared) {
    return (shared & kIsBounded) == 0 ? nullptr
                                      : reinterpret_cast<BoundedMailbox*>(
                                            shared & ~(kIsChild | kIsBounded));
  }
};
static_assert(sizeof(Cell) == 160);

// Where a user's object of class A lies.
template <typename A>
inline constexpr bool kIsInline = alignof(A) <= Cell::kMaxInlineAlignment &&
                                  sizeof(A) <= 2048 - sizeof(Cell);

template <typename A>
A& ObjectOf(Cell& cell) {
  if constexpr (kIsInline<A>) {
    return *std::launder(static_cast<A*>(cell.inline_storage()));
  } else {
    return **static_cast<A**>(cell.inline_storage());
  }
}

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTOR_INTERNAL_CELL_H_
