#include "troupe/cluster/internal/stand_in.h"

#include "troupe/actor/ended.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/requests.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/actor/send_result.h"
#include "troupe/cluster/spawn.h"

namespace troupe::internal {

Task<absl::Status> RemoteStandInBase::PreStart() {
  if (request_.ok()) {
    request_->owner = untyped_self();
    request_->tells_end = true;
  }
  // Before anybody can know of it.
  node_.targets().SetTeller(untyped_self(), path_.substr(path_.rfind('@') + 1));
  const absl::StatusOr<StartedActor> started =
      co_await StartOn(node_, path_, std::move(request_), within_);
  if (!started.ok()) co_return started.status();
  actor_ = started->actor;
  // Its end comes as a RemoteEnd, before that of its keeper.
  Monitor(started->keeper);
  co_return absl::OkStatus();
}

Task<void> RemoteStandInBase::PostStop(const ExitReason& reason) {
  if (is_over_ || actor_.IsNull()) co_return;
  if (reason.kind() == ExitReason::Kind::kDrained) {
    actor_.Drain();
  } else {
    actor_.Stop(reason);
  }
  // However long it takes: who wants that bounded kills this one, and with it
  // the other.
  (void)co_await Ended(actor_);
}

void RemoteStandInBase::EndAs(const ExitReason& reason) {
  if (is_over_) return;
  is_over_ = true;
  switch (reason.kind()) {
    case ExitReason::Kind::kFailed:
      return Fail(reason.status());
    case ExitReason::Kind::kKilled:
      return untyped_self().Kill();
    default:
      return StopSelf(reason);
  }
}

void RemoteStandInBase::Pass(Envelope* envelope) {
  const HandlerState* const handler = cell().handler;
  if (handler != nullptr && handler->has_cancelled() && IsRequest(*envelope) &&
      DropGivenUp(cell(), envelope)) {
    return;
  }
  Cell& target = *actor_.cell();
  const uint64_t id = actor_.id().value();
  const SendResult result = envelope->lane == Lane::kNormal
                                ? TrySendEnvelope(target, id, envelope)
                                : TrySendInLane(target, id, envelope);
  if (IsRefused(result)) BecomeDeadLetter(target, id, envelope, result);
}

void RemoteStandInBase::PassControl(Envelope* envelope) {
  if (HandleLinkControl(cell(), *envelope)) return DestroyEnvelope(envelope);
  if (const CancelRequest* const cancel = envelope->TryAs<CancelRequest>()) {
    // It may have overtaken its request, which is in the mailbox then.
    HandlerState::CancelRequest(cell(), cancel->route);
  }
  if (actor_.IsNull()) return DestroyEnvelope(envelope);
  SendControl(*actor_.cell(), actor_.id().value(), envelope);
}

}  // namespace troupe::internal
