#include "troupe/actor/internal/end_question.h"

#include <utility>

#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/owed_answer.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {
namespace {

bool Signal(const AnyActorRef& actor, EnvelopePtr signal) {
  const bool sent =
      !actor.IsNull() && SendSignal(*actor.cell(), actor.id().value(),
                                    signal.get(), Mailbox::Word::Kind::kSignal);
  if (sent) (void)signal.release();
  return sent;
}

}  // namespace

bool AskForEnd(const AnyActorRef& actor, const ReplyRoute& route, Ending next) {
  return Signal(
      actor, EnvelopePtr(MakeEnvelope<AwaitEnd>(
                 OwedAnswer<ExitReason>(route, ExitReason::NoActor()), next)));
}

void AskForEndNoMore(const AnyActorRef& actor, const ReplyRoute& route,
                     Ending next) {
  // If the actor has ended, it has answered.
  // Mostly a destructor asks for it.
  (void)Signal(actor, EnvelopePtr(MustHaveMemory("the end of a wait", [&] {
                 return MakeEnvelope<AwaitEndNoMore>(route, next);
               })));
}

}  // namespace troupe::internal
