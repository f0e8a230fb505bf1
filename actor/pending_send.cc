#include "troupe/actor/pending_send.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/far_cell.h"
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

absl::string_view NameOf(const MessageType& type) {
  return absl::string_view(type.name.data(), type.name.size());
}

// What is to be sent, in the form that the way to `target` asks for.
EnvelopePtr Prepared(const AnyActorRef& target, EnvelopePtr envelope) {
  return target.IsRemote()
             ? internal::FarCell::Wrap(target.id().value(), std::move(envelope))
             : std::move(envelope);
}

absl::Status Explain(const AnyActorRef& target, SendResult result) {
  const absl::Status status = ToStatus(result);
  if (status.ok()) return status;
  return absl::Status(
      status.code(),
      absl::StrCat("sending to ", target.ToString(), ": ", status.message()));
}

}  // namespace

namespace internal {

bool SendWait::await_suspend(std::coroutine_handle<> waiting) {
  if (!Prepare()) return Pass(waiting);
  answer_ = OwedAnswer<Admission>(route(), Admission::kWaiting);
  envelope_ = Prepared(target_, std::move(envelope_));
  Cell& target = target_.IsNull() ? NoCell() : *target_.cell();
  const uint64_t id = target_.id().value();
  queue_ = TrySendOrWait(target, id, envelope_.get(), *this, result_);
  if (queue_ == nullptr) {
    answer_.Forget();
    if (!IsRefused(result_)) (void)envelope_.release();
    Settle();
    return Pass(waiting);
  }
  if (IsLate()) {
    OnGiveUp();
    SettleLate();
    return Pass(waiting);
  }
  if (id == caller().CurrentId() && this_handler.root->exclusive) {
    OnGiveUp();
    Settle();
    error() = absl::FailedPreconditionError(
        absl::StrCat("waiting for ", What(),
                     ": that is the actor's own, which "
                     "handles nothing while this handler waits"));
    return Pass(waiting);
  }
  Suspend(waiting);
  return true;
}

void SendWait::OnAdmission(Admission admission) {
  admission_ = admission;
  // Nothing of this is touched once the answer is on its way.
  OwedAnswer<Admission> answer = std::move(answer_);
  std::move(answer).Give(admission);
}

void SendWait::OnGiveUp() {
  if (queue_->Withdraw(*this)) {
    answer_.Forget();
  } else if (admission_ == Admission::kEnqueued) {
    // Told meanwhile: the answer will find nobody.
    (void)envelope_.release();
  }
}

absl::Status SendWait::await_resume() {
  if (reply() != nullptr && admission_ == Admission::kEnqueued) {
    (void)envelope_.release();
  }
  switch (admission_) {
    case Admission::kEnqueued:
      return absl::OkStatus();
    case Admission::kClosed:
      return Explain(target_, SendResult::kStopped);
    default:
      return error().ok() ? Explain(target_, result_) : error();
  }
}

std::string SendWait::What() const {
  return absl::StrCat("space in the mailbox of ", target_.ToString(), " for a ",
                      NameOf(type_));
}

}  // namespace internal

absl::Status PendingSend::Wait() && {
  if (this_thread.InTurn()) {
    return absl::FailedPreconditionError(
        absl::StrCat("waiting for space in the mailbox of ", target_.ToString(),
                     " inside a handler would block its worker; make the"
                     " handler a Task and co_await"));
  }
  const std::shared_ptr<internal::SystemCore> system =
      internal::IdSpace::Find(target_.id().value());
  if (system == nullptr || target_.IsNull()) {
    return Explain(target_, SendResult::kNoActor);
  }
  const MessageType& type = *envelope_->type;
  envelope_ = Prepared(target_, std::move(envelope_));
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
        NameOf(type), " within ", absl::FormatDuration(timeout_)));
  }
  if (!sender.admitted) return Explain(target_, SendResult::kStopped);
  (void)envelope_.release();
  return absl::OkStatus();
}

}  // namespace troupe
