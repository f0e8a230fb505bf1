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
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_status.h"
#include "troupe/supervision/internal/supervisor_command.h"
#include "troupe/supervision/strategy.h"

namespace troupe::internal {

// What of ChildOptions the machine looks at.
struct ChildRules {
  Restart restart = kPermanent;
  Shutdown shutdown = Shutdown().For(kWorker);  // Not the default.
  bool significant = false;
  std::optional<Backoff> backoff = {};
};

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
// One child at a time is started and stopped, those apart that fail or are
// dealt with on their own: whoever comes after waits until it has started, or
// ended. kDynamic has no order: its children stop all at once.
//
// Blocking: never. No operation waits for a child that is being stopped or
// started, but the answer to whom it is about may come later.
// Thread safety: none. Time: never decreases; an earlier `now` is taken for the
// latest one seen.
// Memory: 64 bytes per child at most. No call allocates while there are not
// more children, commands to take, and failures within Intensity than ever
// before.
class SupervisorMachine {
 public:
  struct Settings {
    Strategy strategy = kOneForOne;
    Intensity intensity = {};
    AutoShutdown auto_shutdown = kNever;
  };

  // `random` is for the jitter of Backoff, and outlives the machine.
  SupervisorMachine(const Settings& settings, Random& random);
  SupervisorMachine(const SupervisorMachine&) = delete;
  SupervisorMachine& operator=(const SupervisorMachine&) = delete;
  ~SupervisorMachine();

  // ---- Commands

  bool HasCommand() const;
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
  MonotonicTime next_wake() const;
  // next_wake() has come, maybe long ago. Early calls do nothing.
  void TimerDue(MonotonicTime now);

  // ---- Admin: each is answered once, by kAnswer, at once or later

  // Starts an idle child that was just added. kDone when it has started. If it
  // cannot (kStartFailed), it is forgotten.
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

  ChildStatus status(ChildKey child) const;
  // How often it was started again, by a restart of it or its siblings.
  uint32_t restarts(ChildKey child) const;
  // The children in order; kNoChild behind the last, and if there is none.
  ChildKey first() const;
  ChildKey next(ChildKey child) const;
  size_t size() const;
  Strategy strategy() const;
  // From the decision to end until kFinished, and after it.
  bool ending() const;
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_SUPERVISOR_MACHINE_H_
