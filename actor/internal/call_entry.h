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
  struct Type {
    // The answer has come: an outcome, or a failure; the function takes it
    // over. The call is forgotten, and may be gone on return.
    void (*answer)(CallEntry& call, Envelope* reply);
    // The actor has ended, its coroutines are gone. The call is forgotten.
    // Null: that cannot be.
    void (*actor_gone)(CallEntry& call);
    // Does now what the wait of the first call has put off: see
    // Wait::BeginUnlisted(). Null: nothing is.
    void (*list)(CallEntry& call);
  };

  const Type& type() const { return *type_; }
  // The number of the call, which its answer brings. Never used again within
  // one actor. REQUIRES: it has been in the table.
  uint64_t number() const { return number_; }

 protected:
  explicit CallEntry(const Type& type) : type_(&type) {}
  ~CallEntry() = default;

 private:
  friend class CallTable;
  friend class MoreCalls;

  // Below its serial number stands the index of the call's slot; 0: the first.
  static constexpr int kIndexBits = 24;

  const Type* const type_;
  uint64_t number_;
};

// The same, for calls that are rarer.
class PendingCall : public CallEntry {
 public:
  virtual void OnReply(EnvelopePtr reply) = 0;
  virtual void OnActorGone() {}

 protected:
  PendingCall() : CallEntry(kEntry) {}
  ~PendingCall() = default;

 private:
  static const Type kEntry;
};

// Those beyond the first: most actors wait for one answer at a time.
class MoreCalls {
 public:
  // Gives the call its number. `serial` has never been given before.
  void Add(CallEntry& call, uint64_t serial);
  // The call, which is forgotten; null if there is none (any more).
  CallEntry* Take(uint64_t number);
  bool empty() const { return free_.size() == slots_.size(); }
  // Ends all that are left, and some of what that begins.
  void AbandonAll();

 private:
  std::vector<CallEntry*> slots_;  // With the indices from 1 on; null: free.
  std::vector<uint32_t> free_;     // Places in `slots_`.
};

// Tells a call, which is forgotten, that the actor has ended.
void Abandon(CallEntry& call);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CALL_ENTRY_H_
