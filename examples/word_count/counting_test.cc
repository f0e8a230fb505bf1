#include "troupe/examples/word_count/counting.h"

#include <cstdint>
#include <fstream>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::word_count {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::troupe::testing::IsOk;
using ::troupe::testing::SeedTrace;
using ::troupe::testing::StatusIs;
using ::troupe::testing::TestSeeds;

constexpr size_t kAll = std::numeric_limits<size_t>::max();

// Returns the path of a file with `text`.
std::string TextFile(const std::string& name, const std::string& text) {
  std::string path = ::testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

// Words of many lengths, in chunks of many sizes when cut.
std::string SomeText(int words) {
  std::string text;
  for (int i = 0; i < words; ++i) {
    absl::StrAppend(&text, std::string(1 + i % 13, 'a' + i % 7), " ");
  }
  return text;
}

absl::StatusOr<Outcome> CountOnThreads(const CountingOptions& options,
                                       int workers) {
  absl::StatusOr<std::unique_ptr<ActorSystem>> system =
      ActorSystem::Create({.workers = workers});
  if (!system.ok()) return system.status();
  absl::StatusOr<Outcome> outcome = CountWords(options, **system);
  EXPECT_TRUE((*system)->AwaitNoActors());
  EXPECT_EQ((*system)->dead_letters(), 0);
  return outcome;
}

void ExpectCountsOf(const Outcome& outcome, const std::string& text) {
  WordCounts expected;
  expected.Add(text);
  EXPECT_EQ(outcome.counts.TopN(kAll), expected.TopN(kAll));
  EXPECT_EQ(outcome.counts.words(), expected.words());
  EXPECT_EQ(outcome.counts.bytes(), expected.bytes());
}

TEST(CountingTest, CountsTheSameWithAnyNumberOfWorkers) {
  const std::string text = SomeText(5000);
  const std::string path = TextFile("text.txt", text);
  for (int workers : {1, 2, 5}) {
    absl::StatusOr<Outcome> outcome =
        CountOnThreads({.paths = {path}, .chunk_bytes = 64}, workers);
    ASSERT_THAT(outcome, IsOk());
    ExpectCountsOf(*outcome, text);
    EXPECT_EQ(outcome->inputs, 1);
    EXPECT_THAT(outcome->errors, IsEmpty());
  }
}

TEST(CountingTest, CountsTheSameInAnyOrderOfTurns) {
  const std::string text = SomeText(300);
  const std::string path = TextFile("text.txt", text);
  for (uint64_t seed : TestSeeds(20)) {
    SCOPED_TRACE(SeedTrace(seed));
    std::unique_ptr<ActorSystem> system = ActorSystem::CreateOn(
        std::make_unique<DeterministicExecutor>(
            DeterministicExecutor::Options{.seed = seed, .workers = 3}),
        {});
    absl::StatusOr<Outcome> outcome =
        CountWords({.paths = {path, path}, .chunk_bytes = 64}, *system);
    ASSERT_THAT(outcome, IsOk());
    ExpectCountsOf(*outcome, text + text);
    EXPECT_EQ(outcome->inputs, 2);
    EXPECT_EQ(system->dead_letters(), 0);
  }
}

TEST(CountingTest, InputsThatCannotBeReadAreNamedAndOthersCounted) {
  const std::string missing = ::testing::TempDir() + "/missing.txt";
  const std::string binary = TextFile("binary", std::string("a\0b", 3));
  const std::string folder = ::testing::TempDir();
  const std::string good = TextFile("good.txt", "the cat and the dog");
  absl::StatusOr<Outcome> outcome =
      CountOnThreads({.paths = {missing, good, binary, folder, good}}, 2);
  ASSERT_THAT(outcome, IsOk());
  EXPECT_THAT(outcome->counts.TopN(1), ElementsAre(WordCount{"the", 4}));
  EXPECT_EQ(outcome->inputs, 2);
  EXPECT_THAT(
      outcome->errors,
      ElementsAre(HasSubstr("missing.txt: No such file"),
                  HasSubstr("binary: binary file"), HasSubstr("directory")));
}

TEST(CountingTest, NoInputThatCanBeReadCountsNothing) {
  absl::StatusOr<Outcome> outcome =
      CountOnThreads({.paths = {::testing::TempDir() + "/missing.txt"}}, 2);
  ASSERT_THAT(outcome, IsOk());
  EXPECT_EQ(outcome->counts.words(), 0);
  EXPECT_EQ(outcome->inputs, 0);
}

TEST(CountingTest, ProgressGrowsToTheBytesOfAllInputs) {
  const std::string text = SomeText(1000);
  const std::string path = TextFile("text.txt", text);
  std::vector<int64_t> progress = {0};
  absl::StatusOr<Outcome> outcome =
      CountOnThreads({.paths = {path},
                      .chunk_bytes = 1000,
                      .on_progress =
                          [&](int64_t bytes) {
                            EXPECT_GT(bytes, progress.back());
                            progress.push_back(bytes);
                          }},
                     2);
  ASSERT_THAT(outcome, IsOk());
  EXPECT_EQ(progress.back(), static_cast<int64_t>(text.size()));
}

TEST(CountingTest, FailureOfAnActorIsTold) {
  const std::string path = TextFile("text.txt", SomeText(1000));
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 2}).value();
  const auto fails = [](int64_t) { throw std::runtime_error("no room"); };
  EXPECT_THAT(
      CountWords({.paths = {path}, .on_progress = fails}, *system).status(),
      StatusIs(absl::StatusCode::kAborted, HasSubstr("no room")));
}

}  // namespace
}  // namespace troupe::word_count
