// The operations of SupervisorMachine that people and programs ask for.
#include <cstddef>

#include "troupe/base/check.h"
#include "troupe/base/clock.h"
#include "troupe/supervision/child_status.h"
#include "troupe/supervision/internal/child_table.h"
#include "troupe/supervision/internal/supervisor_command.h"
#include "troupe/supervision/internal/supervisor_machine.h"
#include "troupe/supervision/strategy.h"

namespace troupe::internal {

void SupervisorMachine::StartChild(ChildKey key, MonotonicTime now,
                                   Ticket ticket) {
  SeeTime(now);
  TROUPE_CHECK(children_[key].status == ChildStatus::kIdle,
               "who is started by hand was just added");
  if (ending_) {
    Answer(key, ticket, AdminOutcome::kEnding);
    Forget(key);
    return;
  }
  children_[key].origin = Child::Origin::kAdded;
  children_.AddWaiter(key, {ticket, Waiter::For::kStart});
  StartInstance(key);
}

void SupervisorMachine::TerminateChild(ChildKey key, MonotonicTime now,
                                       Ticket ticket) {
  TROUPE_DCHECK(Has(key), "who is forgotten is asked for nothing");
  SeeTime(now);
  if (ending_) {
    Answer(key, ticket, AdminOutcome::kEnding);
    return;
  }
  Child& child = children_[key];
  child.wanted = false;
  child.queued = false;
  switch (child.status) {
    case ChildStatus::kWaiting:
      deadlines_.Cancel(key);
      SetStatus(key, ChildStatus::kIdle);
      AnswerAll(key, Waiter::For::kStart, AdminOutcome::kStopped);
      [[fallthrough]];
    case ChildStatus::kIdle:
      Answer(key, ticket, AdminOutcome::kDone);
      if (Vanishes(child)) Forget(key);
      break;
    case ChildStatus::kStarting:
    case ChildStatus::kRunning:
      StopInstance(key);
      [[fallthrough]];
    case ChildStatus::kStopping:
      // What was to begin after the end came before this.
      AnswerAll(key, Waiter::For::kRestart, AdminOutcome::kStopped);
      children_.AddWaiter(key, {ticket, Waiter::For::kTerminate});
      break;
  }
  Proceed();
}

void SupervisorMachine::RestartChild(ChildKey key, MonotonicTime now,
                                     Ticket ticket) {
  TROUPE_DCHECK(Has(key), "who is forgotten is asked for nothing");
  SeeTime(now);
  const Child& child = children_[key];
  if (ending_) {
    Answer(key, ticket, AdminOutcome::kEnding);
  } else if (strategy_ == kDynamic) {
    Answer(key, ticket, AdminOutcome::kNotDynamic);
  } else if (child.status == ChildStatus::kIdle) {
    children_[key].origin = Child::Origin::kRevived;
    children_.AddWaiter(key, {ticket, Waiter::For::kStart});
    StartInstance(key);
  } else if (child.wanted || child.status == ChildStatus::kWaiting ||
             child.status == ChildStatus::kStarting) {
    Answer(key, ticket, AdminOutcome::kRestarting);
  } else if (child.status == ChildStatus::kRunning) {
    Answer(key, ticket, AdminOutcome::kRunning);
  } else {
    children_.AddWaiter(key, {ticket, Waiter::For::kRestart});
  }
}

void SupervisorMachine::DeleteChild(ChildKey key, MonotonicTime now,
                                    Ticket ticket) {
  TROUPE_DCHECK(Has(key), "who is forgotten is asked for nothing");
  SeeTime(now);
  const Child& child = children_[key];
  if (ending_) {
    Answer(key, ticket, AdminOutcome::kEnding);
  } else if (strategy_ == kDynamic) {
    Answer(key, ticket, AdminOutcome::kNotDynamic);
  } else if (child.status == ChildStatus::kIdle) {
    Answer(key, ticket, AdminOutcome::kDone);
    Forget(key);
  } else if (child.wanted || child.status == ChildStatus::kWaiting ||
             child.status == ChildStatus::kStarting) {
    Answer(key, ticket, AdminOutcome::kRestarting);
  } else if (child.status == ChildStatus::kRunning) {
    Answer(key, ticket, AdminOutcome::kRunning);
  } else {
    children_.AddWaiter(key, {ticket, Waiter::For::kDelete});
  }
}

void SupervisorMachine::Answer(ChildKey key, Ticket ticket,
                               AdminOutcome outcome) {
  commands_.Push({.kind = Command::Kind::kAnswer,
                  .outcome = outcome,
                  .child = key,
                  .ticket = ticket});
}

void SupervisorMachine::AnswerAll(ChildKey key, Waiter::For what,
                                  AdminOutcome outcome) {
  for (size_t left = children_.CountWaiters(key); left > 0; --left) {
    const Waiter waiter = children_.TakeWaiter(key);
    if (waiter.what == what) {
      Answer(key, waiter.ticket, outcome);
    } else {
      children_.AddWaiter(key, waiter);
    }
  }
}

void SupervisorMachine::ResumeWaiters(ChildKey key) {
  // Those that are left when it is forgotten have been answered.
  for (size_t left = children_.CountWaiters(key);
       left > 0 && children_.HasWaiter(key); --left) {
    const Waiter waiter = children_.TakeWaiter(key);
    switch (waiter.what) {
      case Waiter::For::kRestart:
        RestartChild(key, now_, waiter.ticket);
        break;
      case Waiter::For::kDelete:
        DeleteChild(key, now_, waiter.ticket);
        break;
      case Waiter::For::kStart:
      case Waiter::For::kTerminate:
        children_.AddWaiter(key, waiter);
        break;
    }
  }
}

}  // namespace troupe::internal
