#include "troupe/testing/swarm/cluster/features.h"

#include <vector>

#include "absl/strings/str_cat.h"

namespace troupe::cluster_swarm {
namespace {

// What deeds are about: a run has some of it only, so that there is much of
// that.
enum class Theme { kAny, kGroups, kPorts, kStarts };

Theme ThemeOf(Deed deed) {
  switch (deed) {
    case Deed::kJoin:
    case Deed::kLeave:
    case Deed::kCry:
    case Deed::kMonitorGroups:
    case Deed::kDemonitorGroups:
      return Theme::kGroups;
    case Deed::kSubscribe:
    case Deed::kUnsubscribe:
    case Deed::kPublish:
    case Deed::kPublishWhenReady:
      return Theme::kPorts;
    case Deed::kStart:
      return Theme::kStarts;
    default:
      return Theme::kAny;
  }
}

}  // namespace

Features::Features(Random& random) {
  // Most runs are small; one in a few hundred has thousands of actors.
  const bool is_large = random.Uniform(400) == 0;
  nodes_ =
      random.Uniform(4) == 0 ? 1 + random.Uniform(7) : 2 + random.Uniform(2);
  founders_ = is_large ? 1 + random.Uniform(5000 / nodes_)
                       : 1 + random.Uniform(random.Uniform(4) == 0 ? 12 : 4);
  most_actors_ = founders_ + random.Uniform(8);
  budget_ = is_large ? 3000 : 20 + random.Uniform(300);
  pause_steps_ = 1 + random.Uniform(60);

  heartbeat_ = absl::Milliseconds(100 + random.Uniform(400));
  silence_ = heartbeat_ * (3 + static_cast<int64_t>(random.Uniform(3)));
  outbox_messages_ =
      random.Uniform(4) == 0 ? 1 + random.Uniform(8) : uint64_t{65536};
  if (random.Uniform(16) == 0) padding_ = 200'000;
  longest_ = absl::Milliseconds(random.Uniform(3) == 0 ? 1000 : 100);

  for (double* const fault :
       {&crashes_, &pauses_, &partitions_, &resets_, &standstills_}) {
    if (random.Uniform(3) == 0) {
      *fault = 0.0005 * static_cast<double>(1 + random.Uniform(20));
    }
  }
  late_timers_ = random.Uniform(8) == 0;
  leaves_ = random.Uniform(6) == 0;
  slow_links_ = random.Uniform(4) == 0;
  longest_fault_ =
      random.Uniform(2) == 0 ? absl::Milliseconds(200) : absl::Seconds(4);

  has_rules_ = random.Uniform(4) == 0;
  supervises_ = nodes_ > 1 && random.Uniform(5) == 0;
  publishes_in_bounds_ = random.Uniform(2) == 0;
  const bool has_groups = random.Uniform(3) == 0;
  const bool has_ports = random.Uniform(3) == 0;
  const bool has_starts = random.Uniform(4) == 0;

  std::vector<Deed> weighted;
  if (random.Uniform(6) == 0) {
    patience_ = absl::Seconds(3);
    resets_ = 0.01;
    weighted.insert(weighted.end(), 12, Deed::kForward);
  }
  for (int i = 0; i < static_cast<int>(Deed::kCount); ++i) {
    const Deed deed = static_cast<Deed>(i);
    const Theme theme = ThemeOf(deed);
    if ((theme == Theme::kGroups && !has_groups) ||
        (theme == Theme::kPorts && !has_ports) ||
        (theme == Theme::kStarts && !has_starts) || random.Uniform(3) == 0) {
      continue;
    }
    uint64_t weight = 1 + random.Uniform(8);
    switch (deed) {
      case Deed::kSend:
      case Deed::kCall:
      case Deed::kResolve:
      case Deed::kCry:
      case Deed::kJoin:
      case Deed::kSubscribe:
      case Deed::kPublish:
        weight += 4;
        break;
      case Deed::kStop:
      case Deed::kKill:
      case Deed::kDrain:
      case Deed::kStopSelf:
      case Deed::kReport:
        weight = 1;
        break;
      default:
        break;
    }
    weighted.insert(weighted.end(), weight, deed);
  }
  // Without these two, nothing gets anywhere.
  weighted.insert(weighted.end(), {Deed::kSend, Deed::kResolve});
  for (Deed& deed : deeds_) deed = weighted[random.Uniform(weighted.size())];
}

std::string Features::ToString() const {
  return absl::StrCat(
      nodes_, " nodes, ", founders_, " to ", most_actors_,
      " actors on each, heartbeat ", absl::FormatDuration(heartbeat_),
      ", silence ", absl::FormatDuration(silence_), ", outbox ",
      outbox_messages_, ", longest ", absl::FormatDuration(longest_),
      ", crashes ", crashes_, ", pauses ", pauses_, ", partitions ",
      partitions_, ", resets ", resets_, ", standstills ", standstills_,
      ", late timers ", late_timers_, ", leaves ", leaves_, ", slow links ",
      slow_links_, ", rules ", has_rules_, ", supervisors ", supervises_,
      ", faults last ", absl::FormatDuration(longest_fault_));
}

}  // namespace troupe::cluster_swarm
