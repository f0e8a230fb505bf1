// A Worker owns runnables and decides which one runs next. It is state apart
// from its thread: an executor lends it to one thread at a time, and can take
// it back from a thread whose handler does not return.
//
// Order: what a turn makes ready runs next, last in first out; what yielded
// waits in a queue behind. After kMaxFreshTurns turns of the first kind in a
// row, all of them move to the queue and its oldest entry runs: so a runnable
// that becomes ready on a worker with r others runs after fewer than
// (kMaxFreshTurns + 1) * (r + 1) turns, whatever others do. They move as well
// when something yields while more than kMaxFreshTurns are fresh: who makes
// much ready in each turn comes again only when all that has run. Timers fire
// between turns, those of one worker in the order of TimerWheel.
// Blocking: no call blocks.
// Thread safety: what stands under "any thread"; everything else belongs to the
// thread that drives the worker, while it is inside its seat.
#ifndef TROUPE_SCHEDULER_WORKER_H_
#define TROUPE_SCHEDULER_WORKER_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/base/clock.h"
#include "troupe/base/ownership.h"
#include "troupe/scheduler/internal/coarse_time.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/thread_context.h"
#include "troupe/scheduler/timer_wheel.h"

namespace troupe {

class Executor;
class Worker;

// What the layer above keeps for each worker.
class WorkerLocal {
 public:
  virtual ~WorkerLocal() = default;
  // Sends on all that is held back for other workers: called before the worker
  // rests, gives something away, or loses its thread. In the last case not on
  // the worker's thread, but as the only one that touches the worker.
  virtual void Flush() = 0;
  // A timer that was set on this worker is due. In the seat, between turns.
  // Schedules what it concerns; may set and cancel timers, this one too.
  virtual void TimerDue(TimerNode& timer) = 0;
  // Gives back something of what is kept for later use, such as memory; returns
  // whether there is more. Called when the worker has had nothing to run for a
  // while, on the thread that waits to drive it, and again until there is no
  // more or something to run. Brief, and touches nothing of the worker.
  virtual bool TidyUp() { return false; }
  // Gives up what the calling thread keeps for later use: it drove the worker,
  // and is not needed for now.
  virtual void EmptyCaches() {}
  // Calls `play`, which runs turns of others on this thread in the midst of one
  // that lost its seat, and then knows again what the thread knew of that. Only
  // called by executors without threads.
  virtual void SetTurnAside(absl::FunctionRef<void()> play) { play(); }
};

class alignas(64) Worker {
 public:
  static constexpr uint32_t kMaxFreshTurns = 128;

  enum class Kind : uint8_t {
    kShared,     // Gives work away, and lets idle runnables be claimed.
    kDedicated,  // Keeps what it has.
  };

  // `executor` outlives the worker. `index` is the worker's among its kind.
  static absl::StatusOr<std::unique_ptr<Worker>> Create(Executor& executor,
                                                        Kind kind, int index);
  // REQUIRES: owns nothing; no thread drives it; no timer is pending.
  ~Worker();

  Executor& executor() const { return executor_; }
  Kind kind() const { return kind_; }
  int index() const { return index_; }

  // The executor's own, set once.
  void* host = nullptr;

  // The layer above's; may be null.
  WorkerLocal* local() const {
    // Acquire pairs with the release in set_local().
    return local_.load(std::memory_order_acquire);
  }

  // -- any thread ------------------------------------------------------------

  // Once, before the worker gets its first runnable; it may be driven already.
  void set_local(std::unique_ptr<WorkerLocal> local) {
    owned_local_ = std::move(local);
    // Release: the driving thread sees what it finds here as it was made.
    local_.store(owned_local_.get(), std::memory_order_release);
  }

  // Brings a chain of runnables, newest first: ones that this worker owns and
  // whose wake tokens the caller held, or ones that nobody owns.
  void Deliver(Runnable& newest, Runnable& oldest);
  void Deliver(Runnable& runnable) { Deliver(runnable, runnable); }

  // Brings back a runnable whose turn lost its seat on this worker, once its
  // handler has ended. The caller does not touch it afterwards.
  void GiveBack(Runnable& runnable);

  bool LooksQuiet() const { return inbox_.LooksQuiet(); }
  bool LooksAsleep() const { return inbox_.LooksAsleep(); }

  // Turns begun so far, and times that the worker fell asleep, or tried to.
  //
  // Who sees it asleep between two equal counts of naps knows that it slept all
  // the time between them. Acquire, for that reason: the looks keep their
  // order, and who counts a nap sees what was delivered before it
  // (base/ownership_worker_model_test.cc).
  uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }
  uint64_t naps() const { return naps_.load(std::memory_order_acquire); }
  // Naps so far that somebody else's delivery has ended: so often
  // Executor::Unpark() has been called for the worker, or will be. For who
  // knows that the worker sleeps, or that nobody drives it any more.
  uint64_t NapsEndedByDeliveries() const {
    return naps() - naps_ended_here_.load(std::memory_order_relaxed) -
           (LooksAsleep() ? 1 : 0);
  }

  // -- the driving thread, inside its seat -----------------------------------

  uint64_t tag() const { return tag_; }

  // Makes `runnable` ready. REQUIRES: owned by this worker, not scheduled.
  void Schedule(Runnable& runnable) {
    runnable.queue_next = fresh_top_;
    if (++fresh_but_one_ == 0) [[likely]]
      fresh_bottom_ = &runnable;
    fresh_top_ = &runnable;
  }
  // The same, behind everything else. Also by a runnable in its own turn, to be
  // run again: behind all that it made ready, then, if that is much.
  void Yield(Runnable& runnable) {
    if (fresh() > kMaxFreshTurns) [[unlikely]]
      SpillFresh();
    runnable.queue_next = &end_;
    if (queue_head_ == &end_) {
      queue_head_ = &runnable;
    } else {
      queue_tail_->queue_next = &runnable;
    }
    queue_tail_ = &runnable;
    ++queued_;
  }
  // Whether a turn of `runnable` has begun and not ended: it runs here, or its
  // handler lost the seat. REQUIRES: owned by this worker.
  static bool IsInTurn(const Runnable& runnable) {
    return runnable.queue_next == &in_turn_;
  }
  // Runnables that are ready, the running one apart.
  uint32_t ready() const { return fresh() + queued_; }

  // Makes `runnable`, which nobody owns and whose token the caller holds, this
  // worker's own, as if it had arrived. Then `woken` decides whether it runs.
  void Adopt(Runnable& runnable);
  // As a new one that this very thread has made, in this turn: what it sent
  // went the ways of this worker. `reached` says whether others may have sent
  // to it.
  void AdoptNew(Runnable& runnable, bool reached) {
    runnable.owner.store(reached ? OwnerTag::Stale(tag_) : tag_,
                         std::memory_order_relaxed);
  }

  // Takes an idle runnable out of a quiet worker, for whose token the caller
  // would otherwise have to wake that worker. False: the runnable stays where
  // it is, and so does the token.
  [[nodiscard]] bool Claim(Runnable& runnable);

  // Gives a runnable away. REQUIRES: not scheduled; the caller holds its wake
  // token; what it sent has been flushed.
  void GiveTo(Worker& receiver, Runnable& runnable);

  // -- time ------------------------------------------------------------------

  // The time as somebody last looked for the worker: about 1 ms old at most,
  // and exact for what the worker does first when it has slept. It may go on
  // within a turn, and does not go back. Also outside the seat, and by who has
  // lost it.
  MonotonicTime now() const {
    MonotonicTime time;
    return TellsTime(time) ? time : ReadClock();
  }
  // The same without a call. False: the clock has to be read.
  [[nodiscard]] bool TellsTime(MonotonicTime& time) const {
    time = coarse_time_->Get();
    const MonotonicTime own = now_.load(std::memory_order_relaxed);
    if (time < own) [[unlikely]] {
      // Where nobody keeps a coarse time, it is long past.
      if (ReadsClock()) return false;
      time = own;
    }
    return true;
  }

  // The rest: the driving thread, inside its seat.

  // Makes `timer` fire in the first look at or after `time`, never early;
  // moves it if it is pending. Resolution: 1 ms. The runnable that it concerns
  // takes it along when it moves (RunnableType).
  // REQUIRES: a local; not pending on another worker.
  void SetTimer(TimerNode& timer, MonotonicTime time);

  // Returns whether it was pending. Also by who claims what it concerns, under
  // the lock of this worker.
  // REQUIRES: not pending on another worker.
  bool CancelTimer(TimerNode& timer) { return timers_.Cancel(timer); }

  // -- turns: for executors --------------------------------------------------

  // Receives what was delivered.
  void Poll();
  bool HasDeliveries() const { return !inbox_.LooksEmpty(); }
  // The next to run; null if none is ready.
  Runnable* Next() {
    Runnable* const next = fresh_top_;
    if (next == &end_ || --fresh_turns_left_ < 0) [[unlikely]]
      return NextOfQueue();
    fresh_top_ = next->queue_next;
    --fresh_but_one_;
    next->queue_next = &in_turn_;
    return next;
  }
  // The i-th of the ready ones, for an executor that chooses by itself.
  Runnable* TakeReady(uint32_t i);
  // Runs a turn. False: the thread lost its seat, and no longer drives.
  [[nodiscard]] bool Run(Runnable& runnable) {
    // Relaxed: a sign of life for the monitor, no more.
    turns_.store(turns_.load(std::memory_order_relaxed) + 1,
                 std::memory_order_relaxed);
    this_thread.running = &runnable;
    if (!runnable.type->run(runnable, *this)) [[unlikely]] {
      // Still in its turn until it has handed the runnable back.
      return false;
    }
    this_thread.running = nullptr;
    return true;
  }
  // Gives up to half of the ready runnables to `receiver`. Returns how many.
  uint32_t ShareWith(Worker& receiver);
  void FlushLocal() {
    if (WorkerLocal* const local = this->local()) local->Flush();
  }

  // Lets the worker go by `time`, which the executor keeps about 1 ms behind
  // the clock at most, whenever the worker is awake; without it, the worker
  // reads the clock itself. Once, before it is driven.
  void set_coarse_time(const internal::CoarseTime& time) {
    coarse_time_ = &time;
  }
  // Whether to call FireTimers() before the next turn; perhaps in vain.
  bool TimersLookDue() const { return coarse_time_->Get() >= next_look_; }
  // Fires what is due. REQUIRES: busy.
  void FireTimers();
  bool HasTimers() const { return !timers_.empty(); }
  // When FireTimers() will next have something to do, at the latest; infinite
  // if no timer is pending. Perhaps in vain, but so less than 11 times for each
  // timer. REQUIRES: busy: once the worker rests, claimers cancel timers.
  MonotonicTime NextTimer() const;
  // Notes a reading of the clock. Also while the worker rests.
  void NoteTime(MonotonicTime now) {
    const MonotonicTime latest =
        std::max(now_.load(std::memory_order_relaxed), now);
    now_.store(latest, std::memory_order_relaxed);
    if (latest >= next_look_) next_look_ = MonotonicTime::InfinitePast();
  }

  // See WorkerWord.
  [[nodiscard]] bool Rest() { return inbox_.Rest(); }
  bool Rise() {
    const bool ended_here = inbox_.Rise();
    if (ended_here) CountNapEndedHere();
    return ended_here;
  }
  [[nodiscard]] bool FallAsleep();

  // Seats the calling thread on this worker. REQUIRES: nobody is; the thread is
  // inside its seat.
  void SeatThread();
  // Ends the right of the seated thread, which is the calling one and inside.
  void UnseatThread() { TakeSeat().Settle(OwnerTag::kNoSeat); }
  // Begins the same for another thread, whose seat the caller has revoked. The
  // caller then does what must come before anything that this thread does next,
  // and settles the seat with kNoSeat.
  Seat<>& TakeSeat();
  // Gives a seat back that was revoked.
  void RestoreSeat() { seat_->Settle(tag_); }

  // As GiveBack(), by the thread that now drives the worker.
  void TakeBack(Runnable& runnable);

 private:
  Worker(Executor& executor, Kind kind, int index);

  // Whether nobody tells the worker the time.
  bool ReadsClock() const { return coarse_time_ == &no_coarse_time_; }
  MonotonicTime ReadClock() const;
  // When to look again if a timer is pending for `time`.
  MonotonicTime LookFor(MonotonicTime time) const {
    return ReadsClock() && !time.IsInfinite() ? MonotonicTime::InfinitePast()
                                              : time;
  }

  uint32_t fresh() const { return static_cast<uint32_t>(fresh_but_one_ + 1); }

  void CountNapEndedHere() {
    naps_ended_here_.store(naps_ended_here_.load(std::memory_order_relaxed) + 1,
                           std::memory_order_relaxed);
  }

  void RaiseEpoch();
  void Receive(Runnable& runnable);
  // Moves the stack behind the queue.
  void SpillFresh();
  Runnable* NextOfQueue();

  static Runnable end_;      // Marks the ends of the queues.
  static Runnable in_turn_;  // What runs is linked to: it counts as scheduled.
  static const internal::CoarseTime no_coarse_time_;  // Long ago.

  // Set once.
  Executor& executor_;
  const Kind kind_;
  const int index_;
  std::unique_ptr<WorkerLocal> owned_local_;
  std::atomic<WorkerLocal*> local_{nullptr};
  const internal::CoarseTime* coarse_time_ = &no_coarse_time_;

  // Driving thread only.
  uint64_t tag_ = 0;
  Seat<>* seat_ = nullptr;
  Runnable* fresh_top_ = &end_;  // A stack.
  Runnable* fresh_bottom_;       // Of it, if it is not empty.
  Runnable* queue_head_ = &end_;
  Runnable* queue_tail_ = &end_;
  // In the stack, less one: so one instruction counts what becomes ready, and
  // tells whether it is the only one.
  int32_t fresh_but_one_ = -1;
  uint32_t queued_ = 0;  // In the queue.
  // Turns that the stack may have until it is the queue's.
  int32_t fresh_turns_left_ = kMaxFreshTurns;
  // When a timer may be due, or before; in the infinite past also if one may be
  // pending and the clock has to be asked.
  MonotonicTime next_look_ = MonotonicTime::InfiniteFuture();

  // Written by the driving thread, read by all.
  std::atomic<uint64_t> turns_{0};
  // The last reading of the clock. Relaxed: a time, which says nothing of other
  // memory.
  std::atomic<MonotonicTime> now_;
  std::atomic<uint64_t> naps_{0};
  // By this side: it did not fall asleep after all, or rose by itself. Relaxed:
  // FALL ASLEEP publishes it, to who finds the worker asleep. With an older
  // count more of them are others', and whoever waits for those looks again.
  std::atomic<uint64_t> naps_ended_here_{0};

  // Written by many: on a line of its own.
  alignas(64) WorkerWord<Runnable> inbox_;

  // Driving thread while busy; a claimer while quiet, under the lock of inbox_.
  alignas(64) TimerWheel timers_;
};

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_WORKER_H_
