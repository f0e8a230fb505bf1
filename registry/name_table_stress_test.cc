// A NameTable on threads (§31): one owner for each key at any time, and lookups
// that see only what was there. Under TSan: values are seen whole.
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/registry/name_table.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

constexpr int kOwners = 8;
constexpr int kKeys = 16;

// Consistent only as a whole.
struct Owner {
  explicit Owner(uint64_t number) : number(number), twice(2 * number) {}
  friend bool operator==(const Owner& a, const Owner& b) {
    return a.number == b.number;
  }
  template <typename H>
  friend H AbslHashValue(H state, const Owner& owner) {
    return H::combine(std::move(state), owner.number);
  }
  uint64_t number;
  uint64_t twice;
};

TEST(NameTableStressTest, OneWinnerForEachKey) {
  NameTable<std::string, Owner> table;
  for (int round = 0; round < 200; ++round) {
    const std::string key = absl::StrCat("key ", round);
    std::array<std::optional<Owner>, kOwners> present;
    std::vector<std::thread> threads;
    for (int i = 0; i < kOwners; ++i) {
      threads.emplace_back(
          [&, i] { present[i] = table.Insert(key, Owner(i)); });
    }
    for (std::thread& thread : threads) thread.join();
    const std::optional<Owner> winner = table.Find(key);
    ASSERT_TRUE(winner.has_value());
    for (int i = 0; i < kOwners; ++i) {
      // The losers are told who won.
      EXPECT_EQ(present[i].has_value(), Owner(i) != *winner);
      EXPECT_EQ(present[i].value_or(*winner), *winner);
    }
  }
}

TEST(NameTableStressTest, LookupsSeeWholeOwnersThatWereThere) {
  for (const uint64_t seed : testing::TestSeeds(2)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    NameTable<std::string, Owner> table;
    std::vector<std::string> keys;
    for (int i = 0; i < kKeys; ++i) keys.push_back(absl::StrCat("key ", i));
    std::atomic<bool> done{false};
    std::atomic<int> found{0};
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 2; ++reader) {
      readers.emplace_back([&, reader] {
        Random random(seed + reader);
        while (!done.load()) {
          const absl::string_view key = keys[random.Uniform(kKeys)];
          if (const std::optional<Owner> owner = table.Find(key)) {
            EXPECT_EQ(owner->twice, 2 * owner->number);
            ++found;
          }
        }
      });
    }
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 2; ++writer) {
      writers.emplace_back([&, writer] {
        Random random(seed + 100 + writer);
        const Owner me(writer);
        for (int i = 0; i < 2000 || found.load() < 100; ++i) {
          const std::string& key = keys[random.Uniform(kKeys)];
          const bool won = !table.Insert(key, me).has_value();
          if (won && random.Uniform(2) == 0) {
            EXPECT_TRUE(table.Erase(key, me));
          }
          if (random.Uniform(8) == 0) {
            for (const std::string& mine : table.EraseAll(me)) {
              // Nobody gives it back to this one but itself.
              const std::optional<Owner> now = table.Find(mine);
              EXPECT_TRUE(!now.has_value() || *now != me);
            }
          }
        }
      });
    }
    for (std::thread& thread : writers) thread.join();
    done = true;
    for (std::thread& thread : readers) thread.join();
    for (const auto& [key, owner] : table.List()) {
      EXPECT_TRUE(table.Erase(key, owner));
    }
    EXPECT_EQ(table.size(), 0u);
  }
}

}  // namespace
}  // namespace troupe
