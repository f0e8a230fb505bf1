#include "troupe/examples/word_count/options.h"

#include <string>
#include <vector>

#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::word_count {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

// As main() gets them; the flags are as before afterwards.
absl::StatusOr<Options> Parse(std::vector<std::string> arguments) {
  absl::FlagSaver saver;
  std::vector<char*> argv = {const_cast<char*>("word_count")};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return OptionsFromFlags(
      absl::ParseCommandLine(static_cast<int>(argv.size()), argv.data()));
}

TEST(OptionsTest, DefaultsReadStandardInput) {
  absl::StatusOr<Options> options = Parse({});
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->top, 10);
  EXPECT_EQ(options->workers, 0);
  EXPECT_FALSE(options->json);
  EXPECT_THAT(options->paths, ElementsAre("-"));
}

TEST(OptionsTest, FlagsMayStandAmongPaths) {
  absl::StatusOr<Options> options =
      Parse({"--top=3", "a.txt", "--workers", "2", "-", "--json", "b.txt"});
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->top, 3);
  EXPECT_EQ(options->workers, 2);
  EXPECT_TRUE(options->json);
  EXPECT_THAT(options->paths, ElementsAre("a.txt", "-", "b.txt"));
}

TEST(OptionsTest, PathsMayLookLikeFlagsBehindTwoDashes) {
  absl::StatusOr<Options> options = Parse({"--", "--json"});
  ASSERT_THAT(options, IsOk());
  EXPECT_FALSE(options->json);
  EXPECT_THAT(options->paths, ElementsAre("--json"));
}

TEST(OptionsTest, NumbersOutOfRangeAreRefused) {
  EXPECT_THAT(Parse({"--top=-1"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("--top=-1: must not be negative")));
  EXPECT_THAT(Parse({"--workers=-1"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("--workers=-1: must be from 0 to 1024")));
  EXPECT_THAT(Parse({"--workers=1025"}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Parse({"--top=0", "--workers=1024"}), IsOk());
}

}  // namespace
}  // namespace troupe::word_count
