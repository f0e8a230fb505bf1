#include "troupe/actor/internal/queue_length.h"

#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/owed_answer.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

bool QueueLengthWait::await_suspend(std::coroutine_handle<> waiting) {
  if (!Prepare()) return Pass(waiting);
  if (IsLate()) {
    SettleLate();
    return Pass(waiting);
  }
  EnvelopePtr question(
      MakeEnvelope<AskQueueLength>(OwedAnswer<uint64_t>(route(), uint64_t{0})));
  if (!actor_.IsNull() &&
      SendSignal(*actor_.cell(), actor_.id().value(), question.get(),
                 Mailbox::Word::Kind::kSignal)) {
    (void)question.release();
    Suspend(waiting);
    return true;
  }
  Settle();
  return Pass(waiting);
}

absl::StatusOr<uint64_t> QueueLengthWait::await_resume() {
  if (!error().ok()) return error();
  return reply() == nullptr ? 0 : reply()->As<uint64_t>();
}

std::string QueueLengthWait::What() const {
  return absl::StrCat("the length of the queue of ", actor_.ToString());
}

}  // namespace troupe::internal
