#include "troupe/cluster/internal/group_exchange.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/log.h"
#include "troupe/cluster/internal/exports.h"

namespace troupe::internal {
namespace {

absl::Status NoSense(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("what is said of groups: ", what));
}

// Of a name that the peer says, before it is kept or logged.
absl::Status CheckSaidName(GroupNameView group) {
  absl::Status status = CheckGroupName(group);
  return status.ok() ? status : NoSense(status.message());
}

GroupSaidItem::How HowOf(GroupNews::Kind kind) {
  switch (kind) {
    case GroupNews::Kind::kAll:
      return GroupSaidItem::kAll;
    case GroupNews::Kind::kAllBegins:
      return GroupSaidItem::kAllBegins;
    default:
      return GroupSaidItem::kJoined;
  }
}

}  // namespace

// -- out

void GroupExchange::Append(const GroupNewsOut& out, NumberOf number_of,
                           Encoder& frame) {
  node_.groups().OnTaken(peer_);
  const GroupNews& news = *out.news;
  if (news.kind == GroupNews::Kind::kWanted) {
    const bool is_scope = news.range.kind() == GroupRange::Kind::kScope;
    return AppendItem(
        GroupsWantedItem{news.range.scope(),
                         is_scope ? std::string() : news.range.name().name},
        frame);
  }
  const GroupName& group = news.range.name();
  if (news.kind == GroupNews::Kind::kLeft) {
    GroupLeftItem item{out.sequence, group.scope, group.name, {}};
    for (const AnyActorRef& member : news.members) {
      item.ids.push_back(member.id().value());
    }
    return AppendItem(item, frame);
  }
  GroupSaidItem item{out.sequence, group.scope, group.name, HowOf(news.kind),
                     {},           {},          {}};
  for (const WireType* const type : news.types) {
    // Without it they fit nowhere, as the other end says.
    if (const std::optional<uint64_t> number = number_of(*type)) {
      item.types.push_back(static_cast<uint32_t>(*number));
    }
  }
  for (size_t i = 0; i < news.members.size(); ++i) {
    const AnyActorRef& member = news.members[i];
    // It can be addressed one by one, too.
    if (absl::Status status = node_.exports().Add(member); !status.ok()) {
      node_.system().logger().Log(LogSeverity::kError, status.ToString());
      continue;
    }
    item.ids.push_back(member.id().value());
    item.numbers.push_back(news.numbers[i]);
  }
  AppendItem(item, frame);
}

// -- in

absl::Status GroupExchange::OnWanted(const GroupsWantedItem& item,
                                     GroupBook::Filter may_hear) {
  const bool is_scope = item.name.empty();
  GroupName name{item.scope, item.name};
  if (absl::Status status =
          CheckSaidName(GroupNameView(name.scope, is_scope ? "*" : name.name));
      !status.ok()) {
    return status;
  }
  const GroupRange range =
      is_scope ? GroupRange::Scope(item.scope) : GroupRange(std::move(name));
  if (!node_.groups().OnWanted(peer_, range, std::move(may_hear))) {
    return NoSense("too much of it");
  }
  return absl::OkStatus();
}

absl::Status GroupExchange::CheckSequence(uint64_t sequence) {
  if (sequence == heard_ + 1) {
    heard_ = sequence;
    return absl::OkStatus();
  }
  return NoSense(
      absl::StrCat("the ", sequence, "th comes behind the ", heard_, "th"));
}

absl::Status GroupExchange::Read(absl::Span<const uint64_t> ids,
                                 std::vector<AnyActorRef>& members) {
  members.reserve(ids.size());
  for (const uint64_t id : ids) {
    if (id == 0 || id > FarCell::kIdMask) {
      return NoSense(absl::StrCat("an actor has no id ", id));
    }
    members.push_back(peer_.RefTo(id));
  }
  return absl::OkStatus();
}

size_t GroupExchange::MembersOf(const GroupName& group) const {
  const auto found = members_.find(group);
  return found != members_.end() ? found->second : 0;
}

void GroupExchange::SetMembersOf(const GroupName& group, size_t count) {
  cost_ += Cost(count) - Cost(MembersOf(group));
  if (count == 0) {
    members_.erase(group);
  } else {
    members_[group] = count;
  }
}

bool GroupExchange::Fits(const GroupName& group, const GroupBook::Share& share,
                         absl::Span<const uint32_t> types, FindType find) {
  std::string misses;
  std::vector<const WireType*> taken;
  absl::Status differs;
  for (const uint32_t number : types) {
    absl::Status why;
    if (const WireType* const type = find(number, why)) taken.push_back(type);
    if (!why.ok()) differs = why;
  }
  for (const WireType* const type : share.types) {
    if (std::find(taken.begin(), taken.end(), type) != taken.end()) continue;
    misses = absl::StrCat(misses, misses.empty() ? "" : ", ", type->name);
  }
  if (misses.empty()) {
    unfit_.erase(group);
    return true;
  }
  if (unfit_.size() < kMaxUnfit && unfit_.insert(group).second) {
    node_.system().logger().Log(
        LogSeverity::kWarning,
        absl::StrCat("the members of the group '", group.ToString(), "' of ",
                     peer_.node(), " are none of ", node_.self().name,
                     "'s, they do not take ", misses, " as it is here",
                     differs.ok() ? "" : ": ", differs.message()));
  }
  return false;
}

absl::Status GroupExchange::OnSaid(const GroupSaidItem& item, bool may_join,
                                   FindType find) {
  const GroupName group{item.scope, item.name};
  absl::Status makes_sense = CheckSaidName(group);
  if (makes_sense.ok()) makes_sense = CheckSequence(item.sequence);
  if (!makes_sense.ok()) return makes_sense;
  const bool is_one_of_several = item.how == GroupSaidItem::kAllBegins;
  if (item.how > GroupSaidItem::kAllBegins ||
      item.ids.size() != item.numbers.size() ||
      (begun_.has_value() &&
       (begun_->group != group || item.how == GroupSaidItem::kJoined))) {
    return NoSense("an item does not fit the one before");
  }
  std::vector<AnyActorRef> members;
  if (absl::Status status = Read(item.ids, members); !status.ok()) {
    return status;
  }
  Begun said = begun_.has_value() ? *std::move(begun_) : Begun{group, {}};
  begun_.reset();
  for (size_t i = 0; i < members.size(); ++i) {
    said.members.push_back({members[i], item.numbers[i]});
  }
  const size_t before = MembersOf(group);
  const size_t kept = item.how == GroupSaidItem::kJoined ? before : 0;
  if (cost_ - Cost(before) + Cost(kept + said.members.size()) > max_members_) {
    return NoSense("too many members");
  }
  if (is_one_of_several) {
    begun_ = std::move(said);
    return absl::OkStatus();
  }
  // Nothing is known of what this node does not share.
  const std::shared_ptr<const GroupBook::Share> share =
      node_.groups().Find(group);
  if (share == nullptr) return absl::OkStatus();
  if (!may_join || !Fits(group, *share, item.types, find)) said.members.clear();
  GroupSeam& seam = node_.groups().seam();
  const GroupSource source = GroupSourceOf(peer_);
  GroupSeam::Said result{group, std::move(said.members), share->protocol};
  if (item.how == GroupSaidItem::kJoined ? seam.Add(source, result)
                                         : seam.Replace(source, result)) {
    SetMembersOf(group, kept + result.members.size());
  }
  return absl::OkStatus();
}

absl::Status GroupExchange::OnLeft(const GroupLeftItem& item) {
  const GroupName group{item.scope, item.name};
  absl::Status status = CheckSaidName(group);
  if (status.ok()) status = CheckSequence(item.sequence);
  if (!status.ok()) return status;
  if (begun_.has_value()) return NoSense("an item does not fit the one before");
  std::vector<AnyActorRef> members;
  if (status = Read(item.ids, members); !status.ok()) return status;
  const size_t left =
      node_.groups().seam().Remove(GroupSourceOf(peer_), group, members);
  if (left != 0) SetMembersOf(group, MembersOf(group) - left);
  return absl::OkStatus();
}

}  // namespace troupe::internal
