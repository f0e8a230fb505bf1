// What is not what an Encoder wrote: it is an error, and nothing else.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/limits.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

template <typename T>
absl::Status ParseAs(absl::string_view bytes) {
  Decoder in(bytes);
  T value{};
  return Decode(in, value);
}

struct Part {
  int number = 0;
  std::string text;
};
struct Whole {
  bool flag = false;
  std::vector<Part> parts;
  std::map<std::string, std::optional<double>> map;
  std::variant<int, std::string, Part> either;
  std::unique_ptr<Part> own;
  std::set<int> set;
  std::vector<int32_t> raw;
  absl::Duration duration;
  absl::StatusOr<int> outcome = 0;
};

Whole Sample() {
  Whole whole;
  whole.flag = true;
  whole.parts = {{1, "one"}, {-2, "two"}};
  whole.map = {{"a", 1.5}, {"b", std::nullopt}};
  whole.either = Part{3, "three"};
  whole.own = std::make_unique<Part>(Part{4, "four"});
  whole.set = {5, 6};
  whole.raw = {7, 8, 9};
  whole.duration = absl::Milliseconds(1500);
  whole.outcome = absl::AbortedError("no");
  return whole;
}

std::string SampleBytes() {
  Encoder out;
  Encode(Sample(), out);
  return std::string(out.bytes());
}

//
TEST(CodecFaultsTest, MessagesCutShortAreRefused) {
  const std::string bytes = SampleBytes();
  ASSERT_THAT(ParseAs<Whole>(bytes), IsOk());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(ParseAs<Whole>(absl::string_view(bytes).substr(0, size)),
                StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
}

//
TEST(CodecFaultsTest, HugeLengthsAllocateNothing) {
  Encoder out;
  out.WriteVarint(uint64_t{1} << 60);
  for (const absl::Status& status :
       {ParseAs<std::string>(out.bytes()),
        ParseAs<std::vector<int64_t>>(out.bytes()),
        ParseAs<std::vector<std::string>>(out.bytes()),
        ParseAs<std::map<int, int>>(out.bytes()),
        ParseAs<std::vector<Part>>(out.bytes()), ParseAs<Part>(out.bytes())}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(CodecFaultsTest, ListOfNumbersLongerThanItsBytesIsRefused) {
  Encoder out;
  out.WriteVarint(8);
  out.WriteRaw("12345678", 8);
  EXPECT_THAT(ParseAs<std::vector<int8_t>>(out.bytes()), IsOk());
  EXPECT_THAT(ParseAs<std::vector<int16_t>>(out.bytes()),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("a list of 8 numbers, but 8 bytes are left")));
}

TEST(CodecFaultsTest, ValuesThatDoNotFitAreRefused) {
  Encoder number;
  number.WriteVarint(300);
  EXPECT_THAT(ParseAs<uint8_t>(number.bytes()),
              StatusIs(absl::StatusCode::kDataLoss,
                       "at byte 2: the number 300 does not fit into 1 byte"));
  Encoder negative;
  negative.WriteSigned(-32769);
  EXPECT_THAT(ParseAs<int16_t>(negative.bytes()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("-32769")));
  EXPECT_THAT(ParseAs<bool>("\x02"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no bool")));
  EXPECT_THAT((ParseAs<std::variant<int, bool>>("\x02")),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("a variant of 2 types has the index 2")));
  Encoder ticks;
  ticks.WriteSigned(1);
  ticks.WriteVarint(4'000'000'000);
  EXPECT_THAT(ParseAs<absl::Duration>(ticks.bytes()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("ticks")));
}

TEST(CodecFaultsTest, KeysThatComeTwiceAreRefused) {
  Encoder out;
  out.WriteVarint(2);
  out.WriteSigned(1);
  out.WriteSigned(1);
  EXPECT_THAT(ParseAs<std::set<int>>(out.bytes()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("twice")));
  EXPECT_THAT(ParseAs<std::multiset<int>>(out.bytes()), IsOk());
}

TEST(CodecFaultsTest, KeysThatAreNoNumbersAreRefused) {
  constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();
  Encoder out;
  Encode(std::unordered_set<double>{1, kNoNumber}, out);
  EXPECT_THAT(out.status(), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("not equal to itself")));
  out.Clear();
  out.WriteVarint(1);
  out.WriteFixed(kNoNumber);
  for (const absl::Status& status :
       {ParseAs<std::unordered_set<double>>(out.bytes()),
        ParseAs<std::map<double, int>>(out.bytes())}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss,
                                 HasSubstr("not equal to itself")));
  }
}

// bytes behind a message are fields that a newer sender has added.
TEST(CodecFaultsTest, BytesBehindAMessageArePassedOver) {
  EXPECT_THAT(ParseAs<Whole>(SampleBytes() + "more"), IsOk());
}

struct Chain {
  std::unique_ptr<Chain> next;
};

TEST(CodecFaultsTest, DepthIsBoundedOnBothSides) {
  Chain chain;
  for (int i = 0; i < 1000; ++i) {
    Chain longer;
    longer.next = std::make_unique<Chain>(std::move(chain));
    chain = std::move(longer);
  }
  Encoder out;
  Encode(chain, out);
  EXPECT_THAT(out.status(), StatusIs(absl::StatusCode::kInvalidArgument));

  // Each link as an Encoder without a bound would write it.
  std::string bytes(1, '\0');
  for (int i = 0; i < 1000; ++i) {
    Encoder link;
    link.WriteVarint(bytes.size() + 1);
    link.WriteByte(1);
    bytes = std::string(link.bytes()) + bytes;
  }
  EXPECT_THAT(ParseAs<Chain>(bytes),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("deep")));
}

// Whatever is read: an error or a value, within the memory that is granted. The
// sanitizer lanes see the rest.
TEST(CodecFaultsTest, ChangedBytesAreReadOrRefused) {
  const std::string bytes = SampleBytes();
  Random random(1);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = bytes;
    for (uint64_t n = random.Uniform(4) + 1; n != 0; --n) {
      changed[random.Uniform(changed.size())] =
          static_cast<char>(random.Uniform(256));
    }
    if (!ParseAs<Whole>(changed).ok()) ++refused;
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, 20'000);
}

}  // namespace
}  // namespace troupe
