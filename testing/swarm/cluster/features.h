// What one run of the swarm of nodes is made of: a random subset of what actors
// can do across nodes, with random weights, and of what can go wrong. A new
// deed is a line here, one in features.cc, and a function of Resident.
#ifndef TROUPE_TESTING_SWARM_CLUSTER_FEATURES_H_
#define TROUPE_TESTING_SWARM_CLUSTER_FEATURES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "troupe/base/random.h"

namespace troupe::cluster_swarm {

// What the code of an actor does.
enum class Deed : uint8_t {
  kSend,
  kSendUrgent,
  kTrySend,
  kSendMany,
  kForward,
  kAnswer,
  kBear,
  kMonitor,
  kDemonitor,
  kLink,
  kUnlink,
  kStop,
  kKill,
  kDrain,
  kStopSelf,
  kJoin,
  kLeave,
  kCry,
  kMonitorGroups,
  kDemonitorGroups,
  kSubscribe,
  kUnsubscribe,
  kPublish,
  // Those that follow are awaited, where something can be.
  kCall,
  kCallAndGiveUp,
  kSleep,
  kAwaitSpace,
  kAwaitEnd,
  kResolve,
  kPublishWhenReady,
  kStart,
  kReport,
  kCount,
};
inline constexpr Deed kFirstAwaited = Deed::kCall;

class Features {
 public:
  explicit Features(Random& random);

  Deed PickDeed(Random& random) const { return deeds_[random.Uniform(kTable)]; }

  // For people.
  std::string ToString() const;

  uint64_t nodes() const { return nodes_; }
  // On each node: at its start, and at most.
  uint64_t founders() const { return founders_; }
  uint64_t most_actors() const { return most_actors_; }
  // What is done in all, by all.
  uint64_t budget() const { return budget_; }
  // Steps from one thing that is done from outside to the next, at most.
  uint64_t pause_steps() const { return pause_steps_; }

  absl::Duration heartbeat() const { return heartbeat_; }
  absl::Duration silence() const { return silence_; }
  uint64_t outbox_messages() const { return outbox_messages_; }
  // Whether every message is taken where there is a session.
  bool outbox_is_large() const { return outbox_messages_ > 1000; }
  // Parcels have up to so many bytes that mean nothing.
  uint64_t padding() const { return padding_; }
  absl::Duration longest() const { return longest_; }
  // Calls may wait for so much longer, where nobody is held up by it, and most
  // are answered late: so some outlast their session.
  absl::Duration patience() const { return patience_; }

  // Of steps, for each kind of fault; 0: none.
  double crashes() const { return crashes_; }
  double pauses() const { return pauses_; }
  double partitions() const { return partitions_; }
  double resets() const { return resets_; }
  // All nodes stand still, and go on together.
  double standstills() const { return standstills_; }
  bool late_timers() const { return late_timers_; }
  absl::Duration longest_fault() const { return longest_fault_; }
  bool leaves() const { return leaves_; }
  bool slow_links() const { return slow_links_; }

  // Nodes have rules, which refuse some of it to some.
  bool has_rules() const { return has_rules_; }
  // Nodes supervise actors of others.
  bool supervises() const { return supervises_; }
  // Who publishes waits for room, or does not.
  bool publishes_in_bounds() const { return publishes_in_bounds_; }

  // No session has a reason to end.
  bool sessions_last() const {
    return crashes_ == 0 && pauses_ == 0 && partitions_ == 0 && resets_ == 0 &&
           !leaves_;
  }

 private:
  static constexpr size_t kTable = 256;

  std::array<Deed, kTable> deeds_;
  uint64_t nodes_;
  uint64_t founders_;
  uint64_t most_actors_;
  uint64_t budget_;
  uint64_t pause_steps_;
  absl::Duration heartbeat_;
  absl::Duration silence_;
  uint64_t outbox_messages_;
  uint64_t padding_ = 0;
  absl::Duration longest_;
  absl::Duration patience_;
  double crashes_ = 0;
  double pauses_ = 0;
  double partitions_ = 0;
  double resets_ = 0;
  double standstills_ = 0;
  bool late_timers_ = false;
  bool leaves_ = false;
  bool slow_links_ = false;
  bool has_rules_ = false;
  bool supervises_ = false;
  bool publishes_in_bounds_ = false;
  absl::Duration longest_fault_;
};

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_FEATURES_H_
