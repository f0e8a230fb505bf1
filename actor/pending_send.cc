#include "troupe/actor/pending_send.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/send_result.h"
#include "troupe/mailbox/bounded_queue.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/worker.h"

namespace troupe {
namespace {

// A plain thread that waits for space.
class WaitingSender final : public BoundedQueue::Waiter {
 public:
  Event told;
  bool admitted = false;  // Written before `told` is set.

 private:
  void OnAdmission(Admission admission) override {
    admitted = admission == Admission::kEnqueued;
    told.Set();
  }
};

absl::Status Explain(const AnyActorRef& target, SendResult result) {
  const absl::Status status = ToStatus(result);
  if (status.ok()) return status;
  return absl::Status(
      status.code(),
      absl::StrCat("sending to ", target.ToString(), ": ", status.message()));
}

}  // namespace

absl::Status PendingSend::Wait() && {
  if (this_thread.InTurn()) {
    return absl::FailedPreconditionError(
        absl::StrCat("waiting for space in the mailbox of ", target_.ToString(),
                     " inside a handler would block its worker; use TrySend()"
                     " and keep what is refused"));
  }
  const std::shared_ptr<internal::SystemCore> system =
      internal::IdSpace::Find(target_.id().value());
  if (system == nullptr || target_.IsNull()) {
    return Explain(target_, SendResult::kNoActor);
  }
  WaitingSender sender;
  SendResult result;
  BoundedQueue* const queue = internal::TrySendOrWait(
      *target_.cell(), target_.id().value(), envelope_.get(), sender, result);
  if (queue == nullptr) {
    if (!IsRefused(result)) (void)envelope_.release();
    return Explain(target_, result);
  }
  Executor& executor = system->executor();
  (void)executor.WaitFor(sender.told, executor.clock().Now() + timeout_);
  // Also where it has been told: whoever tells it does so under the queue's
  // lock, and must have left before the sender goes.
  if (queue->Withdraw(sender)) {
    return absl::DeadlineExceededError(absl::StrCat(
        "the mailbox of ", target_.ToString(), " had no space for a ",
        absl::string_view(envelope_->type->name.data(),
                          envelope_->type->name.size()),
        " within ", absl::FormatDuration(timeout_)));
  }
  if (!sender.admitted) return Explain(target_, SendResult::kStopped);
  (void)envelope_.release();
  return absl::OkStatus();
}

}  // namespace troupe
