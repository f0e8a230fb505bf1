// Three threads look for primes and send them to one that adds them up. Their
// mailbox holds eight messages: who is faster than the receiver waits for it.
//
//   ./bazelw run //examples:mailbox_threads
//
// prints
//
//   The primes below 10000 add up to 5736396.
#include <iostream>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/blocking_mailbox.h"

namespace {

constexpr int kThreads = 3;
constexpr int kLimit = 10'000;

struct Prime {
  int value;
};
struct Done {};

bool IsPrime(int number) {
  for (int i = 2; i * i <= number; ++i) {
    if (number % i == 0) return false;
  }
  return number >= 2;
}

troupe::MonotonicTime InAMinute() {
  return troupe::RealClock().Now() + absl::Minutes(1);
}

absl::Status SendPrimes(troupe::BlockingMailbox& mailbox, int begin) {
  for (int i = begin; i < kLimit; i += kThreads) {
    if (!IsPrime(i)) continue;
    const absl::Status sent = mailbox.SendWithDeadline<Prime>(InAMinute(), i);
    if (!sent.ok()) return sent;
  }
  return mailbox.SendWithDeadline<Done>(InAMinute());
}

absl::StatusOr<int> AddUp(troupe::BlockingMailbox& mailbox) {
  int sum = 0;
  for (int done = 0; done < kThreads;) {
    const absl::StatusOr<troupe::EnvelopePtr> received =
        mailbox.Receive(InAMinute());
    if (!received.ok()) return received.status();
    if (const Prime* prime = (*received)->TryAs<Prime>()) sum += prime->value;
    if ((*received)->TryAs<Done>() != nullptr) ++done;
  }
  return sum;
}

}  // namespace

int main() {
  troupe::BlockingMailbox mailbox({.capacity = {.messages = 8}});
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const absl::Status sent = SendPrimes(mailbox, i);
      if (!sent.ok()) std::cerr << sent << "\n";
    });
  }
  const absl::StatusOr<int> sum = AddUp(mailbox);
  mailbox.Close();  // Whoever still waits is told.
  for (std::thread& thread : threads) thread.join();
  if (!sum.ok()) {
    std::cerr << sum.status() << "\n";
    return 1;
  }
  std::cout << "The primes below " << kLimit << " add up to " << *sum << ".\n";
}
