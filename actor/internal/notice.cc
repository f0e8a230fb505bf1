#include "troupe/actor/internal/notice.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/base/check.h"

namespace troupe::internal {
namespace {

Envelope* MakeNotice(const Notice& notice) {
  Envelope* const envelope = MakeEnvelope<Notice>(notice);
  envelope->tag = kNoticeTag;
  return envelope;
}

// How an actor without the hook fails with another one.
absl::Status FailureOf(const Exit& exit) {
  const std::string what = Abridged(absl::StrCat(
      "linked ", exit.actor.ToString(), " ", exit.reason.ToString()));
  switch (exit.reason.kind()) {
    case ExitReason::Kind::kFailed:
      return absl::Status(exit.reason.status().code(), what);
    case ExitReason::Kind::kKilled:
      return absl::AbortedError(what);
    case ExitReason::Kind::kNoConnection:
      return absl::UnavailableError(what);
    default:
      return absl::NotFoundError(what);
  }
}

// What an actor without the hook does.
void HandleExitByDefault(Cell& cell, const Exit& exit) {
  switch (exit.reason.kind()) {
    case ExitReason::Kind::kNormal:
    case ExitReason::Kind::kDrained:
      return;
    case ExitReason::Kind::kShutdown:
      SendRequest(cell, cell.CurrentId(), Ending::kStop, exit.reason);
      return;
    case ExitReason::Kind::kKilled:
    case ExitReason::Kind::kFailed:
    case ExitReason::Kind::kNoActor:
    case ExitReason::Kind::kNoConnection:
      RecordFailure(cell, FailureOf(exit));
      return;
  }
}

}  // namespace

OwedNotice OwedNotice::OfDown(Cell& watcher, uint64_t watcher_id,
                              uint64_t serial, uint32_t slot) {
  return OwedNotice(watcher, watcher_id,
                    MakeNotice({.reason = ExitReason::NoActor(),
                                .key = serial,
                                .slot = slot,
                                .is_exit = false}));
}

OwedNotice OwedNotice::OfExit(Cell& watcher, uint64_t watcher_id,
                              uint64_t linked) {
  return OwedNotice(watcher, watcher_id,
                    MakeNotice({.reason = ExitReason::NoActor(),
                                .key = linked,
                                .slot = 0,
                                .is_exit = true}));
}

void OwedNotice::Push() {
  // Not the owner's way, even where that is open: what the actor sent before
  // its end may still lie where strangers push.
  PushSignal(*watcher_, watcher_id_, notice_.release());
}

void OwedNotice::Give(const ExitReason& reason, uint64_t tag) && {
  if (notice_ == nullptr) return;
  Envelope* const notice = notice_.release();
  notice->As<Notice>().reason = reason;
  switch (ReachFromSeat(*watcher_, watcher_id_, tag)) {
    case Reach::kHere:
      AdmitNotice(*watcher_, notice);
      ScheduleMine(*watcher_);
      return;
    case Reach::kElsewhere:
      PushSignalFromSeat(*watcher_, watcher_id_, notice, tag);
      return;
    case Reach::kGone:
      DestroyEnvelope(notice);
      return;
  }
}

void AdmitNotice(Cell& cell, Envelope* notice) {
  // It takes no messages any more.
  if (IsExiting(cell)) return DestroyEnvelope(notice);
  if (BoundedMailbox* const bounded = cell.bounded()) {
    notice->target = static_cast<uint32_t>(bounded->queue.entered());
  }
  cell.Append(notice);
  cell.AddAttention(Cell::kQueued);
}

void HandleNotice(Cell& cell, Envelope* notice) {
  const EnvelopePtr owned(notice);
  // It may have been ended since.
  WatchTable* const watches =
      cell.handler != nullptr ? cell.handler->watches() : nullptr;
  if (watches == nullptr) return;
  Notice& told = notice->As<Notice>();
  const ActorType& type = cell.actor_type();
  if (told.is_exit) {
    const std::optional<AnyActorRef> linked = told.is_loss
                                                  ? watches->TakeLostLink(told)
                                                  : watches->TakeLink(told.key);
    if (!linked.has_value()) return;
    const Exit exit{*linked, std::move(told.reason)};
    if (type.on_exit != nullptr) {
      type.on_exit(cell, exit);
    } else {
      HandleExitByDefault(cell, exit);
    }
    return;
  }
  const std::optional<AnyActorRef> watched =
      watches->TakeMonitor(told.slot, told.key);
  if (!watched.has_value()) return;
  TROUPE_CHECK(type.on_down != nullptr, "who monitors has the hook");
  type.on_down(cell, Down{MonitorHandle(cell.CurrentId(), told.key, told.slot),
                          *watched, std::move(told.reason)});
}

}  // namespace troupe::internal
