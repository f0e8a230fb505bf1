// Where the decisions of a simulation come from: its seed, or a trace that is
// replayed. Keeps what was decided.
//
// Thread safety: none.
#ifndef TROUPE_TESTING_INTERNAL_DECISIONS_H_
#define TROUPE_TESTING_INTERNAL_DECISIONS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "troupe/base/random.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/simulation_options.h"
#include "troupe/testing/trace.h"

namespace troupe::testing::internal {

class Decisions {
 public:
  // A fault, which has occasions to happen.
  struct Fault {
    std::string name;  // No other one's of the simulation.
    Chance chance;
    uint64_t occasions = 0;  // So far.
    int times = 0;           // That it happened.
  };

  Decisions(uint64_t seed, const std::optional<Trace>& replayed);

  // What the seed decides in any case.
  Random& seeded() { return seeded_; }

  // One of so many alternatives.
  uint32_t Choose(DeterministicExecutor::Choice kind, uint32_t alternatives,
                  uint32_t drawn, uint64_t step);

  // Whether the fault is to happen at its next occasion, which this is.
  bool Occurs(Fault& fault);
  // If so, by how much: from 1 to `most`.
  int64_t Amount(const Fault& fault, int64_t most);
  // It did. (Who was to be killed may not have been there.)
  void Happened(Fault& fault, int64_t amount = 0);

  // All that was decided otherwise than plainly.
  const Trace& taken() const { return taken_; }

 private:
  // A name and an occasion.
  using Occasion = std::pair<std::string, uint64_t>;
  static Occasion Current(const Fault& fault) {
    return {fault.name, fault.occasions - 1};
  }

  Random seeded_;
  const std::optional<Trace> replayed_;
  std::map<Occasion, int64_t> replayed_faults_;  // With their amounts.
  size_t replayed_choices_ = 0;                  // Passed by.
  uint32_t choices_ = 0;
  Trace taken_;
};

}  // namespace troupe::testing::internal

#endif  // TROUPE_TESTING_INTERNAL_DECISIONS_H_
