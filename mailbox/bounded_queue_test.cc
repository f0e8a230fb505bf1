#include "troupe/mailbox/bounded_queue.h"

#include <array>
#include <cstdint>
#include <optional>
#include <thread>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/bounded_queue_testing.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"
#include "troupe/testing/test_clocks.h"

namespace troupe {
namespace {

using testing::AnnouncingClock;
using ::testing::ElementsAre;
using testing::SteppingClock;

TEST(BoundedQueueTest, EnvelopesComeOutInTheOrderPushed) {
  OpenQueue queue({.messages = 3});
  for (int value : {1, 2, 3}) queue.PushMessage(Message(value));
  EXPECT_EQ(queue.messages(), 3u);
  EXPECT_EQ(queue.bytes(), 3 * kSmallBytes);
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(1, 2, 3));
  EXPECT_EQ(queue.messages(), 0u);
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(BoundedQueueTest, OnlyTheFirstPushIntoAnArmedQueueAsksForAWake) {
  OpenQueue queue({.messages = 10});
  EXPECT_EQ(queue.PushMessage(Message(1)), Admission::kMustWake);
  EXPECT_EQ(queue.PushMessage(Message(2)), Admission::kEnqueued);
  EXPECT_EQ(queue.PopMessage(), 1);
  EXPECT_EQ(queue.PopMessage(), 2);
  // The receiver has not seen it empty: it will look again.
  EXPECT_EQ(queue.PushMessage(Message(3)), Admission::kEnqueued);
  EXPECT_EQ(queue.PopMessage(), 3);
  EXPECT_EQ(queue.PopMessage(), std::nullopt);
  EXPECT_EQ(queue.PushMessage(Message(4)), Admission::kMustWake);
  EXPECT_EQ(queue.PushMessage(Message(5)), Admission::kEnqueued);
}

TEST(BoundedQueueTest, RejectedEnvelopeStaysWithTheCaller) {
  OpenQueue queue({.messages = 1, .policy = OverflowPolicy::kReject});
  queue.PushMessage(Message(1));
  const EnvelopePtr refused(Message(2));
  EXPECT_EQ(queue.Push(refused.get(), queue.dropped), Admission::kFull);
  EXPECT_EQ(ValueOf(*refused), 2);
  EXPECT_TRUE(queue.dropped.empty());
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(1));
}

TEST(BoundedQueueTest, BytesAreLimitedToo) {
  OpenQueue queue(
      {.bytes = 3 * kSmallBytes, .policy = OverflowPolicy::kReject});
  EXPECT_EQ(queue.PushMessage(Message<Large>(1)), Admission::kMustWake);
  EXPECT_EQ(queue.bytes(), 2 * kSmallBytes);
  EXPECT_EQ(queue.PushMessage(Message<Large>(2)), Admission::kFull);
  EXPECT_EQ(queue.PushMessage(Message(3)), Admission::kEnqueued);
  EXPECT_EQ(queue.PushMessage(Message(4)), Admission::kFull);
  EXPECT_EQ(queue.PopMessage(), 1);
  EXPECT_EQ(queue.PushMessage(Message<Large>(5)), Admission::kEnqueued);
}

TEST(BoundedQueueTest, PayloadBeyondThePoolsClassesCountsWhole) {
  struct Huge {
    int value;
    std::array<char, 10000> filler = {};
  };
  OpenQueue queue({.bytes = 25000, .policy = OverflowPolicy::kReject});
  EXPECT_EQ(queue.PushMessage(Message<Huge>(1)), Admission::kMustWake);
  EXPECT_EQ(queue.PushMessage(Message<Huge>(2)), Admission::kEnqueued);
  EXPECT_GT(queue.bytes(), 20000u);
  EXPECT_EQ(queue.PushMessage(Message<Huge>(3)), Admission::kFull);
}

TEST(BoundedQueueTest, EnvelopeLargerThanTheLimitNeverFits) {
  for (OverflowPolicy policy :
       {OverflowPolicy::kReject, OverflowPolicy::kDropNewest,
        OverflowPolicy::kDropOldest, OverflowPolicy::kAwait}) {
    OpenQueue queue({.bytes = kSmallBytes, .policy = policy});
    queue.PushMessage(Message(1));
    TestWaiter waiter;
    const EnvelopePtr large(Message<Large>(2));
    EXPECT_EQ(queue.PushOrWait(large.get(), waiter, queue.dropped),
              Admission::kTooLarge);
    EXPECT_TRUE(queue.dropped.empty());
    EXPECT_THAT(queue.PopAllMessages(), ElementsAre(1));
  }
}

TEST(BoundedQueueTest, DropNewestHandsBackTheNewOne) {
  OpenQueue queue({.messages = 2, .policy = OverflowPolicy::kDropNewest});
  EXPECT_EQ(queue.PushMessage(Message(1)), Admission::kMustWake);
  EXPECT_EQ(queue.PushMessage(Message(2)), Admission::kEnqueued);
  EXPECT_EQ(queue.PushMessage(Message(3)), Admission::kDropped);
  EXPECT_EQ(queue.PushMessage(Message(4)), Admission::kDropped);
  EXPECT_THAT(PopAll(queue.dropped), ElementsAre(3, 4));
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(1, 2));
}

TEST(BoundedQueueTest, DropOldestHandsBackTheOldest) {
  OpenQueue queue({.messages = 2, .policy = OverflowPolicy::kDropOldest});
  for (int value : {1, 2}) queue.PushMessage(Message(value));
  EXPECT_EQ(queue.PushMessage(Message(3)), Admission::kEnqueued);
  EXPECT_THAT(PopAll(queue.dropped), ElementsAre(1));
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(2, 3));
}

TEST(BoundedQueueTest, DropOldestMakesRoomForALargeOne) {
  OpenQueue queue(
      {.bytes = 3 * kSmallBytes, .policy = OverflowPolicy::kDropOldest});
  for (int value : {1, 2, 3}) queue.PushMessage(Message(value));
  EXPECT_EQ(queue.PushMessage(Message<Large>(4)), Admission::kEnqueued);
  EXPECT_THAT(PopAll(queue.dropped), ElementsAre(1, 2));
  EXPECT_EQ(queue.bytes(), 3 * kSmallBytes);
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(3, 4));
}

TEST(BoundedQueueTest, SenderThatCannotWaitIsRefusedWhereOthersWait) {
  OpenQueue queue({.messages = 1, .policy = OverflowPolicy::kAwait});
  queue.PushMessage(Message(1));
  EXPECT_EQ(queue.PushMessage(Message(2)), Admission::kFull);
}

TEST(BoundedQueueTest, WaitersAreServedInTheOrderOfTheirComing) {
  OpenQueue queue({.messages = 1});
  queue.PushMessage(Message(1));
  TestWaiter first;
  TestWaiter second;
  EXPECT_EQ(queue.PushOrWait(Message(2), first, queue.dropped),
            Admission::kWaiting);
  EXPECT_EQ(queue.PushOrWait(Message(3), second, queue.dropped),
            Admission::kWaiting);
  EXPECT_EQ(queue.messages(), 1u);

  EXPECT_EQ(queue.PopMessage(), 1);
  EXPECT_EQ(first.told, Admission::kEnqueued);
  EXPECT_EQ(second.told, std::nullopt);
  EXPECT_EQ(queue.PopMessage(), 2);
  EXPECT_EQ(second.told, Admission::kEnqueued);
  EXPECT_EQ(queue.PopMessage(), 3);
}

TEST(BoundedQueueTest, NobodyOvertakesOneThatWaits) {
  OpenQueue queue({.bytes = 3 * kSmallBytes});
  queue.PushMessage(Message(1));
  queue.PushMessage(Message(2));
  TestWaiter large;
  EXPECT_EQ(queue.PushOrWait(Message<Large>(3), large, queue.dropped),
            Admission::kWaiting);
  // Small ones would fit.
  TestWaiter small;
  EXPECT_EQ(queue.PushMessage(Message(4)), Admission::kFull);
  EXPECT_EQ(queue.PushOrWait(Message(5), small, queue.dropped),
            Admission::kWaiting);
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(1, 2, 3, 5));
  EXPECT_EQ(large.told, Admission::kEnqueued);
  EXPECT_EQ(small.told, Admission::kEnqueued);
}

TEST(BoundedQueueTest, OnePopAdmitsAllThatFit) {
  OpenQueue queue({.bytes = 2 * kSmallBytes});
  queue.PushMessage(Message<Large>(1));
  std::array<TestWaiter, 3> waiters;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(queue.PushOrWait(Message(2 + i), waiters[i], queue.dropped),
              Admission::kWaiting);
  }
  EXPECT_EQ(queue.PopMessage(), 1);
  EXPECT_EQ(waiters[0].told, Admission::kEnqueued);
  EXPECT_EQ(waiters[1].told, Admission::kEnqueued);
  EXPECT_EQ(waiters[2].told, std::nullopt);
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(2, 3, 4));
}

TEST(BoundedQueueTest, SomeAreTakenAtOnceAsOneByOne) {
  OpenQueue queue({.messages = 3});
  for (int i = 1; i <= 3; ++i) queue.PushMessage(Message(i));
  TestWaiter waiter;
  EXPECT_EQ(queue.PushOrWait(Message(4), waiter, queue.dropped),
            Admission::kWaiting);
  EXPECT_THAT(queue.PopSomeMessages(2), ElementsAre(1, 2));
  EXPECT_EQ(waiter.told, Admission::kEnqueued);
  EXPECT_EQ(queue.PushMessage(Message(5)), Admission::kEnqueued);
  EXPECT_THAT(queue.PopSomeMessages(9), ElementsAre(3, 4, 5));
  // It has not been found empty yet.
  EXPECT_EQ(queue.PushMessage(Message(6)), Admission::kEnqueued);
  EXPECT_THAT(queue.PopSomeMessages(1), ElementsAre(6));
  EXPECT_THAT(queue.PopSomeMessages(1), ElementsAre());
  EXPECT_EQ(queue.PushMessage(Message(7)), Admission::kMustWake);
}

TEST(BoundedQueueTest, AdmittedEnvelopeAsksForNoWake) {
  OpenQueue queue({.messages = 1});
  EXPECT_EQ(queue.PushMessage(Message(1)), Admission::kMustWake);
  TestWaiter waiter;
  EXPECT_EQ(queue.PushOrWait(Message(2), waiter, queue.dropped),
            Admission::kWaiting);
  EXPECT_EQ(queue.PopMessage(), 1);
  EXPECT_EQ(queue.PopMessage(), 2);
  EXPECT_EQ(queue.PopMessage(), std::nullopt);
  EXPECT_EQ(queue.PushMessage(Message(3)), Admission::kMustWake);
}

TEST(BoundedQueueTest, WithdrawnWaiterKeepsItsEnvelopeAndIsNotTold) {
  OpenQueue queue({.messages = 1});
  queue.PushMessage(Message(1));
  TestWaiter waiter;
  const EnvelopePtr envelope(Message(2));
  EXPECT_EQ(queue.PushOrWait(envelope.get(), waiter, queue.dropped),
            Admission::kWaiting);
  EXPECT_TRUE(queue.Withdraw(waiter));
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(1));
  EXPECT_EQ(waiter.told, std::nullopt);
  EXPECT_EQ(ValueOf(*envelope), 2);
}

TEST(BoundedQueueTest, WithdrawingTheFirstAdmitsThoseBehindThatFit) {
  OpenQueue queue({.bytes = 2 * kSmallBytes});
  queue.PushMessage(Message(1));
  TestWaiter large;
  TestWaiter small;
  const EnvelopePtr withdrawn(Message<Large>(2));
  EXPECT_EQ(queue.PushOrWait(withdrawn.get(), large, queue.dropped),
            Admission::kWaiting);
  EXPECT_EQ(queue.PushOrWait(Message(3), small, queue.dropped),
            Admission::kWaiting);
  EXPECT_TRUE(queue.Withdraw(large));
  EXPECT_EQ(small.told, Admission::kEnqueued);
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(1, 3));
}

TEST(BoundedQueueTest, WithdrawingFromTheMiddleKeepsTheOthersInLine) {
  OpenQueue queue({.messages = 1});
  queue.PushMessage(Message(1));
  std::array<TestWaiter, 3> waiters;
  const EnvelopePtr withdrawn(Message(3));
  EXPECT_EQ(queue.PushOrWait(Message(2), waiters[0], queue.dropped),
            Admission::kWaiting);
  EXPECT_EQ(queue.PushOrWait(withdrawn.get(), waiters[1], queue.dropped),
            Admission::kWaiting);
  EXPECT_EQ(queue.PushOrWait(Message(4), waiters[2], queue.dropped),
            Admission::kWaiting);
  EXPECT_TRUE(queue.Withdraw(waiters[1]));
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(1, 2, 4));
}

TEST(BoundedQueueTest, WaiterThatWasToldCannotWithdrawAndMayWaitAgain) {
  OpenQueue queue({.messages = 1});
  queue.PushMessage(Message(1));
  TestWaiter waiter;
  EXPECT_EQ(queue.PushOrWait(Message(2), waiter, queue.dropped),
            Admission::kWaiting);
  EXPECT_EQ(queue.PopMessage(), 1);
  EXPECT_FALSE(queue.Withdraw(waiter));
  EXPECT_EQ(waiter.told, Admission::kEnqueued);

  waiter.told.reset();
  EXPECT_EQ(queue.PushOrWait(Message(3), waiter, queue.dropped),
            Admission::kWaiting);
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(2, 3));
  EXPECT_EQ(waiter.told, Admission::kEnqueued);
}

TEST(BoundedQueueTest, ClosingHandsBackWhatIsQueuedAndTellsWaiters) {
  OpenQueue queue({.messages = 2});
  for (int value : {1, 2}) queue.PushMessage(Message(value));
  TestWaiter waiter;
  const EnvelopePtr waiting(Message(3));
  EXPECT_EQ(queue.PushOrWait(waiting.get(), waiter, queue.dropped),
            Admission::kWaiting);

  EnvelopeList rest = queue.Close();

  EXPECT_THAT(PopAll(rest), ElementsAre(1, 2));
  EXPECT_EQ(waiter.told, Admission::kClosed);
  EXPECT_EQ(ValueOf(*waiting), 3);
  EXPECT_EQ(queue.messages(), 0u);
  EXPECT_EQ(queue.bytes(), 0u);
  EXPECT_EQ(queue.PushMessage(Message(4)), Admission::kClosed);
  EXPECT_EQ(queue.PopMessage(), std::nullopt);
  EXPECT_TRUE(queue.Close().empty());
}

TEST(BoundedQueueTest, ShutQueueStillGivesOutWhatItTook) {
  OpenQueue queue({.messages = 2});
  for (int value : {1, 2}) queue.PushMessage(Message(value));
  TestWaiter waiter;
  const EnvelopePtr waiting(Message(3));
  EXPECT_EQ(queue.PushOrWait(waiting.get(), waiter, queue.dropped),
            Admission::kWaiting);

  queue.Shut();

  EXPECT_EQ(waiter.told, Admission::kClosed);
  EXPECT_EQ(queue.PushMessage(Message(4)), Admission::kClosed);
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(1, 2));
  EXPECT_EQ(queue.PushMessage(Message(5)), Admission::kClosed);
}

TEST(BoundedQueueTest, CountsWhatHasEnteredAndLeft) {
  OpenQueue queue({.messages = 2, .policy = OverflowPolicy::kDropOldest});
  EXPECT_EQ(queue.PushMessage(Message(1)), Admission::kMustWake);
  EXPECT_EQ(queue.PushMessage(Message(2)), Admission::kEnqueued);
  EXPECT_EQ(queue.entered(), 2u);
  EXPECT_EQ(queue.left(), 0u);
  EXPECT_EQ(queue.PopMessage(), 1);
  EXPECT_EQ(queue.left(), 1u);
  // What is dropped has left as well.
  EXPECT_EQ(queue.PushMessage(Message(3)), Admission::kEnqueued);
  EXPECT_EQ(queue.PushMessage(Message(4)), Admission::kEnqueued);
  EXPECT_EQ(queue.entered(), 4u);
  EXPECT_EQ(queue.left(), 2u);
  // What is refused has not entered.
  EXPECT_EQ(queue.PushMessage(Message(5, kTarget + 1)), Admission::kClosed);
  EXPECT_EQ(queue.entered(), 4u);
  queue.Close();
  EXPECT_EQ(queue.left(), queue.entered());
}

TEST(BoundedQueueTest, WaiterEntersWhenItIsAdmitted) {
  OpenQueue queue({.messages = 1, .policy = OverflowPolicy::kAwait});
  TestWaiter waiter;
  EXPECT_EQ(queue.PushMessage(Message(1)), Admission::kMustWake);
  EXPECT_EQ(queue.PushOrWait(Message(2), waiter, queue.dropped),
            Admission::kWaiting);
  EXPECT_EQ(queue.entered(), 1u);
  EXPECT_EQ(queue.PopMessage(), 1);
  EXPECT_EQ(queue.entered(), 2u);
  EXPECT_EQ(queue.left(), 1u);
}

TEST(BoundedQueueTest, ClosedQueueMayBeOpenedForAnotherReceiver) {
  OpenQueue queue({.messages = 1, .policy = OverflowPolicy::kDropNewest});
  queue.PushMessage(Message(1));
  EXPECT_FALSE(queue.Close().empty());
  queue.Open({.messages = 1, .policy = OverflowPolicy::kReject}, kTarget + 1);

  // From a slow sender to the receiver before.
  EXPECT_EQ(queue.PushMessage(Message(2)), Admission::kClosed);
  EXPECT_EQ(queue.PushMessage(Message(3, kTarget + 1)), Admission::kMustWake);
  EXPECT_EQ(queue.PushMessage(Message(4, kTarget + 1)), Admission::kFull);
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(3));
}

TEST(BoundedQueueTest, PassedDeadlineIsFull) {
  OpenQueue queue({.messages = 1});
  const ManualClock clock(MonotonicTime::FromNanoseconds(100));
  queue.PushMessage(Message(1));
  const EnvelopePtr refused(Message(2));
  for (MonotonicTime deadline : {clock.Now(), clock.Now() - absl::Seconds(1),
                                 MonotonicTime::InfinitePast()}) {
    EXPECT_EQ(
        queue.PushWithDeadline(refused.get(), clock, deadline, queue.dropped),
        Admission::kFull);
  }
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(1));
}

TEST(BoundedQueueTest, DeadlineDoesNotMatterWhereThereIsSpace) {
  OpenQueue queue({.messages = 1});
  EXPECT_EQ(
      queue.PushWithDeadline(Message(1), RealClock(),
                             MonotonicTime::InfinitePast(), queue.dropped),
      Admission::kMustWake);
}

TEST(BoundedQueueTest, DeadlineDoesNotMatterUnderOtherPolicies) {
  OpenQueue queue({.messages = 1, .policy = OverflowPolicy::kReject});
  queue.PushMessage(Message(1));
  const EnvelopePtr refused(Message(2));
  EXPECT_EQ(
      queue.PushWithDeadline(refused.get(), RealClock(),
                             MonotonicTime::InfiniteFuture(), queue.dropped),
      Admission::kFull);
}

TEST(BoundedQueueTest, WaitThatEndsEarlyIsTakenUpAgain) {
  OpenQueue queue({.messages = 1});
  queue.PushMessage(Message(1));
  const EnvelopePtr refused(Message(2));
  // By this clock a millisecond passes in each wait, however long it takes.
  const SteppingClock clock(absl::Milliseconds(1));
  EXPECT_EQ(queue.PushWithDeadline(refused.get(), clock,
                                   MonotonicTime() + absl::Microseconds(3500),
                                   queue.dropped),
            Admission::kFull);
  EXPECT_EQ(clock.Now(), MonotonicTime() + absl::Milliseconds(5));
}

TEST(BoundedQueueTest, ThreadThatGivesUpAdmitsThoseBehindThatFit) {
  OpenQueue queue({.bytes = 2 * kSmallBytes});
  queue.PushMessage(Message(1));
  ManualClock time;
  const AnnouncingClock clock(time);
  Admission admission = Admission::kWaiting;
  std::thread sender([&] {
    EnvelopeList dropped;
    const EnvelopePtr large(Message<Large>(2));
    admission = queue.PushWithDeadline(
        large.get(), clock, MonotonicTime() + absl::Milliseconds(1), dropped);
  });
  clock.WaitUntilAsked();
  TestWaiter small;
  EXPECT_EQ(queue.PushOrWait(Message(3), small, queue.dropped),
            Admission::kWaiting);
  time.Advance(absl::Milliseconds(1));
  sender.join();
  EXPECT_EQ(admission, Admission::kFull);
  EXPECT_EQ(small.told, Admission::kEnqueued);
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(1, 3));
}

TEST(BoundedQueueTest, ThreadWaitsUntilThereIsSpace) {
  OpenQueue queue({.messages = 1});
  queue.PushMessage(Message(1));
  const AnnouncingClock clock(RealClock());
  Admission admission = Admission::kWaiting;
  std::thread sender([&] {
    EnvelopeList dropped;
    admission = queue.PushWithDeadline(
        Message(2), clock, MonotonicTime::InfiniteFuture(), dropped);
  });
  clock.WaitUntilAsked();
  EXPECT_EQ(queue.PopMessage(), 1);
  EXPECT_EQ(queue.PopMessage(), 2);
  sender.join();
  EXPECT_EQ(admission, Admission::kEnqueued);
}

TEST(BoundedQueueTest, ThreadThatWaitsIsToldOfTheClose) {
  OpenQueue queue({.messages = 1});
  queue.PushMessage(Message(1));
  const AnnouncingClock clock(RealClock());
  Admission admission = Admission::kWaiting;
  std::thread sender([&] {
    EnvelopeList dropped;
    const EnvelopePtr kept(Message(2));
    admission = queue.PushWithDeadline(
        kept.get(), clock, RealClock().Now() + absl::Hours(1), dropped);
  });
  clock.WaitUntilAsked();
  EXPECT_FALSE(queue.Close().empty());
  sender.join();
  EXPECT_EQ(admission, Admission::kClosed);
}

TEST(BoundedQueueTest, WhatHasNoLimitIsTakenByAFullQueue) {
  OpenQueue queue({.messages = 1, .bytes = kSmallBytes});
  EnvelopeList dropped;
  EXPECT_EQ(queue.Push(Message(1), dropped), Admission::kMustWake);
  EXPECT_EQ(queue.PushBeyond(Message<Large>(2)), Admission::kEnqueued);
  // It counts all the same.
  const EnvelopePtr refused(Message(3));
  EXPECT_EQ(queue.Push(refused.get(), dropped), Admission::kFull);
  EXPECT_EQ(queue.messages(), 2u);
  DestroyEnvelope(queue.Pop());
  EXPECT_EQ(queue.Push(refused.get(), dropped), Admission::kFull);
  DestroyEnvelope(queue.Pop());
  EXPECT_EQ(queue.Pop(), nullptr);
  EXPECT_EQ(queue.PushBeyond(Message(4)), Admission::kMustWake);
  DestroyEnvelope(queue.Pop());
}

TEST(BoundedQueueTest, WhatHasNoLimitEntersBeforeThoseThatWait) {
  OpenQueue queue({.messages = 1});
  EnvelopeList dropped;
  EXPECT_EQ(queue.Push(Message(1), dropped), Admission::kMustWake);
  TestWaiter waiter;
  EXPECT_EQ(queue.PushOrWait(Message(2), waiter, dropped), Admission::kWaiting);
  EXPECT_EQ(queue.PushBeyond(Message(3)), Admission::kEnqueued);
  EXPECT_EQ(ValueOf(*EnvelopePtr(queue.Pop())), 1);
  EXPECT_FALSE(waiter.told.has_value());
  EXPECT_EQ(ValueOf(*EnvelopePtr(queue.Pop())), 3);
  EXPECT_EQ(waiter.told, Admission::kEnqueued);
  EXPECT_EQ(ValueOf(*EnvelopePtr(queue.Pop())), 2);
}

TEST(BoundedQueueTest, ClosedQueueTakesNothingWithoutLimit) {
  BoundedQueue queue;
  const EnvelopePtr envelope(Message(1));
  EXPECT_EQ(queue.PushBeyond(envelope.get()), Admission::kClosed);
  queue.Open({}, kTarget);
  queue.Shut();
  EXPECT_EQ(queue.PushBeyond(envelope.get()), Admission::kClosed);
  EXPECT_EQ(queue.Close().Pop(), nullptr);
}

TEST(BoundedQueueDeathTest, InvalidCapacityIsRefusedAtOnce) {
  BoundedQueue queue;
  EXPECT_DEATH(queue.Open({.messages = 0}, kTarget), "messages is 0");
}

TEST(BoundedQueueDeathTest, DestroyingAnOpenQueueIsRefused) {
  EXPECT_DEATH(
      {
        BoundedQueue queue;
        queue.Open({.messages = 1}, kTarget);
      },
      "is closed before it is destroyed");
}

}  // namespace
}  // namespace troupe
