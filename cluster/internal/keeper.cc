#include "troupe/cluster/internal/keeper.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

Task<void> Keeper::PostStart() {
  if (request_.tells_end && !MayTell()) {
    (void)reply_.Send(absl::InvalidArgumentError(
        absl::StrCat(request_.owner.ToString(),
                     " is none that the node which asks has for the end of "
                     "what it has started")));
    StopSelf();
    co_return;
  }
  if (!request_.owner.IsNull()) Monitor(request_.owner);
  const absl::Duration left =
      std::max(absl::ZeroDuration(),
               reply_.deadline() - system().executor().clock().Now());
  const absl::StatusOr<AnyActorRef> child =
      co_await factory_.start(*this, left);
  if (!child.ok()) {
    (void)reply_.Send(absl::Status(
        child.status().code(),
        absl::StrCat("'", factory_.name, "' of '", node_.self().name,
                     "' cannot start: ", child.status().message())));
    StopSelf();
    co_return;
  }
  child_ = *child;
  for (const AnyActorRef& actor : {child_, untyped_self()}) {
    node_.targets().Add(actor, factory_.name, request_.asker);
  }
  unclaimed_ = SendAfter<Unclaimed>(left + kClaimWithin);
  (void)reply_.Send(StartedActor{child_, untyped_self()});
}

void Keeper::OnChild(const ChildEvent& event) {
  if (event.kind == ChildEvent::Kind::kStarted) return;
  has_ended_ = true;
  if (request_.tells_end) {
    // Behind the answer, and before whatever tells of this one's end; as that,
    // also when the connection takes nothing.
    SendOwed(request_.owner,
             EnvelopePtr(MakeEnvelope<RemoteEnd>(event.reason)));
  }
  EndIfOver();
}

void Keeper::OnDown(const Down& down) {
  const ExitReason& reason = down.reason;
  if (reason.kind() == ExitReason::Kind::kKilled ||
      reason.kind() == ExitReason::Kind::kFailed) {
    return untyped_self().Kill();  // And so is the child.
  }
  child_.Stop(ExitReason::Shutdown(
      absl::StrCat(down.actor.ToString(),
                   ", for which it was started: ", reason.ToString())));
  StopSelf();  // Which has the child end within the system's limit.
}

void Keeper::Handle(KeepActor) {
  is_claimed_ = true;
  unclaimed_.Cancel();
  EndIfOver();
}

void Keeper::Handle(Unclaimed) {
  // Killed, as one whose start nobody awaits any more.
  untyped_self().Kill();
}

void Keeper::EndIfOver() {
  if (has_ended_ && is_claimed_) StopSelf();
}

bool Keeper::MayTell() const {
  if (const FarCell* const far = FarCell::Of(request_.owner.cell())) {
    return far->node() == request_.asker;
  }
  return request_.asker.empty() && request_.owner.As<RemoteEnd>().ok();
}

}  // namespace troupe::internal
