// Every library that the build finds outside this repository is found complete:
// its headers compile under our flags and its objects link.

#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/flags/flag.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "boost/pfr/core.hpp"
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

// Threads that wait for one another through a Mutex. Under the thread sanitizer
// this is silent only if the library was built with the sanitizer: a packaged
// one makes each hand-over a report.
TEST(DependenciesTest, AbseilMutexHandsOverWhatItGuards) {
  constexpr int kThreads = 4;
  constexpr int kTurnsPerThread = 500;
  absl::Mutex mu;
  int turn = 0;  // Whose turn it is, modulo kThreads.

  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&mu, &turn, i] {
      for (int done = 0; done < kTurnsPerThread; ++done) {
        auto my_turn = [&turn, i] { return turn % kThreads == i; };
        absl::MutexLock lock(&mu, absl::Condition(&my_turn));
        ++turn;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  absl::MutexLock lock(&mu);
  EXPECT_EQ(turn, kThreads * kTurnsPerThread);
}

struct Pair {
  int first;
  std::string second;
};

TEST(DependenciesTest, PfrSeesTheFieldsOfAnAggregate) {
  static_assert(boost::pfr::tuple_size_v<Pair> == 2);
  Pair pair{1, "a"};
  boost::pfr::get<1>(pair) = "b";
  EXPECT_EQ(pair.second, "b");
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
