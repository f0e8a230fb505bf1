// A table of names against a std::map, through random calls: for tests that are
// played by bytes.
#ifndef TROUPE_REGISTRY_INTERNAL_NAME_TABLE_WORLD_H_
#define TROUPE_REGISTRY_INTERNAL_NAME_TABLE_WORLD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/registry/name_table.h"

namespace troupe::internal {

// `Choices`: a Random, or what has its members. `Table`: a table of names of
// numbers, or one with a bug.
template <typename Choices, typename Table = NameTable<std::string, int>>
class NameTableWorld {
 public:
  explicit NameTableWorld(Choices& choices) : choices_(choices) {}

  void Step() {
    const std::string key = SomeKey();
    const int value = SomeValue();
    switch (choices_.Uniform(6)) {
      case 0:
      case 1:
        return Insert(key, value);
      case 2:
        return Replace(key, value);
      case 3: {
        const bool leads = LeadsTo(key, value);
        if (leads) model_.erase(key);
        EXPECT_EQ(table_.Erase(key, value), leads);
        return;
      }
      case 4:
        EXPECT_EQ(table_.EraseAll(value), KeysOf(value));
        std::erase_if(model_,
                      [value](const auto& one) { return one.second == value; });
        return;
      default:
        EXPECT_EQ(
            table_.List([&key](const std::string& one) { return one < key; }),
            Entries(model_.begin(), model_.lower_bound(key)));
    }
  }

  void Check() const {
    EXPECT_EQ(table_.size(), model_.size());
    EXPECT_EQ(table_.List(), Entries(model_.begin(), model_.end()));
    for (int value = 0; value < kValues; ++value) {
      EXPECT_EQ(table_.KeysOf(value), KeysOf(value));
    }
    for (int number = 0; number < kKeys; ++number) {
      const auto found = model_.find(Key(number));
      EXPECT_EQ(table_.Find(Key(number)), found != model_.end()
                                              ? std::optional(found->second)
                                              : std::nullopt);
    }
  }

 private:
  static constexpr int kKeys = 12;
  static constexpr int kValues = 3;
  using Entries = std::vector<std::pair<std::string, int>>;

  // Some are too long to lie within the string.
  static std::string Key(int number) {
    return std::string(1 + 7 * (number % 4),
                       static_cast<char>('a' + number / 4));
  }
  std::string SomeKey() {
    return Key(static_cast<int>(choices_.Uniform(kKeys)));
  }
  int SomeValue() { return static_cast<int>(choices_.Uniform(kValues)); }

  bool LeadsTo(const std::string& key, int value) const {
    const auto found = model_.find(key);
    return found != model_.end() && found->second == value;
  }
  std::vector<std::string> KeysOf(int value) const {
    std::vector<std::string> keys;
    for (const auto& [key, owner] : model_) {
      if (owner == value) keys.push_back(key);
    }
    return keys;
  }

  void Insert(const std::string& key, int value) {
    const auto [there, inserted] = model_.emplace(key, value);
    EXPECT_EQ(table_.Insert(key, value),
              inserted ? std::nullopt : std::optional(there->second));
  }
  void Replace(const std::string& key, int from) {
    const int to = SomeValue();
    const bool leads = LeadsTo(key, from);
    if (leads) model_[key] = to;
    EXPECT_EQ(table_.Replace(key, from, to), leads);
  }

  Choices& choices_;
  Table table_;
  std::map<std::string, int> model_;
};

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_NAME_TABLE_WORLD_H_
