#include "troupe/mailbox/envelope_list.h"

#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/mailbox/envelope.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

using Shared = std::shared_ptr<int>;

EnvelopePtr Message(int value) { return EnvelopePtr(MakeEnvelope<int>(value)); }

std::vector<int> PopAll(EnvelopeList& list) {
  std::vector<int> values;
  while (const EnvelopePtr envelope = list.Pop()) {
    values.push_back(envelope->As<int>());
  }
  return values;
}

TEST(EnvelopeListTest, EnvelopesComeOutInTheOrderAppended) {
  EnvelopeList list;
  EXPECT_TRUE(list.empty());
  for (int value : {1, 2, 3}) list.Append(Message(value));
  EXPECT_FALSE(list.empty());
  EXPECT_EQ(list.Pop()->As<int>(), 1);
  list.Append(Message(4));
  EXPECT_THAT(PopAll(list), ElementsAre(2, 3, 4));
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.Pop(), nullptr);
}

TEST(EnvelopeListTest, ListDestroysWhatIsLeftInIt) {
  const Shared payload = std::make_shared<int>(1);
  {
    EnvelopeList list;
    for (int i = 0; i < 3; ++i) {
      list.Append(EnvelopePtr(MakeEnvelope<Shared>(payload)));
    }
    EXPECT_EQ(payload.use_count(), 4);
  }
  EXPECT_EQ(payload.use_count(), 1);
}

TEST(EnvelopeListTest, MovedFromListIsEmpty) {
  EnvelopeList from;
  from.Append(Message(1));
  EnvelopeList to(std::move(from));
  EXPECT_TRUE(from.empty());
  EXPECT_THAT(PopAll(to), ElementsAre(1));
}

TEST(EnvelopeListTest, AssignmentDestroysWhatWasThereBefore) {
  const Shared payload = std::make_shared<int>(1);
  EnvelopeList list;
  list.Append(EnvelopePtr(MakeEnvelope<Shared>(payload)));
  list = EnvelopeList();
  EXPECT_EQ(payload.use_count(), 1);
  EXPECT_TRUE(list.empty());
}

TEST(EnvelopeRingTest, FirstIsTheOldest) {
  EnvelopeRing ring;
  EXPECT_EQ(ring.first(), nullptr);
  Envelope* const older = Message(1).release();
  Envelope* const newer = Message(2).release();
  ring.Append(older);
  ring.Append(newer);
  EXPECT_EQ(ring.first(), older);
  EXPECT_EQ(ring.Pop(), older);
  EXPECT_EQ(ring.first(), newer);
  EXPECT_EQ(ring.Pop(), newer);
  EXPECT_EQ(ring.first(), nullptr);
  DestroyEnvelope(older);
  DestroyEnvelope(newer);
}

TEST(EnvelopeRingTest, OneThatIsMostlyTheFirstComesLastToo) {
  EnvelopeRing ring;
  for (int value : {1, 2, 3}) ring.AppendMostlyFirst(MakeEnvelope<int>(value));
  EnvelopeList list(ring);
  EXPECT_THAT(PopAll(list), ElementsAre(1, 2, 3));
}

TEST(EnvelopeRingTest, AppendAllEmptiesTheOther) {
  for (const auto& [left, right] :
       {std::pair(0, 0), std::pair(0, 2), std::pair(1, 1), std::pair(2, 3),
        std::pair(3, 0)}) {
    EnvelopeRing ring;
    EnvelopeRing other;
    for (int i = 0; i < left + right; ++i) {
      (i < left ? ring : other).Append(Message(i).release());
    }
    ring.AppendAll(other);
    EXPECT_TRUE(other.empty());
    for (int i = 0; i < left + right; ++i) {
      const EnvelopePtr message(ring.Pop());
      ASSERT_NE(message, nullptr);
      EXPECT_EQ(message->As<int>(), i);
    }
    EXPECT_TRUE(ring.empty());
  }
}

}  // namespace
}  // namespace troupe
