#include "troupe/cluster/internal/group_book.h"

#include <algorithm>
#include <string>
#include <utility>

#include "troupe/mailbox/envelope.h"
#include "troupe/registry/group_pick.h"
#include "troupe/registry/groups.h"

namespace troupe::internal {
namespace {

GroupName ToName(GroupNameView group) {
  return {.scope = std::string(group.scope), .name = std::string(group.name)};
}

std::vector<AnyActorRef> ToVector(absl::Span<const AnyActorRef> members) {
  return {members.begin(), members.end()};
}

}  // namespace

// The members of each node have numbers of their own, the same in each run, so
// that all nodes pick the same one for a key.
GroupBook::GroupBook(ActorSystem& system, absl::string_view node)
    : seam_(system.Get<Groups>()) {
  seam_.Connect(*this, GroupKey(node).hash());
}

absl::Status GroupBook::Add(const GroupRange& range,
                            const GroupProtocol& protocol, WireTypeList types) {
  bool is_new = false;
  absl::Status status = seam_.Share(range, protocol, [&] {
    absl::MutexLock lock(&mu_);
    const size_t before = shares_.size();
    shares_.Set(range, std::make_shared<Share>(Share{protocol, types}));
    is_new = shares_.size() != before;
    if (!is_new) return;
    for (auto& [source, peer] : peers_) {
      Tell(peer, {GroupNews::Kind::kWanted, range, {}, {}, types});
    }
  });
  if (status.ok() && is_new) LookAndTell(range, nullptr);
  return status;
}

std::shared_ptr<const GroupBook::Share> GroupBook::Find(
    GroupNameView group) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto* const share = shares_.Find(group);
  return share != nullptr ? *share : nullptr;
}

void GroupBook::Open(FarCell& cell, uint64_t session_number) {
  absl::MutexLock lock(&mu_);
  Peer& peer = peers_[GroupSourceOf(cell)];
  peer.cell = &cell;
  peer.session_number = session_number;
  shares_.ForEach([&](const GroupRange& range, const auto& share) {
    mu_.AssertHeld();
    Tell(peer, {GroupNews::Kind::kWanted, range, {}, {}, share->types});
  });
}

bool GroupBook::Hears(const Peer& peer, GroupNameView group) {
  const Filter* const may_hear = peer.wanted.Find(group);
  if (may_hear == nullptr) return false;
  return *may_hear == nullptr || (*may_hear)(ToName(group));
}

bool GroupBook::OnWanted(FarCell& cell, const GroupRange& range,
                         Filter may_hear) {
  {
    absl::MutexLock lock(&mu_);
    Peer& peer = peers_[GroupSourceOf(cell)];
    if (peer.wanted.size() == kMaxWanted) return false;
    if (!peer.wanted.Set(range, std::move(may_hear))) return true;
  }
  LookAndTell(range, &cell);
  return true;
}

void GroupBook::OnTaken(FarCell& cell) {
  absl::MutexLock lock(&mu_);
  const auto peer = peers_.find(GroupSourceOf(cell));
  if (peer != peers_.end()) --peer->second.waiting;
}

size_t GroupBook::waiting() const {
  absl::ReaderMutexLock lock(&mu_);
  size_t waiting = 0;
  for (const auto& [source, peer] : peers_) {
    waiting += peer.waiting + peer.left_out.size();
  }
  return waiting;
}

void GroupBook::CatchUp(FarCell& cell) {
  std::set<GroupName> left_out;
  {
    absl::MutexLock lock(&mu_);
    const auto peer = peers_.find(GroupSourceOf(cell));
    if (peer == peers_.end()) return;
    // What changes from here on is told behind what follows, or in it.
    std::swap(left_out, peer->second.left_out);
  }
  for (const GroupName& group : left_out) LookAndTell(group, &cell);
}

void GroupBook::Close(FarCell& cell) {
  {
    absl::MutexLock lock(&mu_);
    peers_.erase(GroupSourceOf(cell));
  }
  seam_.Drop(GroupSourceOf(cell));
}

void GroupBook::OnLocalChange(const LocalGroupChange& change) {
  absl::MutexLock lock(&mu_);
  const auto* const share = shares_.Find(change.group);
  if (share == nullptr) return;
  std::vector<std::shared_ptr<const GroupNews>> news;
  for (auto& [source, peer] : peers_) {
    if (!Hears(peer, change.group)) continue;
    if (peer.waiting >= kMaxWaiting || !peer.left_out.empty()) {
      if (peer.left_out.empty()) {
        peer.cell->TakeFromSession(
            peer.session_number, EnvelopePtr(MakeEnvelope<GroupsChangedOut>()));
      }
      peer.left_out.insert(ToName(change.group));
      continue;
    }
    if (news.empty()) {
      const GroupRange group(ToName(change.group));
      for (size_t at = 0; at < change.joined.size(); at += kMaxMembers) {
        const auto part = change.joined.subspan(at, kMaxMembers);
        std::vector<uint64_t> numbers(part.size());
        for (size_t i = 0; i < part.size(); ++i) {
          numbers[i] = change.first_number + at + i;
        }
        news.push_back(std::make_shared<GroupNews>(
            GroupNews{GroupNews::Kind::kJoined, group, ToVector(part),
                      std::move(numbers), (*share)->types}));
      }
      for (size_t at = 0; at < change.left.size(); at += kMaxMembers) {
        news.push_back(std::make_shared<GroupNews>(
            GroupNews{GroupNews::Kind::kLeft,
                      group,
                      ToVector(change.left.subspan(at, kMaxMembers)),
                      {},
                      (*share)->types}));
      }
    }
    for (const auto& one : news) Push(peer, one);
  }
}

void GroupBook::LookAndTell(const GroupRange& range, FarCell* only) {
  seam_.LookAtLocal(
      range, [&](const GroupName& group, absl::Span<const Numbered> members) {
        absl::MutexLock lock(&mu_);
        for (auto& [source, peer] : peers_) {
          if (only != nullptr && peer.cell != only) continue;
          if (Hears(peer, group)) TellAll(peer, group, members);
        }
      });
}

void GroupBook::TellAll(Peer& peer, const GroupName& group,
                        absl::Span<const Numbered> members) {
  const auto* const share = shares_.Find(group);
  if (share == nullptr) return;
  size_t at = 0;
  do {
    const auto part = members.subspan(at, kMaxMembers);
    at += part.size();
    GroupNews news{at < members.size() ? GroupNews::Kind::kAllBegins
                                       : GroupNews::Kind::kAll,
                   group,
                   {},
                   {},
                   (*share)->types};
    for (const Numbered& one : part) {
      news.members.push_back(one.member);
      news.numbers.push_back(one.number);
    }
    Tell(peer, std::move(news));
  } while (at < members.size());
}

void GroupBook::Tell(Peer& peer, GroupNews news) {
  Push(peer, std::make_shared<GroupNews>(std::move(news)));
}

void GroupBook::Push(Peer& peer, std::shared_ptr<const GroupNews> news) {
  // What is wanted is not part of what is said.
  const uint64_t sequence =
      news->kind != GroupNews::Kind::kWanted ? ++peer.sequence : 0;
  ++peer.waiting;
  peer.cell->TakeFromSession(
      peer.session_number,
      EnvelopePtr(MakeEnvelope<GroupNewsOut>(std::move(news), sequence)));
}

}  // namespace troupe::internal
