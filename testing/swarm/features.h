// What one run of the swarm is made of: a random subset of what actors can do,
// with random weights, and of what can go wrong. Runs that do few things do
// them often, and in ways that runs of everything do not come to (A. Groce and
// others, "Swarm Testing", ISSTA 2012).
#ifndef TROUPE_TESTING_SWARM_FEATURES_H_
#define TROUPE_TESTING_SWARM_FEATURES_H_

#include <array>
#include <cstdint>

#include "troupe/base/random.h"
#include "troupe/scheduler/deterministic_executor.h"

namespace troupe::swarm {

// What the code of an actor does at once.
enum class Deed : uint8_t {
  kSend,
  kSendUrgent,
  kTrySend,
  kSendErrand,
  kSpawn,
  kSpawnInstant,
  kForward,
  kAnswer,
  kSetTimer,
  kSetTimerForOther,
  kRepeat,
  kCancelTimer,
  kEndLater,
  kMonitor,
  kDemonitor,
  kLink,
  kUnlink,
  kStop,
  kKill,
  kDrain,
  kStopSelf,
  kFail,
  kTakeName,
  kGiveName,
  kFindName,
  kJoin,
  kLeave,
  kCryToGroup,
  kPick,
  kMonitorGroup,
  kDemonitorGroup,
  kUnstash,
  kPublish,
  kSubscribe,
  kUnsubscribe,
  kCount,
};

// What it awaits.
enum class Wait : uint8_t {
  kCall,
  kRetry,
  kAll,
  kAny,
  kStarted,
  kSleep,
  kSpace,
  kSpawn,
  kEnd,
  kCallOrSleep,
  kName,
  kPublish,
  kSupervisor,
  kBlocking,
  kCount,
};

// Where faults are thrown.
enum class Fault : uint8_t {
  kConstructor,
  kPreStart,
  kPostStart,
  kPostStop,
  kHandler,
  kTimer,
  kDown,
  kCount,
};

class Features {
 public:
  explicit Features(Random& random);

  Deed PickDeed(Random& random) const {
    return deeds_[random.NextUint64() % kTable];
  }
  Wait PickWait(Random& random) const {
    return waits_[random.NextUint64() % kTable];
  }
  bool Strikes(Fault fault, Random& random) const {
    const uint32_t chance = faults_[static_cast<size_t>(fault)];
    return chance != 0 && random.NextUint64() % 1024 < chance;
  }
  // For `seed`, its random numbers aside.
  DeterministicExecutor::Options executor() const { return executor_; }

  // What is done in all, and how many actors there are in the beginning.
  uint64_t budget() const { return budget_; }
  uint64_t founders() const { return founders_; }
  uint64_t most_actors() const { return most_actors_; }
  // Of 1024 steps, after how many something happens from outside.
  uint64_t from_outside() const { return from_outside_; }
  // Of 8 actors, how many have a bounded mailbox.
  uint64_t bounded() const { return bounded_; }
  // Of 64 parcels, how many are set aside.
  uint64_t stashes() const { return stashes_; }
  // How many supervisors there are.
  uint64_t supervisors() const { return supervisors_; }
  // Of 8 of their children, how many are supervisors, and how many wait before
  // they are restarted.
  uint64_t nested() const { return nested_; }
  uint64_t backoffs() const { return backoffs_; }
  // How many messages each port keeps for those that subscribe later.
  uint32_t keeps() const { return keeps_; }
  // Of 8 actors, how many have a thread of their own, or share one.
  uint64_t pinned() const { return pinned_; }
  // Times are below so many milliseconds.
  uint64_t longest_ms() const { return longest_ms_; }
  // Of 1024 ways to end others, how many are taken where they are drawn.
  uint64_t violence() const { return violence_; }
  // The system is told to shut down in the midst of things.
  bool shuts_down_early() const { return shuts_down_early_; }

 private:
  static constexpr size_t kTable = 256;

  std::array<Deed, kTable> deeds_;
  std::array<Wait, kTable> waits_;
  std::array<uint32_t, static_cast<size_t>(Fault::kCount)> faults_ = {};
  DeterministicExecutor::Options executor_;
  uint64_t budget_;
  uint64_t founders_;
  uint64_t most_actors_;
  uint64_t from_outside_;
  uint64_t bounded_;
  uint64_t stashes_;
  uint64_t supervisors_;
  uint64_t nested_;
  uint64_t backoffs_;
  uint32_t keeps_;
  uint64_t pinned_;
  uint64_t longest_ms_;
  uint64_t violence_;
  bool shuts_down_early_;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_FEATURES_H_
