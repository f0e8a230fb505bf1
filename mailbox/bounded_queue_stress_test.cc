// Many senders against one queue. There is no thread that receives: whoever is
// told kMustWake is the receiver until it finds the queue empty. So a wake that
// is lost leaves messages behind, one too many makes two receivers, and what a
// receiver does is plain data on purpose: a missing edge from the Pop() that
// armed the queue to the push that disarmed it is a race for TSan to report.

#include <cstdint>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/mailbox/bounded_queue.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe {
namespace {

constexpr uint32_t kTarget = 7;
constexpr int kSenders = 4;

struct Message {
  int sender;
  int number;
};

// What became of a sender's messages, as the sender knows it.
struct Sent {
  int taken = 0;
  int refused = 0;
  int dropped = 0;
};

class Receiver {
 public:
  explicit Receiver(const Capacity& capacity)
      : capacity_(capacity), last_seen_(kSenders, -1) {
    queue_.Open(capacity, kTarget);
  }
  ~Receiver() { queue_.Close(); }

  BoundedQueue& queue() { return queue_; }

  // Receives until nothing is left. By who was told kMustWake.
  void Run() {
    EXPECT_FALSE(running_);
    running_ = true;
    while (true) {
      // Set before the queue may be armed: from then on another may run.
      running_ = false;
      const EnvelopePtr envelope(queue_.Pop());
      if (envelope == nullptr) return;
      running_ = true;
      EXPECT_LE(queue_.messages(), capacity_.messages);
      EXPECT_LE(queue_.bytes(), capacity_.bytes);
      const Message message = envelope->As<Message>();
      EXPECT_LT(last_seen_[message.sender], message.number);
      last_seen_[message.sender] = message.number;
      ++received_;
    }
  }

  // Once all senders are through.
  int received() const { return received_; }

 private:
  const Capacity capacity_;
  BoundedQueue queue_;
  // The receiver's.
  bool running_ = false;
  std::vector<int> last_seen_;
  int received_ = 0;
};

EnvelopePtr Make(int sender, int number) {
  EnvelopePtr envelope(MakeEnvelope<Message>(sender, number));
  envelope->target = kTarget;
  return envelope;
}

// Notes what the push said, and receives if it must.
void Finish(Receiver& receiver, Admission admission, EnvelopePtr envelope,
            EnvelopeList& dropped, Sent& sent) {
  switch (admission) {
    case Admission::kMustWake:
      envelope.release();
      ++sent.taken;
      receiver.Run();
      break;
    case Admission::kEnqueued:
      envelope.release();
      ++sent.taken;
      break;
    case Admission::kDropped:
      envelope.release();
      ++sent.taken;  // And dropped: counted below.
      break;
    case Admission::kFull:
    case Admission::kClosed:
      ++sent.refused;
      break;
    case Admission::kTooLarge:
    case Admission::kWaiting:
      ADD_FAILURE() << "admission " << static_cast<int>(admission);
  }
  while (dropped.Pop() != nullptr) ++sent.dropped;
}

// Lets each sender do `send(sender, number, sent)` for `count` numbers.
template <typename Send>
Sent RunSenders(int count, Send send) {
  std::vector<Sent> sent(kSenders);
  std::vector<std::thread> threads;
  for (int s = 0; s < kSenders; ++s) {
    threads.emplace_back([&, s] {
      for (int i = 0; i < count; ++i) send(s, i, sent[s]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  Sent all;
  for (const Sent& s : sent) {
    all.taken += s.taken;
    all.refused += s.refused;
    all.dropped += s.dropped;
  }
  EXPECT_EQ(all.taken + all.refused, kSenders * count);
  return all;
}

void ExpectNothingIsLost(const Capacity& capacity) {
  Receiver receiver(capacity);
  const Sent sent = RunSenders(20'000, [&](int s, int i, Sent& mine) {
    EnvelopePtr envelope = Make(s, i);
    EnvelopeList dropped;
    const Admission admission = receiver.queue().Push(envelope.get(), dropped);
    Finish(receiver, admission, std::move(envelope), dropped, mine);
  });
  EXPECT_EQ(receiver.received(), sent.taken - sent.dropped);
  EXPECT_EQ(receiver.queue().messages(), 0u);
}

TEST(BoundedQueueStressTest, RejectLosesNothingThatItTook) {
  ExpectNothingIsLost({.messages = 5, .policy = OverflowPolicy::kReject});
}

TEST(BoundedQueueStressTest, DropNewestHandsBackAllThatDoesNotArrive) {
  ExpectNothingIsLost({.bytes = 320, .policy = OverflowPolicy::kDropNewest});
}

TEST(BoundedQueueStressTest, DropOldestHandsBackAllThatDoesNotArrive) {
  ExpectNothingIsLost({.messages = 5, .policy = OverflowPolicy::kDropOldest});
}

// A sender waits while another one receives.
TEST(BoundedQueueStressTest, SendersThatWaitLoseNothing) {
  Receiver receiver({.messages = 2, .policy = OverflowPolicy::kAwait});
  const Sent sent = RunSenders(5'000, [&](int s, int i, Sent& mine) {
    EnvelopePtr envelope = Make(s, i);
    EnvelopeList dropped;
    const Admission admission = receiver.queue().PushWithDeadline(
        envelope.get(), RealClock(), MonotonicTime::InfiniteFuture(), dropped);
    Finish(receiver, admission, std::move(envelope), dropped, mine);
  });
  EXPECT_EQ(sent.refused, 0);
  EXPECT_EQ(receiver.received(), sent.taken);
}

// Deadlines that pass just when the receiver makes space.
TEST(BoundedQueueStressTest, WaitThatTimesOutIsEitherServedOrNot) {
  Receiver receiver({.messages = 1, .policy = OverflowPolicy::kAwait});
  const Sent sent = RunSenders(10'000, [&](int s, int i, Sent& mine) {
    // As long as handing a message over takes, more or less.
    const absl::Duration timeout = absl::Microseconds((s * 7 + i) % 20);
    EnvelopePtr envelope = Make(s, i);
    EnvelopeList dropped;
    const Admission admission = receiver.queue().PushWithDeadline(
        envelope.get(), RealClock(), RealClock().Now() + timeout, dropped);
    Finish(receiver, admission, std::move(envelope), dropped, mine);
  });
  EXPECT_EQ(receiver.received(), sent.taken);
}

// Waits for no thread: senders go on while their envelopes stand in line.
class Standing final : public BoundedQueue::Waiter {
 public:
  // Of the last wait; guarded by the queue, or by its end.
  Admission admission = Admission::kWaiting;

 private:
  void OnAdmission(Admission result) override { admission = result; }
};

TEST(BoundedQueueStressTest, WithdrawnWaitIsEitherServedOrNot) {
  Receiver receiver({.messages = 1, .policy = OverflowPolicy::kAwait});
  const Sent sent = RunSenders(20'000, [&](int s, int i, Sent& mine) {
    EnvelopePtr envelope = Make(s, i);
    EnvelopeList dropped;
    Standing standing;
    Admission admission =
        receiver.queue().PushOrWait(envelope.get(), standing, dropped);
    if (admission == Admission::kWaiting) {
      if (i % 2 == 0) std::this_thread::yield();
      admission = receiver.queue().Withdraw(standing) ? Admission::kFull
                                                      : standing.admission;
    }
    Finish(receiver, admission, std::move(envelope), dropped, mine);
  });
  EXPECT_EQ(receiver.received(), sent.taken);
}

// The queue is closed and opened again while senders push and wait. All that
// it took is either received or handed back by Close().
TEST(BoundedQueueStressTest, ClosingAccountsForEverything) {
  constexpr int kRounds = 200;
  const Capacity capacity{.messages = 3, .policy = OverflowPolicy::kAwait};
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    BoundedQueue queue;
    queue.Open(capacity, kTarget);
    std::vector<int> taken(kSenders);
    std::vector<std::thread> senders;
    for (int s = 0; s < kSenders; ++s) {
      senders.emplace_back([&, s] {
        Random random(round * kSenders + s);
        for (int i = 0;; ++i) {
          EnvelopePtr envelope = Make(s, i);
          EnvelopeList dropped;
          const Admission admission =
              random.Bernoulli(0.5)
                  ? queue.PushWithDeadline(envelope.get(), RealClock(),
                                           MonotonicTime::InfiniteFuture(),
                                           dropped)
                  : queue.Push(envelope.get(), dropped);
          if (admission == Admission::kClosed) return;
          if (admission == Admission::kFull) continue;
          envelope.release();
          ++taken[s];
        }
      });
    }
    // This thread receives, and needs no wake: it looks again and again.
    int received = 0;
    while (received < round % 20) {
      if (EnvelopePtr(queue.Pop()) != nullptr) ++received;
    }
    EnvelopeList rest = queue.Close();
    while (rest.Pop() != nullptr) ++received;
    for (std::thread& sender : senders) sender.join();
    int all = 0;
    for (int t : taken) all += t;
    EXPECT_EQ(received, all);
    EXPECT_EQ(queue.messages(), 0u);
  }
}

}  // namespace
}  // namespace troupe
