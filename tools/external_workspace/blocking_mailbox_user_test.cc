// Lets two threads talk: no actor, no scheduler, no test framework.

#include <cstdio>
#include <thread>

#include "registry/registry.h"
#include "troupe/mailbox/blocking_mailbox.h"

struct Note {
  int years;
};

int main() {
  Registry registry;
  const int expected = registry.year + 5;
  troupe::BlockingMailbox mailbox({.capacity = {.messages = 1}});

  bool sent = false;
  std::thread sender([&] {
    const auto deadline = troupe::MonotonicTime::InfiniteFuture();
    sent = mailbox.SendWithDeadline<Note>(deadline, 2).ok() &&
           mailbox.SendWithDeadline<Note>(deadline, 3).ok();
    mailbox.Shut();
  });
  while (true) {
    const auto received =
        mailbox.Receive(troupe::MonotonicTime::InfiniteFuture());
    if (!received.ok()) break;  // Shut, and all was received.
    registry.year += (*received)->As<Note>().years;
  }
  sender.join();

  std::printf("%d\n", registry.year);
  return sent && registry.year == expected ? 0 : 1;
}
