// Several players on one thread, in one virtual time: executors, each with what
// runs on it, and what else a simulation needs, such as a network between them.
// A seed decides at each step who plays. The same seed gives the same run.
//
//   DeterministicSchedule schedule(17);
//   DeterministicExecutor a({.seed = 1, .schedule = &schedule});
//   DeterministicExecutor b({.seed = 2, .schedule = &schedule});
//   ...
//   schedule.RunFor(absl::Seconds(5));
//
// Time stands still while somebody can play, and then jumps to where the first
// of them can again. Who waits on one of the executors lets all of them play:
// what it waits for may come from another one.
//
// Blocking: no call blocks.
// Thread safety: none, as of DeterministicExecutor.
#ifndef TROUPE_SCHEDULER_DETERMINISTIC_SCHEDULE_H_
#define TROUPE_SCHEDULER_DETERMINISTIC_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/deterministic_choice.h"

namespace troupe {

class DeterministicPlayer {
 public:
  virtual ~DeterministicPlayer() = default;

  // Whether there is something to play without moving the time.
  virtual bool IsReady() = 0;
  // Plays one step. REQUIRES: IsReady().
  virtual void Play() = 0;
  // When it is ready next, or before, if it is not now.
  virtual MonotonicTime NextExpiry() const = 0;
  // It is `now`. Not called while the player is paused, but then.
  virtual void AdvanceTo(MonotonicTime now) = 0;
};

class DeterministicSchedule {
 public:
  explicit DeterministicSchedule(uint64_t seed) : random_(seed) {}
  DeterministicSchedule(const DeterministicSchedule&) = delete;
  DeterministicSchedule& operator=(const DeterministicSchedule&) = delete;
  // REQUIRES: all have left.
  ~DeterministicSchedule();

  // -- players ---------------------------------------------------------------

  // The player outlives its part in this. Its time is the schedule's from now.
  void Join(DeterministicPlayer& player);
  // Does nothing if it has left. May be called while it plays.
  void Leave(DeterministicPlayer& player);
  // From now on it does not play, and sees no time pass, until it is resumed:
  // then it is late with all that was due. REQUIRES: it has joined.
  void Pause(DeterministicPlayer& player);
  void Resume(DeterministicPlayer& player);

  // Called after each step, whoever plays it; may do what a plain thread may,
  // but must not play.
  void SetAfterStep(std::function<void()> after_step) {
    after_step_ = std::move(after_step);
  }

  // Decides in place of the seed which of the players plays, when two or more
  // are ready: DeterministicChoice::kPlayer, in the order in which they joined.
  void SetChoose(DeterministicChoose choose) { choose_ = std::move(choose); }

  // -- playing ---------------------------------------------------------------
  // Not in a step.

  // Plays one step, without moving the time. False: nobody was ready.
  bool Step();
  // Plays until nobody is ready; time stands still. Returns the steps played.
  uint64_t RunUntilIdle();
  // Plays for that long in virtual time.
  void RunFor(absl::Duration duration);
  // Plays until `done`, which is asked between steps; at most until `deadline`
  // or to the end of all that is to come. Returns whether it is.
  bool RunUntil(absl::FunctionRef<bool()> done, MonotonicTime deadline);

  MonotonicTime now() const { return now_; }
  // Steps played so far.
  uint64_t steps() const { return steps_; }

 private:
  struct Part {
    DeterministicPlayer* player;
    bool paused = false;
  };

  // Moves the time to where somebody is ready, at most to `limit`. False:
  // nobody is up to there; it is `limit` then, unless that is infinite.
  bool Jump(MonotonicTime limit);
  void AdvanceTo(MonotonicTime now);
  Part& PartOf(DeterministicPlayer& player);
  // One of so many that are ready.
  size_t Choose(size_t ready);

  Random random_;
  std::vector<Part> parts_;  // In the order in which they joined.
  std::vector<DeterministicPlayer*> ready_;  // Of use in Step() only.
  std::function<void()> after_step_;         // May be empty.
  DeterministicChoose choose_;               // The same.
  MonotonicTime now_;
  uint64_t steps_ = 0;
  bool playing_ = false;
};

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_DETERMINISTIC_SCHEDULE_H_
