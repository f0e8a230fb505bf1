#include "troupe/testing/swarm/cluster/watches.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace troupe::cluster_swarm {
namespace {

constexpr std::string_view kOneDown = "one Down for each monitor";
constexpr std::string_view kLinks = "links tell of ends";
constexpr std::string_view kTruly = "ends are told truly";

}  // namespace

uint32_t Watches::Monitored(Number watcher, Number target) {
  watches_.push_back({.watcher = watcher,
                      .target = target,
                      .epoch = lives_.EpochOf(watcher, target)});
  const uint32_t number = static_cast<uint32_t>(watches_.size());
  journal_.Note("monitors", watcher, target, number);
  return number;
}

void Watches::Demonitored(uint32_t monitor) {
  Watch& watch = watches_[monitor - 1];
  journal_.Note("demonitors", watch.watcher, watch.target, monitor);
  watch.is_over = true;
}

void Watches::HearsDown(uint32_t monitor, Number watcher, Number target,
                        const ExitReason& reason) {
  if (!lives_.counts(watcher)) return;
  journal_.Note(
      "hears the Down of", watcher, target,
      (uint64_t{monitor} << 8) + static_cast<uint64_t>(reason.kind()));
  if (monitor == 0) {
    journal_.Break(kOneDown, absl::StrCat("#", watcher, " hears that #", target,
                                          " has ended, and has no monitor"));
    return;
  }
  Watch& watch = watches_[monitor - 1];
  if (watch.is_over || watch.watcher != watcher || watch.target != target) {
    journal_.Break(kOneDown, absl::StrCat("#", watcher, " hears of #", target,
                                          " once more by monitor ", monitor,
                                          ", of #", watch.target));
  }
  watch.is_over = true;
  CheckReason(watcher, target, watch.epoch, reason);
}

void Watches::CheckReason(Number who, Number target, Epoch since,
                          const ExitReason& reason,
                          std::initializer_list<Verb> needed) {
  if (reason.kind() == ExitReason::Kind::kNoConnection) {
    if (lives_.run(who) == lives_.run(target)) {
      journal_.Break(kTruly, absl::StrCat("#", who, " has no connection with #",
                                          target, " of its own node"));
    }
    return sessions_.SaidToBeOver(lives_.run(who), lives_.run(target), since);
  }
  if (lives_.has_ended(target)) return;
  if (absl::IsPermissionDenied(reason.status())) {
    if (std::all_of(needed.begin(), needed.end(), [&](Verb verb) {
          return rules_.SurelyMay(lives_.run(who), verb, target);
        })) {
      journal_.Break(Rules::kAllowed,
                     absl::StrCat("#", who, " may not watch #", target, ": ",
                                  reason.ToString()));
    }
    return;
  }
  journal_.Break(kTruly, absl::StrCat("#", who, " is told that #", target,
                                      " has ended: ", reason.ToString()));
}

void Watches::Linked(Number one, Number other, bool traps) {
  journal_.Note("links to", one, other);
  lives_.Linked(one);
  lives_.Linked(other);
  Link& link = links_[{one, other}];
  link.epoch = lives_.EpochOf(one, other);
  link.must_tell = traps && !link.is_disputed;
  link.may_tell = true;
  links_[{other, one}].may_tell = true;
}

void Watches::Unlinked(Number one, Number other) {
  journal_.Note("unlinks from", one, other);
  links_[{one, other}].must_tell = false;
  Link& other_side = links_[{other, one}];
  other_side.must_tell = false;
  other_side.is_disputed = true;
}

void Watches::HearsExit(Number one, Number other, const ExitReason& reason) {
  if (!lives_.counts(one)) return;
  journal_.Note("hears the Exit of", one, other,
                static_cast<uint64_t>(reason.kind()));
  Link& link = links_[{one, other}];
  if (!link.may_tell) {
    journal_.Break(kLinks, absl::StrCat("#", one, " hears of #", other,
                                        ", and was never linked to it"));
  }
  link.must_tell = false;
  // There may be newer requests of both, so the session is not known.
  CheckReason(one, other, Epoch(), reason, {Verb::kWatch, Verb::kStop});
}

void Watches::SaidToHaveEnded(Number who, Number target, Epoch since,
                              const ExitReason& reason) {
  if (!lives_.counts(who)) return;
  journal_.Note("has awaited the end of", who, target,
                static_cast<uint64_t>(reason.kind()));
  CheckReason(who, target, since, reason);
}

void Watches::CheckAtRest() const {
  for (size_t i = 0; i < watches_.size(); ++i) {
    const Watch& watch = watches_[i];
    if (watch.is_over || !lives_.is_alive(watch.watcher)) continue;
    // Who is refused is told at once.
    if (rules_.May(lives_.run(watch.watcher), Verb::kWatch, watch.target) &&
        lives_.is_alive(watch.target) &&
        sessions_.MayHaveLasted(lives_.run(watch.watcher),
                                lives_.run(watch.target), watch.epoch)) {
      continue;
    }
    journal_.Break(kOneDown,
                   absl::StrCat("#", watch.watcher, " does not hear of #",
                                watch.target, " by monitor ", i + 1));
  }
  for (const auto& [pair, link] : links_) {
    const auto [one, other] = pair;
    if (!link.must_tell || !lives_.is_alive(one)) continue;
    if (lives_.is_alive(other) &&
        sessions_.MayHaveLasted(lives_.run(one), lives_.run(other),
                                link.epoch)) {
      continue;
    }
    journal_.Break(kLinks,
                   absl::StrCat("#", one, " does not hear of #", other));
  }
}

}  // namespace troupe::cluster_swarm
