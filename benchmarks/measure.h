// The measures of growth, each in a file of its own: what more actors, more
// messages or worse neighbours cost. How they are defined: README.md.
#ifndef TROUPE_BENCHMARKS_MEASURE_H_
#define TROUPE_BENCHMARKS_MEASURE_H_

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "troupe/benchmarks/stage.h"

namespace troupe::benchmarks {

// One thing that a measure finds out. Without a goal, every value will do.
struct Figure {
  absl::string_view name;
  absl::string_view unit;
  double at_least = -std::numeric_limits<double>::infinity();
  double at_most = std::numeric_limits<double>::infinity();
};

struct MeasureOptions {
  int workers = 2;
  // What numbers of operations are multiplied with.
  double scale = 1;
  // Of each part of a run.
  absl::Duration timeout = absl::Minutes(1);
};

// `operations`, as many as the options want instead; at least one.
int64_t Scaled(const MeasureOptions& options, int64_t operations);

struct Measure {
  absl::string_view name;
  absl::Span<const Figure> figures;
  // Runs once, in a process of its own. Returns the value of each figure, or
  // kInternal: what happened was wrong.
  absl::StatusOr<std::vector<double>> (*run)(const MeasureOptions& options);
  int least_workers = 1;
};

extern const Measure kCostByActors;
extern const Measure kMemoryAfterActors;
extern const Measure kBurst;
extern const Measure kGreedyNeighbour;
extern const Measure kSpread;
extern const Measure kBlockedWorker;
extern const Measure kSlowConsumer;
extern const Measure kCallLatency;

// All of them, in the order of the reports.
inline constexpr const Measure* kMeasures[] = {
    &kCostByActors, &kMemoryAfterActors, &kBurst,        &kGreedyNeighbour,
    &kSpread,       &kBlockedWorker,     &kSlowConsumer, &kCallLatency,
};

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_MEASURE_H_
