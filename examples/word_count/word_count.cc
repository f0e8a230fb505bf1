// Counts the words of files, or of standard input:
//
//   ./bazelw run //examples:word_count -- --top=2 README.md
//
//   count  word
//      12  the
//       7  a
//
//   233 words (81 distinct), 1.4 kB in 1 input: 0.001 s, 1.4 MB/s, 2 workers
//
// The actors are in counting.cc.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/clock.h"
#include "troupe/examples/word_count/counting.h"
#include "troupe/examples/word_count/options.h"
#include "troupe/examples/word_count/progress_line.h"
#include "troupe/examples/word_count/report.h"
#include "troupe/scheduler/executor.h"

namespace troupe::word_count {
namespace {

// False: an input could not be counted.
absl::StatusOr<bool> Run(int argc, char** argv) {
  absl::StatusOr<Options> options =
      OptionsFromFlags(absl::ParseCommandLine(argc, argv));
  if (!options.ok()) return options.status();
  if (absl::Status status = GoWherePathsBegin(); !status.ok()) return status;
  const MonotonicTime start = RealClock().Now();
  absl::StatusOr<std::unique_ptr<ActorSystem>> system = ActorSystem::Create({
      .workers = options->workers,
      // Reading takes as long as it takes.
      .long_turn_after = absl::InfiniteDuration(),
  });
  if (!system.ok()) return system.status();

  ProgressLine progress(std::cerr, ::isatty(STDERR_FILENO) != 0, RealClock());
  absl::StatusOr<Outcome> outcome = CountWords(
      {
          .paths = std::move(options->paths),
          .on_progress = [&](int64_t bytes) { progress.Update(bytes); },
      },
      **system);
  progress.Clear();
  if (!outcome.ok()) return outcome.status();

  const Report report = {.top = outcome->counts.TopN(options->top),
                         .words = outcome->counts.words(),
                         .distinct = outcome->counts.distinct(),
                         .bytes = outcome->counts.bytes(),
                         .inputs = outcome->inputs,
                         .workers = (*system)->executor().shared_workers(),
                         .elapsed = RealClock().Now() - start,
                         .errors = std::move(outcome->errors)};
  for (const std::string& error : report.errors) {
    std::cerr << "word_count: " << error << "\n";
  }
  std::cout << (options->json ? JsonReport(report) : TextReport(report));
  return report.errors.empty();
}

}  // namespace
}  // namespace troupe::word_count

int main(int argc, char** argv) {
  // Costs time for each lock in Debian's build of Abseil.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  absl::SetProgramUsageMessage(
      "counts words: word_count [--top=N] [--workers=N] [--json] [PATH...]");
  const absl::StatusOr<bool> all_counted = troupe::word_count::Run(argc, argv);
  if (!all_counted.ok()) {
    std::cerr << "word_count: " << all_counted.status().message() << "\n";
  }
  return all_counted.ok() && *all_counted ? EXIT_SUCCESS : EXIT_FAILURE;
}
