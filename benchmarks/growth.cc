// Measures what grows:
//
//   ./bazelw run --config=opt //benchmarks:growth -- --measure=spread
//
// What each measure does: README.md. Each run checks its own result; a wrong
// one is an error.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/benchmarks/figure_report.h"
#include "troupe/benchmarks/measure.h"

ABSL_FLAG(std::string, measure, "all", "what to measure, or all");
ABSL_FLAG(int, workers, 2, "threads that run actors");
ABSL_FLAG(int, repetitions, 3, "runs of each measure");
ABSL_FLAG(std::string, format, "text", "text or csv");
ABSL_FLAG(bool, strict, false, "makes a goal that is missed an error");
ABSL_FLAG(double, scale, 1,
          "multiplies the numbers of operations; for tests of the program: "
          "results are comparable at 1 only");
ABSL_FLAG(absl::Duration, timeout, absl::Minutes(1),
          "a part of a run that takes longer is an error");

namespace troupe::benchmarks {
namespace {

// What the flags say.
struct Plan {
  std::vector<const Measure*> measures;
  int repetitions;
  bool csv;
  bool strict;
  MeasureOptions options;
};

absl::StatusOr<std::vector<const Measure*>> ChosenMeasures(
    const std::string& name, int workers) {
  std::vector<const Measure*> chosen;
  std::string known;
  for (const Measure* measure : kMeasures) {
    absl::StrAppend(&known, " ", measure->name);
    if (measure->name == name ||
        (name == "all" && workers >= measure->least_workers)) {
      chosen.push_back(measure);
    }
  }
  if (chosen.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--measure=", name, " is unknown; there are all and:", known));
  }
  if (workers < chosen.front()->least_workers) {
    return absl::InvalidArgumentError(
        absl::StrCat("the measure ", name, " needs --workers=2"));
  }
  return chosen;
}

absl::StatusOr<Plan> PlanFromFlags() {
  const std::string format = absl::GetFlag(FLAGS_format);
  Plan plan = {
      .measures = {},
      .repetitions = absl::GetFlag(FLAGS_repetitions),
      .csv = format == "csv",
      .strict = absl::GetFlag(FLAGS_strict),
      .options = {.workers = absl::GetFlag(FLAGS_workers),
                  .scale = absl::GetFlag(FLAGS_scale),
                  .timeout = absl::GetFlag(FLAGS_timeout)},
  };
  if (!plan.csv && format != "text") {
    return absl::InvalidArgumentError(
        absl::StrCat("--format=", format, " is neither text nor csv"));
  }
  if (plan.repetitions < 1 || plan.options.workers < 1) {
    return absl::InvalidArgumentError(
        "--repetitions and --workers are at least 1");
  }
  if (!(plan.options.scale > 0)) {
    return absl::InvalidArgumentError("--scale is greater than 0");
  }
  absl::StatusOr<std::vector<const Measure*>> measures =
      ChosenMeasures(absl::GetFlag(FLAGS_measure), plan.options.workers);
  if (!measures.ok()) return measures.status();
  plan.measures = *std::move(measures);
  return plan;
}

// Runs once and writes the values. Does not return.
[[noreturn]] void RunAndExit(const Measure& measure,
                             const MeasureOptions& options, int pipe) {
  const absl::StatusOr<std::vector<double>> values = measure.run(options);
  if (!values.ok()) {
    std::cerr << values.status() << "\n";
    std::exit(EXIT_FAILURE);
  }
  const ssize_t size = static_cast<ssize_t>(values->size() * sizeof(double));
  std::exit(write(pipe, values->data(), size) == size ? EXIT_SUCCESS
                                                      : EXIT_FAILURE);
}

// In a process of its own, so that none finds memory that another run has
// touched. REQUIRES: no other thread.
absl::StatusOr<std::vector<double>> RunInChild(const Measure& measure,
                                               const MeasureOptions& options) {
  int ends[2];
  if (pipe(ends) != 0) return absl::ErrnoToStatus(errno, "pipe");
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "fork");
  if (child == 0) RunAndExit(measure, options, ends[1]);
  close(ends[1]);
  // A pipe holds more than this: it comes in one piece, or not at all.
  std::vector<double> values(measure.figures.size());
  const ssize_t size = static_cast<ssize_t>(values.size() * sizeof(double));
  const ssize_t got = read(ends[0], values.data(), size);
  close(ends[0]);
  int ended = 0;
  if (waitpid(child, &ended, 0) < 0) {
    return absl::ErrnoToStatus(errno, "waitpid");
  }
  if (ended != 0 || got != size) {
    return absl::InternalError(absl::StrCat(measure.name, " failed"));
  }
  return values;
}

absl::Status Run(const Measure& measure, const Plan& plan, bool& all_met) {
  std::vector<FigureResult> results;
  for (const Figure& figure : measure.figures) {
    results.push_back({measure.name, plan.options.workers, figure, {}});
  }
  for (int i = 0; i < plan.repetitions; ++i) {
    const absl::StatusOr<std::vector<double>> values =
        RunInChild(measure, plan.options);
    if (!values.ok()) return values.status();
    for (size_t f = 0; f < results.size(); ++f) {
      results[f].values.push_back((*values)[f]);
    }
  }
  for (const FigureResult& result : results) {
    std::cout << (plan.csv ? FigureCsvRow(result) : FigureTextRow(result));
    all_met &= result.MeetsGoal();
  }
  std::cout << std::flush;
  return absl::OkStatus();
}

absl::Status RunAll() {
  const absl::StatusOr<Plan> plan = PlanFromFlags();
  if (!plan.ok()) return plan.status();
  std::cout << (plan->csv ? FigureCsvHeader() : FigureTextHeader())
            << std::flush;
  bool all_met = true;
  for (const Measure* measure : plan->measures) {
    absl::Status status = Run(*measure, *plan, all_met);
    if (!status.ok()) return status;
  }
  if (plan->strict && !all_met) return absl::InternalError("a goal was missed");
  return absl::OkStatus();
}

}  // namespace
}  // namespace troupe::benchmarks

int main(int argc, char** argv) {
  // Costs time for each lock in Debian's build of Abseil.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  absl::SetProgramUsageMessage(
      "measures what grows: growth [--measure=NAME|all] [--workers=N] "
      "[--repetitions=R] [--format=text|csv] [--strict]");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = troupe::benchmarks::RunAll();
  if (!status.ok()) std::cerr << "growth: " << status.message() << "\n";
  return status.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}
