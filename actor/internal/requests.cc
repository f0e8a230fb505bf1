#include "troupe/actor/internal/requests.h"

#include <utility>

#include "troupe/actor/events.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/notice.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/actor/send_result.h"
#include "troupe/base/must_have_memory.h"

namespace troupe::internal {
namespace {

CallName NameOfCall(const Cell& cell, const Envelope& request) {
  return {ActorId(cell.CurrentId()), request.type};
}

// Whether a handler has seen it already, and set it aside.
bool WasSeen(const Envelope& request) { return (request.tag & kSeenTag) != 0; }

}  // namespace

bool DropGivenUp(Cell& cell, Envelope* request) {
  RequestInfo& info = InfoOf(*request);
  if (cell.handler != nullptr && cell.handler->TakeCancelled(info.route)) {
    info.Cancel();
  }
  if (!info.IsCancelled() && info.deadline > TimeOfOwnTurn()) return false;
  // An actor that cancels takes no answer. Others may keep something for it.
  if (!info.IsCancelled() || info.route.IsSink()) {
    FailRequest(*request,
                CallExpired(NameOfCall(cell, *request), WasSeen(*request)));
  }
  cell.system->MournMessage(ActorId(cell.CurrentId()),
                            DeadLetter::Reason::kExpired, *request);
  DestroyEnvelope(request);
  return true;
}

void AbortRequest(Cell& cell, Envelope& envelope, const ExitReason& reason) {
  if (!IsRequest(envelope)) return;
  FailRequest(envelope, CallAborted(NameOfCall(cell, envelope), reason,
                                    /*delivered=*/true));
}

void FailHandler(Cell& cell, Envelope* envelope, absl::Status thrown) {
  const MessageType* const type = envelope->type;
  if (IsRequest(*envelope)) {
    // The caller waits, whatever memory there is.
    MustHaveMemory("the answer to a request", [&] {
      AbortRequest(cell, *envelope, ExitReason::Failed(thrown));
    });
  }
  DestroyEnvelope(envelope);
  RecordFailure(cell, std::move(thrown), type);
}

void HandleControl(Cell& cell, Envelope* envelope) {
  if (IsReply(*envelope)) {
    if (cell.handler == nullptr) [[unlikely]]
      return DestroyEnvelope(envelope);
    return HandleReply(*cell.handler, envelope);
  }
  if (cell.actor_type().pass_control != nullptr) [[unlikely]] {
    return cell.actor_type().pass_control(cell, envelope);
  }
  if (const CancelRequest* const cancel = envelope->TryAs<CancelRequest>()) {
    HandlerState::CancelRequest(cell, cancel->route);
  } else if (auto* const probe = envelope->TryAs<DeadlockProbe>()) {
    FollowProbe(cell, *probe);
  } else {
    (void)HandleLinkControl(cell, *envelope);
  }
  DestroyEnvelope(envelope);
}

void Mourn(Cell& cell, Envelope* undelivered, const ExitReason& reason) {
  const uint64_t id = cell.CurrentId();
  while (undelivered != nullptr) {
    Envelope* const envelope = undelivered;
    undelivered = envelope->next;
    if (IsControl(*envelope)) {
      HandleControl(cell, envelope);
      continue;
    }
    if (IsNotice(*envelope)) {
      DestroyEnvelope(envelope);
      continue;
    }
    if (IsRequest(*envelope)) {
      FailRequest(*envelope, CallAborted(NameOfCall(cell, *envelope), reason,
                                         WasSeen(*envelope)));
    }
    BecomeDeadLetter(cell, id, envelope, SendResult::kStopped);
  }
}

}  // namespace troupe::internal
