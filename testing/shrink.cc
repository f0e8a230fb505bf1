#include "troupe/testing/shrink.h"

#include <algorithm>
#include <exception>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "troupe/testing/internal/minimize.h"
#include "troupe/testing/trace.h"

namespace troupe::testing {
namespace {

// A run, and the first expectation that failed in it.
struct Outcome {
  SimulationRun run;
  std::string expectation;

  bool failed() const { return !run.failure.ok() || !expectation.empty(); }
  bool FailedAs(const Outcome& other) const {
    return failed() && run.failure.code() == other.run.failure.code() &&
           run.failed_property == other.run.failed_property &&
           expectation == other.expectation;
  }
  // The smaller, the simpler.
  auto Size() const {
    return std::tuple(run.trace.faults.size(), run.trace.choices.size(),
                      run.steps);
  }
};

// Keeps the results of expectations from the test.
Outcome Try(uint64_t seed, SimulationBody body,
            const SimulationOptions& options) {
  ::testing::TestPartResultArray results;
  Outcome outcome;
  {
    const ::testing::ScopedFakeTestPartResultReporter keep(
        ::testing::ScopedFakeTestPartResultReporter::
            INTERCEPT_ONLY_CURRENT_THREAD,
        &results);
    try {
      outcome.run = RunSimulation(seed, body, options);
    } catch (const std::exception& thrown) {
      // A body need not be ready for each course.
      outcome.run.failure = absl::InternalError(
          absl::StrCat("the simulation's body threw: ", thrown.what()));
    }
  }
  for (int i = 0; i < results.size(); ++i) {
    const ::testing::TestPartResult& result = results.GetTestPartResult(i);
    if (!result.failed()) continue;
    outcome.expectation =
        absl::StrCat(result.file_name() != nullptr ? result.file_name() : "",
                     ":", result.line_number());
    break;
  }
  return outcome;
}

template <typename T>
std::vector<T> Those(const std::vector<T>& all,
                     const std::vector<size_t>& which) {
  std::vector<T> those;
  for (const size_t i : which) those.push_back(all[i]);
  return those;
}

class Shrinker {
 public:
  Shrinker(uint64_t seed, SimulationBody body, const SimulationOptions& options,
           const ShrinkLimits& limits)
      : seed_(seed),
        body_(body),
        options_(options),
        limits_(limits),
        deadline_(limits.clock->Now() + limits.within) {}

  std::optional<Shrunk> Run() {
    failure_ = Try(seed_, body_, options_);
    ++runs_;
    if (!failure_.failed()) return std::nullopt;
    best_ = failure_;
    // Most shortened courses are shorter; few need much longer to fail.
    // A wait in one that fails so may need as many as ever to end.
    if (options_.max_steps_of_waits == 0) {
      options_.max_steps_of_waits = 2 * options_.max_steps;
    }
    options_.max_steps = std::min(
        options_.max_steps, std::max<uint64_t>(1000, 10 * failure_.run.steps));
    if (!FailsAgain(failure_.run.trace)) return std::nullopt;
    bool is_minimal = false;
    while (!is_minimal && !IsOver()) {
      const auto before = best_.Size();
      LeaveOutFaults();
      LeaveOutChoices();
      is_minimal = best_.Size() == before && !IsOver();
    }
    return Shrunk{.seed = seed_,
                  .run = std::move(best_.run),
                  .expectation = std::move(best_.expectation),
                  .faults_before = failure_.run.trace.faults.size(),
                  .choices_before = failure_.run.trace.choices.size(),
                  .runs = runs_,
                  .is_minimal = is_minimal};
  }

 private:
  bool IsOver() const {
    return runs_ >= limits_.runs || limits_.clock->Now() >= deadline_;
  }
  bool FailsAgain(Trace trace) {
    ++runs_;
    options_.replay = std::move(trace);
    Outcome outcome = Try(seed_, body_, options_);
    if (!outcome.FailedAs(failure_)) return false;
    // Its own trace has nothing that was named in vain.
    if (outcome.Size() < best_.Size()) best_ = std::move(outcome);
    return true;
  }
  void LeaveOutFaults() {
    const Trace whole = best_.run.trace;
    (void)internal::Minimize(
        whole.faults.size(),
        [&](const std::vector<size_t>& kept) -> std::optional<bool> {
          if (IsOver()) return std::nullopt;
          return FailsAgain({Those(whole.faults, kept), whole.choices});
        });
  }
  void LeaveOutChoices() {
    const Trace whole = best_.run.trace;
    (void)internal::Minimize(
        whole.choices.size(),
        [&](const std::vector<size_t>& kept) -> std::optional<bool> {
          if (IsOver()) return std::nullopt;
          return FailsAgain({whole.faults, Those(whole.choices, kept)});
        });
  }

  const uint64_t seed_;
  const SimulationBody body_;
  SimulationOptions options_;
  const ShrinkLimits limits_;
  const MonotonicTime deadline_;
  Outcome failure_;  // As the seed has it.
  Outcome best_;
  int runs_ = 0;
};

std::string Count(size_t count, size_t before, absl::string_view what) {
  return absl::StrCat(count, " of ", before, " ", what, before == 1 ? "" : "s");
}

}  // namespace

std::string Shrunk::ToString() const {
  std::string text = absl::StrCat(
      "shrunk in ", runs, " runs to ",
      Count(run.trace.faults.size(), faults_before, "fault"), " and ",
      Count(run.trace.choices.size(), choices_before, "choice"),
      is_minimal ? "" : "; the search was cut short", "; hash ",
      absl::Hex(run.hash, absl::kZeroPad16), "\n");
  for (const Trace::Fault& fault : run.trace.faults) {
    absl::StrAppend(&text, "  fault: ", fault.name, ", at occasion ",
                    fault.occasion);
    if (fault.amount != 0) absl::StrAppend(&text, ", by ", fault.amount);
    absl::StrAppend(&text, "\n");
  }
  for (const Trace::Choice& choice : run.trace.choices) {
    absl::StrAppend(&text, "  ", choice.ToString(), "\n");
  }
  if (!expectation.empty()) {
    absl::StrAppend(&text, "the expectation at ", expectation, " fails\n");
  }
  if (!run.failure.ok()) absl::StrAppend(&text, run.failure.ToString(), "\n");
  return text;
}

std::optional<Shrunk> Shrink(uint64_t seed, SimulationBody body,
                             const SimulationOptions& options,
                             const ShrinkLimits& limits) {
  return Shrinker(seed, body, options, limits).Run();
}

}  // namespace troupe::testing
