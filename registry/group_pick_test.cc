#include "troupe/registry/group_pick.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {
namespace {

constexpr int kKeys = 10000;

// The number of the member that has each key.
std::vector<uint64_t> Assign(const std::vector<uint64_t>& numbers) {
  std::vector<uint64_t> owners;
  for (int key = 0; key < kKeys; ++key) {
    owners.push_back(numbers[PickByKey(numbers, "key " + std::to_string(key))]);
  }
  return owners;
}

std::vector<uint64_t> Numbers(uint64_t first, uint64_t last) {
  std::vector<uint64_t> numbers;
  for (uint64_t n = first; n <= last; ++n) numbers.push_back(n);
  return numbers;
}

TEST(GroupPickTest, KeysAreSpreadEvenly) {
  std::map<uint64_t, int> keys;
  for (const uint64_t owner : Assign(Numbers(1, 20))) ++keys[owner];
  EXPECT_EQ(keys.size(), 20u);
  // 500 each; the standard deviation is 22.
  for (const auto& [owner, count] : keys) {
    EXPECT_GT(count, 400) << owner;
    EXPECT_LT(count, 600) << owner;
  }
}

TEST(GroupPickTest, NumericKeysAreSpreadEvenly) {
  const std::vector<uint64_t> numbers = Numbers(1, 4);
  std::map<size_t, int> keys;
  for (uint64_t key = 0; key < kKeys; ++key) ++keys[PickByKey(numbers, key)];
  for (const auto& [place, count] : keys) EXPECT_NEAR(count, kKeys / 4, 250);
}

TEST(GroupPickTest, JoiningTakesKeysAndMovesNoOthers) {
  const std::vector<uint64_t> before = Assign(Numbers(1, 20));
  const std::vector<uint64_t> after = Assign(Numbers(1, 21));
  int moved = 0;
  for (int key = 0; key < kKeys; ++key) {
    if (before[key] == after[key]) continue;
    EXPECT_EQ(after[key], 21u);
    ++moved;
  }
  // One in 21.
  EXPECT_GT(moved, 380);
  EXPECT_LT(moved, 580);
}

TEST(GroupPickTest, LeavingMovesOnlyTheKeysOfWhoLeaves) {
  const std::vector<uint64_t> before = Assign(Numbers(1, 20));
  std::vector<uint64_t> rest = Numbers(1, 20);
  rest.erase(rest.begin() + 6);
  const std::vector<uint64_t> after = Assign(rest);
  std::map<uint64_t, int> heirs;
  for (int key = 0; key < kKeys; ++key) {
    if (before[key] == 7) {
      ++heirs[after[key]];
    } else {
      EXPECT_EQ(before[key], after[key]);
    }
  }
  EXPECT_GT(heirs.size(), 15u);  // Of 19: not all to one of them.
}

TEST(GroupPickTest, OrderOfMembersDoesNotMatter) {
  const std::vector<uint64_t> there = {3, 1, 2};
  const std::vector<uint64_t> here = {1, 2, 3};
  EXPECT_EQ(Assign(there), Assign(here));
}

// Other nodes, and the next release, must agree.
TEST(GroupPickTest, ChoicesAreTheSameEverywhere) {
  const std::vector<uint64_t> numbers = Numbers(1, 100);
  EXPECT_EQ(GroupKey("").hash(), 0xcbf29ce484222325);
  EXPECT_EQ(GroupKey("a").hash(), 0xaf63dc4c8601ec8c);
  EXPECT_EQ(PickByKey(numbers, "alice"), 97u);
  EXPECT_EQ(PickByKey(numbers, "bob"), 60u);
  EXPECT_EQ(PickByKey(numbers, 42), 29u);
}

TEST(GroupPickTest, OneMemberHasAllKeys) {
  EXPECT_EQ(PickByKey({0}, "anything"), 0u);
}

}  // namespace
}  // namespace troupe
