#include "troupe/cluster/codec/codec.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

template <typename T>
std::string BytesOf(const T& value) {
  Encoder out;
  Encode(value, out);
  EXPECT_THAT(out.status(), IsOk());
  return std::string(out.bytes());
}

template <typename T>
absl::StatusOr<T> Parse(absl::string_view bytes) {
  Decoder in(bytes);
  T value{};
  absl::Status status = Decode(in, value);
  if (!status.ok()) return status;
  return absl::StatusOr<T>(std::move(value));
}

// What arrives when `value` crosses.
template <typename T>
T Crossed(const T& value) {
  absl::StatusOr<T> arrived = Parse<T>(BytesOf(value));
  EXPECT_THAT(arrived.status(), IsOk());
  return arrived.ok() ? *std::move(arrived) : T{};
}

template <typename T>
class CodecNumberTest : public ::testing::Test {};
using Numbers =
    ::testing::Types<char, signed char, unsigned char, short, unsigned short,
                     int, unsigned, long, unsigned long, long long,
                     unsigned long long, char8_t, char16_t, char32_t, wchar_t,
                     float, double>;
TYPED_TEST_SUITE(CodecNumberTest, Numbers);

//
TYPED_TEST(CodecNumberTest, CrossesAloneAndInLists) {
  using Limits = std::numeric_limits<TypeParam>;
  std::vector<TypeParam> list;
  for (const TypeParam value :
       {TypeParam{0}, TypeParam{1}, Limits::min(), Limits::lowest(),
        Limits::max(), static_cast<TypeParam>(Limits::max() / 2)}) {
    EXPECT_EQ(Crossed(value), value);
    list.push_back(value);
  }
  EXPECT_EQ(Crossed(list), list);
  EXPECT_EQ(Crossed(std::deque<TypeParam>(list.begin(), list.end())),
            std::deque<TypeParam>(list.begin(), list.end()));
  EXPECT_EQ(Crossed(std::vector<TypeParam>()), std::vector<TypeParam>());
}

//
TEST(CodecTest, NumbersOf128BitsCross) {
  for (const absl::int128 value : {absl::int128(0), absl::int128(-1),
                                   absl::Int128Min(), absl::Int128Max()}) {
    EXPECT_EQ(Crossed(value), value);
    EXPECT_EQ(Crossed(static_cast<absl::uint128>(value)),
              static_cast<absl::uint128>(value));
  }
  EXPECT_THAT(Crossed(std::vector<absl::int128>{absl::Int128Min(), 0, 1}),
              ElementsAre(absl::Int128Min(), absl::int128(0), absl::int128(1)));
  EXPECT_THAT(Crossed(std::vector<absl::uint128>{absl::Uint128Max()}),
              ElementsAre(absl::Uint128Max()));
}

//
TEST(CodecTest, BoolsCrossAloneAndInLists) {
  EXPECT_TRUE(Crossed(true));
  EXPECT_FALSE(Crossed(false));
  EXPECT_THAT(Crossed(std::vector<bool>{true, false, true}),
              ElementsAre(true, false, true));
}

TEST(CodecTest, NotANumberStaysOne) {
  EXPECT_TRUE(std::isnan(Crossed(std::numeric_limits<double>::quiet_NaN())));
  EXPECT_TRUE(std::signbit(Crossed(-0.0)));
}

enum class Color : uint8_t { kRed = 1, kBlue = 200 };

TEST(CodecTest, EnumsCrossAsTheirNumbers) {
  EXPECT_EQ(Crossed(Color::kBlue), Color::kBlue);
  EXPECT_EQ(BytesOf(Color::kRed), BytesOf(uint8_t{1}));
  EXPECT_EQ(Crossed(static_cast<Color>(7)), static_cast<Color>(7));
}

//
TEST(CodecTest, TextAndBytesCross) {
  EXPECT_EQ(Crossed(std::string()), "");
  EXPECT_EQ(Crossed(std::string("a\0b", 3)), std::string("a\0b", 3));
  const std::string long_text(100'000, 'x');
  EXPECT_EQ(Crossed(long_text), long_text);
  EXPECT_EQ(Crossed(absl::Cord(long_text)), long_text);
  EXPECT_THAT(Crossed(std::vector<std::byte>{std::byte{0}, std::byte{255}}),
              ElementsAre(std::byte{0}, std::byte{255}));
}

TEST(CodecTest, ContainersCross) {
  EXPECT_THAT(Crossed(std::vector<std::string>{"a", "", "c"}),
              ElementsAre("a", "", "c"));
  EXPECT_THAT(Crossed(std::list<int>{3, 1, 2}), ElementsAre(3, 1, 2));
  EXPECT_THAT(Crossed(std::array<int, 3>{3, 1, 2}), ElementsAre(3, 1, 2));
  EXPECT_THAT(Crossed(std::set<int>{3, 1, 2}), ElementsAre(1, 2, 3));
  EXPECT_THAT(Crossed(std::multiset<int>{3, 1, 3}), ElementsAre(1, 3, 3));
  const std::map<std::string, std::vector<int>> map = {{"a", {1}}, {"b", {}}};
  EXPECT_EQ(Crossed(map), map);
  const std::unordered_map<int, std::string> hashed = {{1, "a"}, {-5, "b"}};
  EXPECT_EQ(Crossed(hashed), hashed);
  const absl::flat_hash_map<std::string, int> flat = {{"x", 1}, {"y", 2}};
  EXPECT_EQ(Crossed(flat), flat);
}

TEST(CodecTest, EqualHashTablesHaveEqualBytes) {
  absl::flat_hash_map<int, int> up;
  absl::flat_hash_map<int, int> down;
  up.reserve(1000);
  for (int i = 0; i < 200; ++i) {
    up[i] = i;
    down[199 - i] = 199 - i;
  }
  EXPECT_EQ(BytesOf(up), BytesOf(down));
  EXPECT_EQ(BytesOf(up), BytesOf(std::map<int, int>(up.begin(), up.end())));
}

TEST(CodecTest, AlternativesCross) {
  EXPECT_EQ(Crossed(std::optional<int>()), std::nullopt);
  EXPECT_EQ(Crossed(std::optional<int>(0)), 0);
  EXPECT_EQ(*Crossed(std::make_unique<std::string>("own")), "own");
  EXPECT_EQ(Crossed(std::unique_ptr<int>()), nullptr);
  using Either = std::variant<std::monostate, int, std::string>;
  EXPECT_EQ(Crossed(Either()), Either());
  EXPECT_EQ(Crossed(Either(7)), Either(7));
  EXPECT_EQ(Crossed(Either("text")), Either("text"));
  const std::pair<int, std::string> pair = {1, "one"};
  EXPECT_EQ(Crossed(pair), pair);
  const std::tuple<int, bool, std::string> tuple = {1, true, "one"};
  EXPECT_EQ(Crossed(tuple), tuple);
}

TEST(CodecTest, TimesCross) {
  for (const absl::Duration duration :
       {absl::ZeroDuration(), absl::Nanoseconds(1), -absl::Nanoseconds(1),
        absl::Nanoseconds(1) / 4, absl::Seconds(-5), absl::Hours(1'000'000),
        absl::InfiniteDuration(), -absl::InfiniteDuration(),
        absl::Seconds(std::numeric_limits<int64_t>::max()) -
            absl::Seconds(1)}) {
    EXPECT_EQ(Crossed(duration), duration);
  }
  for (const absl::Time time :
       {absl::UnixEpoch(), absl::FromUnixNanos(1'700'000'000'123'456'789),
        absl::FromUnixNanos(-1), absl::InfiniteFuture(),
        absl::InfinitePast()}) {
    EXPECT_EQ(Crossed(time), time);
  }
  EXPECT_EQ(Crossed(std::chrono::milliseconds(-7)),
            std::chrono::milliseconds(-7));
}

TEST(CodecTest, StatusesCrossWithTheirPayloads) {
  absl::Status status = absl::AbortedError("gone");
  status.SetPayload("a/b", absl::Cord());
  status.SetPayload("troupe/delivery", absl::Cord("answered"));
  const absl::Status crossed = Crossed(status);
  EXPECT_EQ(crossed.code(), status.code());
  EXPECT_EQ(crossed.message(), status.message());
  EXPECT_EQ(crossed.GetPayload("troupe/delivery"), absl::Cord("answered"));
  EXPECT_EQ(crossed.GetPayload("a/b"), absl::Cord());
  EXPECT_EQ(Crossed(absl::OkStatus()), absl::OkStatus());
  EXPECT_EQ(*Crossed(absl::StatusOr<int>(3)), 3);
  EXPECT_EQ(Crossed(absl::StatusOr<int>(absl::AbortedError("no"))).status(),
            absl::AbortedError("no"));
}

TEST(CodecTest, UnknownStatusCodesAreUnknown) {
  Encoder out;
  out.WriteVarint(99);
  out.WriteBytes("from the future");
  out.WriteVarint(0);
  EXPECT_EQ(*Parse<absl::Status>(out.bytes()),
            absl::UnknownError("from the future"));
}

struct Leaf {
  int number = 0;
  std::string text;
  friend bool operator==(const Leaf&, const Leaf&) = default;
};
struct Tree {
  Leaf leaf;
  std::vector<Tree> children;
  std::optional<Color> color;
  std::map<std::string, Leaf> named;
  friend bool operator==(const Tree&, const Tree&) = default;
};
struct Nothing {
  friend bool operator==(Nothing, Nothing) = default;
};

//
TEST(CodecTest, NestedAggregatesCross) {
  const Tree tree{{1, "one"},
                  {Tree{{2, "two"}, {}, Color::kRed, {}}, Tree{}},
                  std::nullopt,
                  {{"x", {3, std::string(500, 'y')}}}};
  EXPECT_EQ(Crossed(tree), tree);
  EXPECT_EQ(Crossed(Nothing{}), Nothing{});
  EXPECT_EQ(BytesOf(Nothing{}), std::string(1, '\0'));
}

struct Version1 {
  int number = 0;
  std::vector<Leaf> leaves;
};
struct LeafWithMore {
  int number = 0;
  std::string text;
  double weight = 1.5;
};
struct Version2 {
  int64_t number = 0;
  std::vector<LeafWithMore> leaves;
  std::string added = "default";
};

TEST(CodecTest, FieldsAddedAtTheEndAreCompatible) {
  const auto newer =
      Parse<Version2>(BytesOf(Version1{5, {{1, "a"}, {2, "b"}}}));
  ASSERT_THAT(newer.status(), IsOk());
  EXPECT_EQ(newer->number, 5);
  ASSERT_EQ(newer->leaves.size(), 2);
  EXPECT_EQ(newer->leaves[1].text, "b");
  EXPECT_EQ(newer->leaves[1].weight, 1.5);
  EXPECT_EQ(newer->added, "default");

  const auto older =
      Parse<Version1>(BytesOf(Version2{6, {{1, "a", 7}, {2, "b", 8}}, "more"}));
  ASSERT_THAT(older.status(), IsOk());
  EXPECT_EQ(older->number, 6);
  EXPECT_THAT(older->leaves, ElementsAre(Leaf{1, "a"}, Leaf{2, "b"}));

  EXPECT_THAT(CompareShapes(ShapeOf<Version1>(), ShapeOf<Version2>()), IsOk());
}

struct Preset {
  int number = 0;
  std::vector<std::string> list = std::vector<std::string>(2, "preset");
  std::vector<int> raw = std::vector<int>(2, 7);
  std::set<int> set = std::set<int>(raw.begin(), raw.end());
};

TEST(CodecTest, WhatComesReplacesWhatInitializersPut) {
  const Preset crossed =
      Crossed(Preset{.number = 1, .list = {"a"}, .raw = {1}, .set = {7, 8}});
  EXPECT_THAT(crossed.list, ElementsAre("a"));
  EXPECT_THAT(crossed.raw, ElementsAre(1));
  EXPECT_THAT(crossed.set, ElementsAre(7, 8));
}

class Percent {
 public:
  Percent() = default;
  explicit Percent(uint8_t value) : value_(value) {}
  uint8_t value() const { return value_; }

 private:
  uint8_t value_ = 0;
};

}  // namespace

template <>
struct Codec<Percent> {
  static void Encode(const Percent& percent, Encoder& out) {
    out.WriteByte(percent.value());
  }
  static void Decode(Decoder& in, Percent& percent) {
    const uint8_t value = in.ReadByte();
    if (value > 100) return in.Fail("it is over 100 percent");
    percent = Percent(value);
  }
  static void Describe(ShapeBuilder& shape) { shape.Add("\"Percent\""); }
};

namespace {

struct Progress {
  static constexpr absl::string_view kWireName = "test.Progress";
  Percent done;
};

TEST(CodecTest, TypesWithInvariantsHaveCodecsOfTheirOwn) {
  EXPECT_EQ(Crossed(Progress{Percent(40)}).done.value(), 40);
  EXPECT_THAT(Parse<Progress>("\x01\x65").status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       "at byte 2: it is over 100 percent"));
}

//
class Hidden {
 private:
  [[maybe_unused]] int value_ = 0;
};

TEST(CodecTest, WhatHasNoCodecIsNotEncodable) {
  static_assert(Encodable<Tree>);
  static_assert(Encodable<Percent>);
  static_assert(!Encodable<Hidden>);
  static_assert(!Encodable<int*>);
  static_assert(!Encodable<const char*>);
  static_assert(!Encodable<absl::string_view>, "it would refer to nothing");
  static_assert(kWireName<Progress> == "test.Progress");
  static_assert(kWireName<Tree>.empty());
}

TEST(CodecTest, ShapesSayWhatIsWritten) {
  EXPECT_EQ(ShapeOf<Tree>(), "((is)[^]?u{s(is)})");
  EXPECT_EQ(ShapeOf<std::vector<double>>(), "[f8]");
  EXPECT_EQ(ShapeOf<std::vector<bool>>(), "[b]");
  EXPECT_EQ((ShapeOf<std::variant<int, std::string>>()), "<is>");
  EXPECT_EQ(ShapeOf<Progress>(), "(\"Percent\")");
  EXPECT_EQ((ShapeOf<std::array<int, 3>>()), "(\"3\"[i4])");
  EXPECT_EQ((ShapeOf<std::array<std::string, 3>>()), "(\"3\"s)");
}

}  // namespace
}  // namespace troupe
