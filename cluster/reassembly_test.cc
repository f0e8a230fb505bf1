#include "troupe/cluster/internal/reassembly.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/pieces.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::HasSubstr;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr uint64_t kMax = 10;

// What Add() says, with all of it in one.
absl::StatusOr<std::optional<std::string>> Add(Reassembly& parts,
                                               uint64_t number, uint64_t left,
                                               absl::string_view part) {
  absl::StatusOr<std::optional<Pieces>> whole = parts.Add(number, left, part);
  if (!whole.ok()) return whole.status();
  if (!whole->has_value()) return std::nullopt;
  return (**std::move(whole)).Join();
}

TEST(ReassemblyTest, PartsOfSeveralWholesMayBeMixed) {
  Reassembly parts(kMax);
  EXPECT_THAT(Add(parts, 1, 2, "ab"), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(Add(parts, 2, 3, "x"), IsOkAndHolds(std::nullopt));
  EXPECT_EQ(parts.promised_bytes(), 8);
  EXPECT_THAT(Add(parts, 2, 0, "yz!"), IsOkAndHolds("xyz!"));
  EXPECT_THAT(Add(parts, 1, 1, "c"), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(Add(parts, 1, 0, "d"), IsOkAndHolds("abcd"));
  EXPECT_TRUE(parts.empty());
  EXPECT_EQ(parts.promised_bytes(), 0);
}

//
TEST(ReassemblyTest, WhatIsTooMuchIsRefusedAtItsFirstPart) {
  Reassembly parts(kMax);
  EXPECT_THAT(Add(parts, 1, kMax, "a"),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("1 bytes and 10 more begins, where 10 of 10 "
                                 "bytes may be under way")));
  EXPECT_THAT(Add(parts, 2, std::numeric_limits<uint64_t>::max(), "a"),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(Add(parts, 3, 0, "12345678901"),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(Add(parts, 4, 5, "a"), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(Add(parts, 5, 4, "b"),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("where 4 of 10")));
  EXPECT_THAT(Add(parts, 6, 3, "b"), IsOkAndHolds(std::nullopt));
}

// Each costs far more than the bytes that it promises.
TEST(ReassemblyTest, ShortOnesAreLimitedByTheirNumber) {
  Reassembly parts(/*max_bytes=*/size_t{64} << 20);
  for (uint64_t number = 1; number <= kMaxUnderWayInParts; ++number) {
    ASSERT_THAT(Add(parts, number, 1, "a"), IsOkAndHolds(std::nullopt));
  }
  constexpr uint64_t kNext = kMaxUnderWayInParts + 1;
  EXPECT_THAT(Add(parts, kNext, 1, "a"),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("4096 messages are under way")));
  EXPECT_THAT(Add(parts, 1, 0, "b"), IsOkAndHolds("ab"));
  EXPECT_THAT(Add(parts, kNext, 1, "a"), IsOkAndHolds(std::nullopt));
}

TEST(ReassemblyTest, PartsThatDoNotFitTogetherAreAnError) {
  Reassembly parts(kMax);
  EXPECT_THAT(Add(parts, 0, 1, "a"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Add(parts, 3, 4, ""), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Add(parts, 3, 4, "a"), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(
      Add(parts, 3, 4, "b"),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("where 4 are to come")));
  EXPECT_THAT(Add(parts, 3, 0, "bcdef"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Add(parts, 2, 0, "a"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("is over")));
  EXPECT_THAT(Add(parts, 3, 0, "bcde"), IsOkAndHolds("abcde"));
  EXPECT_THAT(Add(parts, 3, 0, "a"), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(ReassemblyTest, WhatIsAbandonedGivesItsRoomBack) {
  Reassembly parts(kMax);
  EXPECT_THAT(Add(parts, 1, 9, "a"), IsOkAndHolds(std::nullopt));
  parts.Abandon(7);
  parts.Abandon(1);
  EXPECT_TRUE(parts.empty());
  EXPECT_THAT(Add(parts, 1, 8, "b"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Add(parts, 2, 9, "a"), IsOkAndHolds(std::nullopt));
}

}  // namespace
}  // namespace troupe::internal
