// What happened in one run of the swarm: a hash of all of it, the last of it
// for people, and the first invariant that was found broken.
//
// Numbers stand for actors, messages, calls and so on, because ids differ from
// run to run.
//
// Thread safety: none; a run is one thread's.
#ifndef TROUPE_TESTING_SWARM_JOURNAL_H_
#define TROUPE_TESTING_SWARM_JOURNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"
#include "troupe/scheduler/deterministic_executor.h"

namespace troupe::swarm {

// In the words of the journal: "who <what> whom (detail)".
enum class What : uint8_t {
  kBorn,
  kStarts,
  kStarted,
  kStops,
  kGone,
  kEnded,
  kFails,
  kAsksToEnd,
  kSends,
  kHandles,
  kLoses,
  kKeeps,
  kDeadLetter,
  kCalls,
  kServes,
  kCallEnds,
  kSetsTimer,
  kTicks,
  kCancels,
  kMonitors,
  kDemonitors,
  kHearsDown,
  kLinks,
  kUnlinks,
  kHearsExit,
  kSetsAside,
  kGetsBack,
  kTakesName,
  kGivesName,
  kJoins,
  kLeaves,
  kPublishes,
  kSubscribes,
  kUnsubscribes,
  kHearsNews,
  kRestarts,
  kWaits,
  kFromOutside,
  kStep,
  kCount,
};

class Journal {
 public:
  Journal() = default;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Whose time and steps these are. Null: it has gone.
  void set_executor(const DeterministicExecutor* executor) {
    executor_ = executor;
  }
  // Virtual time, which stands still during a step.
  int64_t now_ns() const {
    if (executor_ != nullptr && executor_->steps() != step_) LookAtClock();
    return now_ns_;
  }
  // Must be called outside of steps, when time may have passed.
  void LookAtClock() const {
    if (executor_ == nullptr) return;
    step_ = executor_->steps();
    now_ns_ = executor_->clock().Now().ToNanoseconds();
  }

  void Note(What what, uint32_t who, uint32_t whom = 0, uint64_t detail = 0) {
    ++events_;
    Entry& entry = last_[events_ % kTold];
    entry = {now_ns(), detail, who, whom, what};
    Mix(detail ^ (uint64_t{who} << 40) ^ (uint64_t{whom} << 16) ^
        (uint64_t{static_cast<uint8_t>(what)} << 8));
  }
  // For what only the hash is to know.
  void Mix(uint64_t word) {
    hash_ = (hash_ ^ word) * 0x9e3779b97f4a7c15;
    hash_ ^= hash_ >> 29;
  }

  // An invariant does not hold. The first one stays.
  void Break(std::string_view invariant, absl::string_view how);

  bool broken() const { return !invariant_.empty(); }
  // Its name; empty: all hold.
  const std::string& invariant() const { return invariant_; }
  // That, how it was broken, and what had happened; several lines.
  const std::string& report() const { return report_; }

  uint64_t hash() const { return hash_; }
  uint64_t events() const { return events_; }

 private:
  struct Entry {
    int64_t at_ns;
    uint64_t detail;
    uint32_t who;
    uint32_t whom;
    What what;
  };
  static constexpr size_t kTold = 100;

  std::array<Entry, kTold> last_ = {};
  uint64_t events_ = 0;
  uint64_t hash_ = 0;
  const DeterministicExecutor* executor_ = nullptr;
  mutable uint64_t step_ = 0;
  mutable int64_t now_ns_ = 0;
  std::string invariant_;
  std::string report_;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_JOURNAL_H_
