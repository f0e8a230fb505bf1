// What an exploration tries; see explore.h.
#ifndef TROUPE_TESTING_SCHEDULE_OPTIONS_H_
#define TROUPE_TESTING_SCHEDULE_OPTIONS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"

namespace troupe::schedule {

enum class MemoryModel : uint8_t {
  kSequential,  // A load returns the newest store. Orders matter only to races.
  kWeak,        // A load returns what its order and its thread's past allow.
};

// An atomic operation that is about to be done.
struct Operation {
  enum class Kind : uint8_t {
    kLoad,
    kStore,
    kExchange,
    kCompareExchangeWeak,
    kCompareExchangeStrong,
    kFetchAdd,
    kFetchAnd,
    kFetchOr,
    kLightBarrier,
    kHeavyBarrier,
  };

  Kind kind;
  std::memory_order order = std::memory_order_seq_cst;
  std::memory_order failure_order = std::memory_order_seq_cst;
  uint64_t expected = 0;  // Of compare-exchanges.
  uint64_t operand = 0;   // What is stored, added, ...; loads have none.
  uint64_t current = 0;   // The newest store.
  size_t size_bytes = 0;
  absl::string_view label = "";   // Of the object; see Execution::Label().
  absl::string_view thread = "";  // Who does it.
  // Not to be done at all: returns `current`, as a success.
  bool skip = false;
};

struct Options {
  static constexpr int kAny = 1000;

  // Of the harness: part of what replays a schedule.
  std::string name;
  MemoryModel memory = MemoryModel::kSequential;
  int preemptions = 2;
  int stale_reads = 2;
  int random_schedules = 0;
  uint64_t seed = 1;
  // A run with more switch points is taken for one without end.
  int max_steps = 2000;
  // The exhaustive search gives up, and the result is not complete.
  int64_t max_schedules = 20'000'000;
  // Plants an error: may change each operation before it is done.
  std::function<void(Operation&)> mutate = nullptr;
};

}  // namespace troupe::schedule

#endif  // TROUPE_TESTING_SCHEDULE_OPTIONS_H_
