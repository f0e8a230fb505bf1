// How does a system fare under a mixed load for long, with a fault every ten
// seconds? Run it for as long as you like:
//
//   ./bazelw run --config=opt //testing:soak -- --minutes=20
//
// A line each ten seconds says how it is; the summary accounts for the messages
// that run_soak.h lists. The exit code is 1 if one is missing, a subscription
// without loss has gone silent, something was left behind, or memory grew.
#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/testing/soak/run_soak.h"

ABSL_FLAG(double, minutes, 1, "how long");
ABSL_FLAG(int, workers, 2, "threads that run actors");
ABSL_FLAG(uint64_t, seed, 1, "decides the load and the faults");

namespace {

void Print(absl::string_view line) {
  std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("A mixed load with faults, for long.");
  absl::ParseCommandLine(argc, argv);
  const troupe::testing::SoakReport report = troupe::testing::RunSoak(
      {.workers = absl::GetFlag(FLAGS_workers),
       .seed = absl::GetFlag(FLAGS_seed),
       .duration = absl::Minutes(absl::GetFlag(FLAGS_minutes))},
      Print);
  for (const std::string& line : report.summary) Print(line);
  for (const std::string& failure : report.failures)
    Print("FAILED: " + failure);
  Print(report.failures.empty() ? "all is accounted for" : "the soak failed");
  return report.failures.empty() ? 0 : 1;
}
