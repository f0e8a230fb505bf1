// An Executor without threads: it plays N workers on the caller's thread, and a
// seed decides at each step which worker runs which of its runnables. The same
// seed gives the same run.
//
// The workers are those of ThreadExecutor, so the paths between workers run
// too: deliveries, claims, and what the seed throws in at random: hand-overs,
// and turns that lose their seat, as if their handler had blocked for too long.
// In the midst of such a turn other turns run, of the same worker too.
// Time is virtual: it stands still while something can run, and then jumps to
// the next alarm or timer. Of several workers whose timers are due, the seed
// decides which fires first, and what runs in between.
//
// Several executors may share their time, and a schedule that says which of
// them plays: see deterministic_schedule.h.
//
// Blocking: no call blocks; those that wait play steps until they are done.
// Thread safety: none. One thread at a time uses the executor and everything
// that runs on it; two executors on two threads do not meet.
//
//   DeterministicExecutor executor({.seed = 17});
//   ...
//   executor.RunUntilIdle();
#ifndef TROUPE_SCHEDULER_DETERMINISTIC_EXECUTOR_H_
#define TROUPE_SCHEDULER_DETERMINISTIC_EXECUTOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/deterministic_choice.h"
#include "troupe/scheduler/deterministic_schedule.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/timer_wheel.h"
#include "troupe/scheduler/worker.h"

namespace troupe {

class DeterministicExecutor final : public Executor {
 public:
  using Choice = DeterministicChoice;

  struct Options {
    uint64_t seed = 0;
    int workers = 2;
    // How often a step, instead of running a turn, gives the runnable to
    // another worker, if it can be given.
    double hand_over_probability = 0.1;
    // How often a turn loses its seat: when its handler first asks the runtime
    // for something, or when it returns.
    double lost_seat_probability = 0.05;
    Logger logger = {};
    // Called after each step that is played, whoever plays it, but not after
    // those that are played in the midst of a turn: no handler of this executor
    // is running. The ringing of alarms is no step. May do what a plain thread
    // may, but must not play.
    std::function<void()> after_step = {};
    // Called before each turn, those in the midst of another one included, in
    // the seat of the worker: may look at what will run, and at nothing else of
    // the executor.
    std::function<void(const Runnable&)> before_turn = {};
    // Decides in place of the seed.
    DeterministicChoose choose = {};
    // Called when the next timer of a worker is due: for how long the worker
    // does not look at its timers yet, as if it were busy.
    std::function<absl::Duration()> timer_delay = {};
    // Null: it plays alone. Else it joins, until it is destroyed.
    DeterministicSchedule* schedule = nullptr;
  };

  // REQUIRES: options.workers > 0.
  explicit DeterministicExecutor(const Options& options);
  // REQUIRES: nothing runs any more; not in a turn.
  ~DeterministicExecutor() override;

  // Plays one step, without moving the time: timers of a worker fire, or it
  // takes a turn, or both. False: nothing was ready.
  bool Step();
  // Plays until nothing is ready; time stands still. Returns the steps played.
  uint64_t RunUntilIdle();
  // Plays for that long in virtual time, alarms and timers included.
  void RunFor(absl::Duration duration);

  // Steps played so far.
  uint64_t steps() const { return steps_; }

  // With a schedule, all of the above and what waits plays by that, whoever's
  // steps they are. From now on it does not, and the time goes its own way: for
  // a machine that has failed, of which nothing but its memory is left.
  void LeaveSchedule();
  // Pauses the executor in its schedule: as by SIGSTOP. REQUIRES: it has one.
  void Pause();
  void Resume();

  bool has_threads() const override { return false; }
  int shared_workers() const override { return shared_count_; }
  Worker& shared_worker(int index) override;
  void SetLocals(
      absl::AnyInvocable<std::unique_ptr<WorkerLocal>(Worker&)> make) override;
  absl::StatusOr<Worker*> StartDedicatedWorker(absl::string_view name) override;
  void ReleaseDedicatedWorker(Worker& worker) override;
  void Inject(Runnable& runnable) override;

  const Clock& clock() const override { return clock_; }
  void SetAlarm(Alarm& alarm, MonotonicTime time) override;
  bool CancelAlarm(Alarm& alarm) override;

  bool WaitFor(Event& event, MonotonicTime deadline) override;
  bool RunUntil(absl::FunctionRef<bool()> done,
                MonotonicTime deadline) override;
  absl::Status Shutdown() override;

  uint64_t NewSeed() override { return seeds_.NextUint64(); }

  const Logger& logger() const override { return logger_; }

  void Unpark(Worker&) override {}
  void AwaitSettledSeat() override;
  void GiveUpSeat() override;

 private:
  // Turns that lost their seat and are not over, at most.
  static constexpr int kMaxLostTurns = 4;
  // Steps in the midst of such a turn, at most.
  static constexpr int kMaxStepsInTurn = 8;

  // How the schedule sees the executor.
  class Player final : public DeterministicPlayer {
   public:
    explicit Player(DeterministicExecutor& executor) : executor_(executor) {}
    // To ring what is due is a step too.
    bool IsReady() override {
      return executor_.HasDueAlarms() || executor_.IsReady();
    }
    void Play() override;
    MonotonicTime NextExpiry() const override { return executor_.NextExpiry(); }
    void AdvanceTo(MonotonicTime now) override {
      executor_.clock_.AdvanceTo(now);
    }

   private:
    DeterministicExecutor& executor_;
  };

  struct Played {
    std::unique_ptr<Worker> worker;
    MonotonicTime timers_held_until = MonotonicTime::InfinitePast();
    bool asked_for_delay = false;  // Since its timers fired.
  };

  bool StepAlone();
  // One of so many alternatives; `drawn` by the seed.
  uint32_t Choose(Choice choice, uint32_t alternatives);
  bool Chance(Choice choice, double probability);
  void AddWorker(std::unique_ptr<Worker> worker);

  // A step of any worker; false if nothing is ready.
  bool PlayStep();
  // One worker's step, with the calling thread in its seat.
  void SeatAndPlay(Played& played);
  void PlayTurn(Worker& worker, Runnable& runnable);
  // Takes the seat of the turn that the calling thread is in, and plays other
  // steps, as other threads would.
  void LoseSeat();
  void LetRest(Worker& worker);
  // Gives the runnable, which was to run, to another worker, if that is chosen
  // and can be done.
  bool HandOver(Worker& worker, Runnable& runnable);
  // Whether there is something to play, by any worker or one, without moving
  // the time.
  bool IsReady();
  bool IsReady(Played& played);
  // Whether a timer is due that fires as soon as the worker plays.
  bool HasDueTimer(Played& played);
  // When the next alarm rings or timer fires, or before: the first of what the
  // wheels say.
  MonotonicTime NextExpiry() const;
  // Moves the time to the next alarm or timer, at most to `limit`, and rings
  // what is due; timers fire in the steps that follow. False: there is nothing
  // up to `limit`; the time is `limit` then, unless that is infinite.
  bool JumpToNextExpiry(MonotonicTime limit);
  // Whether an alarm is due, or the wheel wants to be looked at.
  bool HasDueAlarms() const;
  void RingDueAlarms();
  void EraseReleased();

  Random random_;
  Random seeds_;
  const double hand_over_probability_;
  const double lost_seat_probability_;
  const int shared_count_;
  const Logger logger_;
  // Each may be empty.
  const std::function<void()> after_step_;
  const std::function<void(const Runnable&)> before_turn_;
  const DeterministicChoose choose_;
  const std::function<absl::Duration()> timer_delay_;
  Player player_{*this};
  DeterministicSchedule* schedule_;  // Null: none, or it has left.
  ManualClock clock_;
  TimerWheel alarms_;
  absl::AnyInvocable<std::unique_ptr<WorkerLocal>(Worker&)> make_local_;
  std::vector<Played> workers_;  // Shared ones first.
  std::vector<Worker*> released_;
  int dedicated_started_ = 0;
  int lost_turns_ = 0;
  bool rings_ = false;
  bool shut_down_ = false;
  uint64_t steps_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_DETERMINISTIC_EXECUTOR_H_
