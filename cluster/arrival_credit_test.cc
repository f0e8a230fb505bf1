#include "troupe/cluster/internal/arrival_credit.h"

#include "gtest/gtest.h"
#include "troupe/cluster/transport.h"

namespace troupe::internal {
namespace {

constexpr TransportLane kControl = TransportLane::kControl;
constexpr TransportLane kData = TransportLane::kData;
constexpr TransportLane kBulk = TransportLane::kBulk;

TEST(ArrivalCreditTest, LastFrameMayBeLongerThanWhatIsLeft) {
  ArrivalCredit credit(100, 100, 100);
  EXPECT_TRUE(credit.Take(kData, 99));
  EXPECT_TRUE(credit.Take(kData, 1000));
  EXPECT_TRUE(credit.Take(kBulk, 100));
  EXPECT_FALSE(credit.Take(kBulk, 1));
}

TEST(ArrivalCreditTest, WhatIsGrantedMayCome) {
  ArrivalCredit credit(100, 100, 100);
  EXPECT_TRUE(credit.Take(kData, 150));
  credit.Grant(kData, 51);
  EXPECT_TRUE(credit.Take(kData, 1));
  EXPECT_FALSE(credit.Take(kData, 1));
}

TEST(ArrivalCreditTest, WhoHasSentTooMuchMaySendNothing) {
  ArrivalCredit credit(100, 100, 100);
  EXPECT_TRUE(credit.Take(kData, 100));
  EXPECT_FALSE(credit.Take(kData, 1));
  credit.Grant(kData, 1000);
  EXPECT_FALSE(credit.Take(kData, 1));
  EXPECT_FALSE(credit.Take(kBulk, 1));
}

// Of what waits for no credit: heartbeats, and credit itself.
TEST(ArrivalCreditTest, ControlMayHaveAsMuchMore) {
  ArrivalCredit credit(100, 100, 100);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(credit.Take(kControl, 10));
  EXPECT_FALSE(credit.Take(kControl, 10));
}

}  // namespace
}  // namespace troupe::internal
