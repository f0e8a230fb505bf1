#include "troupe/testing/swarm/cluster/lives.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/far_cell.h"

namespace troupe::cluster_swarm {
namespace {

constexpr std::string_view kEnds = "an end that is asked for comes";
constexpr std::string_view kUnasked = "nobody ends unasked";

}  // namespace

Number Lives::Conceive(NodeRun run) {
  lives_.push_back({.run = run});
  return static_cast<Number>(lives_.size());
}

void Lives::Unborn(Number who) { lives_[who - 1].ended = true; }

void Lives::Born(Number who, const AnyActorRef& ref) {
  if (!lives_[who - 1].ref.IsNull()) return;
  journal_.Note("is born on", who, run(who));
  lives_[who - 1].ref = ref;
  numbers_[ref.id().value()] = who;
}

void Lives::Ended(Number who) {
  // What a crash leaves is destroyed some time, too.
  if (!counts(who)) return;
  journal_.Note("has ended on", who, run(who));
  Life& life = lives_[who - 1];
  life.ended = true;
  // One whose child has failed may fail, too.
  if (life.parent != 0 && MayEnd(who)) lives_[life.parent - 1].has_lost = true;
  if (!life.ref.IsNull() && !MayEnd(who)) {
    journal_.Break(kUnasked, absl::StrCat("#", who, " ends, of the parent #",
                                          life.parent));
  }
}

bool Lives::HasCauseToEnd(Number who) const {
  const Life& life = lives_[who - 1];
  return life.was_asked || life.has_lost || (life.is_linked && !life.traps) ||
         (life.parent != 0 && MayEnd(life.parent));
}

bool Lives::MayEnd(Number who) const {
  return HasCauseToEnd(who) || lives_[who - 1].starter != 0;
}

void Lives::AskedToEnd(NodeRun run, Number who, bool surely) {
  journal_.Note("is a node on which an end is wanted of", run, who);
  lives_[who - 1].was_asked = true;
  if (!surely) return;
  wishes_.push_back({run, who, sessions_.EpochOf(run, this->run(who))});
}

Number Lives::NumberOf(ActorId id) const {
  const auto found =
      numbers_.find(id.value() & troupe::internal::FarCell::kIdMask);
  return found != numbers_.end() ? found->second : 0;
}

size_t Lives::alive(NodeRun run) const {
  return static_cast<size_t>(std::count_if(
      lives_.begin(), lives_.end(),
      [&](const Life& life) { return life.run == run && !life.ended; }));
}

void Lives::SoughtInVain(NodeRun run, ActorId id) {
  if (id.value() > troupe::internal::FarCell::kIdMask) return;
  const Number who = NumberOf(id);
  if (who == 0 || this->run(who) == run) return;
  journal_.Break(kReachesNoOther,
                 absl::StrCat("what was for #", who, " of node run ",
                              this->run(who), " came to node run ", run));
}

void Lives::CheckAtRest() {
  for (const Wish& wish : wishes_) {
    if (lives_[wish.who - 1].ended ||
        !sessions_.Lasted(wish.run, run(wish.who), wish.epoch)) {
      continue;
    }
    journal_.Break(kEnds, absl::StrCat("#", wish.who, " lives on"));
  }
  wishes_.clear();
}

}  // namespace troupe::cluster_swarm
