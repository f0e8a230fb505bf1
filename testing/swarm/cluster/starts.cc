#include "troupe/testing/swarm/cluster/starts.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace troupe::cluster_swarm {
namespace {

constexpr std::string_view kOne = "a start starts one actor";
constexpr std::string_view kOwner = "a started actor ends with its owner";
constexpr std::string_view kNobody = "nobody knows of no actor";
constexpr std::string_view kChild = "there is one child";

}  // namespace

uint32_t Starts::Asked(NodeRun run, const std::string& node, Number owner) {
  const NodeRun peer =
      sessions_.id(run).name == node ? run : sessions_.PeerOf(run, node);
  starts_.push_back(
      {.run = run,
       .node = node,
       .owner = owner,
       .epoch = peer != 0 ? sessions_.EpochOf(run, peer) : Epoch(),
       .may = rules_.MayOn(run, Verb::kSpawn, node, Rules::kFactory)});
  const uint32_t number = static_cast<uint32_t>(starts_.size());
  journal_.Note("is a node that asks for a start, for", run, owner, number);
  return number;
}

uint32_t Starts::Supervised(NodeRun run, const std::string& node) {
  const uint32_t number = Asked(run, node, 0);
  Get(number).is_supervised = true;
  return number;
}

void Starts::Begins(uint32_t number, Number who) {
  Start& start = Get(number);
  lives_.StartedFrom(who, start.run);
  if (!lives_.counts(who)) return;
  journal_.Note("is started by", who, start.run, number);
  if (sessions_.id(lives_.run(who)).name != start.node) {
    journal_.Break(kReachesNoOther, "a start reaches another node");
  }
  if (!start.may) {
    journal_.Break(Rules::kNoTrace, absl::StrCat("#", who, " is started"));
  }
  if (!start.is_supervised && !start.instances.empty()) {
    journal_.Break(kOne, absl::StrCat("#", who, " is started by the start ",
                                      number, ", too"));
  }
  for (const Instance& other : start.instances) {
    if (!start.is_supervised || !last_ || !in_time_ ||
        !lives_.is_alive(other.who)) {
      continue;
    }
    journal_.Break(kChild, absl::StrCat("#", who, " is started, and #",
                                        other.who, " has not ended"));
  }
  start.instances.push_back(
      {who,
       start.owner != 0 ? lives_.EpochOf(who, start.owner)
                        : sessions_.EpochOf(lives_.run(who), start.run),
       journal_.now()});
}

void Starts::Answered(uint32_t number, const absl::StatusOr<Number>& started) {
  Start& start = Get(number);
  if (!sessions_.is_running(start.run)) return;
  journal_.Note("is a node that hears of a start", start.run,
                started.ok() ? *started : 0,
                static_cast<uint64_t>(started.status().code()));
  start.is_known = started.ok();
  if (started.ok()) {
    if (start.instances.size() != 1 || start.instances[0].who != *started) {
      journal_.Break(
          kOne, absl::StrCat("the start ", number, " is said to have started #",
                             *started));
    }
    return;
  }
  if (start.may && absl::IsPermissionDenied(started.status())) {
    journal_.Break(Rules::kAllowed, started.status().ToString());
  }
  // What has a request to answer may have no time left.
  if (last_ && start.may && start.epoch.is_up() &&
      !absl::IsDeadlineExceeded(started.status()) &&
      !absl::IsCancelled(started.status())) {
    journal_.Break(kOne, absl::StrCat("the start ", number,
                                      " fails: ", started.status().ToString()));
  }
}

bool Starts::IsWaiting() const {
  for (const Start& start : starts_) {
    if (start.is_supervised || start.is_known) continue;
    for (const Instance& instance : start.instances) {
      if (lives_.is_alive(instance.who) &&
          journal_.now() <
              instance.begun + kKept +
                  (in_time_ ? absl::ZeroDuration() : kStandstills)) {
        return true;
      }
    }
  }
  return false;
}

void Starts::CheckAtRest() const {
  for (const Start& start : starts_) {
    if (start.is_supervised) {
      CheckChild(start);
      continue;
    }
    for (const Instance& instance : start.instances) CheckOne(start, instance);
  }
}

void Starts::CheckOne(const Start& start, const Instance& instance) const {
  const Number who = instance.who;
  if (!lives_.counts(who)) return;
  const bool is_owned =
      start.owner == 0 ||
      (lives_.is_alive(start.owner) &&
       sessions_.MayHaveLasted(lives_.run(who), lives_.run(start.owner),
                               instance.to_owner) &&
       rules_.May(lives_.run(who), Verb::kWatch, start.owner));
  if (lives_.is_alive(who)) {
    if (!is_owned) {
      journal_.Break(kOwner,
                     absl::StrCat("#", who, " outlives #", start.owner));
    }
    if (!start.is_known) {
      journal_.Break(kNobody, absl::StrCat("#", who, " runs for nobody"));
    }
    return;
  }
  if (last_ && start.is_known && is_owned && !lives_.HasCauseToEnd(who) &&
      (start.owner == 0 ||
       rules_.SurelyMay(lives_.run(who), Verb::kWatch, start.owner))) {
    journal_.Break(kOwner,
                   absl::StrCat("#", who, " ends before #", start.owner));
  }
}

void Starts::CheckChild(const Start& start) const {
  size_t alive = 0;
  for (const Instance& instance : start.instances) {
    if (lives_.is_alive(instance.who)) ++alive;
  }
  const bool is_running = sessions_.is_running(start.run);
  const bool may = is_running && start.may;
  if (alive != (may ? 1 : 0)) {
    journal_.Break(kChild, absl::StrCat("of a child that ",
                                        is_running ? "node run " : "lost run ",
                                        start.run, " supervises on ",
                                        start.node, ", ", alive, " run"));
  }
}

}  // namespace troupe::cluster_swarm
