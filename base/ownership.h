// Who may run an object, told in three atomic words.
//
// An object (an actor's cell) belongs to one worker at a time. The owner works
// on it with plain loads and stores; everybody else reaches it through its
// MailWord. Ownership is given, never taken from a running worker.
// docs/design/hot_path.md tells the whole protocol and argues it; the names of
// the orderings below are the ones it uses.
//
//   OwnerTag    who owns the object, and since when
//   MailWord    nodes from strangers, and the object's one wake token
//   WorkerWord  objects on their way to a worker, and whether it sleeps
//   Seat        a thread's right to act as a worker, which can be revoked
//
// The wake token. A token exists exactly once for each object. It is
//   * in the MailWord (bit kIdle): nobody owes the object a wake;
//   * with the owner: the owner looks into the MailWord by itself;
//   * in flight: with a stranger whose Push() said kMustWake, or in the owner's
//     WorkerWord.
// kIdle does not mean "not scheduled": work that the owner finds by itself
// leaves the token where it is, and costs no atomic operation.
//
// The templates know their node only by its `Node* next`, and reach atomics
// only through `Atomics` (base/atomics.h). ownership_*_model_test.cc plays them
// under every schedule, and shows for each ordering what breaks without it.
#ifndef TROUPE_BASE_OWNERSHIP_H_
#define TROUPE_BASE_OWNERSHIP_H_

#include <cstddef>
#include <cstdint>

#include "troupe/base/atomics.h"

namespace troupe {

// ---------------------------------------------------------------------------
// OwnerTag

// A tag is an epoch and the slot of a worker. A worker writes its tag into what
// it owns. An object whose tag equals the worker's is the worker's and has been
// drained in this epoch; one with an older epoch is the worker's too, but its
// MailWord must be drained before anything is appended locally (the order per
// pair of objects rests on that). Tags with the kNobody slot belong to no
// worker.
class OwnerTag {
 public:
  static constexpr int kSlotBits = 16;
  static constexpr uint64_t kSlotMask = (uint64_t{1} << kSlotBits) - 1;
  static constexpr uint64_t kNobody = kSlotMask;

  // What an object's tag is while no worker owns it.
  static constexpr uint64_t kUnowned = 0 << kSlotBits | kNobody;
  // What a thread compares with when it is no worker, or no longer one. Never
  // equal to the tag of an object.
  static constexpr uint64_t kNoSeat = 1 << kSlotBits | kNobody;
  static constexpr uint64_t kSeatBeingRevoked = 2 << kSlotBits | kNobody;
  // The first epoch of a worker: a worker's tag is greater than all of these.
  static constexpr uint64_t kFirstEpoch = 3;

  static constexpr uint64_t Make(uint64_t epoch, uint64_t slot) {
    return epoch << kSlotBits | slot;
  }
  // Whether it is the current tag of a worker: of who sits in a seat.
  static constexpr bool IsOfWorker(uint64_t tag) {
    return tag > kSeatBeingRevoked;
  }
  static constexpr uint64_t Slot(uint64_t tag) { return tag & kSlotMask; }
  static constexpr uint64_t NextEpoch(uint64_t tag) {
    return tag + (uint64_t{1} << kSlotBits);
  }
  // The worker's, and in no epoch that was or will be current.
  static constexpr uint64_t Stale(uint64_t tag) { return Slot(tag); }
  static constexpr bool SameOwner(uint64_t a, uint64_t b) {
    return Slot(a) == Slot(b);
  }
};

// ---------------------------------------------------------------------------
// MailWord

enum class PushResult : uint8_t {
  kEnqueued,  // Taken. Somebody else sees to it that the owner looks.
  kMustWake,  // Taken, and the caller now holds the wake token.
  kClosed,    // Not taken: still the caller's.
};

// One word: a chain of nodes, newest first, with four flags and the generation
// of the object. All zero but the generation: the object is dead.
//
// Thread safety: Load() and Push() from any thread; the rest belongs to the
// owner, or where it says so to the holder of the wake token.
template <typename Node, typename Atomics = RealAtomics>
class MailWord {
 public:
  static constexpr uint64_t kAlive = 1;   // Takes nodes.
  static constexpr uint64_t kShut = 2;    // Takes only signals.
  static constexpr uint64_t kIdle = 4;    // Holds the wake token.
  static constexpr uint64_t kUrgent = 8;  // A kUrging signal is in the chain.
  static constexpr uint64_t kFlags = 15;
  static constexpr int kGenerationShift = 48;
  static constexpr uint64_t kChain =
      (uint64_t{1} << kGenerationShift) - 1 - kFlags;

  // How Push() treats what it pushes.
  enum class Kind : uint8_t {
    kMessage,  // Refused once the word is shut.
    kSignal,   // Taken as long as the object lives.
    kClosing,  // A signal that shuts the word in the same step.
    kUrging,   // The same, and whoever looks at the word sees that it is there.
  };

  // A reading of the word, to be checked against the object's identity before
  // it is handed to Push(): the object may have died and its memory may serve
  // another since.
  using Reading = uint64_t;

  MailWord() : word_(0) {}
  MailWord(const MailWord&) = delete;
  MailWord& operator=(const MailWord&) = delete;

  static uint64_t GenerationOf(Reading reading) {
    return reading >> kGenerationShift;
  }
  static bool IsAlive(Reading reading) { return (reading & kAlive) != 0; }
  static bool IsOpen(Reading reading) {
    return (reading & (kAlive | kShut)) == kAlive;
  }

  // IDENTIFY. Acquire pairs with the release of OPEN: who reads this
  // incarnation's word reads this incarnation's identity afterwards, not an
  // older one. It pairs with the release of DIE as well.
  Reading Load() const { return word_.load(std::memory_order_acquire); }

  // For any thread: whether what was pushed as kUrging waits to be taken.
  // Relaxed: a look that comes too early is followed by another.
  bool LooksUrgent() const {
    return (word_.load(std::memory_order_relaxed) & kUrgent) != 0;
  }

  // For a quick look that is confirmed by nothing; relaxed, because a refusal
  // that comes an instant late is indistinguishable from a send that came
  // earlier.
  bool LooksOpen() const {
    return IsOpen(word_.load(std::memory_order_relaxed));
  }

  // Pushes the chain newest..oldest (linked by `next`; both may be one node).
  // Fails with kClosed if the incarnation that `reading` belongs to is dead or
  // takes no such node. The chain's oldest node is linked to what is there.
  [[nodiscard]] PushResult Push(Reading reading, Node* newest, Node* oldest,
                                Kind kind = Kind::kMessage) {
    const uint64_t generation = reading >> kGenerationShift;
    while (true) {
      if (reading >> kGenerationShift != generation) return PushResult::kClosed;
      const bool takes =
          kind == Kind::kMessage ? IsOpen(reading) : IsAlive(reading);
      if (!takes) return PushResult::kClosed;
      oldest->next = reinterpret_cast<Node*>(reading & kChain);
      uint64_t next =
          (reading & ~(kChain | kIdle)) | reinterpret_cast<uintptr_t>(newest);
      if (kind >= Kind::kClosing) next |= kShut;
      if (kind == Kind::kUrging) next |= kUrgent;
      // PUBLISH. Release pairs with the acquire of TAKE: the owner sees what
      // the nodes contain. Acquire pairs with the release of ARM: who gets the
      // token may give the object to another worker, and must pass on what
      // the owner left in it. Acquire on failure as in IDENTIFY: the failure
      // may be that the object is dead by now.
      if (word_.compare_exchange_weak(reading, next, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
        return (reading & kIdle) != 0 ? PushResult::kMustWake
                                      : PushResult::kEnqueued;
      }
    }
  }

  // Begins an incarnation. With `token_inside`, nobody is owed a wake; else the
  // caller holds the token. REQUIRES: dead; the caller owns the memory.
  void Open(bool token_inside) {
    // Relaxed: nobody writes a dead word but its owner.
    const uint64_t dead = word_.load(std::memory_order_relaxed);
    // OPEN. Release pairs with IDENTIFY.
    word_.store(dead | kAlive | (token_inside ? kIdle : 0),
                std::memory_order_release);
  }

  // Whether something lies in the word. Owner only; a hint unless the owner
  // holds the token. Relaxed: TAKE orders what matters.
  bool HasMail() const {
    return (word_.load(std::memory_order_relaxed) & kChain) != 0;
  }

  // Takes the chain, newest first; null if there is none. The token stays where
  // it is. Owner only.
  Node* Take() {
    // Relaxed: only a hint, the exchange below confirms it.
    uint64_t seen = word_.load(std::memory_order_relaxed);
    while ((seen & kChain) != 0) {
      // TAKE. Acquire pairs with the release of PUBLISH. Relaxed on failure:
      // nothing is read through `seen` until the exchange succeeds.
      if (word_.compare_exchange_weak(seen, seen & ~(kChain | kUrgent),
                                      std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return reinterpret_cast<Node*>(seen & kChain);
      }
    }
    return nullptr;
  }

  // Puts the token into the word, if the word is empty. Fails if something was
  // pushed: the owner then still holds the token and must look again.
  // REQUIRES: the owner holds the token.
  [[nodiscard]] bool Arm() {
    // Relaxed: a failed guess only repeats.
    uint64_t seen = word_.load(std::memory_order_relaxed);
    while ((seen & kChain) == 0) {
      // ARM. Release pairs with the acquire of PUBLISH: whoever takes the token
      // out sees all that the owner did to the object. Exactly the empty word
      // is replaced, so that no push slips between look and arming.
      if (word_.compare_exchange_weak(seen, seen | kIdle,
                                      std::memory_order_release,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  // Takes the token out of the word if it is there. The owner does so before it
  // gives the object away; with the token in flight it must not.
  [[nodiscard]] bool Disarm() {
    // Relaxed throughout: the token was put there by this owner, who has seen
    // all that happened before.
    uint64_t seen = word_.load(std::memory_order_relaxed);
    while ((seen & kIdle) != 0) {
      if (word_.compare_exchange_weak(seen, seen & ~kIdle,
                                      std::memory_order_relaxed,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  // Shuts the word for messages. What was pushed before is in the chain; no
  // message is pushed after. Owner only. Relaxed: the order of the read-modify-
  // writes of this one word says which push came first.
  void Shut() { word_.fetch_or(kShut, std::memory_order_relaxed); }

  // Opens it again for messages. Owner only, for a shut that came from a stale
  // signal.
  void Reopen() { word_.fetch_and(~kShut, std::memory_order_relaxed); }

  struct Remains {
    Node* chain;        // Newest first; the caller's now.
    bool token_inside;  // The token was in the word, and is the caller's now.
  };

  // Ends the incarnation. Nothing can be pushed any more. Owner only.
  Remains Die() {
    const uint64_t generation =
        (word_.load(std::memory_order_relaxed) >> kGenerationShift) + 1;
    // DIE. Acquire pairs with the release of PUBLISH, as in TAKE. Release pairs
    // with the acquire of IDENTIFY: who finds the object dead sees what its
    // owner did while it lived.
    const uint64_t last = word_.exchange(generation << kGenerationShift,
                                         std::memory_order_acq_rel);
    return {reinterpret_cast<Node*>(last & kChain), (last & kIdle) != 0};
  }

  // Makes a dead word that goes on with `generation`, of one whose memory has
  // been zeroed or is as it was left. REQUIRES: dead; the caller owns the
  // memory; no incarnation has had that generation.
  void Restart(uint64_t generation) {
    // RESTART. A store is enough: a push never succeeds on a dead word,
    // whatever its generation. Release for the same reason as in DIE, which it
    // hides.
    word_.store(generation << kGenerationShift, std::memory_order_release);
  }

 private:
  template <typename T>
  using Atomic = typename Atomics::template Atomic<T>;

  Atomic<uint64_t> word_;
};

// ---------------------------------------------------------------------------
// WorkerWord

// What comes to a worker from outside, and whether the worker sleeps.
//
//   0        the worker is busy; it looks here between turns
//   chain    objects that were pushed, newest first
//   kQuiet   the worker has nothing to run, and looks here in a loop
//   kAsleep  with kQuiet: it waits to be unparked
//   kLocked  a claimer works on the objects of a quiet worker; also beside a
//            chain, so that pushes never wait for a claimer
//
// Thread safety: Push(), TryLock(), Unlock(), LooksQuiet() and LooksAsleep()
// from any thread; the rest belongs to who drives the worker, or puts it to
// sleep and wakes it while nobody does: one at a time.
template <typename Node, typename Atomics = RealAtomics>
class WorkerWord {
 public:
  static constexpr uintptr_t kQuiet = 1;
  static constexpr uintptr_t kAsleep = 2;
  static constexpr uintptr_t kLocked = 4;
  static constexpr uintptr_t kChain = ~uintptr_t{7};

  WorkerWord() : word_(0) {}
  WorkerWord(const WorkerWord&) = delete;
  WorkerWord& operator=(const WorkerWord&) = delete;

  // Returns whether the worker slept: the caller must unpark it.
  [[nodiscard]] bool Push(Node* newest, Node* oldest) {
    // Relaxed: a failed guess only repeats.
    uintptr_t seen = word_.load(std::memory_order_relaxed);
    while (true) {
      oldest->next = reinterpret_cast<Node*>(seen & kChain);
      // DELIVER. Release pairs with the acquire of RECEIVE: the objects arrive
      // as their sender left them. It also carries on what this thread saw when
      // it got the token.
      if (word_.compare_exchange_weak(
              seen, reinterpret_cast<uintptr_t>(newest) | (seen & kLocked),
              std::memory_order_release, std::memory_order_relaxed)) {
        return (seen & kAsleep) != 0;
      }
    }
  }

  // A hint for whoever looks for a worker with nothing to do.
  bool LooksQuiet() const {
    return (word_.load(std::memory_order_relaxed) & (kQuiet | kLocked)) ==
           kQuiet;
  }
  // FIND ASLEEP. Acquire pairs with the release of FALL ASLEEP: who finds a
  // worker asleep sees what the worker delivered to others before.
  bool LooksAsleep() const {
    return (word_.load(std::memory_order_acquire) & kAsleep) != 0;
  }
  // A hint for who drives the worker, between turns.
  bool LooksEmpty() const {
    return (word_.load(std::memory_order_relaxed) & kChain) == 0;
  }

  // Locks out the worker's waking up, if it is quiet: until Unlock() the caller
  // may change what the worker owns. A few instructions at most.
  [[nodiscard]] bool TryLock() {
    uintptr_t seen = word_.load(std::memory_order_relaxed);
    if ((seen & (kQuiet | kLocked | kChain)) != kQuiet) return false;
    // LOCK. Acquire pairs with the release of REST and of UNLOCK: the claimer
    // sees what the worker owns as the worker, or the last claimer, left it.
    return word_.compare_exchange_strong(seen, seen | kLocked,
                                         std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }
  // UNLOCK. Release pairs with the acquire of RECEIVE, of RISE and of the next
  // LOCK.
  void Unlock() { word_.fetch_and(~kLocked, std::memory_order_release); }

  // Takes what was pushed, newest first; the worker is busy then. Null if there
  // is nothing.
  Node* Take() {
    uintptr_t seen = word_.load(std::memory_order_relaxed);
    while ((seen & kChain) != 0) {
      if ((seen & kLocked) != 0) {
        Atomics::SpinPause();
        seen = word_.load(std::memory_order_relaxed);
        continue;
      }
      // RECEIVE. Acquire pairs with the release of DELIVER and of UNLOCK.
      if (word_.compare_exchange_weak(seen, 0, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return reinterpret_cast<Node*>(seen);
      }
    }
    return nullptr;
  }

  // REST: busy to quiet. Fails if something was pushed. Release pairs with the
  // acquire of LOCK.
  [[nodiscard]] bool Rest() {
    uintptr_t busy = 0;
    return word_.compare_exchange_strong(
        busy, kQuiet, std::memory_order_release, std::memory_order_relaxed);
  }

  // RISE: quiet to busy, by nothing that was pushed: a timer is due, or
  // somebody else drives the worker now. False if something was pushed: then it
  // is busy already. Acquire pairs with the release of UNLOCK.
  bool Rise() {
    uintptr_t seen = word_.load(std::memory_order_relaxed);
    while ((seen & kQuiet) != 0) {
      if ((seen & kLocked) != 0) {
        Atomics::SpinPause();
        seen = word_.load(std::memory_order_relaxed);
        continue;
      }
      if (word_.compare_exchange_weak(seen, 0, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  // FALL ASLEEP: from now on a push says that it must unpark. False if
  // something was pushed. Release pairs with the acquire of FIND ASLEEP. Most
  // of it REST has released; what the worker did since, such as counting its
  // naps, it has not.
  [[nodiscard]] bool FallAsleep() {
    uintptr_t seen = word_.load(std::memory_order_relaxed);
    while ((seen & kQuiet) != 0) {
      if (word_.compare_exchange_weak(seen, seen | kAsleep,
                                      std::memory_order_release,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

 private:
  template <typename T>
  using Atomic = typename Atomics::template Atomic<T>;

  Atomic<uintptr_t> word_;
};

// ---------------------------------------------------------------------------
// Seat

// A thread's right to touch what a worker owns. The thread enters the seat for
// each such step and leaves it while it runs user code; a monitor can revoke
// the right while user code runs, and give the worker to another thread.
//
// Entering and leaving are two plain stores: revoking pays for both sides with
// an asymmetric barrier.
//
// Thread safety: Enter() and Leave() belong to the seat's thread; Revoke() and
// Settle() to one monitor at a time.
template <typename Atomics = RealAtomics>
class Seat {
 public:
  constexpr Seat() : tag_(OwnerTag::kNoSeat), inside_(0) {}
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  // Returns the tag under which the thread acts until Leave(): its worker's, or
  // kNoSeat. On kSeatBeingRevoked it must leave at once, wait until the monitor
  // has settled the seat, and enter again.
  uint64_t Enter() {
    // ENTER. A relaxed store and a load, ordered by the light barrier, which
    // pairs with the heavy one of Revoke(): either this thread sees the new
    // tag, or the monitor sees that it is inside. The acquire pairs with the
    // release of SETTLE.
    inside_.store(1, std::memory_order_relaxed);
    Atomics::LightBarrier();
    return tag_.load(std::memory_order_acquire);
  }
  // LEAVE. Release pairs with the acquire of OUTSIDE: the monitor, and the
  // thread it hands the worker to, see what was done inside.
  void Leave() { inside_.store(0, std::memory_order_release); }

  bool IsInside() const { return inside_.load(std::memory_order_relaxed) != 0; }

  // The tag, for the seat's own thread.
  uint64_t tag() const { return tag_.load(std::memory_order_relaxed); }

  // Gives the seat a tag. By the seat's own thread, inside; or by a monitor
  // that has revoked it.
  //
  // SETTLE. Release pairs with the acquire of ENTER: what a thread without its
  // seat sends comes behind what the monitor sent on for it.
  void Settle(uint64_t tag) { tag_.store(tag, std::memory_order_release); }

  // Asks the thread to stay outside. True: it is outside, and will not act as
  // the worker until Settle(). False: it was inside, and keeps its seat.
  //
  // REVOKE. The exchange returns exactly the tag that is put back on failure;
  // a thread that is inside may raise its epoch meanwhile, which overwrites the
  // revocation: hence the second look at the tag, which sees any such store
  // because OUTSIDE was read after it. Relaxed: the heavy barrier orders.
  [[nodiscard]] bool Revoke() {
    const uint64_t tag =
        tag_.exchange(OwnerTag::kSeatBeingRevoked, std::memory_order_relaxed);
    Atomics::HeavyBarrier();
    // OUTSIDE. Acquire pairs with the release of LEAVE.
    if (inside_.load(std::memory_order_acquire) == 0 &&
        tag_.load(std::memory_order_relaxed) == OwnerTag::kSeatBeingRevoked) {
      return true;
    }
    uint64_t revoked = OwnerTag::kSeatBeingRevoked;
    tag_.compare_exchange_strong(revoked, tag, std::memory_order_relaxed,
                                 std::memory_order_relaxed);
    return false;
  }

 private:
  template <typename T>
  using Atomic = typename Atomics::template Atomic<T>;

  Atomic<uint64_t> tag_;
  Atomic<uint32_t> inside_;
};

}  // namespace troupe

#endif  // TROUPE_BASE_OWNERSHIP_H_
