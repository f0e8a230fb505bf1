// What decoding allocates, counted where it is allocated (clause 35).
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/limits.h"
#include "troupe/testing/status_matchers.h"

namespace {

thread_local size_t allocated = 0;

}  // namespace

void* operator new(size_t size) {
  allocated += size;
  void* const memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace troupe {
namespace {

using testing::IsOk;
using testing::StatusIs;

struct Wide {
  std::optional<std::string> a, b, c, d, e, f, g, h;
};

// Decodes `bytes`, and holds that it keeps to what is granted.
template <typename T>
absl::Status DecodeWithinLimit(absl::string_view bytes) {
  auto value = std::make_unique<T>();
  const size_t before = allocated;
  absl::Status status;
  {
    Decoder in(bytes);
    status = Decode(in, *value);
    // The text of an error is ours.
    if (status.ok()) {
      EXPECT_LE(allocated - before,
                kMemoryBase + kMemoryPerByte * bytes.size());
    } else {
      EXPECT_LE(allocated - before,
                kMemoryBase + kMemoryPerByte * bytes.size() + 4096);
    }
  }
  return status;
}

template <typename T>
void ExpectCrosses(const T& value) {
  Encoder out;
  Encode(value, out);
  ASSERT_THAT(out.status(), IsOk());
  EXPECT_THAT(DecodeWithinLimit<T>(out.bytes()), IsOk());
}

TEST(CodecMemoryTest, WhatIsLargerInMemoryCrossesPadded) {
  constexpr int kMany = 100'000;
  ExpectCrosses(std::vector<std::string>(kMany));
  ExpectCrosses(std::vector<Wide>(kMany));
  ExpectCrosses(std::vector<std::vector<std::string>>(
      1000, std::vector<std::string>(100)));
  ExpectCrosses(std::list<bool>(kMany));
  std::map<int, int> map;
  std::unordered_map<int, int> hashed;
  absl::flat_hash_map<int, int> flat;
  std::set<std::string> set;
  for (int i = 0; i < kMany; ++i) {
    map[i] = i;
    hashed[i] = i;
    flat[i] = i;
    set.insert(absl::StrCat(i));
  }
  ExpectCrosses(map);
  ExpectCrosses(hashed);
  ExpectCrosses(flat);
  ExpectCrosses(set);
}

TEST(CodecMemoryTest, SmallMessagesAreNotPadded) {
  Encoder out;
  Encode(std::vector<std::string>(1000), out);
  EXPECT_EQ(out.size(), 2 + 1000);
}

TEST(CodecMemoryTest, ListsOfNumbersAreNotPadded) {
  Encoder out;
  Encode(std::vector<double>(1'000'000), out);
  EXPECT_EQ(out.size(), 3 + 8'000'000);
}

// A million empty strings in a megabyte would be 32 MB.
TEST(CodecMemoryTest, MissingPaddingIsRefused) {
  Encoder out;
  out.WriteVarint(1'000'000);
  const std::string nothing(1'000'000, '\0');
  out.WriteRaw(nothing.data(), nothing.size());
  EXPECT_THAT(DecodeWithinLimit<std::vector<std::string>>(out.bytes()),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeWithinLimit<std::vector<Wide>>(out.bytes()),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT((DecodeWithinLimit<std::map<bool, Wide>>(out.bytes())),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace troupe
