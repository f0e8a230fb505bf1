// Room in hash tables that are filled without memory (§34).
#include "troupe/registry/internal/make_room.h"

#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "gtest/gtest.h"

namespace troupe::internal {
namespace {

// Counts what is asked for, and refuses it where a test says so.
struct Memory {
  static inline int asked = 0;
  static inline bool is_short = false;
};
template <typename T>
struct Counting {
  using value_type = T;
  Counting() = default;
  template <typename U>
  Counting(const Counting<U>&) {}  // NOLINT(google-explicit-constructor)
  T* allocate(size_t n) {
    ++Memory::asked;
    if (Memory::is_short) throw std::bad_alloc();
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* p, size_t n) { std::allocator<T>().deallocate(p, n); }
  friend bool operator==(const Counting&, const Counting&) { return true; }
  friend bool operator!=(const Counting&, const Counting&) { return false; }
};

using Set = absl::flat_hash_set<int, absl::Hash<int>, std::equal_to<int>,
                                Counting<int>>;
using Map = absl::flat_hash_map<
    int, std::unique_ptr<std::string>, absl::Hash<int>, std::equal_to<int>,
    Counting<std::pair<const int, std::unique_ptr<std::string>>>>;

TEST(MakeRoomTest, WhatThereIsRoomForTakesNoMemory) {
  Set set;
  for (int i = 0; i < 10'000; ++i) {
    MakeRoom(set, 1);
    const int asked = Memory::asked;
    set.insert(i);
    ASSERT_EQ(Memory::asked, asked) << "at " << set.size();
  }
}

TEST(MakeRoomTest, NorDoesWhatComesWhereOthersHaveGone) {
  Set set;
  // As many as there are, and always others.
  for (int i = 0; i < 50'000; ++i) {
    MakeRoom(set, 1);
    const int asked = Memory::asked;
    set.insert(i);
    ASSERT_EQ(Memory::asked, asked) << "at " << i;
    if (i >= 700) set.erase(i - 700);
  }
  EXPECT_EQ(set.size(), 700u);
  EXPECT_LT(set.bucket_count(), 4096u);
}

TEST(MakeRoomTest, RoomForManyIsMadeAtOnce) {
  Set set;
  MakeRoom(set, 1000);
  const int asked = Memory::asked;
  for (int i = 0; i < 1000; ++i) set.insert(i);
  EXPECT_EQ(Memory::asked, asked);
}

TEST(MakeRoomTest, LackOfMemoryChangesNothing) {
  Map map;
  int refusals = 0;
  for (int i = 0; i < 1000; ++i) {
    const size_t places = map.bucket_count();
    Memory::is_short = true;
    try {
      MakeRoom(map, 1);
    } catch (const std::bad_alloc&) {
      ++refusals;
      EXPECT_EQ(map.size(), static_cast<size_t>(i));
      EXPECT_EQ(map.bucket_count(), places);
    }
    Memory::is_short = false;
    MakeRoom(map, 1);
    map.emplace(i, std::make_unique<std::string>(std::to_string(i)));
  }
  EXPECT_GE(refusals, 5);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(*map.at(i), std::to_string(i));
}

}  // namespace
}  // namespace troupe::internal
