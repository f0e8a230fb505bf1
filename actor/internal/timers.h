// The timers that an actor has started; see timer.h.
//
// There are two lanes. A message to the actor itself is handled as its others
// are, in a turn, one user call after the other, and never beside an exclusive
// handler that is suspended: it waits in an agenda of its own, where it can be
// cancelled until the last moment. All else (a message to another actor, a
// stop, a kill) concerns no handler, and is an occasion among the deadlines of
// calls.
#ifndef TROUPE_ACTOR_INTERNAL_TIMERS_H_
#define TROUPE_ACTOR_INTERNAL_TIMERS_H_

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actor/internal/agenda.h"
#include "troupe/actor/internal/build.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/frame_memory.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/timer.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// One timer. Its memory comes from the EnvelopePool.
class TimerEntry : public Occasion, public FrameMemory {
 public:
  bool handled_by_owner() const { return handled_by_owner_; }
  // Where the table keeps it.
  uint32_t slot() const { return slot_; }

 protected:
  TimerEntry(Envelope* message, bool handled_by_owner)
      : handled_by_owner_(handled_by_owner), message_(message) {}
  ~TimerEntry() = default;

  Envelope* TakeMessage() { return std::exchange(message_, nullptr); }

 private:
  friend class TimerTable;
  // Of the most derived class.
  virtual void Delete() = 0;

  const bool handled_by_owner_;
  uint32_t slot_ = 0;
  Envelope* message_;  // Null: it has none.
};

// All timers of an actor. Made when the first is started.
//
// Thread safety: as HandlerState, which owns it.
class TimerTable : public FrameMemory {
 public:
  explicit TimerTable(HandlerState& state) : state_(state) {}
  TimerTable(const TimerTable&) = delete;
  TimerTable& operator=(const TimerTable&) = delete;
  ~TimerTable() { DropAll(); }

  // Takes over `entry`.
  Timer Start(TimerEntry& entry, MonotonicTime time);
  // Null: it is over.
  TimerEntry* Find(uint32_t slot, uint64_t serial) const {
    return slot < slots_.size() && slots_[slot].serial == serial
               ? slots_[slot].entry
               : nullptr;
  }
  uint64_t SerialOf(const TimerEntry& entry) const {
    return slots_[entry.slot_].serial;
  }
  // Sets one that has become due anew.
  void Restart(TimerEntry& entry, MonotonicTime time) { List(entry, time); }
  // The handle is over. The entry is listed no more, and the caller's.
  void Release(TimerEntry& entry);
  // Ends it. What its message's destructor does is the user's.
  void Drop(TimerEntry& entry);
  void DropAll();

  // What the owner is to handle.
  const Agenda& messages() const { return messages_; }
  TimerEntry* PopDue(MonotonicTime now, uint64_t mark) {
    return static_cast<TimerEntry*>(messages_.PopDue(now, mark));
  }

  // The actor drains, and has handled all its messages: what is due now, to
  // itself or others, is handled once, and what was not due is not. Whether
  // there is some left.
  bool HasLast(MonotonicTime now);
  bool handles_last() const { return last_.has_value(); }

 private:
  struct Slot {
    TimerEntry* entry = nullptr;  // Null: free.
    uint64_t serial = 0;          // The next free slot, if it is free.
  };
  struct Last {
    MonotonicTime now;
    uint64_t messages_mark;
    uint64_t others_mark;  // In the state's agenda.
  };
  static constexpr uint32_t kNone = ~uint32_t{0};

  void List(TimerEntry& entry, MonotonicTime time);
  void Unlist(TimerEntry& entry);

  HandlerState& state_;
  Agenda messages_;
  std::vector<Slot> slots_;
  uint32_t free_ = kNone;
  uint32_t used_ = 0;
  uint64_t next_serial_ = 1;
  std::optional<Last> last_;
};

// What a timer is to do.
struct TimerPlan {
  Envelope* message = nullptr;
  // To whom, if not to the actor itself.
  Cell* target = nullptr;
  uint64_t target_id = 0;
  // Null: once.
  Envelope* (*copy)(Envelope& message) = nullptr;
};

// By the actor's own code. Takes over the message.
Timer SendLater(Cell& cell, absl::Duration delay, const TimerPlan& plan);
Timer SendRepeatedly(Cell& cell, const Every& every, const TimerPlan& plan);
Timer EndLater(Cell& cell, absl::Duration delay, Ending ending);

// To another actor.
template <typename M, typename To>
TimerPlan PlanFor(const To& to, Envelope* message) {
  static_assert(kListContains<typename To::Messages, M>,
                "this actor does not take this message: it is in none of the "
                "protocols of the ActorRef");
  return {message, to.cell() != nullptr ? to.cell() : &NoCell(),
          to.id().value()};
}

// The same again and again.
template <typename M>
TimerPlan Repeated(TimerPlan plan) {
  static_assert(std::is_copy_constructible_v<M>,
                "a message that is sent every so often is copied for each "
                "tick: this one cannot be copied");
  if constexpr (std::is_copy_constructible_v<M>) {
    plan.copy = [](Envelope& message) {
      return MakeMessage<M>(std::as_const(message.As<M>()));
    };
  }
  return plan;
}

// Whether the actor handles the messages of its timers now. In the seat.
inline bool HandlesTimers(const Cell& cell) {
  return cell.phase == Phase::kRunning && cell.request() < Ending::kStop &&
         !IsSuspended(cell);
}

// Whether an actor that has been drained has timers to handle still: those that
// were due when the last message had been handled. In the seat.
inline bool HasLastTimers(Cell& cell, MonotonicTime now) {
  return cell.handler != nullptr && cell.handler->has_timers() &&
         cell.handler->timers().HasLast(now);
}

// The timers that a turn handles: those that are due when it begins with them,
// unless that takes too long.
class TimerTurn {
 public:
  explicit TimerTurn(Cell& cell) : cell_(cell) {
    // One that lost its seat has not ended.
    if (cell.handler != nullptr) cell.handler->EndTimerTurn();
  }

  bool has_begun() const { return state_ != State::kNotBegun; }
  bool is_on() const { return state_ == State::kOn; }
  // REQUIRES: not begun; the actor has a state.
  void Begin(MonotonicTime now);
  // The next to be handled; null if there is none: then it is over.
  Occasion* Next();

 private:
  enum class State : uint8_t { kNotBegun, kOn, kOver };
  static constexpr uint32_t kTimersPerLook = 64;

  Cell& cell_;
  State state_ = State::kNotBegun;
  MonotonicTime now_;
  uint64_t mark_ = 0;
  uint32_t handled_ = 0;
  TurnClock clock_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_TIMERS_H_
