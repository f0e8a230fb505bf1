#include "troupe/testing/soak/price_ledger.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace troupe::testing {
namespace {

void PublishUpTo(PriceLedger& ledger, int64_t last) {
  for (int64_t number = ledger.published() + 1; number <= last; ++number) {
    ledger.Publish(number);
  }
}

TEST(PriceLedgerTest, AllThatWasPromisedHasCome) {
  PriceLedger ledger(2);
  ledger.Subscribe(0, /*is_lossless=*/true);
  ledger.Subscribe(1, /*is_lossless=*/true);
  PublishUpTo(ledger, 2);
  EXPECT_EQ(ledger.published(), 2);
  for (const int64_t number : {1, 2}) {
    EXPECT_EQ(ledger.See(0, number), "");
    EXPECT_EQ(ledger.See(1, number), "");
  }
  EXPECT_EQ(ledger.Missing(2), "");
}

TEST(PriceLedgerTest, NamesWhoGetsNothingAnyMore) {
  PriceLedger ledger(3);
  for (const int reader : {0, 1, 2}) {
    ledger.Subscribe(reader, /*is_lossless=*/true);
  }
  PublishUpTo(ledger, 3);
  for (const int64_t number : {1, 2, 3}) EXPECT_EQ(ledger.See(0, number), "");
  EXPECT_EQ(ledger.See(1, 1), "");
  EXPECT_EQ(ledger.Missing(3),
            "clerk 1 was promised price 3, and saw 1 last; "
            "clerk 2 was promised price 3, and saw none");
  EXPECT_EQ(ledger.Missing(1), "clerk 2 was promised price 1, and saw none");
}

TEST(PriceLedgerTest, NothingIsPromisedOfWhatWasPublishedBefore) {
  PriceLedger ledger(1);
  PublishUpTo(ledger, 7);
  ledger.Subscribe(0, /*is_lossless=*/true);
  EXPECT_EQ(ledger.Missing(7), "");
  // It may come nevertheless, as a replay.
  EXPECT_EQ(ledger.See(0, 6), "");
  EXPECT_EQ(ledger.See(0, 7), "");
  PublishUpTo(ledger, 8);
  EXPECT_EQ(ledger.Missing(8), "clerk 0 was promised price 8, and saw 7 last");
}

TEST(PriceLedgerTest, NewInstanceIsPromisedWhatComesFromThenOn) {
  PriceLedger ledger(1);
  ledger.Subscribe(0, /*is_lossless=*/true);
  PublishUpTo(ledger, 1);
  EXPECT_EQ(ledger.See(0, 1), "");
  PublishUpTo(ledger, 4);
  ledger.Subscribe(0, /*is_lossless=*/true);
  EXPECT_EQ(ledger.Missing(4), "");
  PublishUpTo(ledger, 5);
  EXPECT_EQ(ledger.Missing(5), "clerk 0 was promised price 5, and saw none");
  EXPECT_EQ(ledger.See(0, 5), "");
  EXPECT_EQ(ledger.Missing(5), "");
}

TEST(PriceLedgerTest, TellsOfAGap) {
  PriceLedger ledger(1);
  ledger.Subscribe(0, /*is_lossless=*/true);
  PublishUpTo(ledger, 4);
  EXPECT_EQ(ledger.See(0, 1), "");
  EXPECT_EQ(ledger.See(0, 3), "clerk 0 saw price 3 after 1");
  EXPECT_EQ(ledger.See(0, 3), "clerk 0 saw price 3 after 3");
  EXPECT_EQ(ledger.See(0, 4), "");
}

TEST(PriceLedgerTest, TellsOfAGapAtTheBeginning) {
  PriceLedger ledger(1);
  PublishUpTo(ledger, 4);
  ledger.Subscribe(0, /*is_lossless=*/true);
  PublishUpTo(ledger, 6);
  EXPECT_EQ(ledger.See(0, 6),
            "clerk 0 saw price 6 first, and was promised all after 4");
}

TEST(PriceLedgerTest, WhoMayMissSomeIsPromisedNothing) {
  PriceLedger ledger(1);
  ledger.Subscribe(0, /*is_lossless=*/false);
  PublishUpTo(ledger, 9);
  EXPECT_EQ(ledger.See(0, 3), "");
  EXPECT_EQ(ledger.See(0, 7), "");
  EXPECT_EQ(ledger.Missing(9), "");
  // But in order.
  EXPECT_EQ(ledger.See(0, 5), "clerk 0 saw price 5 after 7");
}

}  // namespace
}  // namespace troupe::testing
