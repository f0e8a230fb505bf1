#include "troupe/actor/internal/forwarded_call.h"

#include "absl/status/status.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/base/contain.h"

namespace troupe::internal {

void ForwardedCall::Begin(std::unique_ptr<ForwardedCall> call, CallPlan plan) {
  EnvelopePtr refusal = CurrentActor() != nullptr
                            ? call->DetachedCall::Begin(std::move(plan))
                            : Refusal(ForwardOutsideActor(plan.name()));
  if (refusal == nullptr) {
    (void)call.release();  // Its own.
  } else {
    call->SendOn(std::move(refusal));
  }
}

void ForwardedCall::OnOver(EnvelopePtr reply) {
  const std::unique_ptr<ForwardedCall> ending(this);
  absl::Status thrown = Contain([&] { SendOn(std::move(reply)); });
  if (!thrown.ok()) RecordFailure(*CurrentActor(), std::move(thrown));
}

}  // namespace troupe::internal
