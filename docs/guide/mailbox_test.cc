// The snippets of mailbox.md, compiled and run.
#include "troupe/mailbox/mailbox.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/blocking_mailbox.h"
#include "troupe/mailbox/bounded_queue.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"
#include "troupe/testing/status_matchers.h"

namespace {

using ::testing::ElementsAre;
using troupe::testing::IsOk;
using troupe::testing::StatusIs;

struct Transfer {
  std::string to;
  int64_t cents;
};

TEST(MailboxGuideTest, EnvelopeHoldsAMessage) {
  const troupe::EnvelopePtr envelope(
      troupe::MakeEnvelope<Transfer>("alice", 100));
  const Transfer* transfer = envelope->TryAs<Transfer>();
  ASSERT_NE(transfer, nullptr);
  EXPECT_EQ(transfer->to, "alice");
  EXPECT_EQ(envelope->TryAs<int>(), nullptr);
}

// What came, in the order in which it was handled.
std::vector<int> handled;

void Handle(int message) { handled.push_back(message); }

TEST(MailboxGuideTest, ShutMailboxIsReceivedToItsEnd) {
  handled.clear();
  troupe::BlockingMailbox mailbox;
  EXPECT_THAT(mailbox.Send<int>(1), IsOk());
  EXPECT_THAT(mailbox.SendUrgent<int>(2), IsOk());
  mailbox.Shut();
  while (true) {
    const absl::StatusOr<troupe::EnvelopePtr> received =
        mailbox.Receive(troupe::MonotonicTime::InfiniteFuture());
    if (absl::IsFailedPrecondition(received.status())) break;
    Handle((*received)->As<int>());
  }
  EXPECT_THAT(handled, ElementsAre(2, 1));
}

TEST(MailboxGuideTest, DroppedMessagesAreHandedOver) {
  int missed = 0;
  troupe::BlockingMailbox mailbox(
      {.capacity = {.messages = 100,
                    .policy = troupe::OverflowPolicy::kDropOldest},
       .on_dropped = [&missed](troupe::EnvelopePtr) { ++missed; }});
  for (int i = 0; i < 103; ++i) EXPECT_THAT(mailbox.Send<int>(i), IsOk());
  EXPECT_EQ(missed, 3);
}

TEST(MailboxGuideTest, RefusedEnvelopeIsSentElsewhere) {
  troupe::BlockingMailbox first({.capacity = {.messages = 1}});
  troupe::BlockingMailbox second;
  EXPECT_THAT(first.Send<int>(1), IsOk());
  troupe::EnvelopePtr envelope(troupe::MakeEnvelope<int>(2));
  absl::Status sent = first.Send(std::move(envelope));
  if (absl::IsResourceExhausted(sent)) sent = second.Send(std::move(envelope));
  EXPECT_THAT(sent, IsOk());
  EXPECT_EQ(second.TryReceive()->As<int>(), 2);
}

// How the receiver is woken is the user's.
int wakes = 0;

void Wake() { ++wakes; }

absl::Status SendTo(troupe::BoundedQueue& queue, troupe::EnvelopePtr envelope) {
  troupe::EnvelopeList dropped;  // Destroyed with what the policy drops.
  switch (queue.Push(envelope.get(), dropped)) {
    case troupe::Admission::kMustWake:
      envelope.release();
      Wake();
      return absl::OkStatus();
    case troupe::Admission::kEnqueued:
    case troupe::Admission::kDropped:
      envelope.release();
      return absl::OkStatus();
    default:
      return absl::ResourceExhaustedError("the queue did not take it");
  }
}

// Called once for each Wake().
void ReceiveAll(troupe::BoundedQueue& queue) {
  while (const troupe::EnvelopePtr envelope{queue.Pop()}) {
    Handle(envelope->As<int>());
  }
}

TEST(MailboxGuideTest, BoundedQueueAsksForOneWake) {
  handled.clear();
  wakes = 0;
  troupe::BoundedQueue queue;
  queue.Open({.messages = 2, .policy = troupe::OverflowPolicy::kReject},
             /*target=*/0);
  EXPECT_THAT(SendTo(queue, troupe::EnvelopePtr(troupe::MakeEnvelope<int>(1))),
              IsOk());
  EXPECT_THAT(SendTo(queue, troupe::EnvelopePtr(troupe::MakeEnvelope<int>(2))),
              IsOk());
  EXPECT_THAT(SendTo(queue, troupe::EnvelopePtr(troupe::MakeEnvelope<int>(3))),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(wakes, 1);
  ReceiveAll(queue);
  EXPECT_THAT(handled, ElementsAre(1, 2));
  EXPECT_TRUE(queue.Close().empty());
}

void SendTo(troupe::Mailbox& mailbox, troupe::EnvelopePtr envelope) {
  switch (mailbox.Push(mailbox.Load(), envelope.get())) {
    case troupe::PushResult::kMustWake:
      envelope.release();
      Wake();
      return;
    case troupe::PushResult::kEnqueued:
      envelope.release();
      return;
    case troupe::PushResult::kClosed:
      return;  // Still ours: destroyed.
  }
}

// Called once for each Wake(), by the owner.
void ReceiveAll(troupe::Mailbox& mailbox, troupe::Lanes& lanes) {
  do {
    mailbox.Drain(/*target=*/0, lanes, [](troupe::Envelope* signal, bool) {
      troupe::DestroyEnvelope(signal);  // This owner knows no signals.
    });
    while (const troupe::EnvelopePtr urgent{lanes.PopUrgent()}) {
      Handle(urgent->As<int>());
    }
    while (!lanes.empty()) {
      Handle(troupe::EnvelopePtr(lanes.Pop())->As<int>());
    }
  } while (!mailbox.Arm());  // Something came: look again.
}

TEST(MailboxGuideTest, MailboxAsksForOneWake) {
  handled.clear();
  wakes = 0;
  troupe::Mailbox mailbox;
  troupe::Lanes lanes;
  mailbox.Open(/*token_inside=*/true);
  troupe::EnvelopePtr urgent(troupe::MakeEnvelope<int>(3));
  urgent->lane = troupe::Lane::kUrgent;
  SendTo(mailbox, troupe::EnvelopePtr(troupe::MakeEnvelope<int>(1)));
  SendTo(mailbox, troupe::EnvelopePtr(troupe::MakeEnvelope<int>(2)));
  SendTo(mailbox, std::move(urgent));
  EXPECT_EQ(wakes, 1);
  ReceiveAll(mailbox, lanes);
  EXPECT_THAT(handled, ElementsAre(3, 1, 2));

  EXPECT_TRUE(mailbox.Die().token_inside);
  SendTo(mailbox, troupe::EnvelopePtr(troupe::MakeEnvelope<int>(4)));
  EXPECT_EQ(wakes, 1);
}

}  // namespace
