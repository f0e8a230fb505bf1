// A soak: a mixed load on a system with threads, with a random fault from time
// to time, and at the end an account of its messages:
//
//   items, requests, pages  each was handled, is a dead letter, or its sender
//                           was told that it was not delivered
//   news to a group         as many as its members took were handled or are
//                           dead letters
//   prices of a port        come in order; to clerks that subscribed without
//                           loss, without a gap and to the last, which is
//                           looked for after each fault and at the end
//   ticks of timers         none outlives its actor; whether one came that was
//                           due is not known
//
// What makes the load and the faults (beats, poison, stalls, the beginning of
// blocking work) and the runtime's own messages are not accounted for.
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
  // Whoever is asked, or was promised something, has answered or got it by
  // then, whatever was done to it.
  absl::Duration patience = absl::Minutes(1);
  // For the test that the soak notices it: one clerk drops the subscription
  // that was to be without loss.
  bool has_deaf_clerk = false;
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
