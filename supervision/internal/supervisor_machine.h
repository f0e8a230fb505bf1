// What a supervisor decides, without actors, clock or threads: events go in,
// commands come out. docs/design/supervision.md has its states as a table.
//
//   SupervisorMachine machine({.strategy = kOneForAll}, random);
//   const ChildKey child = machine.Add({.restart = kTransient});
//   machine.Start(clock.Now());
//   while (machine.HasCommand()) Carry(machine.TakeCommand());
//   // Call TimerDue() at machine.next_wake().
#ifndef TROUPE_SUPERVISION_INTERNAL_SUPERVISOR_MACHINE_H_
#define TROUPE_SUPERVISION_INTERNAL_SUPERVISOR_MACHINE_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/base/clock.h"
#include "troupe/base/fifo.h"
#include "troupe/base/random.h"
#include "troupe/supervision/child_status.h"
#include "troupe/supervision/internal/child_table.h"
#include "troupe/supervision/internal/deadline_heap.h"
#include "troupe/supervision/internal/restart_window.h"
#include "troupe/supervision/internal/supervisor_command.h"
#include "troupe/supervision/strategy.h"

namespace troupe::internal {

// The contract with its shell:
//
// * The shell carries out commands in the order in which it takes them. It may
//   call in with events before it has taken all of them.
// * kStart is answered by one call of ChildStarted() or StartFailed(); an
//   instance that started, by one of ChildEnded(), which may come before
//   ChildStarted(): the death is then acted on when the start is known.
// * kStop and kKill may concern an instance that is being started, and one that
//   has ended in the meantime. They cost the shell no answer: what answers
//   kStart, and the end of the instance, still come. To cut a start short is up
//   to the shell; StartFailed() says that it has done so.
// * A start that fails during a restart is tried again by the next command.
//   That the loop leaves room for other work is up to the shell.
//
// The children of Start() and of a restart of many are stopped one at a time,
// and then started one at a time: who comes next waits until the one before has
// ended, or has started. What concerns one child alone does not wait for that:
// its restart under kOneForOne and kDynamic, and admin operations. kDynamic has
// no order: its children stop all at once.
//
// Blocking: never. No operation waits for a child that is being stopped or
// started, but the answer to whom it is about may come later.
// Thread safety: none.
// Time: never decreases; an earlier `now` is taken for the latest one seen.
// Memory: 64 bytes per child, 16 more while it is being stopped or its restart
// is delayed. No call allocates while there are not more children, commands to
// take, and failures within Intensity than ever before.
class SupervisorMachine {
 public:
  struct Settings {
    Strategy strategy = kOneForOne;
    Intensity intensity = {};
    AutoShutdown auto_shutdown = kNever;
  };

  // `random` is for the jitter of RestartBackoff, and outlives the machine.
  SupervisorMachine(const Settings& settings, Random& random);
  SupervisorMachine(const SupervisorMachine&) = delete;
  SupervisorMachine& operator=(const SupervisorMachine&) = delete;

  // ---- Commands

  bool HasCommand() const { return !commands_.empty(); }
  // REQUIRES: HasCommand()
  SupervisorCommand TakeCommand();

  // ---- The supervisor

  // Appends a child, which is idle.
  ChildKey Add(const ChildRules& rules);

  // Starts the children, in order. kReady when all have started; if one cannot,
  // the others are stopped and the supervisor ends.
  // REQUIRES: not called before
  void Start(MonotonicTime now);

  // Ends the supervisor: all children, in reverse order, then kFinished. What
  // ends already goes on ending for its own cause.
  void Shutdown(MonotonicTime now);

  // For failures from now on.
  // REQUIRES: both or neither of the old and the new one are kDynamic
  void SetStrategy(Strategy strategy);
  void SetIntensity(const Intensity& intensity);

  // ---- What happened to children

  void ChildStarted(ChildKey child, MonotonicTime now);
  // Its factory, or PreStart(), failed: there is no instance.
  void StartFailed(ChildKey child, MonotonicTime now);
  // Its instance has ended, whoever asked for it.
  void ChildEnded(ChildKey child, ExitReason::Kind kind, MonotonicTime now);

  // ---- Time

  // When TimerDue() is to be called; InfiniteFuture() if not at all.
  MonotonicTime next_wake() const { return deadlines_.next(); }
  // next_wake() has come, maybe long ago. Early calls do nothing.
  void TimerDue(MonotonicTime now);

  // ---- Admin: each is answered once, by kAnswer, at once or later
  // REQUIRES: Has(child)

  // Starts a child that was just added, by the call before this one. kDone when
  // it has started. If it cannot (kStartFailed), it is forgotten.
  void StartChild(ChildKey child, MonotonicTime now, Ticket ticket);
  // Ends its instance, if there is one, and cancels its restart, if one is
  // under way; kDone when it is idle, or forgotten: temporary children are, and
  // those of kDynamic.
  void TerminateChild(ChildKey child, MonotonicTime now, Ticket ticket);
  // Starts an idle child; kDone when it has started. If it cannot
  // (kStartFailed), it stays idle. Waits for a TerminateChild() that is under
  // way.
  void RestartChild(ChildKey child, MonotonicTime now, Ticket ticket);
  // Forgets an idle child. Waits for a TerminateChild() that is under way.
  void DeleteChild(ChildKey child, MonotonicTime now, Ticket ticket);

  // ---- What is

  // Whether it was added, and not decided to be forgotten; kForget may still
  // come.
  bool Has(ChildKey child) const { return children_[child].listed; }
  ChildStatus status(ChildKey child) const { return children_[child].status; }
  // How often it was started again, by a restart of it or its siblings.
  uint32_t restarts(ChildKey child) const { return children_[child].restarts; }
  // The children in order; kNoChild behind the last, and if there is none.
  ChildKey first() const { return children_.first(); }
  ChildKey next(ChildKey child) const { return children_[child].next; }
  size_t size() const { return children_.size(); }
  Strategy strategy() const { return strategy_; }
  // From the decision to end until kFinished, and after it.
  bool ending() const { return ending_; }

 private:
  using Command = SupervisorCommand;

  // ---- What events come to

  // The instance of `child`, which had started, has ended.
  void InstanceEnded(ChildKey key, ExitReason::Kind kind);
  // A child that was to end has no instance any more.
  void Down(ChildKey key);
  // A child that has no instance any more is to be restarted, if that is not
  // one restart too many.
  void Failed(ChildKey key);
  // Whether it is not; otherwise the supervisor ends.
  bool AdmitRestart(ChildKey key);
  // Marks what is to end, and to start again, because `key` has failed.
  void MarkAll(ChildKey key);
  void MarkRest(ChildKey key);
  void Mark(ChildKey key);
  // Marks all to end. `finished` is the command for when all have.
  void BeginEnding(const Command& finished);

  // ---- What is done in turn

  // Gives the next commands. The last thing that every event does.
  void Proceed();
  // Stops the last child that is to end; false if none is.
  bool StopNext();
  void StartNext();

  // ---- What is done to one child

  void StartInstance(ChildKey key);
  void StopInstance(ChildKey key);
  void CloseStart(ChildKey key);
  void Queue(ChildKey key);
  void SetStatus(ChildKey key, ChildStatus status);
  void Forget(ChildKey key);
  // Of a temporary or dynamic child nothing is left without an instance.
  bool Vanishes(const Child& child) const;

  // ---- What is answered

  void Answer(ChildKey key, Ticket ticket, AdminOutcome outcome);
  // Answers those who wait for something, and keeps the others waiting.
  void AnswerAll(ChildKey key, Waiter::For what, AdminOutcome outcome);
  // Begins what waited for the end of `key`.
  void ResumeWaiters(ChildKey key);
  void Report(ChildKey key, Verdict verdict,
              absl::Duration delay = absl::ZeroDuration());

  void SeeTime(MonotonicTime now) { now_ = now > now_ ? now : now_; }

  Strategy strategy_;
  Intensity intensity_;
  const AutoShutdown auto_shutdown_;
  Random& random_;

  MonotonicTime now_ = MonotonicTime::InfinitePast();
  ChildTable children_;
  DeadlineHeap deadlines_;
  RestartWindow window_;
  Fifo<Command> commands_;

  // Nobody behind it is to stop; nobody before it is queued.
  ChildKey stop_cursor_ = kNoChild;
  ChildKey start_cursor_ = kNoChild;
  // Who is being started in turn: the next one waits for it.
  ChildKey turn_ = kNoChild;

  size_t instances_ = 0;
  size_t significant_ = 0;  // Those that are not idle.
  bool started_ = false;    // Start() was called,
  bool ready_ = false;      // and is done.
  bool ending_ = false;
  bool finished_ = false;
  Command final_command_ = {.kind = Command::Kind::kFinished};
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_SUPERVISOR_MACHINE_H_
