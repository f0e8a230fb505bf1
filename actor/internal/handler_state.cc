#include "troupe/actor/internal/handler_state.h"

#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/stashes.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/internal/timers.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/base/check.h"
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
  root.passes = 0;
  Begin(root, waiting, TimeOfTurn(*root.state->cell().system));
  waiting_ =
      reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(waiting_) | kPassing);
  return true;
}

bool Wait::GoesOn() {
  if (!IsPassing()) return false;
  waiting_ = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(waiting_) &
                                     ~kPassing);
  Resume();
  return true;
}

// -- calls

const CallEntry::Type PendingCall::kEntry = {
    .answer =
        [](CallEntry& call, Envelope* reply) {
          static_cast<PendingCall&>(call).OnReply(EnvelopePtr(reply));
        },
    .actor_gone =
        [](CallEntry& call) { static_cast<PendingCall&>(call).OnActorGone(); },
};

uint64_t CallTable::AddMore(CallEntry& call) {
  if (more_ == nullptr) more_ = std::make_unique<More>();
  if (more_->free.empty()) {
    more_->free.push_back(static_cast<uint32_t>(more_->entries.size()));
    more_->entries.emplace_back();
  }
  const uint32_t index = more_->free.back();
  more_->free.pop_back();
  more_->entries[index] = {NewNumber(index + 1), &call};
  return more_->entries[index].number;
}

CallEntry* CallTable::TakeOfMore(uint64_t number) {
  const uint64_t index = number & ((uint64_t{1} << kIndexBits) - 1);
  if (index == 0 || more_ == nullptr || index > more_->entries.size()) {
    return nullptr;
  }
  Entry& entry = more_->entries[index - 1];
  if (entry.number != number || entry.call == nullptr) return nullptr;
  more_->free.push_back(static_cast<uint32_t>(index - 1));
  return std::exchange(entry.call, nullptr);
}

void CallTable::AbandonAll() {
  const auto abandon = [this](uint64_t number) {
    CallEntry* const call = Take(number);
    if (call != nullptr && call->type().actor_gone != nullptr) {
      call->type().actor_gone(*call);
    }
  };
  // By index: what is destroyed may begin others.
  while (!empty()) {
    if (first_.call != nullptr) abandon(first_.number);
    for (size_t i = 0; more_ != nullptr && i < more_->entries.size(); ++i) {
      abandon(more_->entries[i].number);
    }
  }
}

// -- HandlerState

HandlerState::HandlerState(Cell& cell) : cell_(cell), timer_(cell) {}

HandlerState::~HandlerState() {
  timers_.reset();
  TROUPE_DCHECK(roots_ == nullptr && calls_.empty() && agenda_.empty() &&
                    !timer_.pending(),
                "an actor ends with nothing under way");
}

HandlerState& HandlerState::Make(Cell& cell) {
  cell.handler = new HandlerState(cell);
  return *cell.handler;
}

RootTask& HandlerState::Keep(const RootTask& current) {
  RootTask* kept;
  if (!first_is_used_) {
    first_is_used_ = true;
    kept = &first_;
    *kept = current;
  } else {
    kept = new RootTask(current);
  }
  kept->state = this;
  kept->next = roots_;
  roots_ = kept;
  if (kept->exclusive) {
    exclusive_ = kept;
    cell_.set_has_news(true);
  }
  this_handler.root = kept;
  return *kept;
}

void HandlerState::Forget(RootTask& root) {
  RootTask** link = &roots_;
  while (*link != &root) link = &(*link)->next;
  *link = root.next;
  if (exclusive_ == &root) exclusive_ = nullptr;
  cell_.set_has_news(true);
  if (&root == &first_) {
    first_is_used_ = false;
  } else {
    delete &root;
  }
}

void HandlerState::Start(Cell& cell, RootTask& root) {
  const HandlerContext outer = this_handler;
  if (root.envelope != nullptr && IsRequest(*root.envelope)) {
    root.request = root.envelope;
  }
  this_handler = {outer.cell, root.request, &root};
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

void HandlerState::Finish(RootTask& root) {
  RootTask ended = root;
  Forget(root);
  ended.finish(cell_, ended, nullptr);
}

void HandlerState::PrepareToEnd(const ExitReason& why) {
  if (timers_ != nullptr) timers_->DropAll();
  while (roots_ != nullptr) {
    // What it waits for lies in its frame, and leaves it.
    RootTask& destroyed = *roots_;
    destroyed.finish(cell_, destroyed, &why);
    Forget(destroyed);
  }
}

void HandlerState::CancelRequest(const ReplyRoute& route) {
  const auto find = [&]() -> RootTask* {
    for (RootTask* root = roots_; root != nullptr; root = root->next) {
      if (root->request != nullptr &&
          InfoOf(*root->request).route.IsSame(route)) {
        return root;
      }
    }
    return nullptr;
  };
  RootTask* root = find();
  if (root == nullptr) {
    // It may still wait to be handled. What is not, was: then the queue is
    // empty soon, and this is forgotten.
    if (cancelled_ == nullptr) cancelled_ = std::make_unique<Cancelled>();
    cancelled_->emplace(route.id, route.number);
    return;
  }
  InfoOf(*root->request).Cancel();
  root->cancelled = true;
  // Each may let the handler go on, to its end.
  while ((root = find()) != nullptr) {
    Wait* wait = root->first_wait;
    while (wait != nullptr && wait->IsPassing()) wait = wait->next_;
    if (wait == nullptr) return;
    wait->OnCancel(
        absl::CancelledError("the caller of this request waits no more"));
  }
}

namespace {

bool IsFor(Envelope& envelope, const ReplyRoute& request) {
  return IsRequest(envelope) && InfoOf(envelope).route.IsSame(request);
}

}  // namespace

bool HandlerState::HoldsUp(const ReplyRoute& request) const {
  if (exclusive_ == nullptr) return false;
  // A handler with a ReplyTo may have handed that on: another may answer.
  if (exclusive_->request != nullptr && IsFor(*exclusive_->request, request)) {
    return InfoOf(*exclusive_->request).OwesAnswer();
  }
  return cell_.AnyWaiting(
      [&request](Envelope& waiting) { return IsFor(waiting, request); });
}

std::optional<WaitedCall> HandlerState::OnlyCall() const {
  if (exclusive_ == nullptr) return std::nullopt;
  const Wait* const wait = exclusive_->first_wait;
  if (wait == nullptr || wait->next_ != nullptr || wait->IsPassing()) {
    return std::nullopt;
  }
  return wait->ItsCall();
}

bool HandlerState::TakeCancelled(const ReplyRoute& route) {
  return cancelled_ != nullptr &&
         cancelled_->erase({route.id, route.number}) > 0;
}

void HandlerState::ForgetCancelled() {
  if (stashes_ == nullptr || stashes_->empty()) return cancelled_.reset();
  // What is set aside may be among them. The rest would stay for as long as
  // anything is.
  if (cancelled_->size() <= 2 * stashes_->size()) return;
  Cancelled kept;
  stashes_->ForEach([&](Envelope& envelope) {
    if (!IsRequest(envelope)) return;
    const ReplyRoute& route = InfoOf(envelope).route;
    if (cancelled_->contains({route.id, route.number})) {
      kept.emplace(route.id, route.number);
    }
  });
  if (kept.empty()) return cancelled_.reset();
  *cancelled_ = std::move(kept);
}

Stashes& HandlerState::MakeStashes() {
  if (stashes_ == nullptr) stashes_ = std::make_unique<Stashes>();
  return *stashes_;
}

void HandlerState::RunDue(MonotonicTime now) {
  // What a handler adds meanwhile that is due already waits for the next turn.
  const uint64_t mark = agenda_.Mark();
  while (!failed()) {
    AgendaEntry* const due = agenda_.PopDue(now, mark);
    if (due == nullptr) break;
    static_cast<Occasion&>(*due).OnDue(*this);
  }
  if (!agenda_.empty()) cell_.set_has_news(true);
}

void HandlerState::MakeTimers() {
  timers_ = std::make_unique<TimerTable>(*this);
}

WatchTable& HandlerState::Watches() {
  if (watches_ == nullptr) watches_ = std::make_unique<WatchTable>(cell_);
  return *watches_;
}

bool HandlerState::HasDueMessages(MonotonicTime now) const {
  return timers_ != nullptr && timers_->messages().time() <= now;
}

MonotonicTime HandlerState::NextMessageTime() const {
  return in_timer_turn_ || !HandlesTimers(cell_)
             ? MonotonicTime::InfiniteFuture()
             : timers_->messages().time();
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
