#include "troupe/actor/internal/handler_state.h"

#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/stashes.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/internal/timers.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/base/check.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

constinit thread_local HandlerContext this_handler;

Cell* CurrentActor() {
  if (this_handler.cell != nullptr) return this_handler.cell;
  Runnable* const running = this_thread.running;
  // A turn may be that of something else: a posted closure.
  return running != nullptr && running->type->woken == &CellWoken
             ? static_cast<Cell*>(running)
             : nullptr;
}

// -- Wait

void Wait::Begin(HandlerState& state, std::coroutine_handle<> waiting,
                 MonotonicTime deadline) {
  RootTask& current = *this_handler.root;
  Begin(current.state != nullptr ? current : state.Keep(current), waiting,
        deadline);
}

bool Wait::Yield(std::coroutine_handle<> waiting) {
  RootTask& root = HandlerState::KeepCurrentRoot();
  // All that passes until this one goes on is suspended, too: else what stands
  // beside it in a WhenAny() would end that at once.
  root.passes = kMaxPasses - 1;
  Begin(root, waiting, TimeOfTurn(*root.state->cell().system));
  waiting_ =
      reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(waiting_) | kPassing);
  return true;
}

void Wait::List() {
  if (previous_ != nullptr) return;
  AddToRoot();
  root_->state->agenda_.Add(*this, time());
}

bool Wait::GoesOn() {
  if (!IsPassing()) return false;
  waiting_ = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(waiting_) &
                                     ~kPassing);
  root_->passes = 0;
  Resume();
  return true;
}

// -- CallTable

void CallTable::AbandonAll() {
  // What is destroyed may begin others.
  while (!empty()) {
    if (has_first()) Abandon(std::exchange(state_.first_call_, CallRef()));
    if (state_.extras_ != nullptr) state_.extras_->calls.AbandonAll();
  }
}

// -- HandlerState

HandlerExtras::HandlerExtras() = default;
HandlerExtras::~HandlerExtras() = default;

HandlerState::HandlerState(Cell& cell) : timer_(cell) {}

HandlerState::~HandlerState() {
  if (extras_ != nullptr) extras_->timers.reset();
  TROUPE_DCHECK(
      !has_roots() && calls().empty() && agenda_.empty() && !timer_.pending(),
      "an actor ends with nothing under way");
}

HandlerState& HandlerState::Make(Cell& cell) {
  cell.handler = new HandlerState(cell);
  return *cell.handler;
}

HandlerExtras& HandlerState::MakeExtras() {
  extras_ = std::make_unique<HandlerExtras>();
  return *extras_;
}

RootTask& HandlerState::Keep(const RootTask& current) {
  TROUPE_DCHECK(!is_suspended(), "nothing begins beside an exclusive handler");
  RootTask* kept = &first_;
  if (has_roots()) {
    HandlerExtras& extras = Extras();
    extras.youngest_root =
        new HandlerExtras::Root{{}, current, extras.youngest_root};
    kept = &extras.youngest_root->task;
  } else {
    first_ = current;
  }
  kept->state = this;
  if (kept->exclusive) {
    cell().set_mark(Cell::kExclusive, true);
    AddNews();
  }
  this_handler.root = kept;
  return *kept;
}

void HandlerState::Forget(RootTask& root) {
  if (root.exclusive) cell().set_mark(Cell::kExclusive, false);
  AddNews();
  if (&root == &first_) {
    first_.state = nullptr;
    return;
  }
  HandlerExtras::Root** link = &extras_->youngest_root;
  while (&(*link)->task != &root) link = &(*link)->older;
  HandlerExtras::Root* const forgotten = *link;
  *link = forgotten->older;
  delete forgotten;
}

void HandlerState::Start(Cell& cell, RootTask& root) {
  const HandlerContext outer = this_handler;
  root.handles_request = root.envelope != nullptr && IsRequest(*root.envelope);
  root.limit = DeadlineOf(root);
  this_handler = {outer.cell, nullptr, &root};
  RunCoroutine(root.frame);
  if (!root.frame.done()) [[likely]] {
    // It may have suspended itself on its own, for something that we do not
    // know.
    if (this_handler.root->state == nullptr) Of(cell).Keep(*this_handler.root);
    this_handler = outer;
    return;
  }
  RootTask ended = *this_handler.root;
  if (ended.state != nullptr) cell.handler->Forget(*this_handler.root);
  this_handler = outer;
  ended.finish(cell, ended, nullptr);
}

namespace {

// Null: it is a plain function, without a caller that waits, or a hook.
const MessageType* MessageOfThisHandler() {
  if (this_handler.request != nullptr) return this_handler.request->type;
  const RootTask* const root = this_handler.root;
  return root != nullptr && root->envelope != nullptr ? root->envelope->type
                                                      : nullptr;
}

}  // namespace

void HandlerState::Fail(absl::Status status, const MessageType* at) {
  if (!failed()) {
    if (at == nullptr) at = MessageOfThisHandler();
    Extras().failure = std::move(status);
    extras_->failed_at = at;
  }
  AddNews();
}

void HandlerState::Finish(RootTask& root) {
  RootTask ended = root;
  Forget(root);
  ended.finish(cell(), ended, nullptr);
}

void HandlerState::PrepareToEnd(const ExitReason& why) {
  if (has_timers()) extras_->timers->DropAll();
  while (RootTask* const destroyed = YoungestRoot()) {
    // What it waits for lies in its frame, and leaves it.
    destroyed->finish(cell(), *destroyed, &why);
    Forget(*destroyed);
  }
}

RootTask* HandlerState::YoungestRoot() {
  if (extras_ != nullptr && extras_->youngest_root != nullptr) {
    return &extras_->youngest_root->task;
  }
  return first_.state != nullptr ? &first_ : nullptr;
}

RootTask* HandlerState::RootFor(const ReplyRoute& request) {
  const auto is_for = [&request](const RootTask& root) {
    return root.state != nullptr && root.handles_request &&
           InfoOf(*root.envelope).route.IsSame(request);
  };
  if (is_for(first_)) return &first_;
  if (extras_ == nullptr) return nullptr;
  HandlerExtras::Root* root = extras_->youngest_root;
  while (root != nullptr && !is_for(root->task)) root = root->older;
  return root != nullptr ? &root->task : nullptr;
}

namespace {

bool IsFor(Envelope& envelope, const ReplyRoute& request) {
  return IsRequest(envelope) && InfoOf(envelope).route.IsSame(request);
}

// Whether there is no more to do for a request that is given up and that may
// stand in the mailbox: it is marked, if it is among the first there, or it has
// been handled. Others are remembered.
bool IsSettledInMailbox(Cell& cell, const ReplyRoute& request) {
  constexpr int kMaxLooks = 8;
  const uint64_t tag = EnterSeat();
  bool is_settled = false;
  // With the seat lost, the mailbox is the worker's.
  if (OwnerTag::IsOfWorker(tag)) {
    int looks = 0;
    is_settled = HasNoBacklog(cell);
    (void)cell.AnyWaiting([&](Envelope& waiting) {
      if (!IsFor(waiting, request)) return ++looks == kMaxLooks;
      Expire(waiting);
      return is_settled = true;
    });
  }
  LeaveSeat();
  const bool some_are_aside =
      cell.handler != nullptr && cell.handler->stashes() != nullptr;
  return is_settled && !some_are_aside;
}

// Whether it is set aside; then it is dropped when it comes back.
bool ExpireAside(const Stashes& stashes, const ReplyRoute& request) {
  bool is_aside = false;
  stashes.ForEach([&](Envelope& kept) {
    if (!IsFor(kept, request)) return;
    Expire(kept);
    is_aside = true;
  });
  return is_aside;
}

}  // namespace

void HandlerState::CancelRequest(Cell& cell, const ReplyRoute& route) {
  RootTask* const root =
      cell.handler != nullptr ? cell.handler->RootFor(route) : nullptr;
  bool may_wait = root == nullptr;
  if (root != nullptr && cell.handler->stashes() != nullptr) {
    // Its handler goes on, and may have set it aside, and got it back even.
    may_wait = !ExpireAside(*cell.handler->stashes(), route);
  }
  if (may_wait && !IsSettledInMailbox(cell, route)) {
    // It may still wait to be handled. What is not, was: then the queue is
    // empty soon, and this is forgotten.
    MustHaveMemory("a request that was given up", [&] {
      std::unique_ptr<Cancelled>& cancelled = Of(cell).Extras().cancelled;
      if (cancelled == nullptr) cancelled = std::make_unique<Cancelled>();
      cancelled->emplace(route.id, route.number);
    });
  }
  if (root != nullptr) cell.handler->CancelRoot(*root, route);
}

void HandlerState::CancelRoot(RootTask& cancelled, const ReplyRoute& route) {
  InfoOf(*cancelled.envelope).Cancel();
  cancelled.cancelled = true;
  cancelled.limit = MonotonicTime::InfinitePast();
  // Each may let the handler go on, to its end.
  while (RootTask* const root = RootFor(route)) {
    ListFirstCall();
    Wait* wait = root->first_wait;
    while (wait != nullptr && wait->IsPassing()) wait = wait->next_;
    if (wait == nullptr) return;
    wait->OnCancel(
        absl::CancelledError("the caller of this request waits no more"));
  }
}

bool HandlerState::HoldsUp(const ReplyRoute& request) {
  if (!is_suspended()) return false;
  const RootTask& exclusive = *YoungestRoot();
  // A handler with a ReplyTo may have handed that on: another may answer.
  if (exclusive.handles_request && IsFor(*exclusive.envelope, request)) {
    return InfoOf(*exclusive.envelope).OwesAnswer();
  }
  const uint64_t tag = EnterSeat();
  // With the seat lost, the mailbox is the worker's; then the circle ends by a
  // deadline.
  const bool waits =
      OwnerTag::IsOfWorker(tag) && cell().AnyWaiting([&](Envelope& waiting) {
        return IsFor(waiting, request);
      });
  LeaveSeat();
  return waits;
}

std::optional<WaitedCall> HandlerState::OnlyCall() {
  if (!is_suspended()) return std::nullopt;
  ListFirstCall();
  const Wait* const wait = YoungestRoot()->first_wait;
  if (wait == nullptr || wait->next_ != nullptr || wait->IsPassing()) {
    return std::nullopt;
  }
  return wait->ItsCall();
}

bool HandlerState::TakeCancelled(const ReplyRoute& route) {
  return has_cancelled() &&
         extras_->cancelled->erase({route.id, route.number}) > 0;
}

void HandlerState::ForgetCancelled() {
  std::unique_ptr<Cancelled>& cancelled = extras_->cancelled;
  const Stashes* const aside = stashes();
  if (aside == nullptr || aside->empty()) return cancelled.reset();
  // What is set aside may be among them. The rest would stay for as long as
  // anything is.
  if (cancelled->size() <= 2 * aside->size()) return;
  Cancelled kept;
  aside->ForEach([&](Envelope& envelope) {
    if (!IsRequest(envelope)) return;
    const ReplyRoute& route = InfoOf(envelope).route;
    if (cancelled->contains({route.id, route.number})) {
      kept.emplace(route.id, route.number);
    }
  });
  if (kept.empty()) return cancelled.reset();
  *cancelled = std::move(kept);
}

Stashes& HandlerState::MakeStashes() {
  std::unique_ptr<Stashes>& stashes = Extras().stashes;
  if (stashes == nullptr) stashes = std::make_unique<Stashes>();
  return *stashes;
}

void HandlerState::RunDue(MonotonicTime now) {
  ListFirstCall();
  // What a handler adds meanwhile that is due already waits for the next turn.
  const uint64_t mark = agenda_.Mark();
  while (!failed()) {
    AgendaEntry* const due = agenda_.PopDue(now, mark);
    if (due == nullptr) break;
    static_cast<Occasion&>(*due).OnDue(*this);
  }
  if (!agenda_.empty()) AddNews();
}

TimerTable& HandlerState::MakeTimers() {
  std::unique_ptr<TimerTable>& timers = Extras().timers;
  timers = std::make_unique<TimerTable>(*this);
  return *timers;
}

WatchTable& HandlerState::Watches() {
  std::unique_ptr<WatchTable>& watches = Extras().watches;
  if (watches == nullptr) watches = std::make_unique<WatchTable>(cell());
  return *watches;
}

bool HandlerState::HasDueMessages(MonotonicTime now) const {
  return has_timers() && extras_->timers->messages().time() <= now;
}

MonotonicTime HandlerState::NextMessageTime() const {
  return cell().has_mark(Cell::kTimerTurn) || !HandlesTimers(cell())
             ? MonotonicTime::InfiniteFuture()
             : extras_->timers->messages().time();
}

void HandlerState::SetTimer(Worker& worker, MonotonicTime time) {
  timer_time_ = time;
  // What is due already is not to wait for the next tick of the worker's.
  worker.SetTimer(timer_, timer_time_ <= worker.now()
                              ? MonotonicTime::InfinitePast()
                              : timer_time_);
}

void HandlerState::DisarmTimer(Worker& worker) {
  if (timer_.pending()) (void)worker.CancelTimer(timer_);
  TimerHasFired();
}

}  // namespace troupe::internal
