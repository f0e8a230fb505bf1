// Threads that send, receive, give up and close at the same time. A wake that
// is lost makes a test hang, a message that is lost or doubled makes its counts
// differ, and what a receiver notes is plain data on purpose: a missing edge
// from a send to its Receive() is a race for TSan to report.

#include <array>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/mailbox/blocking_mailbox.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe {
namespace {

constexpr MonotonicTime kNever = MonotonicTime::InfiniteFuture();
constexpr int kSenders = 4;

struct Message {
  int sender;
  int number;
};

// Short enough to pass while a message is handed over, now and then.
MonotonicTime Soon(int step) {
  return RealClock().Now() + absl::Microseconds(step % 20);
}

// What one thread received.
class Received {
 public:
  void Note(Envelope& envelope) {
    const auto [sender, number] = envelope.As<Message>();
    const bool urgent = envelope.lane == Lane::kUrgent;
    int& last_seen = (urgent ? last_urgent_ : last_normal_)[sender];
    EXPECT_LT(last_seen, number);
    last_seen = number;
    ++count_;
  }
  int count() const { return count_; }

 private:
  std::vector<int> last_normal_ = std::vector<int>(kSenders, -1);
  std::vector<int> last_urgent_ = std::vector<int>(kSenders, -1);
  int count_ = 0;
};

// Receives until the mailbox is shut. `deadline(step)` is that of each attempt.
template <typename Deadline>
int ReceiveAll(BlockingMailbox& mailbox, Deadline deadline) {
  Received received;
  for (int step = 0;; ++step) {
    const absl::StatusOr<EnvelopePtr> next = mailbox.Receive(deadline(step));
    if (next.ok()) {
      received.Note(**next);
    } else if (absl::IsFailedPrecondition(next.status())) {
      return received.count();
    } else {
      EXPECT_TRUE(absl::IsDeadlineExceeded(next.status())) << next.status();
    }
  }
}

int ReceiveAll(BlockingMailbox& mailbox) {
  return ReceiveAll(mailbox, [](int) { return kNever; });
}

// Lets each sender do `send(sender, number)` for `count` numbers, until one
// says that the mailbox is shut. Returns how many were sent.
template <typename Send>
int RunSenders(int count, Send send) {
  std::array<int, kSenders> sent = {};
  std::vector<std::thread> threads;
  for (int s = 0; s < kSenders; ++s) {
    threads.emplace_back([&, s] {
      for (int i = 0; i < count; ++i) {
        const absl::Status status = send(s, i);
        if (absl::IsFailedPrecondition(status)) return;
        if (status.ok()) ++sent[s];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int all = 0;
  for (int s : sent) all += s;
  return all;
}

// Runs the senders against a receiver; the mailbox is shut when they are done.
// Expects that what was sent and not dropped is received.
template <typename Send>
void ExpectNothingIsLost(BlockingMailbox& mailbox, int count, Send send) {
  int received = 0;
  std::thread receiver([&] { received = ReceiveAll(mailbox); });
  const int sent = RunSenders(count, send);
  mailbox.Shut();
  receiver.join();
  EXPECT_EQ(received, sent);
}

TEST(BlockingMailboxStressTest, SendersThatWaitLoseNothing) {
  BlockingMailbox mailbox({.capacity = {.messages = 2}});
  ExpectNothingIsLost(mailbox, 5'000, [&](int s, int i) {
    const absl::Status sent = mailbox.SendWithDeadline<Message>(kNever, s, i);
    EXPECT_TRUE(sent.ok()) << sent;
    return sent;
  });
}

TEST(BlockingMailboxStressTest, UnboundedMailboxLosesNothing) {
  BlockingMailbox mailbox;
  ExpectNothingIsLost(mailbox, 20'000, [&](int s, int i) {
    const absl::Status sent = mailbox.Send<Message>(s, i);
    EXPECT_TRUE(sent.ok()) << sent;
    return sent;
  });
}

TEST(BlockingMailboxStressTest, EachLaneKeepsItsOrderAndLosesNothing) {
  BlockingMailbox mailbox({.capacity = {.messages = 3}});
  ExpectNothingIsLost(mailbox, 5'000, [&](int s, int i) {
    return i % 3 == 0 ? mailbox.SendUrgent<Message>(s, i)
                      : mailbox.SendWithDeadline<Message>(kNever, s, i);
  });
}

TEST(BlockingMailboxStressTest, RejectLosesNothingThatItTook) {
  BlockingMailbox mailbox(
      {.capacity = {.messages = 5, .policy = OverflowPolicy::kReject}});
  ExpectNothingIsLost(mailbox, 20'000, [&](int s, int i) {
    return mailbox.Send<Message>(s, i);
  });
}

void ExpectDroppedAreHandedOver(OverflowPolicy policy) {
  // Each message once: sent on by whoever dropped it, or received here.
  BlockingMailbox rest;
  BlockingMailbox mailbox({.capacity = {.messages = 5, .policy = policy},
                           .on_dropped = [&rest](EnvelopePtr envelope) {
                             EXPECT_TRUE(rest.Send(std::move(envelope)).ok());
                           }});
  int received = 0;
  std::thread receiver([&] { received = ReceiveAll(mailbox); });
  const int sent = RunSenders(
      20'000, [&](int s, int i) { return mailbox.Send<Message>(s, i); });
  mailbox.Shut();
  receiver.join();
  EXPECT_EQ(sent, kSenders * 20'000);
  int dropped = 0;
  while (rest.TryReceive() != nullptr) ++dropped;
  EXPECT_EQ(received + dropped, sent);
}

TEST(BlockingMailboxStressTest, DropNewestHandsOverAllThatDoesNotArrive) {
  ExpectDroppedAreHandedOver(OverflowPolicy::kDropNewest);
}

TEST(BlockingMailboxStressTest, DropOldestHandsOverAllThatDoesNotArrive) {
  ExpectDroppedAreHandedOver(OverflowPolicy::kDropOldest);
}

// Deadlines of both sides that pass just when a message is handed over.
TEST(BlockingMailboxStressTest, WaitThatTimesOutIsEitherServedOrNot) {
  BlockingMailbox mailbox({.capacity = {.messages = 1}});
  int received = 0;
  std::thread receiver([&] { received = ReceiveAll(mailbox, Soon); });
  const int sent = RunSenders(5'000, [&](int s, int i) {
    return mailbox.SendWithDeadline<Message>(Soon(s * 7 + i), s, i);
  });
  mailbox.Shut();
  receiver.join();
  EXPECT_EQ(received, sent);
}

// Closed by one of the senders while the others send and wait, and while the
// receiver takes or waits. All that was sent is either received or handed back.
TEST(BlockingMailboxStressTest, ClosingAccountsForEverything) {
  constexpr int kRounds = 500;
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    BlockingMailbox mailbox({.capacity = {.messages = 3}});
    int received = 0;
    int handed_back = 0;
    std::thread receiver([&] { received = ReceiveAll(mailbox); });
    const int sent = RunSenders(1'000'000'000, [&](int s, int i) {
      if (s == 0 && i == round % 50) {
        EnvelopeList rest = mailbox.Close();
        while (rest.Pop() != nullptr) ++handed_back;
      }
      return i % 5 == 0 ? mailbox.SendUrgent<Message>(s, i)
                        : mailbox.SendWithDeadline<Message>(kNever, s, i);
    });
    receiver.join();
    EXPECT_EQ(received + handed_back, sent);
  }
}

// Written whole by the sender and checked whole by the receiver.
template <size_t kWords>
struct Pattern {
  explicit Pattern(uint64_t seed) {
    for (size_t i = 0; i < kWords; ++i) words[i] = seed + i;
  }
  bool IsIntact() const {
    for (size_t i = 0; i < kWords; ++i) {
      if (words[i] != words[0] + i) return false;
    }
    return true;
  }
  uint64_t words[kWords];
};
using Inline = Pattern<5>;
using Beyond = Pattern<60>;
using Oversize = Pattern<600>;  // Beyond the pool's classes.

absl::Status SendSome(BlockingMailbox& mailbox, Random& random) {
  const uint64_t seed = random.NextUint64() / 2;
  switch (random.Uniform(4)) {
    case 0:
      return mailbox.SendWithDeadline<Beyond>(kNever, seed);
    case 1:
      return mailbox.SendUrgent<Oversize>(seed);
    default:
      return mailbox.SendWithDeadline<Inline>(kNever, seed);
  }
}

bool IsIntact(Envelope& envelope) {
  if (auto* message = envelope.TryAs<Inline>()) return message->IsIntact();
  if (auto* message = envelope.TryAs<Beyond>()) return message->IsIntact();
  return envelope.As<Oversize>().IsIntact();
}

// Threads that end while what they sent is under way, in the order of their
// ends that comes about; the receiver ends too, and another one goes on.
TEST(BlockingMailboxStressTest, MessagesOutliveTheirThreads) {
  constexpr int kRounds = 100;
  constexpr int kPerSender = 20;
  BlockingMailbox mailbox({.capacity = {.messages = 16}});
  std::vector<std::thread> senders;
  for (int round = 0; round < kRounds; ++round) {
    for (int s = 0; s < kSenders; ++s) {
      senders.emplace_back([&mailbox, seed = round * kSenders + s] {
        Random random(seed);
        for (int i = 0; i < kPerSender; ++i) {
          const absl::Status sent = SendSome(mailbox, random);
          EXPECT_TRUE(sent.ok()) << sent;
        }
      });
    }
    // Leaves a part to the next round's receiver.
    std::thread([&mailbox, round] {
      const int left = round + 1 < kRounds ? 7 : -7 * (kRounds - 1);
      for (int i = 0; i < kSenders * kPerSender - left; ++i) {
        const absl::StatusOr<EnvelopePtr> received = mailbox.Receive(kNever);
        ASSERT_TRUE(received.ok()) << received.status();
        EXPECT_TRUE(IsIntact(**received));
      }
    }).join();
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(mailbox.TryReceive(), nullptr);
}

}  // namespace
}  // namespace troupe
