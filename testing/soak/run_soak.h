// A soak: a mixed load on a system with threads, with a random fault from time
// to time, and at the end an account of every message.
//
//   const SoakReport report = RunSoak({.duration = absl::Minutes(20)},
//                                     [](absl::string_view line) { ... });
//   for (const std::string& failure : report.failures) ...
//
// Blocking: for as long as it runs.
#ifndef TROUPE_TESTING_SOAK_RUN_SOAK_H_
#define TROUPE_TESTING_SOAK_RUN_SOAK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace troupe::testing {

struct SoakOptions {
  int workers = 2;
  // Decides the load and the faults, but not what threads do when.
  uint64_t seed = 1;
  // How long, and how often there is a fault and a line that tells how it is.
  absl::Duration duration = absl::InfiniteDuration();
  absl::Duration period = absl::Seconds(10);
  // Where more than 0, these count instead: it ends after so many faults, each
  // of which comes when so many messages more have been handled.
  int faults = 0;
  int64_t messages_per_fault = 10'000;
  // The most that memory may grow, if it runs for long enough to tell.
  double resident_bytes_per_minute = 1 << 20;
  double heap_bytes_per_minute = 64 << 10;
  absl::Duration long_enough = absl::Minutes(10);
};

struct SoakReport {
  // What must not be, in words. None: all is well.
  std::vector<std::string> failures;
  // For people: what was made and what became of it.
  std::vector<std::string> summary;
  int64_t handled = 0;
  int faults = 0;
};

// `tell` gets a line per period.
SoakReport RunSoak(const SoakOptions& options,
                   absl::FunctionRef<void(absl::string_view line)> tell);

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SOAK_RUN_SOAK_H_
