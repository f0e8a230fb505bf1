#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/limits.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

TEST(EncodingTest, VarintsOfEveryWidthComeBack) {
  Encoder out;
  for (int bit = 0; bit < 64; ++bit) {
    out.WriteVarint(uint64_t{1} << bit);
    out.WriteVarint((uint64_t{1} << bit) - 1);
  }
  out.WriteVarint(std::numeric_limits<uint64_t>::max());
  Decoder in(out.bytes());
  for (int bit = 0; bit < 64; ++bit) {
    EXPECT_EQ(in.ReadVarint(), uint64_t{1} << bit);
    EXPECT_EQ(in.ReadVarint(), (uint64_t{1} << bit) - 1);
  }
  EXPECT_EQ(in.ReadVarint(), std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(in.AtEnd());
  EXPECT_THAT(in.status(), IsOk());
}

TEST(EncodingTest, SmallNegativeNumbersAreShort) {
  Encoder out;
  out.WriteSigned(-64);
  EXPECT_EQ(out.size(), 1);
  out.WriteSigned(std::numeric_limits<int64_t>::min());
  Decoder in(out.bytes());
  EXPECT_EQ(in.ReadSigned(), -64);
  EXPECT_EQ(in.ReadSigned(), std::numeric_limits<int64_t>::min());
}

TEST(EncodingTest, NumbersOfMoreThan64BitsAreRefused) {
  for (const absl::string_view bytes :
       {absl::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10),
        absl::string_view("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
                          11)}) {
    Decoder in(bytes);
    EXPECT_EQ(in.ReadVarint(), 0);
    EXPECT_THAT(in.status(), StatusIs(absl::StatusCode::kDataLoss,
                                      HasSubstr("more than 64 bits")));
  }
}

TEST(EncodingTest, StringsLieWithinTheInput) {
  Encoder out;
  out.WriteBytes("seven");
  out.WriteBytes("");
  Decoder in(out.bytes());
  const absl::string_view seven = in.ReadBytes();
  EXPECT_EQ(seven, "seven");
  EXPECT_EQ(seven.data(), out.bytes().data() + 1);
  EXPECT_EQ(in.ReadBytes(), "");
  EXPECT_TRUE(in.AtEnd());
}

TEST(EncodingTest, FirstFailureStaysAndNamesItsPlace) {
  Decoder in("\x02\x05xy");
  EXPECT_EQ(in.ReadByte(), 2);
  EXPECT_EQ(in.ReadBytes(), "");
  EXPECT_EQ(in.ReadFixed<uint32_t>(), 0);
  EXPECT_EQ(in.left(), 0);
  EXPECT_THAT(in.status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       "at byte 2: a string of 5 bytes is expected, but there "
                       "are 2 left"));
}

TEST(EncodingTest, HugeLengthsAreRefused) {
  Encoder out;
  out.WriteVarint(std::numeric_limits<uint64_t>::max());
  {
    Decoder in(out.bytes());
    EXPECT_EQ(in.ReadBytes(), "");
    EXPECT_FALSE(in.ok());
  }
  {
    Decoder in(out.bytes());
    EXPECT_EQ(in.ReadCount(), 0);
    EXPECT_FALSE(in.ok());
  }
}

TEST(EncodingTest, SizedPartsOfAnyLengthArePassedOver) {
  for (const size_t length : {0, 1, 126, 127, 128, 129, 300, 16383, 16384}) {
    Encoder out;
    out.WriteSized([&](Encoder& part) {
      part.WriteRaw(std::string(length, 'x').data(), length);
    });
    out.WriteByte(9);
    Decoder in(out.bytes());
    in.ReadSized([&](Decoder& part) { EXPECT_EQ(part.left(), length); });
    EXPECT_EQ(in.ReadByte(), 9) << length;
    EXPECT_TRUE(in.ok());
    EXPECT_TRUE(in.AtEnd());
  }
}

TEST(EncodingTest, SizedPartsEndWhereTheyEnd) {
  Encoder out;
  out.WriteSized([](Encoder& part) { part.WriteByte(1); });
  out.WriteByte(2);
  Decoder in(out.bytes());
  in.ReadSized([](Decoder& part) {
    EXPECT_EQ(part.ReadByte(), 1);
    EXPECT_EQ(part.ReadByte(), 0);
  });
  EXPECT_EQ(in.ReadByte(), 0) << "what follows a failure is not read";
  EXPECT_THAT(in.status(), StatusIs(absl::StatusCode::kDataLoss));
}

void Nest(Encoder& out, int depth) {
  out.WriteSized([depth](Encoder& part) {
    if (depth > 1) Nest(part, depth - 1);
  });
}
void Unnest(Decoder& in, int depth) {
  in.ReadSized([depth](Decoder& part) {
    if (depth > 1) Unnest(part, depth - 1);
  });
}

TEST(EncodingTest, DepthIsBoundedOnBothSides) {
  Encoder deepest;
  Nest(deepest, kMaxDepth);
  ASSERT_THAT(deepest.status(), IsOk());
  Decoder in(deepest.bytes());
  Unnest(in, kMaxDepth);
  EXPECT_THAT(in.status(), IsOk());

  Encoder too_deep;
  Nest(too_deep, kMaxDepth + 1);
  EXPECT_THAT(too_deep.status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("64")));

  std::string deeper(deepest.bytes());
  deeper.insert(deeper.begin(), static_cast<char>(deeper.size()));
  Decoder strict(deeper);
  Unnest(strict, kMaxDepth + 1);
  EXPECT_THAT(strict.status(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(EncodingTest, MemoryIsGrantedByWhatWasSent) {
  const std::string input(100, 'x');
  Decoder in(input);
  EXPECT_TRUE(in.TakeMemory(kMemoryBase + 100 * kMemoryPerByte));
  EXPECT_TRUE(in.ok());
  EXPECT_FALSE(in.TakeMemory(1));
  EXPECT_THAT(in.status(), StatusIs(absl::StatusCode::kDataLoss));
  Decoder huge(input);
  EXPECT_FALSE(huge.TakeMemory(std::numeric_limits<size_t>::max() / 2, 8));
}

TEST(EncodingTest, PaddingGrantsExactlyWhatIsCounted) {
  for (const size_t counted : {size_t{0}, kMemoryBase, kMemoryBase + 8,
                               kMemoryBase + 13, 10 * kMemoryBase}) {
    Encoder out;
    out.WriteByte(1);
    out.WriteByte(2);
    out.CountMemory(counted);
    out.PadForMemory();
    Decoder in(out.bytes());
    EXPECT_TRUE(in.TakeMemory(counted)) << counted;
    EXPECT_LE(out.size(), 2 + counted / kMemoryPerByte + 1) << counted;
    if (counted <= kMemoryBase + 8) {
      EXPECT_EQ(out.size(), 2) << counted;
    }
  }
}

TEST(EncodingTest, ClearedEncoderBeginsAnew) {
  Encoder out;
  out.WriteBytes("old");
  out.Fail(absl::InvalidArgumentError("bad"));
  out.Clear();
  EXPECT_TRUE(out.ok());
  out.WriteByte(7);
  EXPECT_EQ(out.bytes(), "\x07");
}

// Writes `values` of all kinds, and nests some of them.
void WriteMuch(int values, const std::string& text, Encoder& out) {
  out.WriteSized([&](Encoder& fields) {
    for (int i = 0; i < values; ++i) {
      fields.WriteByte(1);
      fields.WriteVarint(uint64_t{1} << 40);
      fields.WriteFixed<double>(0.5);
      fields.WriteSized([&](Encoder& inner) { inner.WriteBytes(text); });
    }
  });
}

TEST(EncodingTest, WhatIsOverTheLimitIsGivenUp) {
  for (const size_t text_bytes : {0, 1, 100, 200, 5000, 1 << 20}) {
    const std::string text(text_bytes, 'x');
    for (const size_t limit : {0, 1, 10, 300, 5000}) {
      Encoder out;
      out.SetLimit(limit);
      WriteMuch(1000, text, out);
      ASSERT_TRUE(out.is_over_limit()) << text_bytes << " " << limit;
      EXPECT_THAT(out.status(), StatusIs(absl::StatusCode::kResourceExhausted,
                                         HasSubstr("it has more than")));
      EXPECT_EQ(out.Claim(10'000), nullptr);
      out.CountMemory(size_t{1} << 40);
      out.PadForMemory();
      EXPECT_LE(out.size(), 2 * limit + 256) << "memory was not spared";
      out.Clear();
      EXPECT_FALSE(out.is_over_limit());
      EXPECT_TRUE(out.ok());
    }
  }
}

TEST(EncodingTest, WhatIsWithinTheLimitIsWritten) {
  const std::string text(100, 'x');
  Encoder free;
  WriteMuch(100, text, free);
  Encoder bounded;
  bounded.SetLimit(free.size());
  WriteMuch(100, text, bounded);
  EXPECT_THAT(bounded.status(), IsOk());
  EXPECT_EQ(bounded.bytes(), free.bytes());
}

TEST(EncodingTest, FailureBeforeTheLimitIsTheOneThatIsTold) {
  Encoder out;
  out.SetLimit(10);
  out.Fail(absl::InvalidArgumentError("bad"));
  WriteMuch(100, "text", out);
  EXPECT_FALSE(out.is_over_limit());
  EXPECT_THAT(out.status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace troupe
