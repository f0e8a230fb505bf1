// Uses the mailbox alone: no actor, no scheduler, no test framework.

#include "registry/registry.h"
#include "troupe/mailbox/mailbox.h"

int main() {
  const Registry registry;
  troupe::Mailbox mailbox;
  mailbox.Open(/*token_inside=*/true);
  if (mailbox.Push(mailbox.Load(), troupe::MakeEnvelope<int>(registry.year)) !=
      troupe::PushResult::kMustWake) {
    return 1;
  }

  troupe::Lanes lanes;
  mailbox.Drain(/*target=*/0, lanes, [](troupe::Envelope* signal, bool) {
    troupe::DestroyEnvelope(signal);
  });
  troupe::Envelope* const envelope = lanes.Pop();
  const bool same = envelope->As<int>() == registry.year;
  troupe::DestroyEnvelope(envelope);
  return same && lanes.empty() && mailbox.Arm() ? 0 : 1;
}
