#include "troupe/testing/swarm/cluster/mail.h"

#include <string_view>

#include "absl/strings/str_cat.h"

namespace troupe::cluster_swarm {
namespace {

constexpr std::string_view kOrder = "order of each pair";
constexpr std::string_view kLoss = "nothing is lost in a session";

}  // namespace

Stamp Mail::Sends(Number sender, Number receiver, Way way, bool surely) {
  Pair& pair = pairs_[{sender, receiver, way}];
  Stamp stamp{.sender = sender,
              .receiver = receiver,
              .way = way,
              .number = ++pair.sent};
  const Epoch epoch = lives_.EpochOf(sender, receiver);
  if (way == Way::kNormal) stamp.tick = NextTick(sender);
  if (surely && epoch.is_up() &&
      rules_.SurelyMay(lives_.run(sender), Verb::kSend, receiver)) {
    if (pair.sent_epoch != epoch.changes()) {
      pair.sent_epoch = epoch.changes();
      pair.sent_index = 0;
    }
    stamp.epoch = epoch.changes();
    stamp.index = ++pair.sent_index;
  }
  journal_.Note("sends to", sender, receiver, stamp.number);
  return stamp;
}

void Mail::Refused(const Stamp& stamp) {
  journal_.Note("is refused by", stamp.sender, stamp.receiver, stamp.number);
  Pair& pair = pairs_[{stamp.sender, stamp.receiver, stamp.way}];
  // A session may have begun while it was refused.
  if (stamp.index != 0 && stamp.epoch == pair.sent_epoch) --pair.sent_index;
}

void Mail::Handled(Number who, const Stamp& stamp) {
  if (!lives_.counts(who)) return;
  journal_.Note("handles, sent by", who, stamp.sender, stamp.number);
  if (who != stamp.receiver) {
    journal_.Break(
        kReachesNoOther,
        absl::StrCat("#", who, " gets what was for #", stamp.receiver));
  }
  if (!rules_.May(lives_.run(stamp.sender), Verb::kSend, who)) {
    journal_.Break(Rules::kNoTrace,
                   absl::StrCat("#", who, " gets message ", stamp.number,
                                " of #", stamp.sender));
  }
  if (stamp.tick != 0) HeardTick(stamp.sender, who, stamp.tick);
  Pair& pair = pairs_[{stamp.sender, stamp.receiver, stamp.way}];
  if (stamp.number <= pair.handled) {
    journal_.Break(
        kOrder, absl::StrCat("#", who, " gets message ", stamp.number, " of #",
                             stamp.sender, " behind ", pair.handled));
  }
  pair.handled = stamp.number;
  if (stamp.index == 0) return;
  const bool is_first = stamp.epoch != pair.handled_epoch;
  const uint32_t expected = is_first ? 1 : pair.handled_index + 1;
  if (stamp.index != expected) {
    journal_.Break(kLoss,
                   absl::StrCat("#", who, " misses messages ", expected, " to ",
                                stamp.index - 1, " of #", stamp.sender,
                                " in its session ", stamp.epoch));
  }
  pair.handled_epoch = stamp.epoch;
  pair.handled_index = stamp.index;
}

void Mail::HeardTick(Number sender, Number who, uint64_t tick) {
  uint64_t& heard = heard_ticks_[{sender, who}];
  if (tick <= heard) {
    journal_.Break(kOrder,
                   absl::StrCat("#", who, " gets the ", tick, "th of all of #",
                                sender, " behind the ", heard, "th"));
  }
  heard = tick;
}

void Mail::CheckAtRest() {
  for (const auto& [key, pair] : pairs_) {
    if (pair.sent_epoch == 0 || !lives_.is_alive(key.receiver) ||
        !sessions_.Lasted(lives_.run(key.sender), lives_.run(key.receiver),
                          Epoch(pair.sent_epoch))) {
      continue;
    }
    const uint32_t handled =
        pair.handled_epoch == pair.sent_epoch ? pair.handled_index : 0;
    if (handled != pair.sent_index) {
      journal_.Break(kLoss,
                     absl::StrCat("#", key.receiver, " got ", handled, " of ",
                                  pair.sent_index, " messages of #", key.sender,
                                  " in a session that lasts"));
    }
  }
}

}  // namespace troupe::cluster_swarm
