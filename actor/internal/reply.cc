#include "troupe/actor/internal/reply.h"

#include <utility>

#include "troupe/actor/internal/send.h"
#include "troupe/base/must_have_memory.h"

namespace troupe::internal {

void GiveToSink(ReplySink& sink, Envelope* reply) {
  sink.Take(EnvelopePtr(reply));
}

void PushReply(const ReplyRoute& route, Envelope* reply) {
  reply->tag |= kReplyTag;
  if (route.IsSink()) return GiveToSink(route.sink(), reply);
  NumberOf(*reply) = route.number;
  PushControl(route.cell(), route.id, reply);
}

void SendCancel(Cell& cell, uint64_t id, const ReplyRoute& route) {
  // Mostly a destructor asks for it.
  Envelope* const cancel = MustHaveMemory("the cancellation of a call", [&] {
    return MakeEnvelope<CancelRequest>(route);
  });
  cancel->tag = kControlTag;
  SendControl(cell, id, cancel);
}

Envelope* MakeFailure(absl::Status status) {
  Envelope* const failure = MakeReply(std::move(status));
  failure->tag = kFailureTag;
  return failure;
}

void FailRequest(Envelope& envelope, absl::Status status) {
  if (!IsRequest(envelope)) return;
  envelope.tag &= ~kRequestTag;  // Answered.
  const RequestInfo& info = InfoOf(envelope);
  if (info.OwesAnswer()) SendReply(info.route, MakeFailure(std::move(status)));
}

}  // namespace troupe::internal
