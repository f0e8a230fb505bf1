// Who decides at each point of a run at which more than one thing can happen.
//
// A schedule is told as the choices that differ from the first option, each
// with the number of plain ones before it: "12:1,0:2" means twelve times the
// first option, then the second, then at once the third, then always the first.
//
// Thread safety: none.
#ifndef TROUPE_TESTING_SCHEDULE_CHOICES_H_
#define TROUPE_TESTING_SCHEDULE_CHOICES_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "troupe/base/random.h"
#include "troupe/testing/schedule/memory.h"

namespace troupe::schedule::internal {

enum class ChoiceKind : uint8_t {
  kPreempt,  // Goes on with the running thread, or else preempts it.
  kThread,   // The running thread cannot go on: another one.
  kRead,     // Reads the newest store, or else an older one.
  kData,     // The body asked.
};

struct Choice {
  ChoiceKind kind;
  // For the first two kinds: which threads.
  absl::Span<const int> threads;
  // At least two.
  int options;
  // The thread that runs, or that the choice is for; 0 for kThread.
  int current;
  // What has happened so far, as far as it decides what can happen from here.
  uint64_t past;
};

class Chooser {
 public:
  virtual ~Chooser() = default;
  // Returns a number below choice.options.
  virtual int Choose(const Choice& choice) = 0;
};

// Visits every schedule with at most `preemptions` preemptions and
// `stale_reads` reads of an older store, depth first. Leaves out those that
// must end as one that was visited, because they reach the same past.
class Search : public Chooser {
 public:
  // The number that stands for "any number of".
  static constexpr int kAny = 1000;

  Search(int preemptions, int stale_reads);

  // Begins a run; false when there is none left.
  bool Next();
  int Choose(const Choice& choice) override;

 private:
  struct Step {
    uint8_t options;
    uint8_t chosen;
  };
  struct Budget {
    int preemptions;
    int stale_reads;
  };

  void Pay(ChoiceKind kind, int chosen);
  bool Visited(const Choice& choice);

  const Budget budget_;
  bool begun_ = false;
  std::vector<Step> path_;
  // Of the current run.
  size_t depth_ = 0;
  bool known_ = false;  // The rest of the run is as one that was visited.
  Budget left_;
  // From a past to the most preemptions with which it was gone on from.
  absl::flat_hash_map<uint64_t, int> visited_;
};

// Gives each thread a random priority, which falls at a few random points: S.
// Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of
// Finding Bugs", ASPLOS 2010.
class Lottery : public Chooser {
 public:
  // `expected_choices`: about how long a run is.
  Lottery(uint64_t seed, int preemptions, int expected_choices);
  int Choose(const Choice& choice) override;

 private:
  Random random_;
  std::array<uint64_t, kMaxThreads> priority_;
  std::vector<int> falls_at_;
  int choices_ = 0;
};

// Does what a schedule says.
class Replay : public Chooser {
 public:
  explicit Replay(std::vector<uint8_t> choices)
      : choices_(std::move(choices)) {}
  int Choose(const Choice& choice) override;

 private:
  const std::vector<uint8_t> choices_;
  size_t next_ = 0;
};

std::string FormatSchedule(absl::Span<const uint8_t> choices);
// False if `text` is no schedule.
bool ParseSchedule(absl::string_view text, std::vector<uint8_t>& choices);

}  // namespace troupe::schedule::internal

#endif  // TROUPE_TESTING_SCHEDULE_CHOICES_H_
