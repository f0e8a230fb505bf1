// What the code of an actor has under way: calls that wait for their answers,
// coroutines that are suspended, things to do at some time, a failure. Made
// when it is first needed; most actors never have one.
//
// Thread safety: belongs to the thread that runs the actor's code, in its seat
// or not; between turns to the worker that owns the actor. Only the timer is
// always the worker's.
#ifndef TROUPE_ACTOR_INTERNAL_HANDLER_STATE_H_
#define TROUPE_ACTOR_INTERNAL_HANDLER_STATE_H_

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/handed_state.h"
#include "troupe/actor/internal/agenda.h"
#include "troupe/actor/internal/call_entry.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/internal/deadlock.h"
#include "troupe/actor/internal/frame_memory.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"
#include "troupe/scheduler/timer_wheel.h"

namespace troupe::internal {

class HandlerState;
class Stashes;
class TimerTable;
class Wait;
class WatchTable;

// A handler or hook that is a coroutine, from its start to its end.
struct RootTask {
  // Ends it. With `ended` null, its frame is done: its result is the answer, or
  // fails the actor. Else the actor ends for that reason, and the frame is
  // destroyed where it is suspended. The envelope, if there is one, is answered
  // and destroyed. Outside the seat.
  using Finish = void (*)(Cell& cell, RootTask& root, const ExitReason* ended);

  std::coroutine_handle<> frame;
  Finish finish = nullptr;
  Envelope* envelope = nullptr;   // Of what it handles; null for some hooks.
  Wait* first_wait = nullptr;     // What it waits for.
  HandlerState* state = nullptr;  // Where it is kept; null: on the stack only.
  // The calls that it makes end by then: the deadline of its request, and the
  // infinite past once that was cancelled.
  MonotonicTime limit = MonotonicTime::InfiniteFuture();
  bool exclusive = true;  // Nothing else is handled meanwhile.
  bool handles_request = false;
  uint8_t passes = 0;  // See Wait::Pass().
  // Its caller does not wait any more: whatever it waits for is over.
  bool cancelled = false;
};

// What code on this thread is doing for an actor, if it is. Set for as long as
// a coroutine or the handler of a request runs.
struct HandlerContext {
  Cell* cell = nullptr;         // Of a hook that another actor's thread runs.
  Envelope* request = nullptr;  // Handled now, by a plain function.
  RootTask* root = nullptr;
};
extern constinit thread_local HandlerContext this_handler;

// Says that the calling thread runs code of an actor outside of its turns.
class ActingFor {
 public:
  explicit ActingFor(Cell& cell) { this_handler = {&cell, nullptr, nullptr}; }
  ~ActingFor() { this_handler = outer_; }
  ActingFor(const ActingFor&) = delete;
  ActingFor& operator=(const ActingFor&) = delete;

 private:
  const HandlerContext outer_ = this_handler;
};

// The actor whose code the calling thread runs; null on other threads.
Cell* CurrentActor();

inline MonotonicTime DeadlineOf(const RootTask& root) {
  return root.handles_request ? InfoOf(*root.envelope).deadline
                              : MonotonicTime::InfiniteFuture();
}

// The deadline of what is handled now; infinite if it has none.
inline MonotonicTime CurrentDeadline() {
  if (this_handler.root != nullptr) return DeadlineOf(*this_handler.root);
  return this_handler.request != nullptr
             ? InfoOf(*this_handler.request).deadline
             : MonotonicTime::InfiniteFuture();
}

// Something with a time in the agenda of an actor.
class Occasion : public AgendaEntry {
 public:
  // The time has come; it is listed no more. Outside the seat.
  virtual void OnDue(HandlerState& state) = 0;

 protected:
  Occasion() = default;
  ~Occasion() = default;
};

// Something that a suspended handler waits for. Lives in a coroutine's frame,
// and ends with it.
class Wait : public Occasion {
 public:
  // The handler has been told to give up: `why` is what the wait yields, once
  // Resume() was called.
  virtual void OnCancel(const absl::Status& why) = 0;

  // Ends the wait and goes on with the handler, up to its next wait or its end.
  // The wait, and its frame, may be gone on return. Between handlers.
  void Resume();

  // If this is a wait for one call's answer: that call.
  virtual std::optional<WaitedCall> ItsCall() const { return std::nullopt; }

  // Whether the handler's request was given up before the wait began.
  static bool IsCancelled() {
    return this_handler.root != nullptr && this_handler.root->cancelled;
  }

 protected:
  Wait() = default;
  ~Wait() { End(); }

  // How many waits of a handler may be over before they begin until others get
  // their turn.
  static constexpr uint8_t kMaxPasses = 64;

  // For an await_suspend() whose wait is over before it begins. Mostly false,
  // the coroutine goes on at once; but so that one that does nothing else
  // cannot keep its worker for ever, every kMaxPasses-th time true: it is
  // suspended, and goes on when others have run. OnDue() begins with
  //
  //   if (GoesOn()) return;
  //
  // and OnCancel() and ItsCall() are not called.
  [[nodiscard]] bool Pass(std::coroutine_handle<> waiting) {
    RootTask* const root = this_handler.root;
    return root != nullptr && ++root->passes >= kMaxPasses && Yield(waiting);
  }
  // Goes on, if the wait was over already.
  [[nodiscard]] bool GoesOn();

  // Whether its coroutine is suspended, be it that it only lets others have
  // their turn.
  bool HasBegun() const { return root_ != nullptr; }
  // Whether it is not over.
  bool is_waiting() const { return root_ != nullptr && !IsPassing(); }
  // REQUIRES: is_waiting().
  HandlerState* state() const { return root_->state; }

  // Of the request that is handled; infinite if there is none.
  // REQUIRES: is_waiting().
  MonotonicTime handler_deadline() const { return DeadlineOf(*root_); }

  // The coroutine that runs, of the handler `root`, suspends itself, until
  // Resume(). Infinite: without limit. REQUIRES: `root` is kept.
  void Begin(RootTask& root, std::coroutine_handle<> waiting,
             MonotonicTime deadline);
  // The same, whatever handler of the state's actor runs.
  void Begin(HandlerState& state, std::coroutine_handle<> waiting,
             MonotonicTime deadline);
  // The same for the wait of the first call in the table: mostly its answer
  // comes before anybody looks at what the handler waits for or at what is due,
  // and so it is in no list until somebody does
  // (HandlerState::ListFirstCall()). In two steps; between them the wait has
  // not begun.
  void PrepareUnlisted(std::coroutine_handle<> waiting) {
    waiting_ = waiting.address();
  }
  void BeginUnlisted(RootTask& root, MonotonicTime time);
  // Does. Idempotent. REQUIRES: it has begun.
  void List();
  // Leaves all lists. Idempotent.
  void End() {
    if (root_ != nullptr) Leave();
  }

 private:
  friend class HandlerState;

  // Marks the address of a coroutine whose wait is over.
  static constexpr uintptr_t kPassing = 1;

  // To the waits of the root.
  void AddToRoot() {
    next_ = root_->first_wait;
    if (next_ != nullptr) next_->previous_ = &next_;
    previous_ = &root_->first_wait;
    root_->first_wait = this;
  }
  void Leave();
  bool Yield(std::coroutine_handle<> waiting);
  bool IsPassing() const {
    return (reinterpret_cast<uintptr_t>(waiting_) & kPassing) != 0;
  }

  RootTask* root_ = nullptr;  // Null: does not wait. Else, since Begin():
  Wait** previous_;           // Of the root's. Null: not listed yet.
  void* waiting_;             // The coroutine's address.
  Wait* next_;                // Of the root's.
};

// The one timer that the worker keeps for the actor.
struct CellTimer : TimerNode {
  explicit CellTimer(Cell& its_cell) : cell(its_cell) {}
  Cell& cell;
};

// Calls of the actor that wait for their answers: a part of its HandlerState.
class CallTable {
 public:
  explicit CallTable(HandlerState& state) : state_(state) {}

  // Gives the call, which is awaited or pending, its number.
  template <typename Call>
  void Add(Call& call);
  // The same where none waits, whose number is returned. Whether one does:
  bool has_first() const;
  template <typename Call>
  uint64_t AddFirst(Call& call);
  // The call, which is forgotten; null if there is none (any more).
  CallRef Take(uint64_t number);
  // The same if it is the first and awaited; null if not.
  AwaitedCall* TakeFirstAwaited(uint64_t number);
  bool empty() const;
  // Ends all that are left, and what that begins. Outside the seat.
  void AbandonAll();

 private:
  HandlerState& state_;
};

// What few of those have that have a HandlerState, and none that only waits:
// apart from it.
struct HandlerExtras : FrameMemory {
  // Requests, by who waits for the answer.
  using Cancelled = absl::flat_hash_set<std::pair<uint64_t, uint64_t>>;
  // One that was suspended when another was.
  struct Root : FrameMemory {
    RootTask task;
    Root* older;
  };

  HandlerExtras();
  ~HandlerExtras();

  absl::Status failure;
  const MessageType* failed_at = nullptr;  // Null: at no message.
  Root* youngest_root = nullptr;
  EnvelopeRing held_urgent;
  HandedState handed_state;
  MoreCalls calls;
  // Null: there are, or were, none.
  std::unique_ptr<Cancelled> cancelled;
  std::unique_ptr<TimerTable> timers;
  std::unique_ptr<WatchTable> watches;
  std::unique_ptr<Stashes> stashes;
};

// Memory from the EnvelopePool, as small as it can be: an actor that sleeps has
// one.
class HandlerState : public FrameMemory {
 public:
  explicit HandlerState(Cell& cell);
  HandlerState(const HandlerState&) = delete;
  HandlerState& operator=(const HandlerState&) = delete;
  ~HandlerState();

  // The actor's, made if need be. By the thread that runs its code.
  static HandlerState& Of(Cell& cell) {
    return cell.handler != nullptr ? *cell.handler : Make(cell);
  }

  Cell& cell() const { return timer_.cell; }

  // -- failure
  bool failed() const { return extras_ != nullptr && !extras_->failure.ok(); }
  void Fail(absl::Status status, const MessageType* at);
  // REQUIRES of both: failed().
  ExitReason failure() const {
    const MessageType* const at = extras_->failed_at;
    if (at == nullptr) return ExitReason::Failed(extras_->failure);
    return ExitReason::Failed(extras_->failure,
                              {at->name.data(), at->name.size()});
  }
  ExitReason TakeFailure() {
    ExitReason reason = failure();
    extras_->failure = absl::OkStatus();
    extras_->failed_at = nullptr;
    return reason;
  }

  // -- coroutines
  // Whether one is suspended beside which nothing may be handled.
  bool is_suspended() const { return cell().has_mark(Cell::kExclusive); }
  bool has_roots() const {
    return first_.state != nullptr ||
           (extras_ != nullptr && extras_->youngest_root != nullptr);
  }

  // The handler or hook that runs on this thread, kept from here on. REQUIRES:
  // there is one.
  static RootTask& KeepCurrentRoot() {
    RootTask& root = *this_handler.root;
    return root.state != nullptr ? root : Of(*CurrentActor()).Keep(root);
  }

  // Runs the coroutine of a handler or hook until it is suspended or ends; then
  // it is finished. Outside the seat.
  static void Start(Cell& cell, RootTask& root);
  // The actor ends: destroys what is suspended, the youngest first.
  void PrepareToEnd(const ExitReason& why);
  // The caller of a request waits no more.
  static void CancelRequest(Cell& cell, const ReplyRoute& route);
  // Whether a message that comes now has been given up. Forgets it.
  bool TakeCancelled(const ReplyRoute& route);
  // No message waits in the mailbox that may have been.
  void ForgetCancelled();
  bool has_cancelled() const {
    return extras_ != nullptr && extras_->cancelled != nullptr;
  }
  size_t cancelled() const {
    return has_cancelled() ? extras_->cancelled->size() : 0;
  }

  // Whether that request waits for the handler that is suspended: it is what
  // the handler handles, or it stands behind it.
  bool HoldsUp(const ReplyRoute& request);
  // What the suspended handler waits for, if that is one call and nothing else.
  std::optional<WaitedCall> OnlyCall();

  // -- calls
  CallTable calls() { return CallTable(*this); }

  // -- time
  void Schedule(Occasion& occasion, MonotonicTime time) {
    ListFirstCall();  // It is older.
    agenda_.Add(occasion, time);
    NoteTime(time);
  }
  // Something is listed for `time`.
  void NoteTime(MonotonicTime time) {
    if (time < timer_time_) AddNews();
  }
  void Unschedule(Occasion& occasion) {
    if (occasion.is_listed()) agenda_.Remove(occasion);
  }
  const Agenda& agenda() const { return agenda_; }
  // Does what is due, but for the actor's own messages.
  void RunDue(MonotonicTime now);

  // Timers that the actor has started; the table is made if need be.
  bool has_timers() const {
    return extras_ != nullptr && extras_->timers != nullptr;
  }
  TimerTable& timers() {
    return has_timers() ? *extras_->timers : MakeTimers();
  }
  // Whether one that is a message to the actor itself is due.
  bool HasDueMessages(MonotonicTime now) const;
  // While a turn handles messages that are due, they need no timer.
  void BeginTimerTurn() { cell().set_mark(Cell::kTimerTurn, true); }
  void EndTimerTurn() {
    if (!cell().has_mark(Cell::kTimerTurn)) return;
    cell().set_mark(Cell::kTimerTurn, false);
    AddNews();
  }
  // The actor may handle what it could not before.
  void AddNews() { cell().set_has_news(true); }

  // In the seat of the worker that owns the actor, outside of user code: sees
  // to it that the worker's timer fires in time for the agenda. It may fire
  // too early: what was taken out of the agenda leaves it as it is.
  void ArmTimer(Worker& worker) {
    ListFirstCall();
    const MonotonicTime next = has_timers()
                                   ? std::min(agenda_.time(), NextMessageTime())
                                   : agenda_.time();
    if (next < timer_time_) SetTimer(worker, next);
  }
  // Lists what the first call's wait has left for later: before anybody looks
  // at the agenda or at the waits of a handler, or adds to them.
  void ListFirstCall() {
    if (first_call_.IsAwaited()) List(first_call_.awaited());
  }
  // The actor goes to another worker, or ends.
  void DisarmTimer(Worker& worker);
  // It has fired.
  void TimerHasFired() { timer_time_ = MonotonicTime::InfiniteFuture(); }

  // -- other actors
  // What the actor is linked to, and monitors. Null: it has never been, and
  // never has.
  WatchTable* watches() const {
    return extras_ != nullptr ? extras_->watches.get() : nullptr;
  }
  // The same, made if need be.
  WatchTable& Watches();
  // What the actor hands on, on the way to its cell's extras.
  void HandOn(HandedState state) { Extras().handed_state = std::move(state); }
  HandedState TakeHandedState() {
    return extras_ != nullptr
               ? std::exchange(extras_->handed_state, HandedState())
               : HandedState();
  }

  // -- messages set aside
  // Null: there are none.
  Stashes* stashes() const {
    return extras_ != nullptr ? extras_->stashes.get() : nullptr;
  }
  Stashes& MakeStashes();

  // -- urgent messages that came while a handler was suspended
  bool holds_urgent() const {
    return extras_ != nullptr && !extras_->held_urgent.empty();
  }
  void HoldUrgent(Envelope* envelope) { Extras().held_urgent.Append(envelope); }
  // Null: there is none.
  Envelope* PopUrgent() {
    return holds_urgent() ? extras_->held_urgent.Pop() : nullptr;
  }

 private:
  friend class CallTable;
  friend class Wait;
  using Cancelled = HandlerExtras::Cancelled;

  static HandlerState& Make(Cell& cell);
  static void List(AwaitedCall& call);
  HandlerExtras& Extras() {
    return extras_ != nullptr ? *extras_ : MakeExtras();
  }
  HandlerExtras& MakeExtras();
  TimerTable& MakeTimers();
  void SetTimer(Worker& worker, MonotonicTime time);
  // Of the actor's own that it may handle; infinite if there is none.
  MonotonicTime NextMessageTime() const;
  RootTask& Keep(const RootTask& current);
  void Forget(RootTask& root);
  // The one that was kept last: the exclusive one, if one is. Null: there is
  // none.
  RootTask* YoungestRoot();
  // The one that handles it; null if none does.
  RootTask* RootFor(const ReplyRoute& request);
  void CancelRoot(RootTask& root, const ReplyRoute& request);
  void Finish(RootTask& root);
  static void Run(RootTask& root, std::coroutine_handle<> handle);

  CellTimer timer_;  // The worker's.
  // When the timer fires, at the latest.
  MonotonicTime timer_time_ = MonotonicTime::InfiniteFuture();
  Agenda agenda_;  // Its numbers are those of calls, too.
  CallRef first_call_;
  std::unique_ptr<HandlerExtras> extras_;  // Made when needed.
  // A coroutine that is suspended, older than those in the extras. Has a state
  // if it is one.
  RootTask first_;
};

static_assert(sizeof(HandlerState) <= 128);

inline bool CallTable::has_first() const {
  return !state_.first_call_.IsNull();
}

template <typename Call>
uint64_t CallTable::AddFirst(Call& call) {
  CallEntry& entry = call;
  const uint64_t number = state_.agenda_.TakeNumber() << CallEntry::kIndexBits;
  entry.number_ = number;
  state_.first_call_ = CallRef(call);
  return number;
}

template <typename Call>
void CallTable::Add(Call& call) {
  if (!has_first()) [[likely]] {
    (void)AddFirst(call);
  } else {
    state_.Extras().calls.Add(call, state_.agenda_.TakeNumber());
  }
}

inline CallRef CallTable::Take(uint64_t number) {
  CallRef& first = state_.first_call_;
  if (!first.IsNull() && first.entry().number() == number) [[likely]]
    return std::exchange(first, CallRef());
  return state_.extras_ != nullptr ? state_.extras_->calls.Take(number)
                                   : CallRef();
}

inline AwaitedCall* CallTable::TakeFirstAwaited(uint64_t number) {
  const CallRef first = state_.first_call_;
  if (!first.IsAwaited() || first.awaited().number() != number) [[unlikely]]
    return nullptr;
  state_.first_call_ = CallRef();
  return &first.awaited();
}

inline bool CallTable::empty() const {
  return !has_first() &&
         (state_.extras_ == nullptr || state_.extras_->calls.empty());
}

inline void Wait::Begin(RootTask& root, std::coroutine_handle<> waiting,
                        MonotonicTime deadline) {
  root.state->ListFirstCall();  // It is older.
  root_ = &root;
  waiting_ = waiting.address();
  AddToRoot();
  if (deadline < MonotonicTime::InfiniteFuture()) {
    root.state->Schedule(*this, deadline);
  }
}

inline void Wait::BeginUnlisted(RootTask& root, MonotonicTime time) {
  HandlerState& state = *root.state;
  root_ = &root;
  previous_ = nullptr;
  set_time(time);
  state.NoteTime(time);
}

inline void Wait::Leave() {
  if (previous_ != nullptr) {
    root_->state->Unschedule(*this);
    *previous_ = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
  }
  root_ = nullptr;
}

inline void Wait::Resume() {
  RootTask& root = *root_;
  Leave();
  HandlerState::Run(root, std::coroutine_handle<>::from_address(waiting_));
}

inline void HandlerState::Run(RootTask& root, std::coroutine_handle<> handle) {
  this_handler.root = &root;
  RunCoroutine(handle);
  this_handler.root = nullptr;
  if (root.frame.done()) root.state->Finish(root);
}

// Whether user code left a failure behind.
inline bool HasFailed(const Cell& cell) {
  return cell.handler != nullptr && cell.handler->failed();
}
// Whether a handler or hook is suspended beside which nothing is handled.
inline bool IsSuspended(const Cell& cell) {
  return cell.has_mark(Cell::kExclusive);
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_HANDLER_STATE_H_
