// Shows that an executor with nothing to do takes no processor time: two shared
// workers, a dedicated one, and an alarm that is an hour away.
//
//   ./bazelw run --config=opt //scheduler:idle_cpu -- --seconds=10
#include "troupe/scheduler/internal/idle_cpu.h"

#include <iostream>
#include <memory>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"

ABSL_FLAG(int, seconds, 10, "how long to be idle");

namespace {

absl::Status Run() {
  absl::StatusOr<std::unique_ptr<troupe::ThreadExecutor>> executor =
      troupe::ThreadExecutor::Create({.workers = 2});
  if (!executor.ok()) return executor.status();
  const absl::StatusOr<troupe::Worker*> dedicated =
      (*executor)->StartDedicatedWorker("dedicated");
  if (!dedicated.ok()) return dedicated.status();
  bool rang = false;
  troupe::Alarm alarm([&rang] { rang = true; });
  (*executor)->SetAlarm(alarm, (*executor)->clock().Now() + absl::Hours(1));
  std::cout << "an idle executor: "
            << troupe::internal::MeasureIdleCpu(
                   absl::Seconds(absl::GetFlag(FLAGS_seconds)))
            << "\n";
  (*executor)->CancelAlarm(alarm);
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("measures the processor time of idle workers");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = Run();
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
