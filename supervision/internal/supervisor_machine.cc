#include "troupe/supervision/internal/supervisor_machine.h"

#include <cstdint>

#include "absl/time/time.h"
#include "troupe/base/check.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/internal/backoff_delay.h"

namespace troupe::internal {
namespace {

// The invariants between calls:
//
// 1. An instance is there exactly in the states kStarting, kRunning, kStopping.
//    A temporary child is idle only from Add() to StartChild().
// 2. `to_stop` and `wanted` are only set for those; `queued` only in kWaiting.
// 3. Nobody is started in turn while somebody is to stop.
// 4. A child has a deadline exactly while it waits for its delay (kWaiting), or
//    has a limit to its end that has not passed (kStopping).
// 5. Who waits: in kStarting, and in kWaiting after such a start was cut short,
//    for the start; in kStopping for whatever; otherwise nobody.
// 6. While the supervisor ends, nobody is kWaiting and nothing is forgotten.

bool IsExpected(const Child& child, ExitReason::Kind kind) {
  return ExitReason::IsGraceful(kind) ||
         (kind == ExitReason::Kind::kKilled && child.IsBrutal());
}

}  // namespace

SupervisorMachine::SupervisorMachine(const Settings& settings, Random& random)
    : strategy_(settings.strategy),
      intensity_(settings.intensity),
      auto_shutdown_(settings.auto_shutdown),
      random_(random) {}

SupervisorCommand SupervisorMachine::TakeCommand() {
  const Command command = commands_.Pop();
  if (command.kind == Command::Kind::kForget) children_.Release(command.child);
  return command;
}

ChildKey SupervisorMachine::Add(const ChildRules& rules) {
  return children_.Add(rules);
}

void SupervisorMachine::Start(MonotonicTime now) {
  TROUPE_CHECK(!started_, "a supervisor starts once");
  SeeTime(now);
  started_ = true;
  if (ending_) return;
  for (ChildKey key = first(); key != kNoChild; key = next(key)) {
    children_[key].origin = Child::Origin::kFirst;
    SetStatus(key, ChildStatus::kWaiting);
    Queue(key);
  }
  Proceed();
}

void SupervisorMachine::Shutdown(MonotonicTime now) {
  SeeTime(now);
  if (ending_) return;
  BeginEnding({.kind = Command::Kind::kFinished, .cause = EndCause::kAsked});
  Proceed();
}

void SupervisorMachine::SetStrategy(Strategy strategy) {
  TROUPE_CHECK((strategy == kDynamic) == (strategy_ == kDynamic),
               "dynamic children have no order, and others no other");
  strategy_ = strategy;
}

void SupervisorMachine::SetIntensity(const Intensity& intensity) {
  intensity_ = intensity;
}

void SupervisorMachine::ChildStarted(ChildKey key, MonotonicTime now) {
  SeeTime(now);
  CloseStart(key);
  Child& child = children_[key];
  child.origin = Child::Origin::kRestart;
  child.running_since = now_;
  if (child.status == ChildStatus::kStarting) {
    SetStatus(key, ChildStatus::kRunning);
    AnswerAll(key, Waiter::For::kStart, AdminOutcome::kDone);
  }
  if (child.ended_early) {
    child.ended_early = false;
    InstanceEnded(key, child.early_end);
  }
  Proceed();
}

void SupervisorMachine::StartFailed(ChildKey key, MonotonicTime now) {
  SeeTime(now);
  CloseStart(key);
  Child& child = children_[key];
  child.ended_early = false;
  if (child.status == ChildStatus::kStopping) {
    Down(key);
  } else if (child.to_stop) {
    Report(key, Verdict::kNone);
    Down(key);
  } else {
    switch (child.origin) {
      case Child::Origin::kRestart:
        Failed(key);
        break;
      case Child::Origin::kFirst:
        Report(key, Verdict::kStartFailed);
        SetStatus(key, ChildStatus::kWaiting);
        BeginEnding({.kind = Command::Kind::kFinished,
                     .cause = EndCause::kStartFailed,
                     .child = key});
        break;
      case Child::Origin::kAdded:
        Report(key, Verdict::kForget);
        SetStatus(key, ChildStatus::kIdle);
        AnswerAll(key, Waiter::For::kStart, AdminOutcome::kStartFailed);
        Forget(key);
        break;
      case Child::Origin::kRevived:
        Report(key, Verdict::kLeave);
        SetStatus(key, ChildStatus::kIdle);
        AnswerAll(key, Waiter::For::kStart, AdminOutcome::kStartFailed);
        break;
    }
  }
  Proceed();
}

void SupervisorMachine::ChildEnded(ChildKey key, ExitReason::Kind kind,
                                   MonotonicTime now) {
  SeeTime(now);
  Child& child = children_[key];
  TROUPE_CHECK(child.HasInstance() && !child.ended_early,
               "a child ends once for each time it started");
  if (child.start_open) {
    child.ended_early = true;
    child.early_end = kind;
    return;
  }
  InstanceEnded(key, kind);
  Proceed();
}

void SupervisorMachine::TimerDue(MonotonicTime now) {
  SeeTime(now);
  while (!deadlines_.empty() && deadlines_.next() <= now_) {
    const ChildKey key = deadlines_.Pop();
    if (children_[key].status == ChildStatus::kStopping) {
      commands_.Push({.kind = Command::Kind::kKill, .child = key});
    } else if (!children_[key].queued) {
      StartInstance(key);
    }
  }
  Proceed();
}

void SupervisorMachine::InstanceEnded(ChildKey key, ExitReason::Kind kind) {
  Child& child = children_[key];
  const RestartBackoff* backoff = children_.backoff(key);
  if (backoff != nullptr &&
      now_ - child.running_since >= backoff->reset_after) {
    child.failures = 0;
  }
  if (child.status == ChildStatus::kStopping || child.to_stop) {
    if (!IsExpected(child, kind)) Report(key, Verdict::kNone);
    Down(key);
    return;
  }
  if (child.restart == kPermanent ||
      (child.restart == kTransient && !ExitReason::IsGraceful(kind))) {
    Failed(key);
    return;
  }
  SetStatus(key, ChildStatus::kIdle);
  if (child.significant && auto_shutdown_ != kNever &&
      (auto_shutdown_ == kAnySignificant || significant_ == 0)) {
    Report(key, Verdict::kAutoShutdown);
    BeginEnding({.kind = Command::Kind::kFinished,
                 .cause = EndCause::kAutoShutdown,
                 .child = key});
  } else if (Vanishes(child)) {
    Report(key, Verdict::kForget);
    Forget(key);
  } else {
    Report(key, Verdict::kLeave);
  }
}

void SupervisorMachine::Down(ChildKey key) {
  Child& child = children_[key];
  child.to_stop = false;
  deadlines_.Cancel(key);
  if (child.wanted) {
    child.wanted = false;
    SetStatus(key, ChildStatus::kWaiting);
    Queue(key);
    AnswerAll(key, Waiter::For::kTerminate, AdminOutcome::kDone);
  } else {
    SetStatus(key, ChildStatus::kIdle);
    AnswerAll(key, Waiter::For::kTerminate, AdminOutcome::kDone);
    AnswerAll(key, Waiter::For::kStart,
              ending_ ? AdminOutcome::kEnding : AdminOutcome::kStopped);
    if (Vanishes(child) && !ending_) Forget(key);
  }
  ResumeWaiters(key);
}

void SupervisorMachine::Failed(ChildKey key) {
  if (!AdmitRestart(key)) return;
  const RestartBackoff* backoff = children_.backoff(key);
  const absl::Duration delay =
      backoff == nullptr
          ? absl::ZeroDuration()
          : BackoffDelay(*backoff, children_[key].failures, random_);
  SetStatus(key, ChildStatus::kWaiting);
  if (delay > absl::ZeroDuration()) deadlines_.Set(key, now_ + delay);
  switch (strategy_) {
    case kOneForOne:
    case kDynamic:
      Report(key, Verdict::kRestart, delay);
      if (!deadlines_.IsSet(key)) StartInstance(key);
      break;
    case kOneForAll:
      Report(key, Verdict::kRestartAll, delay);
      MarkAll(key);
      break;
    case kRestForOne:
      Report(key, Verdict::kRestartRest, delay);
      MarkRest(key);
      break;
  }
}

bool SupervisorMachine::AdmitRestart(ChildKey key) {
  Command finished{.kind = Command::Kind::kFinished,
                   .cause = EndCause::kGaveUp,
                   .child = key};
  if (children_.backoff(key) != nullptr) {
    const uint32_t failures = ++children_[key].failures;
    if (failures <= static_cast<uint32_t>(intensity_.restarts)) return true;
    finished.restarts = failures;
    finished.within = absl::InfiniteDuration();
  } else {
    if (window_.Admit(intensity_, now_)) return true;
    finished.restarts = static_cast<uint32_t>(window_.count()) + 1;
    finished.within = window_.SpanUntil(now_);
  }
  Report(key, Verdict::kGiveUp);
  SetStatus(key, ChildStatus::kWaiting);
  BeginEnding(finished);
  return false;
}

void SupervisorMachine::MarkAll(ChildKey key) {
  Queue(key);
  for (ChildKey i = first(); i != kNoChild; i = next(i)) {
    if (i != key) Mark(i);
  }
}

void SupervisorMachine::MarkRest(ChildKey key) {
  Queue(key);
  for (ChildKey i = next(key); i != kNoChild; i = next(i)) Mark(i);
}

void SupervisorMachine::Mark(ChildKey key) {
  Child& child = children_[key];
  if (child.HasInstance()) {
    child.to_stop = true;
    child.wanted = child.restart != kTemporary;
    // Whoever started it by hand still waits, but it is one of the others now.
    if (child.wanted && child.origin != Child::Origin::kFirst) {
      child.origin = Child::Origin::kRestart;
    }
    stop_cursor_ = children_.last();
  } else {
    SetStatus(key, ChildStatus::kWaiting);
    Queue(key);
  }
}

void SupervisorMachine::BeginEnding(const Command& finished) {
  ending_ = true;
  final_command_ = finished;
  stop_cursor_ = children_.last();
  start_cursor_ = kNoChild;
  for (ChildKey key = children_.last(); key != kNoChild;
       key = children_[key].previous) {
    Child& child = children_[key];
    child.queued = false;
    child.wanted = false;
    if (child.status == ChildStatus::kWaiting) {
      deadlines_.Cancel(key);
      SetStatus(key, ChildStatus::kIdle);
      AnswerAll(key, Waiter::For::kStart, AdminOutcome::kEnding);
    } else if (child.HasInstance()) {
      if (strategy_ != kDynamic) {
        child.to_stop = true;
      } else if (child.status != ChildStatus::kStopping) {
        StopInstance(key);
      }
    }
  }
}

void SupervisorMachine::Proceed() {
  if (StopNext()) return;
  if (!ending_) {
    StartNext();
  } else if (instances_ == 0 && !finished_) {
    finished_ = true;
    commands_.Push(final_command_);
  }
}

bool SupervisorMachine::StopNext() {
  while (stop_cursor_ != kNoChild) {
    const Child& child = children_[stop_cursor_];
    if (child.to_stop) {
      if (child.status != ChildStatus::kStopping) StopInstance(stop_cursor_);
      return true;
    }
    stop_cursor_ = child.previous;
  }
  return false;
}

void SupervisorMachine::StartNext() {
  if (turn_ != kNoChild) return;
  while (start_cursor_ != kNoChild) {
    const ChildKey key = start_cursor_;
    if (children_[key].queued) {
      if (deadlines_.IsSet(key)) return;
      turn_ = key;
      StartInstance(key);
      return;
    }
    start_cursor_ = next(key);
  }
  if (started_ && !ready_) {
    ready_ = true;
    commands_.Push({.kind = Command::Kind::kReady});
  }
}

void SupervisorMachine::StartInstance(ChildKey key) {
  Child& child = children_[key];
  child.queued = false;
  child.start_open = true;
  if (child.origin == Child::Origin::kRestart) ++child.restarts;
  SetStatus(key, ChildStatus::kStarting);
  commands_.Push({.kind = Command::Kind::kStart, .child = key});
}

void SupervisorMachine::StopInstance(ChildKey key) {
  const Child& child = children_[key];
  if (turn_ == key) turn_ = kNoChild;
  SetStatus(key, ChildStatus::kStopping);
  if (child.IsBrutal()) {
    commands_.Push({.kind = Command::Kind::kKill, .child = key});
    return;
  }
  commands_.Push({.kind = Command::Kind::kStop, .child = key});
  const MonotonicTime limit = now_ + child.ShutdownLimit();
  if (!limit.IsInfinite()) deadlines_.Set(key, limit);
}

void SupervisorMachine::CloseStart(ChildKey key) {
  TROUPE_CHECK(children_[key].start_open,
               "a start is answered once for each time it was asked for");
  children_[key].start_open = false;
  if (turn_ == key) turn_ = kNoChild;
}

void SupervisorMachine::Queue(ChildKey key) {
  children_[key].queued = true;
  if (start_cursor_ == kNoChild ||
      children_[key].rank < children_[start_cursor_].rank) {
    start_cursor_ = key;
  }
}

void SupervisorMachine::SetStatus(ChildKey key, ChildStatus status) {
  Child& child = children_[key];
  const bool had_instance = child.HasInstance();
  const bool was_idle = child.status == ChildStatus::kIdle;
  child.status = status;
  // Whoever starts an idle child says what for.
  if (status == ChildStatus::kIdle) child.origin = Child::Origin::kRestart;
  instances_ += child.HasInstance() - had_instance;
  if (child.significant) {
    significant_ += was_idle - (status == ChildStatus::kIdle);
  }
}

void SupervisorMachine::Forget(ChildKey key) {
  if (stop_cursor_ == key) stop_cursor_ = children_[key].previous;
  if (start_cursor_ == key) start_cursor_ = next(key);
  AnswerAll(key, Waiter::For::kRestart, AdminOutcome::kNoSuchChild);
  AnswerAll(key, Waiter::For::kDelete, AdminOutcome::kNoSuchChild);
  children_.Unlist(key);
  commands_.Push({.kind = Command::Kind::kForget, .child = key});
}

bool SupervisorMachine::Vanishes(const Child& child) const {
  return child.restart == kTemporary || strategy_ == kDynamic;
}

void SupervisorMachine::Report(ChildKey key, Verdict verdict,
                               absl::Duration delay) {
  commands_.Push({.kind = Command::Kind::kReport,
                  .verdict = verdict,
                  .child = key,
                  .restarts = children_[key].restarts,
                  .delay = delay});
}

}  // namespace troupe::internal
