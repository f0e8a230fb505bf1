#include "troupe/tools/fuzz/planted.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

namespace troupe::testing {
namespace {

bool Fails(const std::string& bytes, absl::FunctionRef<void(FuzzInput&)> play) {
  ::testing::TestPartResultArray results;
  {
    const ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::
            INTERCEPT_ONLY_CURRENT_THREAD,
        &results);
    FuzzInput input(reinterpret_cast<const uint8_t*>(bytes.data()),
                    bytes.size());
    play(input);
  }
  for (int i = 0; i < results.size(); ++i) {
    if (results.GetTestPartResult(i).failed()) return true;
  }
  return false;
}

}  // namespace

int CountFailingInputs(const std::string& folder,
                       absl::FunctionRef<void(FuzzInput&)> play) {
  int inputs = 0;
  int failing = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    EXPECT_TRUE(file.is_open()) << entry.path();
    ++inputs;
    if (Fails(bytes, play)) ++failing;
  }
  EXPECT_GT(inputs, 0) << folder;
  return failing;
}

}  // namespace troupe::testing
