#include "troupe/testing/swarm/cluster/crowds.h"

#include <string_view>

#include "absl/strings/str_cat.h"

namespace troupe::cluster_swarm {
namespace {

constexpr std::string_view kMembers = "groups have their members";
constexpr std::string_view kSent = "what is sent to a group comes";
constexpr std::string_view kTold = "monitors of groups are told all";

std::string TargetOf(size_t group) {
  return absl::StrCat("group:", Crowds::NameOf(group).ToString());
}

}  // namespace

GroupName Crowds::NameOf(size_t group) {
  return {.scope = group + 1 == kGroups ? std::string(kScope) : std::string(),
          .name = absl::StrCat("g", group)};
}

bool Crowds::IsMember(size_t group, Number who) const {
  const auto found = members_.find({group, who});
  return found != members_.end() && found->second.lasts;
}

void Crowds::Joins(size_t group, Number who) {
  journal_.Note("joins a group", who, 0, group);
  Membership& membership = members_[{group, who}];
  membership.lasts = true;
  ++membership.serial;
}

void Crowds::Leaves(size_t group, Number who) {
  journal_.Note("leaves a group", who, 0, group);
  members_[{group, who}].lasts = false;
}

void Crowds::LostNode(NodeRun run, NodeRun peer,
                      absl::Span<const AnyActorRef> members) {
  for (const AnyActorRef& member : members) {
    const Number who = lives_.NumberOf(member.id());
    if (who == 0 || peer == 0 || lives_.run(who) != peer) continue;
    journal_.Break(kMembers, absl::StrCat("node run ", run, " has lost #", who,
                                          "'s, and knows it as a member"));
  }
}

uint32_t Crowds::Sends(Number sender, size_t group, bool surely,
                       absl::Span<const AnyActorRef> members) {
  const uint32_t number = ++sent_numbers_[{group, sender}];
  journal_.Note("sends to all of a group", sender, static_cast<uint32_t>(group),
                number);
  if (!surely) return number;
  for (const AnyActorRef& ref : members) {
    const Number member = lives_.NumberOf(ref.id());
    if (member == 0 || !IsMember(group, member)) continue;
    if (!rules_.MayOn(lives_.run(sender), Verb::kSend,
                      sessions_.id(lives_.run(member)).name, TargetOf(group))) {
      continue;
    }
    sent_.push_back({sender, member, group, number,
                     members_[{group, member}].serial,
                     lives_.EpochOf(sender, member)});
  }
  return number;
}

void Crowds::Hears(Number who, Number sender, size_t group, uint32_t number) {
  if (!lives_.counts(who)) return;
  journal_.Note("hears, of all of a group, from", who, sender, number);
  if (!rules_.MayOn(lives_.run(sender), Verb::kSend,
                    sessions_.id(lives_.run(who)).name, TargetOf(group))) {
    journal_.Break(Rules::kNoTrace, absl::StrCat("#", who, " hears what #",
                                                 sender, " says to a group"));
  }
  if (members_[{group, who}].serial == 0) {
    journal_.Break(kSent, absl::StrCat("#", who, " never was a member"));
  }
  if (!heard_.insert({who, sender, static_cast<uint32_t>(group), number})
           .second) {
    journal_.Break(kSent, absl::StrCat("#", who, " hears ", number, " of #",
                                       sender, " twice"));
  }
}

// -- monitors

void Crowds::Monitors(Number who) {
  journal_.Note("monitors groups", who);
  Monitor& monitor = monitors_[who];
  if (!monitor.is_on) monitor = {.is_on = true};
}

void Crowds::Demonitors(Number who, bool was_on) {
  journal_.Note("demonitors groups", who);
  Monitor& monitor = monitors_[who];
  if (was_on != monitor.is_on) {
    journal_.Break(kTold, absl::StrCat("#", who, " has begun to monitor"));
  }
  monitor.is_on = false;
}

void Crowds::Told(Number who, const GroupChanged& change) {
  if (!lives_.counts(who)) return;
  const auto broken = [&](std::string_view rule) {
    journal_.Break(kTold,
                   absl::StrCat("#", who, ": ",
                                absl::string_view(rule.data(), rule.size())));
  };
  size_t group = 0;
  while (group < kGroups && NameOf(group) != change.group) ++group;
  journal_.Note("is told of a group", who, 0, group);
  if (group == kGroups) return broken("it is told of a group that is none");
  Monitor& monitor = monitors_[who];
  if (!monitor.is_on) return broken("nothing arrives once it has ended");
  Known& known = monitor.groups[group];
  if (change.version <= known.version) {
    broken("each change is told once, and in order");
  }
  known.version = change.version;
  for (const AnyActorRef& member : change.joined) {
    ++known.times[member.id().value()];
  }
  for (const AnyActorRef& member : change.left) {
    const auto found = known.times.find(member.id().value());
    if (found == known.times.end()) return broken("who leaves has joined");
    if (--found->second == 0) known.times.erase(found);
  }
}

// -- at rest

void Crowds::CheckAtRest(NodeRun run, size_t group,
                         absl::Span<const AnyActorRef> members) {
  std::map<Number, int> listed;
  std::map<uint64_t, uint32_t> times;
  for (const AnyActorRef& member : members) {
    ++listed[lives_.NumberOf(member.id())];
    ++times[member.id().value()];
  }
  const auto broken = [&](Number who, std::string_view how) {
    journal_.Break(kMembers,
                   absl::StrCat("to node run ", run, ", #", who, " ",
                                absl::string_view(how.data(), how.size()),
                                " a member of ", NameOf(group).ToString()));
  };
  for (const auto& [key, membership] : members_) {
    const auto [in, who] = key;
    if (in != group || !membership.lasts || !lives_.is_alive(who) ||
        !rules_.MayOn(run, Verb::kWatch, sessions_.id(lives_.run(who)).name,
                      TargetOf(group)) ||
        !rules_.MayKnowOn(lives_.run(who), sessions_.id(run).name,
                          TargetOf(group))) {
      continue;
    }
    if (listed[who] != 1) broken(who, "is not once");
    listed.erase(who);
  }
  for (const auto& [who, count] : listed) {
    if (count != 0) broken(who, "is");
  }
  for (const auto& [who, monitor] : monitors_) {
    if (!monitor.is_on || !lives_.is_alive(who) || lives_.run(who) != run) {
      continue;
    }
    if (monitor.groups[group].times != times) {
      journal_.Break(kTold,
                     absl::StrCat("#", who, " does not know who are ",
                                  "the members of ", NameOf(group).ToString()));
    }
  }
}

void Crowds::CheckAllAtRest() {
  for (const Sent& sent : sent_) {
    if (!lives_.is_alive(sent.member) || !IsMember(sent.group, sent.member) ||
        members_[{sent.group, sent.member}].serial != sent.serial ||
        !sessions_.Lasted(lives_.run(sent.sender), lives_.run(sent.member),
                          sent.epoch)) {
      continue;
    }
    if (!heard_.contains({sent.member, sent.sender,
                          static_cast<uint32_t>(sent.group), sent.number})) {
      journal_.Break(kSent, absl::StrCat("#", sent.member, " never hears ",
                                         sent.number, " of #", sent.sender));
    }
  }
  sent_.clear();
}

}  // namespace troupe::cluster_swarm
