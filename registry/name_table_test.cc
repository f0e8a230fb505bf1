// Names without actors (§31): what a table holds, and for whom.
#include "troupe/registry/name_table.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/contain.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;

using Table = NameTable<std::string, int>;

TEST(NameTableTest, FindsWhatWasInserted) {
  Table table;
  EXPECT_EQ(table.Insert("one", 1), std::nullopt);
  EXPECT_THAT(table.Find(std::string("one")), Optional(1));
  EXPECT_THAT(table.Find(absl::string_view("one")), Optional(1));
  EXPECT_THAT(table.Find("one"), Optional(1));
  EXPECT_EQ(table.Find("two"), std::nullopt);
  EXPECT_EQ(table.Find(""), std::nullopt);
}

TEST(NameTableTest, TakenKeyStaysWithItsOwner) {
  Table table;
  EXPECT_EQ(table.Insert("one", 1), std::nullopt);
  EXPECT_THAT(table.Insert("one", 2), Optional(1));
  EXPECT_THAT(table.Insert("one", 1), Optional(1));
  EXPECT_THAT(table.Find("one"), Optional(1));
  EXPECT_THAT(table.KeysOf(1), ElementsAre("one"));
  EXPECT_THAT(table.KeysOf(2), IsEmpty());
}

TEST(NameTableTest, OnlyTheOwnerGivesBack) {
  Table table;
  EXPECT_EQ(table.Insert("one", 1), std::nullopt);
  EXPECT_FALSE(table.Erase("one", 2));
  EXPECT_FALSE(table.Erase("two", 1));
  EXPECT_THAT(table.Find("one"), Optional(1));
  EXPECT_TRUE(table.Erase("one", 1));
  EXPECT_EQ(table.Find("one"), std::nullopt);
  EXPECT_FALSE(table.Erase("one", 1));
  EXPECT_EQ(table.Insert("one", 2), std::nullopt);
}

TEST(NameTableTest, EraseAllTakesTheOwnersKeysOnly) {
  Table table;
  for (const char* const key : {"c", "a", "b"}) {
    EXPECT_EQ(table.Insert(key, 1), std::nullopt);
  }
  EXPECT_EQ(table.Insert("d", 2), std::nullopt);
  EXPECT_THAT(table.KeysOf(1), ElementsAre("a", "b", "c"));
  EXPECT_THAT(table.EraseAll(1), ElementsAre("a", "b", "c"));
  EXPECT_THAT(table.EraseAll(1), IsEmpty());
  EXPECT_THAT(table.List(), ElementsAre(Pair("d", 2)));
}

TEST(NameTableTest, ReplaceNeedsTheTrueOwner) {
  Table table;
  EXPECT_FALSE(table.Replace("one", 1, 2));
  EXPECT_EQ(table.Insert("one", 1), std::nullopt);
  EXPECT_FALSE(table.Replace("one", 2, 3));
  EXPECT_TRUE(table.Replace("one", 1, 1));
  EXPECT_TRUE(table.Replace("one", 1, 2));
  EXPECT_THAT(table.Find("one"), Optional(2));
  EXPECT_THAT(table.EraseAll(1), IsEmpty());
  EXPECT_THAT(table.EraseAll(2), ElementsAre("one"));
  EXPECT_EQ(table.size(), 0u);
}

TEST(NameTableTest, ListingIsSorted) {
  Table table;
  std::vector<std::pair<std::string, int>> all;
  for (int i = 999; i >= 0; --i) {
    EXPECT_EQ(table.Insert(absl::StrCat(1000 + i), i), std::nullopt);
  }
  for (int i = 0; i < 1000; ++i) all.emplace_back(absl::StrCat(1000 + i), i);
  EXPECT_EQ(table.size(), 1000u);
  EXPECT_THAT(table.List(), Eq(all));
  EXPECT_THAT(table.List([](const std::string& key) { return key < "1002"; }),
              ElementsAre(Pair("1000", 0), Pair("1001", 1)));
}

// A key and a value that are no strings, and have nothing but what is asked.
struct Point {
  int x;
  int y;
  friend auto operator<=>(const Point&, const Point&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const Point& point) {
    return H::combine(std::move(state), point.x, point.y);
  }
};

TEST(NameTableTest, KeysAndValuesMayBeAnything) {
  NameTable<Point, std::string> table;
  EXPECT_EQ(table.Insert({1, 2}, "a"), std::nullopt);
  EXPECT_EQ(table.Insert({0, 5}, "b"), std::nullopt);
  EXPECT_THAT(table.Find(Point{1, 2}), Optional(std::string("a")));
  EXPECT_THAT(table.KeysOf("b"), ElementsAre(Point{0, 5}));
  EXPECT_THAT(table.List(),
              ElementsAre(Pair(Point{0, 5}, "b"), Pair(Point{1, 2}, "a")));
}

// Throws when it is copied as often as was said.
struct Fragile {
  static inline int copies_left = 1'000'000;

  explicit Fragile(int number) : number(number) {}
  Fragile(const Fragile& other) : number(other.number) {
    if (copies_left-- == 0) throw 17;
  }
  Fragile(Fragile&&) noexcept = default;
  Fragile& operator=(Fragile&&) noexcept = default;
  friend auto operator<=>(const Fragile&, const Fragile&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const Fragile& fragile) {
    return H::combine(std::move(state), fragile.number);
  }
  int number;
};

TEST(NameTableTest, FailedInsertionChangesNothing) {
  NameTable<Fragile, int> table;
  const Fragile key(1);
  int copies = 0;
  while (true) {
    Fragile::copies_left = copies++;
    const bool done = internal::Contain([&] {
                        EXPECT_EQ(table.Insert(key, 7), std::nullopt);
                      }).ok();
    Fragile::copies_left = 1'000'000;
    if (done) break;
    EXPECT_EQ(table.size(), 0u);
    EXPECT_THAT(table.KeysOf(7), IsEmpty());
  }
  EXPECT_GE(copies, 2);
  EXPECT_THAT(table.Find(key), Optional(7));
}

}  // namespace
}  // namespace troupe
