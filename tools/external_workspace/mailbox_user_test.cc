// Uses the mailbox alone: no actor, no scheduler, no test framework.

#include "registry/registry.h"
#include "troupe/mailbox/mailbox.h"

int main() {
  const Registry registry;
  troupe::Mailbox mailbox;
  mailbox.Open(/*token_inside=*/true);
  mailbox.Append(troupe::MakeEnvelope<int>(registry.year));

  troupe::Envelope* const envelope = mailbox.Pop();
  const bool same = envelope->As<int>() == registry.year;
  troupe::DestroyEnvelope(envelope);
  return same && mailbox.empty() ? 0 : 1;
}
