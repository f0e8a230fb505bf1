// Calls of an actor that wait for their answers, as its HandlerState knows
// them.
//
// Thread safety: as HandlerState.
#ifndef TROUPE_ACTOR_INTERNAL_CALL_ENTRY_H_
#define TROUPE_ACTOR_INTERNAL_CALL_ENTRY_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// A call of this actor that waits for its answer, as the table of calls knows
// it. Not virtual: this is on the way of every call, and most are a base of
// something in the frame of a coroutine, where it costs what is stored.
class CallEntry {
 public:
  // The number of the call, which its answer brings. Never used again within
  // one actor. REQUIRES: it has been in the table.
  uint64_t number() const { return number_; }

 protected:
  CallEntry() = default;
  ~CallEntry() = default;

 private:
  friend class CallTable;
  friend class MoreCalls;

  // Below its serial number stands the index of the call's slot; 0: the first.
  static constexpr int kIndexBits = 24;

  uint64_t number_;
};

// One that a coroutine awaits: a CallWait. It ends with its coroutine, before
// the actor does.
class AwaitedCall : public CallEntry {
 protected:
  AwaitedCall() = default;
  ~AwaitedCall() = default;
};

// The same, for calls that are rarer.
class PendingCall : public CallEntry {
 public:
  // The answer has come: an outcome, or a failure. The call is forgotten, and
  // may be gone on return.
  virtual void OnReply(EnvelopePtr reply) = 0;
  // The actor has ended, its coroutines are gone. The call is forgotten.
  virtual void OnActorGone() {}

 protected:
  PendingCall() = default;
  ~PendingCall() = default;
};

// One of the two, or none. One word, which tells which.
class CallRef {
 public:
  CallRef() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): it is what it refers to.
  CallRef(AwaitedCall& call) : CallRef(call, kAwaited) {}
  // NOLINTNEXTLINE(google-explicit-constructor): the same.
  CallRef(PendingCall& call) : CallRef(call, 0) {}

  bool IsNull() const { return bits_ == 0; }
  bool IsAwaited() const { return (bits_ & kAwaited) != 0; }
  // REQUIRES: IsAwaited().
  AwaitedCall& awaited() const {
    return static_cast<AwaitedCall&>(
        *reinterpret_cast<CallEntry*>(bits_ - kAwaited));
  }
  // REQUIRES: neither null nor awaited.
  PendingCall& pending() const {
    return static_cast<PendingCall&>(*reinterpret_cast<CallEntry*>(bits_));
  }
  // REQUIRES: not null.
  CallEntry& entry() const {
    return *reinterpret_cast<CallEntry*>(bits_ & ~kAwaited);
  }

 private:
  static constexpr uintptr_t kAwaited = 1;

  CallRef(CallEntry& call, uintptr_t mark)
      : bits_(reinterpret_cast<uintptr_t>(&call) + mark) {}

  uintptr_t bits_ = 0;
};

// Those beyond the first: most actors wait for one answer at a time.
class MoreCalls {
 public:
  // Gives the call its number. `serial` has never been given before. If it
  // throws std::bad_alloc, nothing has changed.
  void Add(CallRef call, uint64_t serial);
  // The call, which is forgotten; null if there is none (any more).
  CallRef Take(uint64_t number);
  bool empty() const { return free_.size() == slots_.size(); }
  // Ends all that are left, and some of what that begins.
  void AbandonAll();

 private:
  std::vector<CallRef> slots_;  // With the indices from 1 on; null: free.
  std::vector<uint32_t> free_;  // Places in `slots_`.
};

// Tells a call, which is forgotten, that the actor has ended. Not null.
inline void Abandon(CallRef call) {
  if (!call.IsAwaited()) call.pending().OnActorGone();
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CALL_ENTRY_H_
