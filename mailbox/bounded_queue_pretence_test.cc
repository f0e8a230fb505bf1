// A bounded queue that pretends to be full.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/mailbox/bounded_queue.h"
#include "troupe/mailbox/bounded_queue_testing.h"
#include "troupe/mailbox/capacity.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

TEST(BoundedQueuePretenceTest, PretendsToBeFullWithWhatItHolds) {
  OpenQueue queue({.messages = 10, .policy = OverflowPolicy::kReject});
  queue.PushMessage(Message(1));
  queue.PushMessage(Message(2));
  EXPECT_TRUE(queue.PretendFull(kTarget, true));
  EXPECT_EQ(queue.PushMessage(Message(3)), Admission::kFull);
  EXPECT_EQ(queue.PopMessage(), 1);
  EXPECT_EQ(queue.PushMessage(Message(4)), Admission::kEnqueued);
  EXPECT_EQ(queue.PushMessage(Message(5)), Admission::kFull);
  EXPECT_TRUE(queue.PretendFull(kTarget, false));
  EXPECT_EQ(queue.PushMessage(Message(6)), Admission::kEnqueued);
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(2, 4, 6));
}

TEST(BoundedQueuePretenceTest, PretendsToBeFullAsThePolicySays) {
  const auto full = [](OverflowPolicy policy, uint64_t messages) {
    auto queue = std::make_unique<OpenQueue>(
        Capacity{.bytes = 100 * kSmallBytes, .policy = policy});
    for (uint64_t i = 0; i < messages; ++i) queue->PushMessage(Message(1));
    EXPECT_TRUE(queue->PretendFull(kTarget, true));
    return queue;
  };
  EXPECT_EQ(full(OverflowPolicy::kReject, 0)->PushMessage(Message(2)),
            Admission::kFull);
  EXPECT_EQ(full(OverflowPolicy::kDropNewest, 0)->PushMessage(Message(2)),
            Admission::kDropped);
  // Of an empty one, nothing can be dropped, and nobody wakes who waits.
  EXPECT_EQ(full(OverflowPolicy::kAwait, 0)->PushMessage(Message(2)),
            Admission::kMustWake);
  EXPECT_EQ(full(OverflowPolicy::kAwait, 1)->PushMessage(Message(2)),
            Admission::kFull);
  EXPECT_EQ(full(OverflowPolicy::kDropOldest, 0)->PushMessage(Message(2)),
            Admission::kMustWake);
  const auto oldest = full(OverflowPolicy::kDropOldest, 3);
  EXPECT_EQ(oldest->PushMessage(Message(2)), Admission::kEnqueued);
  EXPECT_THAT(PopAll(oldest->dropped), ElementsAre(1));
  EXPECT_THAT(oldest->PopAllMessages(), ElementsAre(1, 1, 2));
}

TEST(BoundedQueuePretenceTest, AdmitsWaitersWhenItPretendsNoMore) {
  OpenQueue queue({.messages = 3, .policy = OverflowPolicy::kAwait});
  queue.PushMessage(Message(1));
  EXPECT_TRUE(queue.PretendFull(kTarget, true));
  std::array<TestWaiter, 3> waiters;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(queue.PushOrWait(Message(2 + i), waiters[i], queue.dropped),
              Admission::kWaiting);
  }
  EXPECT_TRUE(queue.PretendFull(kTarget, false));
  EXPECT_EQ(waiters[0].told, Admission::kEnqueued);
  EXPECT_EQ(waiters[1].told, Admission::kEnqueued);
  EXPECT_EQ(waiters[2].told, std::nullopt);
  EXPECT_THAT(queue.PopAllMessages(), ElementsAre(1, 2, 3, 4));
}

TEST(BoundedQueuePretenceTest, PretendsForItsReceiverAlone) {
  OpenQueue queue({.messages = 1});
  EXPECT_FALSE(queue.PretendFull(kTarget + 1, true));
  EXPECT_EQ(queue.PushMessage(Message(1)), Admission::kMustWake);
  queue.Close();
  EXPECT_FALSE(queue.PretendFull(kTarget, true));
}

}  // namespace
}  // namespace troupe
