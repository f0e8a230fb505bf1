// What of the texts that actors and peers make crosses.
#include "troupe/cluster/internal/brief_texts.h"

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/delivery.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::EndsWith;
using ::testing::Le;
using ::testing::SizeIs;
using ::testing::StartsWith;
using testing::StatusIs;

constexpr char kUrl[] = "type.test/detail";

absl::Cord CordOf(size_t bytes) {
  const std::string text(bytes, 'p');
  return absl::Cord(absl::string_view(text));
}

TEST(BriefTextsTest, AShortTextIsLeftAsItIs) {
  const std::string text(kMaxTextBytes, 'x');
  EXPECT_EQ(Abridged(text), text);
  EXPECT_EQ(Abridged(""), "");
}

TEST(BriefTextsTest, ALongTextIsCutAndSaysSo) {
  const std::string cut = Abridged(std::string(5 << 20, 'x'), 100);
  EXPECT_THAT(cut, SizeIs(100));
  EXPECT_THAT(cut, StartsWith("xxxx"));
  EXPECT_THAT(cut, EndsWith("x... (cut, it has 5242880 bytes)"));
  EXPECT_EQ(Abridged(cut, 100), cut);
}

TEST(BriefTextsTest, NoCharacterIsCut) {
  for (const std::string character : {"é", "€", "🎭"}) {
    std::string text;
    while (text.size() < 200) text += character;
    const std::string cut = Abridged(text, 100);
    const size_t kept = cut.find("...");
    ASSERT_NE(kept, std::string::npos);
    EXPECT_EQ(kept % character.size(), 0) << cut;
    EXPECT_EQ(cut.substr(0, kept), text.substr(0, kept));
  }
  // Bytes that are no text.
  EXPECT_THAT(Abridged(std::string(200, '\x80'), 100), SizeIs(Le(100)));
}

TEST(BriefTextsTest, ANameIsShortAndPrintable) {
  EXPECT_EQ(InWords("jobs.Counter"), "jobs.Counter");
  EXPECT_EQ(InWords("a\nb"), "a\\nb");
  EXPECT_THAT(InWords(std::string(3 << 20, 'x')), SizeIs(255));
}

TEST(BriefTextsTest, AShortStatusIsLeftAsItIs) {
  absl::Status status = WithDelivery(absl::InternalError("no disk"),
                                     DeliveryState::kNotDelivered);
  status.SetPayload(kUrl, CordOf(1000));
  EXPECT_EQ(ForWire(status), status);
  EXPECT_EQ(ForWire(absl::OkStatus()), absl::OkStatus());
}

TEST(BriefTextsTest, OfALongStatusTheRestStays) {
  absl::Status status =
      WithDelivery(absl::InternalError(std::string(5 << 20, 'x')),
                   DeliveryState::kNotDelivered);
  status.SetPayload(kUrl, absl::Cord("short"));
  const absl::Status brief = ForWire(status);
  EXPECT_EQ(brief.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(brief.message(), SizeIs(kMaxTextBytes));
  EXPECT_EQ(brief.GetPayload(kUrl), absl::Cord("short"));
  EXPECT_EQ(Delivery(brief), DeliveryState::kNotDelivered);
}

TEST(BriefTextsTest, LongPayloadsDoNotCross) {
  absl::Status status =
      WithDelivery(absl::InternalError("no disk"), DeliveryState::kUnknown);
  status.SetPayload(kUrl, CordOf(kMaxPayloadBytes));
  const absl::Status brief = ForWire(status);
  EXPECT_EQ(brief.message(), "no disk");
  EXPECT_FALSE(brief.GetPayload(kUrl).has_value());
  EXPECT_EQ(Delivery(brief), DeliveryState::kUnknown);
  // Many short ones are as long.
  absl::Status many = absl::InternalError("no disk");
  for (int i = 0; i < 1000; ++i) {
    many.SetPayload(kUrl + std::to_string(i), absl::Cord("p"));
  }
  EXPECT_EQ(ForWire(many), absl::InternalError("no disk"));
}

// Of a node that writes longer ones.
TEST(BriefTextsTest, WhatComesIsShortToo) {
  Encoder out;
  Encode(absl::InternalError(std::string(5 << 20, 'x')), out);
  Decoder in(out.bytes());
  BriefStatus status;
  ASSERT_TRUE(Decode(in, status).ok());
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInternal, SizeIs(kMaxTextBytes)));
}

}  // namespace
}  // namespace troupe::internal
