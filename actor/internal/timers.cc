#include "troupe/actor/internal/timers.h"

#include <algorithm>
#include <utility>

#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/base/check.h"
#include "troupe/base/contain.h"

namespace troupe {
namespace internal {
namespace {

// Once, to the actor itself.
class OwnMessage final : public TimerEntry {
 public:
  explicit OwnMessage(Envelope* message)
      : TimerEntry(message, /*handled_by_owner=*/true) {}

  void OnDue(HandlerState& state) override {
    Envelope* const message = TakeMessage();
    state.timers().Release(*this);
    delete this;
    Cell& cell = state.cell();
    (void)cell.actor_type().deliver(cell, message);
  }

 private:
  void Delete() override { delete this; }
};
// One cache line each: the message apart, this is what a timer takes.
static_assert(sizeof(OwnMessage) <= 64);

// Once, to another actor.
class MessageToOther final : public TimerEntry {
 public:
  explicit MessageToOther(const TimerPlan& plan)
      : TimerEntry(plan.message, /*handled_by_owner=*/false),
        target_(*plan.target),
        target_id_(plan.target_id) {}

  void OnDue(HandlerState& state) override {
    Envelope* const message = TakeMessage();
    Cell& target = target_;
    const uint64_t target_id = target_id_;
    state.timers().Release(*this);
    delete this;
    SendEnvelope(target, target_id, message);
  }

 private:
  void Delete() override { delete this; }

  Cell& target_;
  const uint64_t target_id_;
};

// A stop, or a kill.
class EndOfActor final : public TimerEntry {
 public:
  explicit EndOfActor(Ending ending)
      : TimerEntry(nullptr, /*handled_by_owner=*/false), ending_(ending) {}

  void OnDue(HandlerState& state) override {
    const Ending ending = ending_;
    state.timers().Release(*this);
    delete this;
    Cell& cell = state.cell();
    SendRequest(cell, cell.CurrentId(), ending, ExitReason::Normal());
  }

 private:
  void Delete() override { delete this; }

  const Ending ending_;
};

// At a fixed rate, to the actor itself or another.
class Repetition final : public TimerEntry {
 public:
  Repetition(const Every& every, const TimerPlan& plan)
      : TimerEntry(nullptr, plan.target == nullptr),
        plan_(plan),
        message_(plan.message),
        period_(every.period),
        missed_(every.missed) {}

  void OnDue(HandlerState& state) override {
    if (plan_.target == nullptr) {
      HandleTick(state);
    } else {
      SendTicks(state);
    }
  }

 private:
  void Delete() override { delete this; }

  void HandleTick(HandlerState& state) {
    Cell& cell = state.cell();
    if (state.timers().handles_last()) {
      Envelope* const message = message_.release();
      state.timers().Release(*this);
      delete this;
      (void)cell.actor_type().deliver(cell, message);
      return;
    }
    EnvelopePtr tick = Copy(state);
    if (tick == nullptr) return;
    // First: the handler may cancel it.
    state.timers().Restart(*this, NextTime(TimeOfTurn(*cell.system)));
    (void)cell.actor_type().deliver(cell, tick.release());
  }

  // Nobody's handler is in the way: a burst goes out at once.
  void SendTicks(HandlerState& state) {
    Cell& cell = state.cell();
    const MonotonicTime now = TimeOfTurn(*cell.system);
    MonotonicTime next = time();
    int64_t ticks = 0;
    do {
      ++ticks;
      next = NextAfter(next, now);
    } while (next <= now);
    // First: what becomes of a tick that the other does not take, or of another
    // that makes room for it, may cancel this.
    TimerTable& timers = state.timers();
    const uint32_t slot = this->slot();
    const uint64_t serial = timers.SerialOf(*this);
    timers.Restart(*this, next);
    for (; ticks > 0 && timers.Find(slot, serial) != nullptr; --ticks) {
      EnvelopePtr tick = Copy(state);
      if (tick == nullptr) return;
      SendEnvelope(*plan_.target, plan_.target_id, tick.release());
    }
  }

  // The next tick. Null: the timer is over, and this has gone. Either the copy
  // threw, which fails the actor, or it cancelled the timer.
  EnvelopePtr Copy(HandlerState& state) {
    TimerTable& timers = state.timers();
    const uint32_t slot = this->slot();
    const uint64_t serial = timers.SerialOf(*this);
    const auto copy = plan_.copy;
    // Not to be destroyed while it is copied.
    EnvelopePtr message = std::move(message_);
    EnvelopePtr tick;
    absl::Status status = Contain([&] { tick.reset(copy(*message)); });
    if (!status.ok()) RecordFailure(state.cell(), std::move(status));
    if (timers.Find(slot, serial) == nullptr) return nullptr;
    message_ = std::move(message);
    if (tick == nullptr) timers.Drop(*this);
    return tick;
  }

  MonotonicTime NextTime(MonotonicTime now) const {
    return NextAfter(time(), now);
  }
  MonotonicTime NextAfter(MonotonicTime tick, MonotonicTime now) const {
    const MonotonicTime next = tick + period_;
    if (missed_ == MissedTicks::kBurst || next > now) return next;
    // Whole periods that have passed, dropped.
    const int64_t period_ns = absl::ToInt64Nanoseconds(period_);
    const int64_t late_ns = now.ToNanoseconds() - tick.ToNanoseconds();
    return tick + absl::Nanoseconds(late_ns - late_ns % period_ns) + period_;
  }

  const TimerPlan plan_;
  EnvelopePtr message_;  // The plan's.
  const absl::Duration period_;
  const MissedTicks missed_;
};

// For code of the actor; null if it starts no timers any more.
TimerTable* TableOf(Cell& cell) {
  TROUPE_DCHECK(CurrentActor() == &cell, "an actor starts its timers itself");
  return IsExiting(cell) ? nullptr : &HandlerState::Of(cell).timers();
}

}  // namespace

// -- TimerTable

void TimerTable::List(TimerEntry& entry, MonotonicTime time) {
  if (entry.handled_by_owner()) {
    messages_.Add(entry, time);
    state_.NoteTime(time);
  } else {
    state_.Schedule(entry, time);
  }
}

void TimerTable::Unlist(TimerEntry& entry) {
  if (!entry.is_listed()) return;
  if (entry.handled_by_owner()) {
    messages_.Remove(entry);
  } else {
    state_.Unschedule(entry);
  }
}

Timer TimerTable::Start(TimerEntry& entry, MonotonicTime time) {
  if (free_ == kNone) [[unlikely]] {
    struct Undoing {
      ~Undoing() {
        if (done) return;
        const EnvelopePtr message(entry.TakeMessage());
        entry.Delete();
      }
      TimerEntry& entry;
      bool done;
    } undoing{entry, false};  // If there is no memory.
    slots_.push_back({nullptr, kNone});
    free_ = static_cast<uint32_t>(slots_.size() - 1);
    undoing.done = true;
  }
  const uint32_t index = free_;
  Slot& slot = slots_[index];
  free_ = static_cast<uint32_t>(slot.serial);
  ++used_;
  slot = {&entry, next_serial_++};
  entry.slot_ = index;
  List(entry, time);
  return Timer(state_.cell().CurrentId(), slot.serial, index);
}

void TimerTable::Release(TimerEntry& entry) {
  slots_[entry.slot_] = {nullptr, free_};
  free_ = entry.slot_;
  --used_;
}

void TimerTable::Drop(TimerEntry& entry) {
  Unlist(entry);
  Release(entry);
  Envelope* const message = entry.TakeMessage();
  entry.Delete();
  if (message != nullptr) DestroyEnvelope(message);
}

void TimerTable::DropAll() {
  // What destructors of messages cancel meanwhile is gone; they start nothing.
  for (size_t i = 0; used_ > 0; ++i) {
    if (slots_[i].entry != nullptr) Drop(*slots_[i].entry);
  }
}

bool TimerTable::HasLast(MonotonicTime now) {
  const Agenda& others = state_.agenda();
  if (!last_.has_value()) last_ = Last{now, messages_.Mark(), others.Mark()};
  return messages_.HasDue(last_->now, last_->messages_mark) ||
         others.HasDue(last_->now, last_->others_mark);
}

// -- starting

Timer SendLater(Cell& cell, absl::Duration delay, const TimerPlan& plan) {
  EnvelopePtr message(plan.message);
  TimerTable* const table = TableOf(cell);
  if (table == nullptr) return Timer();
  const MonotonicTime time = TimeAfter(*cell.system, delay);
  TimerEntry* entry;
  if (plan.target == nullptr) {
    entry = new OwnMessage(plan.message);
  } else {
    entry = new MessageToOther(plan);
  }
  (void)message.release();
  return table->Start(*entry, time);
}

Timer SendRepeatedly(Cell& cell, const Every& every, const TimerPlan& plan) {
  TROUPE_CHECK(every.period >= absl::Nanoseconds(1),
               "a period is a nanosecond at least");
  EnvelopePtr message(plan.message);
  TimerTable* const table = TableOf(cell);
  if (table == nullptr) return Timer();
  const MonotonicTime first =
      TimeAfter(*cell.system, every.first_after.value_or(every.period));
  auto* const entry = new Repetition(every, plan);
  (void)message.release();
  return table->Start(*entry, first);
}

Timer EndLater(Cell& cell, absl::Duration delay, Ending ending) {
  TimerTable* const table = TableOf(cell);
  if (table == nullptr) return Timer();
  return table->Start(*new EndOfActor(ending), TimeAfter(*cell.system, delay));
}

// -- TimerTurn

void TimerTurn::Begin(MonotonicTime now) {
  state_ = State::kOn;
  now_ = now;
  if (cell_.handler->has_timers()) {
    mark_ = cell_.handler->timers().messages().Mark();
  }
  cell_.handler->BeginTimerTurn();
}

Occasion* TimerTurn::Next() {
  HandlerState& state = *cell_.handler;
  if (state.has_timers() && HandlesTimers(cell_) &&
      (++handled_ % kTimersPerLook != 0 || !TurnIsLong(cell_, clock_))) {
    if (Occasion* const due = state.timers().PopDue(now_, mark_)) return due;
  }
  state_ = State::kOver;
  state.EndTimerTurn();
  return nullptr;
}

namespace {

// The table and entry of a handle; null if it is over.
struct Found {
  TimerTable* table = nullptr;
  TimerEntry* entry = nullptr;
  Cell* actor = nullptr;

  [[gnu::always_inline]] absl::Duration TimeLeft() const {
    const MonotonicTime time = entry->time();
    if (time == MonotonicTime::InfiniteFuture()) {
      return absl::InfiniteDuration();
    }
    // Plain numbers: both are finite and none is negative.
    const int64_t left_ns =
        time.ToNanoseconds() - TimeOfTurn(*actor->system).ToNanoseconds();
    return absl::Nanoseconds(std::max<int64_t>(0, left_ns));
  }
};

[[gnu::always_inline]] inline Found Find(uint64_t actor_id, uint64_t serial,
                                         uint32_t slot) {
  if (actor_id == 0) return {};
  Cell* const actor = CurrentActor();
  TROUPE_CHECK(actor != nullptr && actor->CurrentId() == actor_id,
               "a Timer is used by the actor that started it");
  if (actor->handler == nullptr || !actor->handler->has_timers()) return {};
  TimerTable& table = actor->handler->timers();
  return {&table, table.Find(slot, serial), actor};
}

}  // namespace
}  // namespace internal

std::optional<absl::Duration> Timer::Cancel() {
  const internal::Found found = internal::Find(actor_id_, serial_, slot_);
  if (found.entry == nullptr) return std::nullopt;
  const absl::Duration left = found.TimeLeft();
  found.table->Drop(*found.entry);
  return left;
}

std::optional<absl::Duration> Timer::time_left() const {
  const internal::Found found = internal::Find(actor_id_, serial_, slot_);
  if (found.entry == nullptr) return std::nullopt;
  return found.TimeLeft();
}

bool Timer::pending() const {
  return internal::Find(actor_id_, serial_, slot_).entry != nullptr;
}

}  // namespace troupe
