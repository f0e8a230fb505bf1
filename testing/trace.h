// What a simulation decided: which faults happened when, and where its course
// left the plain one. With the seed, it is the whole course: a simulation that
// replays the trace takes it again.
//
//   kill+the+teller@17,late+timers@3:25/12:1,40:2
//
// says that 'kill the teller' happened at its occasion 17, that timers were
// late by 25 ms at the third occasion, and that the choices 12 and 40 took the
// alternatives 1 and 2. All others took 0, the plain one
// (DeterministicExecutor::Choice). Occasions and choices count from 0.
//
// Thread safety: a value.
#ifndef TROUPE_TESTING_TRACE_H_
#define TROUPE_TESTING_TRACE_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/scheduler/deterministic_executor.h"

namespace troupe::testing {

struct Trace {
  struct Fault {
    std::string name;
    uint64_t occasion = 0;
    int64_t amount = 0;  // Of what the fault takes a measure of; else 0.

    friend bool operator==(const Fault&, const Fault&) = default;
  };
  struct Choice {
    uint32_t number = 0;
    uint32_t taken = 0;  // Not 0.

    // What it was about, where that is known: not part of the text.
    uint32_t alternatives = 0;  // 0: not known.
    DeterministicExecutor::Choice kind = {};
    uint64_t step = 0;  // In this step of the simulation, or before the first.

    friend bool operator==(const Choice& a, const Choice& b) {
      return a.number == b.number && a.taken == b.taken;
    }
    // Such as "step 12: the third of 4 ready actors runs".
    std::string ToString() const;
  };

  std::vector<Fault> faults = {};    // As they happened.
  std::vector<Choice> choices = {};  // Their numbers rise.

  // Without spaces, and without what a shell would take for its own.
  std::string ToString() const;
  // kInvalidArgument: `text` is nothing that ToString() gives; says where.
  static absl::StatusOr<Trace> Parse(absl::string_view text);

  friend bool operator==(const Trace&, const Trace&) = default;
  friend std::ostream& operator<<(std::ostream& os, const Trace& trace) {
    return os << trace.ToString();
  }
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_TRACE_H_
