#include "troupe/testing/swarm/group_watch.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace troupe::swarm {

void GroupWatch::Begins(Number monitor, size_t range) {
  monitors_[monitor] = {.range = range, .is_on = true};
  journal_.Note(What::kMonitors, monitor, 0, range);
}

void GroupWatch::Ends(Number monitor, bool was_on) {
  if (!was_on) Break(monitor, "Demonitor() says that it was on");
  monitors_[monitor].is_on = false;
  journal_.Note(What::kDemonitors, monitor);
}

void GroupWatch::Told(Number number, const GroupChanged& change) {
  journal_.Note(What::kHearsNews, number, 0, change.version);
  Monitor& monitor = monitors_[number];
  if (!monitor.is_on) return Break(number, "nothing arrives once it has ended");
  absl::string_view digits = change.group.name;
  size_t group = 0;
  if (!absl::ConsumePrefix(&digits, "group") ||
      !absl::SimpleAtoi(digits, &group) || group >= GroupBook::kGroups ||
      (monitor.range != kAll && monitor.range != group)) {
    return Break(number, "it is told of its groups only");
  }
  Known& known = monitor.groups[group];
  if (change.version <= known.version) {
    Break(number, "each change is told once, and in order");
  }
  known.version = change.version;
  for (const AnyActorRef& member : change.joined) {
    ++known.times[member.id().value()];
  }
  for (const AnyActorRef& member : change.left) {
    const auto found = known.times.find(member.id().value());
    if (found == known.times.end()) {
      return Break(number, "who leaves has joined before");
    }
    if (--found->second == 0) known.times.erase(found);
  }
}

void GroupWatch::CheckAtRest(size_t group,
                             absl::Span<const AnyActorRef> members) {
  std::map<uint64_t, uint32_t> times;
  for (const AnyActorRef& member : members) ++times[member.id().value()];
  for (const auto& [number, monitor] : monitors_) {
    if (!monitor.is_on || !lives_.is_alive(number)) continue;
    if (monitor.range != kAll && monitor.range != group) continue;
    if (monitor.groups[group].times != times) {
      Break(number, "at rest it knows the members");
    }
  }
}

void GroupWatch::Break(Number monitor, std::string_view rule) {
  journal_.Break(kName,
                 absl::StrCat("#", monitor, ": ",
                              absl::string_view(rule.data(), rule.size())));
}

}  // namespace troupe::swarm
