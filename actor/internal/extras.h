// What few actors have, and no idle one needs: apart from the cell.
#ifndef TROUPE_ACTOR_INTERNAL_EXTRAS_H_
#define TROUPE_ACTOR_INTERNAL_EXTRAS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/handed_state.h"
#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/end_observers.h"
#include "troupe/actor/internal/owed_answer.h"
#include "troupe/actor/internal/shared_thread.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/executor.h"

namespace troupe::internal {

struct CellExtras {
  std::string name;
  // Of a bounded mailbox; see Cell::bounded(). Closed before it is dropped.
  BoundedMailboxPtr bounded;
  // If it says more than Cell::exit_kind.
  ExitReason exit_reason;
  // What the actor hands on; for its parent.
  HandedState state;
  // For those who wait for the end.
  std::vector<OwedAnswer<ExitReason>> end_answers;
  EndObservers end_observers;
  // Actors that monitor this one.
  Watchers watchers;
  // For an actor that is constructed in its own first turn.
  absl::AnyInvocable<void(Cell&)> construct;
  // For who waits for it to have started, if somebody does.
  OwedAnswer<absl::Status> start_answer;
  // Its thread, if it keeps to one.
  std::shared_ptr<SharedThread> thread;
  // Rings when the child that is asked to stop may have taken too long.
  std::unique_ptr<Alarm> child_alarm;
  bool child_alarm_is_set = false;
  MonotonicTime child_deadline;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_EXTRAS_H_
