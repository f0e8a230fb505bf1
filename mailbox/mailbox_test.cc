#include "troupe/mailbox/mailbox.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint32_t kTarget = 7;

Envelope* Message(int value, Lane lane = Lane::kNormal,
                  uint32_t target = kTarget) {
  Envelope* const envelope = MakeEnvelope<int>(value);
  envelope->lane = lane;
  envelope->target = target;
  return envelope;
}

PushResult Push(Mailbox& mailbox, Envelope* envelope,
                Mailbox::Word::Kind kind = Mailbox::Word::Kind::kMessage) {
  const PushResult result = mailbox.Push(mailbox.Load(), envelope, kind);
  if (result == PushResult::kClosed) DestroyEnvelope(envelope);
  return result;
}

// Everything special that Drain() meets: the values of signals, and of stale
// envelopes as negative numbers.
std::vector<int> Drain(Mailbox& mailbox, Lanes& lanes) {
  std::vector<int> special;
  mailbox.Drain(kTarget, lanes, [&](Envelope* envelope, bool stale) {
    const int value = envelope->As<int>();
    special.push_back(stale ? -value : value);
    DestroyEnvelope(envelope);
  });
  return special;
}

std::vector<int> PopAll(Lanes& lanes) {
  std::vector<int> values;
  while (!lanes.empty()) {
    Envelope* const envelope = lanes.Pop();
    values.push_back(envelope->As<int>());
    DestroyEnvelope(envelope);
  }
  return values;
}

TEST(MailboxTest, OnlyTheFirstPushAfterArmingAsksForAWake) {
  Mailbox mailbox;
  Lanes lanes;
  mailbox.Open(/*token_inside=*/true);

  EXPECT_EQ(Push(mailbox, Message(1)), PushResult::kMustWake);
  EXPECT_EQ(Push(mailbox, Message(2)), PushResult::kEnqueued);

  EXPECT_FALSE(mailbox.Arm());  // There is mail.
  EXPECT_THAT(Drain(mailbox, lanes), IsEmpty());
  EXPECT_TRUE(mailbox.Arm());
  EXPECT_EQ(Push(mailbox, Message(3)), PushResult::kMustWake);
  EXPECT_THAT(Drain(mailbox, lanes), IsEmpty());
  EXPECT_THAT(PopAll(lanes), ElementsAre(1, 2, 3));
}

TEST(LanesTest, PrependedEnvelopesComeFirst) {
  for (const bool others_wait : {false, true}) {
    Lanes lanes;
    if (others_wait) lanes.Append(Message(3));
    EnvelopeRing first;
    lanes.Prepend(first);
    EXPECT_EQ(lanes.empty(), !others_wait);
    first.Append(Message(1));
    first.Append(Message(2));
    lanes.Prepend(first);
    EXPECT_TRUE(first.empty());
    EXPECT_EQ(lanes.queued(), others_wait ? 3u : 2u);
    lanes.Append(Message(4));
    if (others_wait) {
      EXPECT_THAT(PopAll(lanes), ElementsAre(1, 2, 3, 4));
    } else {
      EXPECT_THAT(PopAll(lanes), ElementsAre(1, 2, 4));
    }
    EXPECT_EQ(lanes.queued(), 0u);
  }
}

TEST(MailboxTest, PushedEnvelopesLineUpBehindLocalOnesInTheOrderSent) {
  Mailbox mailbox;
  Lanes lanes;
  mailbox.Open(/*token_inside=*/true);
  lanes.Append(Message(1));
  EXPECT_EQ(Push(mailbox, Message(3)), PushResult::kMustWake);
  EXPECT_EQ(Push(mailbox, Message(4)), PushResult::kEnqueued);
  lanes.Append(Message(2));

  EXPECT_THAT(Drain(mailbox, lanes), IsEmpty());
  EXPECT_EQ(lanes.queued(), 4u);
  EXPECT_THAT(PopAll(lanes), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(lanes.queued(), 0u);
}

TEST(MailboxTest, ShutRefusesMessagesButTakesSignals) {
  Mailbox mailbox;
  Lanes lanes;
  mailbox.Open(/*token_inside=*/true);
  EXPECT_TRUE(mailbox.LooksOpen());
  mailbox.Shut();

  EXPECT_FALSE(mailbox.LooksOpen());
  EXPECT_EQ(Push(mailbox, Message(1)), PushResult::kClosed);
  EXPECT_EQ(
      Push(mailbox, Message(2, Lane::kSignal), Mailbox::Word::Kind::kSignal),
      PushResult::kMustWake);
  EXPECT_THAT(Drain(mailbox, lanes), ElementsAre(2));
}

TEST(MailboxTest, ClosingSignalRefusesWhatComesAfterItAndKeepsWhatCameBefore) {
  Mailbox mailbox;
  Lanes lanes;
  mailbox.Open(/*token_inside=*/true);

  EXPECT_EQ(Push(mailbox, Message(1)), PushResult::kMustWake);
  EXPECT_EQ(
      Push(mailbox, Message(2, Lane::kSignal), Mailbox::Word::Kind::kClosing),
      PushResult::kEnqueued);
  EXPECT_EQ(Push(mailbox, Message(3)), PushResult::kClosed);
  EXPECT_THAT(Drain(mailbox, lanes), ElementsAre(2));
  EXPECT_THAT(PopAll(lanes), ElementsAre(1));
}

TEST(MailboxTest, PushWithAReadingOfAnEarlierIncarnationIsRefused) {
  Mailbox mailbox;
  mailbox.Open(/*token_inside=*/true);
  const Mailbox::Reading stale = mailbox.Load();
  EXPECT_TRUE(mailbox.Die().token_inside);
  mailbox.Open(/*token_inside=*/true);

  Envelope* const late = Message(1);
  EXPECT_EQ(mailbox.Push(stale, late), PushResult::kClosed);
  DestroyEnvelope(late);
}

TEST(MailboxTest, EnvelopesForAnotherReceiverComeOutAsStale) {
  Mailbox mailbox;
  Lanes lanes;
  mailbox.Open(/*token_inside=*/true);
  EXPECT_EQ(Push(mailbox, Message(1, Lane::kNormal, kTarget + 1)),
            PushResult::kMustWake);
  EXPECT_EQ(Push(mailbox, Message(2)), PushResult::kEnqueued);

  EXPECT_THAT(Drain(mailbox, lanes), ElementsAre(-1));
  EXPECT_THAT(PopAll(lanes), ElementsAre(2));
}

TEST(MailboxTest, SideLanesKeepTheirOwnOrderAndRaiseAttention) {
  Mailbox mailbox;
  Lanes lanes;
  mailbox.Open(/*token_inside=*/true);
  EXPECT_EQ(Push(mailbox, Message(1, Lane::kUrgent)), PushResult::kMustWake);
  EXPECT_EQ(Push(mailbox, Message(2, Lane::kEvent)), PushResult::kEnqueued);
  EXPECT_EQ(Push(mailbox, Message(3, Lane::kUrgent)), PushResult::kEnqueued);
  EXPECT_THAT(Drain(mailbox, lanes), IsEmpty());

  EXPECT_EQ(lanes.attention(), Lanes::kEvents | Lanes::kUrgent);
  Envelope* const event = lanes.PopEvent();
  EXPECT_EQ(event->As<int>(), 2);
  EXPECT_EQ(lanes.attention(), Lanes::kUrgent);
  Envelope* const first = lanes.PopUrgent();
  Envelope* const second = lanes.PopUrgent();
  EXPECT_EQ(first->As<int>(), 1);
  EXPECT_EQ(second->As<int>(), 3);
  EXPECT_EQ(lanes.attention(), 0);
  EXPECT_EQ(lanes.PopUrgent(), nullptr);
  for (Envelope* envelope : {event, first, second}) DestroyEnvelope(envelope);
}

TEST(MailboxTest, DyingHandsBackWhatWasPushedAndTellsWhereTheTokenIs) {
  Mailbox mailbox;
  mailbox.Open(/*token_inside=*/true);
  EXPECT_EQ(Push(mailbox, Message(1)), PushResult::kMustWake);
  EXPECT_EQ(Push(mailbox, Message(2)), PushResult::kEnqueued);

  Mailbox::Remains remains = mailbox.Die();
  EXPECT_FALSE(remains.token_inside);  // It is with the first sender.
  EXPECT_EQ(remains.chain->As<int>(), 1);
  EXPECT_EQ(remains.chain->next->As<int>(), 2);
  DestroyEnvelope(remains.chain->next);
  DestroyEnvelope(remains.chain);
  EXPECT_EQ(Push(mailbox, Message(3)), PushResult::kClosed);
}

}  // namespace
}  // namespace troupe
