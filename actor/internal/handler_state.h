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
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "troupe/actor/handed_state.h"
#include "troupe/actor/internal/agenda.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/internal/deadlock.h"
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
  Envelope* envelope = nullptr;  // Of what it handles; null for some hooks.
  Envelope* request = nullptr;   // The same, if that is a request.
  RootTask* next = nullptr;      // The state's.
  Wait* first_wait = nullptr;    // What it waits for.
  bool exclusive = true;         // Nothing else is handled meanwhile.
  uint8_t passes = 0;            // See Wait::Pass().
  // Its caller does not wait any more: whatever it waits for is over.
  bool cancelled = false;
  HandlerState* state = nullptr;  // Where it is kept; null: on the stack only.
};

// What code on this thread is doing for an actor, if it is. Set for as long as
// a coroutine or the handler of a request runs.
struct HandlerContext {
  Cell* cell = nullptr;         // Of a hook that another actor's thread runs.
  Envelope* request = nullptr;  // Handled now; only if it was called.
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

// The deadline of what is handled now; infinite if it has none.
inline MonotonicTime CurrentDeadline() {
  return this_handler.request != nullptr
             ? InfoOf(*this_handler.request).deadline
             : MonotonicTime::InfiniteFuture();
}

inline MonotonicTime DeadlineOf(const RootTask& root) {
  return root.request != nullptr ? InfoOf(*root.request).deadline
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

  HandlerState* state() const { return state_; }
  // Whether it is not over.
  bool is_waiting() const { return state_ != nullptr && !IsPassing(); }

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
  // Leaves all lists. Idempotent.
  void End() {
    if (state_ != nullptr) Leave();
  }

 private:
  friend class HandlerState;

  // Marks the address of a coroutine whose wait is over.
  static constexpr uintptr_t kPassing = 1;

  void Leave();
  bool Yield(std::coroutine_handle<> waiting);
  bool IsPassing() const {
    return (reinterpret_cast<uintptr_t>(waiting_) & kPassing) != 0;
  }

  HandlerState* state_ = nullptr;  // Null: does not wait. Else, since Begin():
  RootTask* root_;
  void* waiting_;  // The coroutine's address.
  Wait* next_;     // Of the root's.
  Wait** previous_;
};

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
  };

  const Type& type() const { return *type_; }

 protected:
  explicit CallEntry(const Type& type) : type_(&type) {}
  ~CallEntry() = default;

 private:
  const Type* const type_;
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

// Gives pending calls numbers that are never used again within one actor.
class CallTable {
 public:
  [[nodiscard]] uint64_t Add(CallEntry& call) {
    if (first_.call != nullptr) [[unlikely]]
      return AddMore(call);
    first_ = {NewNumber(0), &call};
    return first_.number;
  }
  // The call, which is forgotten; null if there is none (any more).
  CallEntry* Take(uint64_t number) {
    if (number != first_.number) [[unlikely]]
      return TakeOfMore(number);
    return std::exchange(first_.call, nullptr);
  }
  bool empty() const {
    return first_.call == nullptr &&
           (more_ == nullptr || more_->free.size() == more_->entries.size());
  }
  // Ends all that are left, and what that begins. Outside the seat.
  void AbandonAll();

 private:
  static constexpr int kIndexBits = 24;
  struct Entry {
    uint64_t number = 0;
    CallEntry* call = nullptr;  // Null: free.
  };

  uint64_t AddMore(CallEntry& call);
  CallEntry* TakeOfMore(uint64_t number);
  uint64_t NewNumber(uint64_t index) {
    return next_serial_++ << kIndexBits | index;
  }

  Entry first_;  // Most actors wait for one answer at a time.
  struct More {
    std::vector<Entry> entries;
    std::vector<uint32_t> free;  // Indices into `entries`.
  };
  std::unique_ptr<More> more_;
  uint64_t next_serial_ = 1;
};

// The one timer that the worker keeps for the actor.
struct CellTimer : TimerNode {
  explicit CellTimer(Cell& its_cell) : cell(its_cell) {}
  Cell& cell;
};

class HandlerState {
 public:
  explicit HandlerState(Cell& cell);
  HandlerState(const HandlerState&) = delete;
  HandlerState& operator=(const HandlerState&) = delete;
  ~HandlerState();

  // The actor's, made if need be. By the thread that runs its code.
  static HandlerState& Of(Cell& cell) {
    return cell.handler != nullptr ? *cell.handler : Make(cell);
  }

  Cell& cell() { return cell_; }

  // -- failure
  bool failed() const { return !failure_.ok(); }
  void Fail(absl::Status status) {
    if (failure_.ok()) failure_ = std::move(status);
    cell_.set_has_news(true);
  }
  const absl::Status& failure() const { return failure_; }
  absl::Status TakeFailure() {
    return std::exchange(failure_, absl::OkStatus());
  }

  // -- coroutines
  // Whether one is suspended beside which nothing may be handled.
  bool is_suspended() const { return exclusive_ != nullptr; }
  bool has_roots() const { return roots_ != nullptr; }

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
  void CancelRequest(const ReplyRoute& route);
  // Whether a message that comes now has been given up. Forgets it.
  bool TakeCancelled(const ReplyRoute& route);
  // No message waits in the mailbox that may have been.
  void ForgetCancelled();
  bool has_cancelled() const { return cancelled_ != nullptr; }
  size_t cancelled() const { return has_cancelled() ? cancelled_->size() : 0; }

  // Whether that request waits for the handler that is suspended: it is what
  // the handler handles, or it stands behind it.
  bool HoldsUp(const ReplyRoute& request) const;
  // What the suspended handler waits for, if that is one call and nothing else.
  std::optional<WaitedCall> OnlyCall() const;

  // -- calls
  CallTable& calls() { return calls_; }

  // -- time
  void Schedule(Occasion& occasion, MonotonicTime time) {
    agenda_.Add(occasion, time);
    NoteTime(time);
  }
  // Something is listed for `time`.
  void NoteTime(MonotonicTime time) {
    if (time < timer_time_) cell_.set_has_news(true);
  }
  void Unschedule(Occasion& occasion) {
    if (occasion.is_listed()) agenda_.Remove(occasion);
  }
  // Does what is due, but for the actor's own messages.
  void RunDue(MonotonicTime now);

  // Timers that the actor has started; the table is made if need be.
  bool has_timers() const { return timers_ != nullptr; }
  TimerTable& timers() {
    if (timers_ == nullptr) [[unlikely]]
      MakeTimers();
    return *timers_;
  }
  // Whether one that is a message to the actor itself is due.
  bool HasDueMessages(MonotonicTime now) const;
  // While a turn handles messages that are due, they need no timer.
  void BeginTimerTurn() { in_timer_turn_ = true; }
  void EndTimerTurn() {
    if (in_timer_turn_) cell_.set_has_news(true);
    in_timer_turn_ = false;
  }
  // The actor may handle what it could not before.
  void AddNews() { cell_.set_has_news(true); }

  // In the seat of the worker that owns the actor, outside of user code: sees
  // to it that the worker's timer fires in time for the agenda. It may fire
  // too early: what was taken out of the agenda leaves it as it is.
  void ArmTimer(Worker& worker) {
    const MonotonicTime next =
        timers_ == nullptr ? agenda_.time()
                           : std::min(agenda_.time(), NextMessageTime());
    if (next < timer_time_) SetTimer(worker, next);
  }
  // The actor goes to another worker, or ends.
  void DisarmTimer(Worker& worker);
  // It has fired.
  void TimerHasFired() { timer_time_ = MonotonicTime::InfiniteFuture(); }

  // -- other actors
  // What the actor is linked to, and monitors. Null: it has never been, and
  // never has.
  WatchTable* watches() { return watches_.get(); }
  const WatchTable* watches() const { return watches_.get(); }
  // The same, made if need be.
  WatchTable& Watches();
  // -- messages set aside
  // Null: there are none.
  Stashes* stashes() const { return stashes_.get(); }
  Stashes& MakeStashes();

  // Urgent messages that came while a handler was suspended.
  EnvelopeRing held_urgent;
  // What the actor hands on, on the way to its extras.
  HandedState handed_state;

 private:
  friend class Wait;

  // Requests, by who waits for the answer.
  using Cancelled = absl::flat_hash_set<std::pair<uint64_t, uint64_t>>;

  static HandlerState& Make(Cell& cell);
  void MakeTimers();
  void SetTimer(Worker& worker, MonotonicTime time);
  // Of the actor's own that it may handle; infinite if there is none.
  MonotonicTime NextMessageTime() const;
  RootTask& Keep(const RootTask& current);
  void Forget(RootTask& root);
  void Finish(RootTask& root);
  void Run(RootTask& root, std::coroutine_handle<> handle);

  Cell& cell_;
  absl::Status failure_;
  RootTask* roots_ = nullptr;      // All that are suspended.
  RootTask* exclusive_ = nullptr;  // One of them, or null.
  RootTask first_;                 // Memory for one of them.
  bool first_is_used_ = false;
  bool in_timer_turn_ = false;
  CallTable calls_;
  Agenda agenda_;
  CellTimer timer_;  // The worker's.
  // When the timer fires, at the latest.
  MonotonicTime timer_time_ = MonotonicTime::InfiniteFuture();
  std::unique_ptr<Cancelled> cancelled_;
  std::unique_ptr<TimerTable> timers_;  // Null: it has never had one.
  std::unique_ptr<WatchTable> watches_;
  std::unique_ptr<Stashes> stashes_;    // Likewise.
};

inline void Wait::Begin(RootTask& root, std::coroutine_handle<> waiting,
                        MonotonicTime deadline) {
  state_ = root.state;
  root_ = &root;
  waiting_ = waiting.address();
  next_ = root.first_wait;
  if (next_ != nullptr) next_->previous_ = &next_;
  previous_ = &root.first_wait;
  root.first_wait = this;
  if (deadline < MonotonicTime::InfiniteFuture()) {
    state_->Schedule(*this, deadline);
  }
}

inline void Wait::Leave() {
  state_->Unschedule(*this);
  *previous_ = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  state_ = nullptr;
}

inline void Wait::Resume() {
  HandlerState& state = *state_;
  RootTask& root = *root_;
  Leave();
  state.Run(root, std::coroutine_handle<>::from_address(waiting_));
}

inline void HandlerState::Run(RootTask& root, std::coroutine_handle<> handle) {
  this_handler.request = root.request;
  this_handler.root = &root;
  RunCoroutine(handle);
  this_handler.request = nullptr;
  this_handler.root = nullptr;
  if (root.frame.done()) Finish(root);
}

// Whether user code left a failure behind.
inline bool HasFailed(const Cell& cell) {
  return cell.handler != nullptr && cell.handler->failed();
}
// Whether a handler or hook is suspended beside which nothing is handled.
inline bool IsSuspended(const Cell& cell) {
  return cell.handler != nullptr && cell.handler->is_suspended();
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_HANDLER_STATE_H_
