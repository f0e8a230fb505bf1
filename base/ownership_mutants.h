// What the model tests of ownership.h share: harnesses, which Explore() plays,
// and mutants, which one of them must find.
//
// A mutant is ownership.h with one thing in it made weaker while it runs. The
// orderings are recognised by the operations that ask for them, so that one
// that is added to ownership.h and that no test needs is found too.
//
//   const Harness harness = {"push/take", PushAgainstTake};
//   ExpectAllHold({harness});
//   ExpectFound("TAKE by a store", harness, [](Operation& operation) { ... });
#ifndef TROUPE_BASE_OWNERSHIP_MUTANTS_H_
#define TROUPE_BASE_OWNERSHIP_MUTANTS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "troupe/testing/schedule/explore.h"
#include "troupe/testing/schedule/options.h"

namespace troupe::ownership_model {

// What harnesses call the words, see Execution::Label().
inline constexpr char kMailLabel[] = "mail";
inline constexpr char kInboxLabel[] = "inbox";
inline constexpr char kSeatLabel[] = "seat";
// Of counts of actors, which are not ownership.h's, but shut down with it.
inline constexpr char kCountLabel[] = "count";
// Of references to shared messages, which are not ownership.h's either.
inline constexpr char kReferencesLabel[] = "references";

// A few threads that use the words, and checks of what must come of it.
struct Harness {
  // Of how much is tried: see schedule::Options.
  struct Bounds {
    int preemptions;
    int stale_reads;
  };

  std::string name;
  std::function<void(schedule::Execution&)> body;
  std::vector<Bounds> bounds = {{3, 2}};
};

using Mutation = std::function<void(schedule::Operation&)>;

// Fails the test unless all of them hold, under every schedule within each of
// their bounds and under some at random. In builds for a sanitizer the bounds
// are narrow.
void ExpectAllHold(absl::Span<const Harness> harnesses);

// Fails the test unless the harness, mutated, fails under one of its schedules.
void ExpectFound(absl::string_view mutant, const Harness& harness,
                 Mutation mutation = nullptr);

// Which harness finds which mutant.
struct Finding {
  std::string mutant;
  std::string harness;
};

// Looks up what the harnesses ask of the word with that label, and makes each
// ordering weaker by one step: "TAKE relaxed", "PUBLISH release", "PUBLISH
// relaxed on failure"; barriers are left out. Fails the test unless `findings`
// name all of these mutants, and each of them is found.
void ExpectEachOrderingIsNeeded(absl::Span<const Harness> harnesses,
                                absl::string_view label,
                                absl::Span<const Finding> findings);

}  // namespace troupe::ownership_model

#endif  // TROUPE_BASE_OWNERSHIP_MUTANTS_H_
