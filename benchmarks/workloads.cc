// Measures whole systems of actors:
//
//   ./bazelw run --config=opt //benchmarks:workloads -- --workload=ping_pong
//
// What each workload does and what the columns mean: README.md. Each run checks
// its own result; a wrong one is an error.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/benchmarks/cache_line.h"
#include "troupe/benchmarks/report.h"
#include "troupe/benchmarks/stage.h"
#include "troupe/benchmarks/workload.h"

ABSL_FLAG(std::string, workload, "all", "the workload to run, or all");
ABSL_FLAG(int, workers, 1, "threads that run actors");
ABSL_FLAG(int, repetitions, 5, "runs of each workload in one process");
ABSL_FLAG(
    bool, forced, false,
    "keeps the two sides of a workload on a worker each, instead of where "
    "the runtime would put them");
ABSL_FLAG(std::string, format, "text", "text or csv");
ABSL_FLAG(double, scale, 1,
          "multiplies the numbers of operations; for tests of the program: "
          "results are comparable at 1 only");
ABSL_FLAG(absl::Duration, timeout, absl::Minutes(5),
          "a run that takes longer is an error");

namespace troupe::benchmarks {
namespace {

// What the flags say.
struct Plan {
  std::vector<Workload> workloads;
  int repetitions;
  bool csv;
  absl::Duration timeout;
  Stage::Options stage;
};

absl::StatusOr<std::vector<Workload>> ChosenWorkloads(const std::string& name,
                                                      bool forced) {
  std::vector<Workload> chosen;
  std::string known;
  for (const Workload& workload : kWorkloads) {
    absl::StrAppend(&known, " ", workload.name);
    if (workload.name == name ||
        (name == "all" && (workload.has_sides || !forced))) {
      chosen.push_back(workload);
    }
  }
  if (chosen.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--workload=", name, " is unknown; there are all and:", known));
  }
  if (forced && !chosen.front().has_sides) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--forced: the workload ", name, " has no two sides to keep apart"));
  }
  return chosen;
}

absl::StatusOr<Plan> PlanFromFlags() {
  const std::string format = absl::GetFlag(FLAGS_format);
  Plan plan = {
      .workloads = {},
      .repetitions = absl::GetFlag(FLAGS_repetitions),
      .csv = format == "csv",
      .timeout = absl::GetFlag(FLAGS_timeout),
      .stage = {.workers = absl::GetFlag(FLAGS_workers),
                .forced = absl::GetFlag(FLAGS_forced),
                .scale = absl::GetFlag(FLAGS_scale)},
  };
  if (!plan.csv && format != "text") {
    return absl::InvalidArgumentError(
        absl::StrCat("--format=", format, " is neither text nor csv"));
  }
  if (plan.repetitions < 1 || plan.stage.workers < 1) {
    return absl::InvalidArgumentError(
        "--repetitions and --workers are at least 1");
  }
  if (!(plan.stage.scale > 0)) {
    return absl::InvalidArgumentError("--scale is greater than 0");
  }
  if (plan.stage.forced && plan.stage.workers != 2) {
    return absl::InvalidArgumentError(
        "--forced needs --workers=2, one for each side");
  }
  absl::StatusOr<std::vector<Workload>> workloads =
      ChosenWorkloads(absl::GetFlag(FLAGS_workload), plan.stage.forced);
  if (!workloads.ok()) return workloads.status();
  plan.workloads = *std::move(workloads);
  return plan;
}

absl::StatusOr<Measured> RunOnce(const Workload& workload, const Plan& plan) {
  absl::StatusOr<std::unique_ptr<Stage>> stage = Stage::Create(plan.stage);
  if (!stage.ok()) return stage.status();
  workload.start(**stage);
  return (*stage)->Await(plan.timeout);
}

// All repetitions, in this process.
absl::Status RunHere(const Workload& workload, const Plan& plan) {
  for (int i = 0; i < plan.repetitions; ++i) {
    const absl::StatusOr<Measured> measured = RunOnce(workload, plan);
    if (!measured.ok()) {
      return absl::Status(
          measured.status().code(),
          absl::StrCat(workload.name, ": ", measured.status().message()));
    }
    const Result result = {.workload = workload.name,
                           .workers = plan.stage.workers,
                           .forced = plan.stage.forced,
                           .cold = i == 0,
                           .keeps_actors = workload.keeps_actors,
                           .measured = *measured};
    std::cout << (plan.csv ? CsvRow(result) : TextRow(result)) << std::flush;
  }
  return absl::OkStatus();
}

// Each workload in a process of its own, so that none finds memory that another
// one has touched. REQUIRES: no other thread.
absl::Status RunInChildren(const Plan& plan) {
  for (const Workload& workload : plan.workloads) {
    const pid_t child = fork();
    if (child < 0) return absl::ErrnoToStatus(errno, "fork");
    if (child == 0) {
      const absl::Status status = RunHere(workload, plan);
      if (!status.ok()) std::cerr << status << "\n";
      std::exit(status.ok() ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int ended = 0;
    if (waitpid(child, &ended, 0) < 0) {
      return absl::ErrnoToStatus(errno, "waitpid");
    }
    if (ended != 0) {
      return absl::InternalError(absl::StrCat(workload.name, " failed"));
    }
  }
  return absl::OkStatus();
}

void PrintRoundTrip(const Plan& plan) {
  (plan.csv ? std::cerr : std::cout)
      << absl::StrFormat("# cache line to the other thread and back: %.0f ns\n",
                         CacheLineRoundTripNanoseconds())
      << std::flush;
}

absl::Status Run() {
  const absl::StatusOr<Plan> plan = PlanFromFlags();
  if (!plan.ok()) return plan.status();
  PrintRoundTrip(*plan);
  std::cout << (plan->csv ? CsvHeader() : TextHeader()) << std::flush;
  const absl::Status status = plan->workloads.size() == 1
                                  ? RunHere(plan->workloads.front(), *plan)
                                  : RunInChildren(*plan);
  if (status.ok()) PrintRoundTrip(*plan);
  return status;
}

}  // namespace
}  // namespace troupe::benchmarks

int main(int argc, char** argv) {
  // Costs time for each lock in Debian's build of Abseil.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  absl::SetProgramUsageMessage(
      "measures systems of actors: workloads [--workload=NAME|all] "
      "[--workers=N] [--repetitions=R] [--forced] [--format=text|csv]");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = troupe::benchmarks::Run();
  if (!status.ok()) std::cerr << "workloads: " << status.message() << "\n";
  return status.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}
