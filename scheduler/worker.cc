#include "troupe/scheduler/worker.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "troupe/base/check.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/internal/ticks.h"
#include "troupe/scheduler/worker_table.h"

namespace troupe {

constinit thread_local ThreadContext this_thread;

Runnable Worker::end_;
Runnable Worker::in_turn_;
constinit const internal::CoarseTime Worker::no_coarse_time_(
    MonotonicTime::InfinitePast());

namespace {

// Of all wheels of one clock the same, so that a timer that moves with its
// runnable fires in the same tick.
constexpr internal::Ticks kTicks{MonotonicTime()};

// Brings a runnable back to its worker.
struct ReturnEntry : Runnable {
  explicit ReturnEntry(Runnable& returning_runnable)
      : returning(returning_runnable) {
    type = &kType;
  }

  static bool BringBack(Runnable& runnable, Worker& worker) {
    std::unique_ptr<ReturnEntry> entry(static_cast<ReturnEntry*>(&runnable));
    worker.TakeBack(entry->returning);
    return false;
  }
  static const RunnableType kType;

  Runnable& returning;
};

const RunnableType ReturnEntry::kType = {
    // It asks for no turn and is never scheduled, given away or taken back.
    .run = nullptr,     .woken = BringBack, .returned = nullptr,
    .release = nullptr, .name = nullptr,
};

}  // namespace

namespace internal {

uint64_t AwaitSettledSeat() {
  while (true) {
    this_thread.seat.Leave();
    this_thread.worker->executor().AwaitSettledSeat();
    const uint64_t tag = this_thread.seat.Enter();
    if (tag != OwnerTag::kSeatBeingRevoked) return tag;
  }
}

}  // namespace internal

void WakeOwner(Runnable& runnable) {
  // Relaxed: the tag was written before the token left its owner, and cannot
  // change before the token is back.
  const uint64_t tag = runnable.owner.load(std::memory_order_relaxed);
  WorkerTable::Find(tag).Deliver(runnable);
}

absl::StatusOr<std::unique_ptr<Worker>> Worker::Create(Executor& executor,
                                                       Kind kind, int index) {
  std::unique_ptr<Worker> worker(new Worker(executor, kind, index));
  absl::StatusOr<uint64_t> tag = WorkerTable::Add(*worker);
  if (!tag.ok()) return tag.status();
  worker->tag_ = *tag;
  return worker;
}

Worker::Worker(Executor& executor, Kind kind, int index)
    : executor_(executor),
      kind_(kind),
      index_(index),
      now_(executor.clock().Now()),
      timers_(kTicks.At(now_.load(std::memory_order_relaxed))) {}

Worker::~Worker() {
  if (tag_ == 0) return;
  TROUPE_CHECK(ready() == 0 && !HasDeliveries(),
               "a worker ends while runnables wait in it");
  TROUPE_CHECK(!HasTimers(), "a worker ends while timers are pending in it");
  WorkerTable::Remove(tag_);
}

void Worker::Deliver(Runnable& newest, Runnable& oldest) {
  // Once it is pushed, the worker may run and end, and its executor with it:
  // but for the call of Unpark(), which those wait for.
  if (inbox_.Push(&newest, &oldest)) executor_.Unpark(*this);
}

void Worker::GiveBack(Runnable& runnable) {
  // Freed by this worker when it receives it.
  Deliver(*new ReturnEntry(runnable));
}

bool Worker::FallAsleep() {
  // Release pairs with the acquire of naps(): who counts this nap sees what the
  // worker delivered before it, and so who was woken. FALL ASLEEP publishes the
  // count in turn.
  naps_.store(naps_.load(std::memory_order_relaxed) + 1,
              std::memory_order_release);
  const bool asleep = inbox_.FallAsleep();
  // Who brought something has seen it awake, and wakes nobody.
  if (!asleep) CountNapEndedHere();
  return asleep;
}

void Worker::RaiseEpoch() {
  tag_ = OwnerTag::NextEpoch(tag_);
  if (seat_ != nullptr) seat_->Settle(tag_);
}

void Worker::SeatThread() {
  this_thread.worker = this;
  seat_ = &this_thread.seat;
  seat_->Settle(tag_);
}

Seat<>& Worker::TakeSeat() { return *std::exchange(seat_, nullptr); }

void Worker::Adopt(Runnable& runnable) {
  runnable.owner.store(OwnerTag::Stale(tag_), std::memory_order_relaxed);
  RaiseEpoch();
  if (runnable.type->woken(runnable, *this)) Schedule(runnable);
}

bool Worker::Claim(Runnable& runnable) {
  if (kind_ != Kind::kShared) return false;
  const uint64_t tag = runnable.owner.load(std::memory_order_relaxed);
  Worker& owner = WorkerTable::Find(tag);
  if (&owner == this || owner.kind_ != Kind::kShared ||
      &owner.executor_ != &executor_ || !owner.inbox_.TryLock()) {
    return false;
  }
  // A runnable whose handler lost its seat is still in its turn, although its
  // worker rests.
  const bool idle = !runnable.IsScheduled();
  if (idle) {
    runnable.owner.store(OwnerTag::Stale(tag_), std::memory_order_relaxed);
    if (runnable.type->claimed != nullptr) {
      runnable.type->claimed(runnable, owner);
    }
  }
  owner.inbox_.Unlock();
  if (!idle) return false;
  RaiseEpoch();
  if (runnable.type->woken(runnable, *this)) Schedule(runnable);
  return true;
}

void Worker::GiveTo(Worker& receiver, Runnable& runnable) {
  runnable.owner.store(OwnerTag::kUnowned, std::memory_order_relaxed);
  receiver.Deliver(runnable);
}

void Worker::Receive(Runnable& runnable) {
  const uint64_t tag = runnable.owner.load(std::memory_order_relaxed);
  if (!OwnerTag::SameOwner(tag, tag_)) {
    // What arrives may have sent, to runnables of this worker, from where it
    // was before: their words must be drained before it sends again.
    runnable.owner.store(OwnerTag::Stale(tag_), std::memory_order_relaxed);
    RaiseEpoch();
  }
  // It may be scheduled already: local work and a stranger's came together.
  if (runnable.type->woken(runnable, *this) && !runnable.IsScheduled()) {
    Yield(runnable);
  }
}

void Worker::Poll() {
  Runnable* newest = inbox_.Take();
  Runnable* oldest = nullptr;
  while (newest != nullptr) {
    Runnable* const next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest != nullptr) {
    Runnable* const next = oldest->next;
    Receive(*oldest);
    oldest = next;
  }
}

void Worker::TakeBack(Runnable& runnable) {
  runnable.owner.store(OwnerTag::Stale(tag_), std::memory_order_relaxed);
  RaiseEpoch();
  if (runnable.type->returned(runnable, *this)) {
    Yield(runnable);
  } else {
    runnable.queue_next = nullptr;
  }
}

MonotonicTime Worker::ReadClock() const { return executor_.clock().Now(); }

void Worker::SetTimer(TimerNode& timer, MonotonicTime time) {
  const uint64_t tick = kTicks.AtOrAfter(time);
  timers_.Schedule(timer, tick);
  next_look_ = std::min(next_look_, LookFor(kTicks.TimeOf(tick)));
}

void Worker::FireTimers() {
  const MonotonicTime now = this->now();
  now_.store(now, std::memory_order_relaxed);
  timers_.Advance(kTicks.At(now), [this](TimerNode& timer) {
    TROUPE_CHECK(local() != nullptr, "timers are the local's");
    local()->TimerDue(timer);
  });
  next_look_ = LookFor(NextTimer());
}

MonotonicTime Worker::NextTimer() const {
  return kTicks.TimeOf(timers_.NextExpiry().value_or(internal::Ticks::kNever));
}

void Worker::SpillFresh() {
  if (fresh_top_ == &end_) return;
  if (queue_head_ == &end_) {
    queue_head_ = fresh_top_;
  } else {
    queue_tail_->queue_next = fresh_top_;
  }
  queue_tail_ = fresh_bottom_;
  fresh_top_ = &end_;
  queued_ += fresh();
  fresh_but_one_ = -1;
}

Runnable* Worker::NextOfQueue() {
  SpillFresh();
  fresh_turns_left_ = kMaxFreshTurns;
  Runnable* const next = queue_head_;
  if (next == &end_) return nullptr;
  queue_head_ = next->queue_next;
  --queued_;
  next->queue_next = &in_turn_;
  return next;
}

Runnable* Worker::TakeReady(uint32_t i) {
  SpillFresh();
  Runnable* before = nullptr;
  Runnable* chosen = queue_head_;
  for (; i > 0; --i) {
    before = chosen;
    chosen = chosen->queue_next;
  }
  if (before == nullptr) {
    queue_head_ = chosen->queue_next;
  } else {
    before->queue_next = chosen->queue_next;
    if (queue_tail_ == chosen) queue_tail_ = before;
  }
  --queued_;
  chosen->queue_next = &in_turn_;
  return chosen;
}

uint32_t Worker::ShareWith(Worker& receiver) {
  // First: what it sends may make more ready, by a claim.
  FlushLocal();
  SpillFresh();
  const uint32_t wanted = queued_ / 2;
  uint32_t given = 0;
  // The older half goes, it has waited longest; the newer is warmer here.
  uint32_t to_look_at = queued_;
  Runnable* newest = nullptr;
  Runnable* oldest = nullptr;
  while (given < wanted && to_look_at > 0) {
    --to_look_at;
    Runnable& candidate = *queue_head_;
    queue_head_ = candidate.queue_next;
    --queued_;
    if (!candidate.type->release(candidate, *this)) {
      Yield(candidate);
      continue;
    }
    candidate.queue_next = nullptr;
    candidate.owner.store(OwnerTag::kUnowned, std::memory_order_relaxed);
    candidate.next = newest;
    newest = &candidate;
    if (oldest == nullptr) oldest = &candidate;
    ++given;
  }
  if (given > 0) receiver.Deliver(*newest, *oldest);
  return given;
}

}  // namespace troupe
