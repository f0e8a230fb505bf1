// What parsing allocates, counted where it is allocated (clause 35): whatever
// comes, and however many bytes are granted.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/limits.h"
#include "troupe/cluster/protobuf/protobuf_codec.h"
#include "troupe/cluster/protobuf/testing.pb.h"
#include "troupe/cluster/protobuf/testing_required.pb.h"
#include "troupe/testing/status_matchers.h"

namespace {

thread_local int64_t live = 0;
thread_local int64_t peak = 0;

}  // namespace

void* operator new(size_t size) {
  // The size in front, as sanitizers round it otherwise.
  auto* const memory = static_cast<char*>(std::malloc(size + 16));
  if (memory == nullptr) std::abort();
  *reinterpret_cast<size_t*>(memory) = size;
  live += static_cast<int64_t>(size);
  peak = std::max(peak, live);
  return memory + 16;
}
void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  char* const begin = static_cast<char*>(memory) - 16;
  live -= static_cast<int64_t>(*reinterpret_cast<size_t*>(begin));
  std::free(begin);
}
void operator delete(void* memory, size_t) noexcept { operator delete(memory); }

namespace troupe {
namespace {

using testing::Everything;
using testing::Strict;

// Whether `bytes`, as protobuf has them, are taken with so much padding behind
// them. They are within what that grants.
template <typename M>
bool IsTaken(const std::string& bytes, size_t padding) {
  Encoder out;
  out.WriteBytes(bytes);
  const std::string input =
      absl::StrCat(absl::string_view(out.bytes()), std::string(padding, '\0'));
  auto message = std::make_unique<M>();
  const int64_t before = live;
  peak = live;
  bool taken;
  int64_t used;
  {
    Decoder in(input);
    taken = Decode(in, *message).ok();
    used = peak - before;
  }
  // An error has its text, and the table of default messages is made once.
  const auto granted =
      static_cast<int64_t>(kMemoryBase + kMemoryPerByte * input.size());
  if (taken) {
    EXPECT_LE(used, granted) << bytes.substr(0, 40);
  } else {
    EXPECT_LE(used, granted + 4096) << bytes.substr(0, 40);
  }
  return taken;
}

// With the least padding: what is reckoned is all that is granted then.
template <typename M>
void ExpectWithinTheLeast(const std::string& bytes) {
  // What is made once is made.
  (void)IsTaken<M>(bytes, 0);
  size_t too_little = 0;
  size_t enough = 64 * bytes.size() + 1;
  ASSERT_TRUE(IsTaken<M>(bytes, enough)) << bytes.substr(0, 40);
  while (enough - too_little > 1) {
    const size_t padding = (too_little + enough) / 2;
    (IsTaken<M>(bytes, padding) ? enough : too_little) = padding;
  }
}

std::string Times(int times, const std::string& bytes) {
  std::string all;
  for (int i = 0; i < times; ++i) all += bytes;
  return all;
}

TEST(ProtobufMemoryTest, SmallBytesThatAreLargeInMemoryAreReckoned) {
  constexpr int kTimes = 6000;
  for (const std::string& bytes : {
           std::string("\x3a\x00", 2),          // A message in a list.
           std::string("\x32\x00", 2),          // A string in a list.
           std::string("\x42\x00", 2),          // An entry of a map.
           std::string("\x52\x00\x5a\x00", 4),  // One choice, the other.
           std::string("\x62\x00", 2),          // A message, merged.
           std::string("\x68\x01", 2),          // A bool of a list.
           std::string("\x78\x01", 2),          // A number of a list.
           std::string("\xa0\x06\x01", 3),      // Unknown.
           std::string("\xa2\x06\x00", 3),      // Unknown text.
           std::string("\xa3\x06\xa4\x06", 4),  // An unknown group.
           std::string("\x0a\x00", 2),          // Text for a number.
       }) {
    ExpectWithinTheLeast<Everything>(Times(kTimes, bytes));
  }
  for (const std::string& bytes : {
           std::string("\x13\x14", 2),          // A group in a list.
           std::string("\x13\x1a\x00\x14", 4),  // With text.
           std::string("\xa2\x06\x00", 3),      // An extension.
       }) {
    ExpectWithinTheLeast<Strict>("\x08\x01" + Times(kTimes, bytes));
  }
}

TEST(ProtobufMemoryTest, ListsAndMapsAreReckoned) {
  Everything all;
  for (int i = 0; i < 6000; ++i) {
    all.add_numbers(i % 100);
    all.add_flags(true);
    all.add_reals(i);
    (*all.mutable_by_number())[i].set_x(i);
    (*all.mutable_by_name())[absl::StrCat(i)] = i;
  }
  Everything numbers;
  *numbers.mutable_numbers() = all.numbers();
  ExpectWithinTheLeast<Everything>(numbers.SerializeAsString());
  Everything flags;
  *flags.mutable_flags() = all.flags();
  ExpectWithinTheLeast<Everything>(flags.SerializeAsString());
  Everything maps;
  *maps.mutable_by_number() = all.by_number();
  ExpectWithinTheLeast<Everything>(maps.SerializeAsString());
  *maps.mutable_by_number() = {};
  *maps.mutable_by_name() = all.by_name();
  ExpectWithinTheLeast<Everything>(maps.SerializeAsString());
  ExpectWithinTheLeast<Everything>(all.SerializeAsString());
  Everything text;
  text.set_text(std::string(1 << 20, 'x'));
  ExpectWithinTheLeast<Everything>(text.SerializeAsString());
}

// What Encode() writes has the padding that Decode() needs.
TEST(ProtobufMemoryTest, WhatIsMeantIsNotRefused) {
  Everything all;
  for (int i = 0; i < 20000; ++i) all.add_points();
  Encoder out;
  Encode(all, out);
  ASSERT_THAT(out.status(), testing::IsOk());
  Decoder in(out.bytes());
  Everything crossed;
  EXPECT_THAT(Decode(in, crossed), testing::IsOk());
  EXPECT_EQ(crossed.points_size(), 20000);
}

TEST(ProtobufMemoryTest, RandomBytesAreWithinWhatIsGranted) {
  Random random(11);
  const std::string tags("\x08\x12\x1a\x21\x2a\x32\x3a\x42\x4a\x52\x5a\x62\x6a",
                         13);
  for (int round = 0; round < 300; ++round) {
    std::string bytes;
    const size_t size = random.Uniform(100'000);
    while (bytes.size() < size) {
      bytes += tags[random.Uniform(tags.size())];
      const uint64_t length = random.Uniform(4);
      bytes += static_cast<char>(length);
      for (uint64_t i = 0; i < length; ++i) {
        bytes += static_cast<char>(random.Uniform(8));
      }
    }
    (void)IsTaken<Everything>(bytes, random.Uniform(200'000));
  }
}

}  // namespace
}  // namespace troupe
