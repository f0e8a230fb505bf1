// What an ActorSystem is inside: what actors and references reach. It lives
// until the last of those that use it is gone; its executor ends with the
// ActorSystem.
#ifndef TROUPE_ACTOR_INTERNAL_SYSTEM_CORE_H_
#define TROUPE_ACTOR_INTERNAL_SYSTEM_CORE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/actor/internal/actor_count.h"
#include "troupe/actor/internal/burial.h"
#include "troupe/actor/internal/event_hub.h"
#include "troupe/actor/name_service.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/base/random.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/scheduler/blocking_pool.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/worker.h"

namespace troupe {

class ActorSystem;

namespace internal {

struct Cell;
class SystemCore;

// What the actor layer keeps for each worker.
class ActorLocal : public WorkerLocal {
 public:
  explicit ActorLocal(SystemCore& system) : system_(system), burial_(system) {}
  ~ActorLocal() override;

  void Flush() override {}
  void TimerDue(TimerNode& timer) override;
  void SetTurnAside(absl::FunctionRef<void()> play) override;
  bool TidyUp() override;
  void EmptyCaches() override;

  Burial& burial() { return burial_; }

  uint64_t NewId() {
    if (next_id_ == end_of_ids_) [[unlikely]]
      TakeIds();
    return next_id_++;
  }

  ActorCount<>& count() { return count_; }

 private:
  void TakeIds();

  SystemCore& system_;
  Burial burial_;
  uint64_t next_id_ = 0;
  uint64_t end_of_ids_ = 0;
  ActorCount<> count_;
};

class SystemCore : public std::enable_shared_from_this<SystemCore> {
 public:
  struct Limits {
    uint32_t high_water_messages;
    absl::Duration child_stop_timeout;
    int64_t call_timeout_ns;
    int64_t deadlock_check_after_ns;  // At most a year.
    int blocking_threads;
  };

  SystemCore(ActorSystem& system, std::unique_ptr<Executor> executor,
             Logger logger, Limits limits);
  ~SystemCore();

  ActorSystem& system() { return system_; }
  Executor& executor() { return *executor_; }
  const Logger& logger() const { return logger_; }
  const Limits& limits() const { return limits_; }
  EventHub& events() { return events_; }

  // When to look what a call that began at `now` waits for.
  MonotonicTime DeadlockCheckAfter(MonotonicTime now) const {
    return MonotonicTime::FromNanoseconds(now.ToNanoseconds() +
                                          limits_.deadlock_check_after_ns);
  }

  template <typename E>
  void Publish(const E& event) {
    EventChannel<E>& channel = events_.channel<E>();
    if (channel.HasSubscribers()) channel.Publish(event, logger_);
  }

  NameService* names() const { return names_.load(std::memory_order_acquire); }
  void set_names(NameService* names) {
    names_.store(names, std::memory_order_release);
  }

  // The worker of this system that the calling thread drives, inside its seat
  // with `tag`; null otherwise.
  Worker* WorkerOfThisThread(uint64_t tag) {
    if (tag == OwnerTag::kNoSeat) return nullptr;
    Worker* const worker = this_thread.worker;
    return &worker->executor() == executor_.get() ? worker : nullptr;
  }
  static ActorLocal& LocalOf(Worker& worker) {
    return static_cast<ActorLocal&>(*worker.local());
  }

  // `worker` may be null: a thread that has none.
  uint64_t NewId(Worker* worker) {
    return worker != nullptr ? LocalOf(*worker).NewId() : TakeIds(1);
  }
  void CountSpawn(Worker* worker) {
    if (worker != nullptr) [[likely]] {
      LocalOf(*worker).count().CountSpawn();
    } else {
      outside_.CountSpawn();
    }
  }
  void CountEnd(Worker* worker) {
    if (worker != nullptr) {
      LocalOf(*worker).count().CountEnd();
    } else {
      outside_.CountEnd();
    }
  }
  // For workers' shares of the ids.
  uint64_t TakeIds(uint64_t count) ABSL_LOCKS_EXCLUDED(mu_);

  // For what need not be hidden: pauses between attempts, say.
  uint64_t RandomNumber() ABSL_LOCKS_EXCLUDED(mu_);

  // Actors that exist. Exact when nothing is spawned or ends meanwhile.
  uint64_t LiveActors() ABSL_LOCKS_EXCLUDED(mu_);

  // Top-level spawns are refused from now on.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);
  bool closed() ABSL_LOCKS_EXCLUDED(mu_);
  // Counts a top-level spawn. False: it is refused. Under the lock of Close(),
  // so that who closes the system waits for every actor that was admitted.
  [[nodiscard]] bool AdmitTopLevelSpawn() ABSL_LOCKS_EXCLUDED(mu_);

  // Asks the top-level actors to end, the youngest first.
  void EndTopLevelActors(bool kill);
  void ForEachActor(absl::FunctionRef<void(Cell&, uint64_t id)> visit);
  // An actor that still exists, for messages; empty if none does. The one that
  // has come least far on the way to its end: others may be waiting for it.
  std::string SomeLiveActor();

  // Counts and publishes a message that nobody handles. Outside the seat.
  void MournMessage(ActorId target, DeadLetter::Reason reason,
                    Envelope& envelope);
  // The same for one whose type is not known here.
  void MournUnknown(ActorId target, DeadLetter::Reason reason,
                    std::string_view message_type);
  uint64_t dead_letters() const {
    return dead_letters_.load(std::memory_order_relaxed);
  }

  // Has `task` called once, where it may block: on a thread of a pool that is
  // made when it is first needed; in a turn of its own where the executor has
  // no threads.
  // Errors: those of BlockingPool::Submit(); `task` stays with the caller.
  [[nodiscard]] absl::Status RunBlocking(BlockingPool::Task&& task)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Runs nothing more there, and waits for what runs.
  absl::Status EndBlocking(MonotonicTime deadline) ABSL_LOCKS_EXCLUDED(mu_);

  // Ends a dedicated worker once it has nothing to run, if that has not come
  // with the end of the executor.
  void ReleaseThread(Worker& worker) ABSL_LOCKS_EXCLUDED(threads_mu_);

  std::unique_ptr<ActorLocal> MakeLocal();
  // Ends the threads. REQUIRES: no actor exists; not in a turn. The executor
  // itself lives on: somebody may just be coming back from waiting for an
  // actor.
  void EndExecutor() ABSL_LOCKS_EXCLUDED(threads_mu_);
  // A worker that ends leaves its counts behind.
  void Forget(ActorLocal& local) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  ActorSystem& system_;
  const Logger logger_;
  const Limits limits_;
  EventHub events_;
  std::atomic<NameService*> names_{nullptr};
  std::atomic<uint64_t> dead_letters_{0};
  SharedActorCount<> outside_;  // By threads without a worker.

  absl::Mutex mu_;
  // Made when it is first needed.
  std::optional<Random> random_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t next_id_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t end_of_ids_ ABSL_GUARDED_BY(mu_) = 0;
  // Workers own them; they live as long as the executor.
  std::vector<ActorLocal*> locals_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<BlockingPool> blocking_ ABSL_GUARDED_BY(mu_);
  absl::Mutex threads_mu_;
  bool threads_ended_ ABSL_GUARDED_BY(threads_mu_) = false;
  std::unique_ptr<Executor> executor_;
};

// What who asks for something hears in a child of fork().
absl::Status ParentsThreads(absl::string_view what);

// As TimeOfTurn(), in the seat with `tag`.
inline MonotonicTime TimeInSeat(SystemCore& system, uint64_t tag) {
  if (tag == OwnerTag::kNoSeat ||
      &this_thread.worker->executor() != &system.executor()) [[unlikely]] {
    return system.executor().clock().Now();
  }
  return this_thread.worker->now();
}

// The time, at most 1 ms old when the turn began that the calling thread is in;
// exact on other threads.
inline MonotonicTime TimeOfTurn(SystemCore& system) {
  const MonotonicTime now = TimeInSeat(system, EnterSeat());
  LeaveSeat();
  return now;
}

// The same in the code of an actor that runs in a turn of its own.
inline MonotonicTime TimeOfOwnTurn() { return this_thread.worker->now(); }

// When `delay` from now has passed, by the system's clock. Zero and less is the
// time of this turn, so that it has come already.
MonotonicTime TimeAfter(SystemCore& system, int64_t delay_ns);
inline MonotonicTime TimeAfter(SystemCore& system, absl::Duration delay) {
  return TimeAfter(system, absl::ToInt64Nanoseconds(delay));
}

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTOR_INTERNAL_SYSTEM_CORE_H_
