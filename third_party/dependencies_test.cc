// Every library that the build finds outside this repository is found complete:
// its headers compile under our flags and its objects link.

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/flags/flag.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

ABSL_FLAG(absl::Duration, dependency_test_timeout, absl::Seconds(5),
          "A flag of a type that Abseil parses itself.");

namespace {

using ::testing::SizeIs;

TEST(DependenciesTest, AbseilContainersStringsAndStatusLink) {
  absl::flat_hash_map<int, std::string> names;
  names[1] = absl::StrFormat("actor %d", 1);
  absl::StatusOr<int> result = absl::NotFoundError(names[1]);

  EXPECT_THAT(names, SizeIs(1));
  EXPECT_EQ(result.status().ToString(), "NOT_FOUND: actor 1");
}

TEST(DependenciesTest, AbseilMutexFlagsAndRandomLink) {
  absl::Mutex mu;
  absl::MutexLock lock(&mu);
  mu.AssertHeld();

  EXPECT_EQ(absl::GetFlag(FLAGS_dependency_test_timeout), absl::Seconds(5));

  absl::BitGen gen;
  EXPECT_LT(absl::Uniform(gen, 0, 6), 6);
}

TEST(DependenciesTest, JsonRoundTrips) {
  const nlohmann::json parsed = nlohmann::json::parse(R"({"words": 3})");
  EXPECT_EQ(parsed["words"], 3);
  EXPECT_EQ(parsed.dump(), R"({"words":3})");
}

TEST(DependenciesTest, BenchmarkLinks) {
  auto* run =
      benchmark::RegisterBenchmark("BM_Nothing", [](benchmark::State& state) {
        for (auto _ : state) {
        }
      });
  run->Iterations(1);
  testing::internal::CaptureStdout();
  EXPECT_EQ(benchmark::RunSpecifiedBenchmarks(), 1);
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              testing::HasSubstr("BM_Nothing"));
}

}  // namespace
