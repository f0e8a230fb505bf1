#include "troupe/actor/internal/call_error.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "troupe/actor/delivery.h"

namespace troupe::internal {
namespace {

absl::Status Error(absl::StatusCode code, const CallName& call,
                   absl::string_view what, DeliveryState state) {
  const absl::string_view type(call.request->name.data(),
                               call.request->name.size());
  return WithDelivery(
      absl::Status(code, absl::StrCat("calling actor ", call.target.ToString(),
                                      " with ", type, ": ", what)),
      state);
}

}  // namespace

absl::Status CallRefused(const CallName& call, SendResult result) {
  const absl::Status why = ToStatus(result);
  return Error(why.code(), call, why.message(), DeliveryState::kNotDelivered);
}

absl::Status CallAborted(const CallName& call, const ExitReason& reason,
                         bool delivered) {
  return Error(
      absl::StatusCode::kAborted, call,
      absl::StrCat("it ended before it answered: ", reason.ToString()),
      delivered ? DeliveryState::kUnknown : DeliveryState::kNotDelivered);
}

absl::Status CallTooLate(const CallName& call) {
  return Error(absl::StatusCode::kDeadlineExceeded, call,
               "the deadline had passed when the call was made",
               DeliveryState::kNotDelivered);
}

absl::Status CallTimedOut(const CallName& call, absl::Duration waited) {
  return Error(absl::StatusCode::kDeadlineExceeded, call,
               absl::StrCat("no answer within ", absl::FormatDuration(waited)),
               DeliveryState::kUnknown);
}

absl::Status CallerTimedOut(const CallName& call) {
  return Error(absl::StatusCode::kDeadlineExceeded, call,
               "no answer before the deadline of the request that its caller "
               "handles",
               DeliveryState::kUnknown);
}

absl::Status CallExpired(const CallName& call, bool delivered) {
  return Error(
      absl::StatusCode::kDeadlineExceeded, call,
      "the deadline passed while the request waited",
      delivered ? DeliveryState::kUnknown : DeliveryState::kNotDelivered);
}

absl::Status CallDropped(const CallName& call) {
  return Error(absl::StatusCode::kCancelled, call,
               "its handler dropped the request without an answer",
               DeliveryState::kUnknown);
}

absl::Status CallCancelled(const CallName& call, bool begun) {
  return Error(absl::StatusCode::kCancelled, call,
               "the caller was told to give up, as its own caller waits no "
               "more",
               begun ? DeliveryState::kUnknown : DeliveryState::kNotDelivered);
}

absl::Status CallOfSelf(const CallName& call) {
  return Error(absl::StatusCode::kFailedPrecondition, call,
               "an actor that calls itself would wait for ever; call the "
               "function, or send the message",
               DeliveryState::kNotDelivered);
}

absl::Status CallOfOtherSystem(const CallName& call) {
  return Error(absl::StatusCode::kFailedPrecondition, call,
               "a plain thread waits for actors of one system at a time",
               DeliveryState::kNotDelivered);
}

absl::Status CallOutsideActor(const CallName& call) {
  return Error(absl::StatusCode::kFailedPrecondition, call,
               "only the coroutine of an actor can await a call; a plain "
               "thread uses Wait()",
               DeliveryState::kNotDelivered);
}

absl::Status ForwardOutsideActor(const CallName& call) {
  return Error(absl::StatusCode::kFailedPrecondition, call,
               "only an actor can have an answer forwarded; a plain thread "
               "uses Wait(), and sends what that returns",
               DeliveryState::kNotDelivered);
}

absl::Status WaitInHandler(const CallName& call) {
  return Error(absl::StatusCode::kFailedPrecondition, call,
               "Wait() in a handler would block its worker; make the handler "
               "a Task and co_await the call",
               DeliveryState::kNotDelivered);
}

}  // namespace troupe::internal
