#include "troupe/testing/swarm/watches.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace troupe::swarm {

uint32_t Watches::Monitored(Number watcher, Number target) {
  monitors_.push_back({.watcher = watcher, .target = target, .on = true});
  const uint32_t monitor = static_cast<uint32_t>(monitors_.size() - 1);
  journal_.Note(What::kMonitors, watcher, target, monitor);
  return monitor;
}

void Watches::Demonitored(uint32_t monitor, bool was_on) {
  Monitor& entry = monitors_[monitor];
  journal_.Note(What::kDemonitors, entry.watcher, entry.target, monitor);
  if (was_on != entry.on) {
    BreakMonitor(monitor, "Demonitor() says whether it was on");
  }
  entry.on = false;
}

void Watches::HearsDown(uint32_t monitor, Number watcher,
                        const ExitReason& reason) {
  Monitor& entry = monitors_[monitor];
  journal_.Note(What::kHearsDown, watcher, entry.target,
                static_cast<uint64_t>(reason.kind()));
  if (monitor == 0 || !entry.on) {
    return BreakMonitor(monitor, "a Down of a monitor that is over");
  }
  if (!lives_.has_no_object(entry.target)) {
    BreakMonitor(monitor, "a Down before the object is gone (§14)");
  }
  entry.on = false;
  entry.told = true;
  entry.kind = reason.kind();
}

void Watches::Linked(Number who, Number other) {
  ++links_[PairOf(who, other)].links;
  const size_t size = std::max(who, other) + 1;
  if (linked_.size() < size) linked_.resize(size);
  linked_[who] = linked_[other] = true;
  journal_.Note(What::kLinks, who, other);
}

void Watches::Unlinked(Number who, Number other) {
  links_[PairOf(who, other)].unlinked = true;
  journal_.Note(What::kUnlinks, who, other);
}

void Watches::HearsExit(Number who, Number other, const ExitReason& reason) {
  journal_.Note(What::kHearsExit, who, other,
                static_cast<uint64_t>(reason.kind()));
  const Pair pair = PairOf(who, other);
  Link& link = links_[pair];
  uint32_t& exits = link.exits[who < other ? 0 : 1];
  if (++exits > link.links) BreakLink(pair, "at most one Exit for each link");
  if (!lives_.has_no_object(other)) {
    BreakLink(pair, "an Exit before the object is gone (§14)");
  }
}

void Watches::Traps(Number who) {
  if (traps_.size() <= who) traps_.resize(who + 1);
  traps_[who] = true;
}

void Watches::CheckAtRest() {
  for (uint32_t monitor = 1; monitor < monitors_.size(); ++monitor) {
    Monitor& entry = monitors_[monitor];
    if (entry.told) {
      if (entry.kind != ExitReason::Kind::kNoActor &&
          lives_.has_ended(entry.target) &&
          entry.kind != lives_.end_kind(entry.target)) {
        BreakMonitor(monitor, "a Down tells why the actor has ended");
      }
      entry.told = false;
    }
    if (entry.on && lives_.is_alive(entry.watcher) &&
        lives_.has_ended(entry.target)) {
      BreakMonitor(monitor, "at rest a Down of each that has ended");
    }
  }
  for (auto& [pair, link] : links_) CheckLink(pair, link);
}

void Watches::CheckLink(const Pair& pair, Link& link) {
  if (link.unlinked || link.settled) return;
  const bool first_alive = lives_.is_alive(pair.first);
  if (first_alive == lives_.is_alive(pair.second)) {
    link.settled = !first_alive;
    return;
  }
  const Number alive = first_alive ? pair.first : pair.second;
  const Number gone = first_alive ? pair.second : pair.first;
  // An address outlives those that link to it.
  if (!lives_.has_ended(gone) || lives_.is_door(alive)) return;
  if (alive < traps_.size() && traps_[alive]) {
    if (link.exits[first_alive ? 0 : 1] == 0) {
      BreakLink(pair, "who traps exits hears of the end");
    }
    return;
  }
  const ExitReason::Kind kind = lives_.end_kind(gone);
  if (kind != ExitReason::Kind::kNormal && kind != ExitReason::Kind::kDrained) {
    BreakLink(pair, "who traps no exits ends with the other");
  }
}

void Watches::BreakMonitor(uint32_t monitor, std::string_view rule) {
  journal_.Break(
      kMonitors,
      absl::StrCat("monitor ", monitor, " of #", monitors_[monitor].watcher,
                   " for #", monitors_[monitor].target, ": ",
                   absl::string_view(rule.data(), rule.size())));
}

void Watches::BreakLink(const Pair& pair, std::string_view rule) {
  journal_.Break(kLinks,
                 absl::StrCat("#", pair.first, " and #", pair.second, ": ",
                              absl::string_view(rule.data(), rule.size())));
}

}  // namespace troupe::swarm
