// The corpus of the fuzz test finds bugs that are planted in a table of names.
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/registry/internal/name_table_world.h"
#include "troupe/registry/name_table.h"
#include "troupe/tools/fuzz/input.h"
#include "troupe/tools/fuzz/planted.h"

namespace troupe {
namespace {

using Table = NameTable<std::string, int>;

template <typename T>
int InputsThatFind() {
  return testing::CountFailingInputs(
      "registry/corpus/name_table", [](FuzzInput& input) {
        internal::NameTableWorld<FuzzInput, T> world(input);
        while (!input.empty()) {
          world.Step();
          world.Check();
        }
      });
}

TEST(NameTablePlantedTest, TrueTableAgreesWithTheModel) {
  EXPECT_EQ(InputsThatFind<Table>(), 0);
}

// Of four keys, one stays with who gave all of them back.
struct ForgetsTheFourth : Table {
  std::vector<std::string> EraseAll(int value) {
    std::vector<std::string> keys = Table::EraseAll(value);
    const bool forgets = keys.size() == 4;
    EXPECT_FALSE(forgets && Insert(keys[3], value).has_value());
    return keys;
  }
};

TEST(NameTablePlantedTest, KeyThatIsNotGivenBackIsFound) {
  EXPECT_GT(InputsThatFind<ForgetsTheFourth>(), 0);
}

// Anybody may give a key back.
struct TrustsAnybody : Table {
  bool Erase(const std::string& key, int value) {
    return Table::Erase(key, Find(key).value_or(value));
  }
};

TEST(NameTablePlantedTest, KeyThatIsTakenFromItsOwnerIsFound) {
  EXPECT_GT(InputsThatFind<TrustsAnybody>(), 0);
}

}  // namespace
}  // namespace troupe
