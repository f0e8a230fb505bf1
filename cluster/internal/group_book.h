// Which groups a node shares, and what it has to say of them to which session.
//
// A group crosses if both nodes share it. A session begins with what each of
// them wants to hear of; to that the other one answers with all members that it
// has, and from then on with each change.
//
// Bounds: a session that does not come to write what it is told gets, beyond
// kMaxWaiting changes, no more of them, but all members of the groups that have
// changed, once it does.
// Lock order: behind that of the groups.
// Thread safety: any thread; outside the seat.
#ifndef TROUPE_CLUSTER_INTERNAL_GROUP_BOOK_H_
#define TROUPE_CLUSTER_INTERNAL_GROUP_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_range.h"
#include "troupe/registry/internal/group_seam.h"
#include "troupe/registry/internal/group_shares.h"

namespace troupe::internal {

// Whose members the peer's are.
inline GroupSource GroupSourceOf(const FarCell& peer) {
  return static_cast<GroupSource>(peer.IdOf(0) >> FarCell::kIdBits);
}

// What is said of one group; read by all sessions that are told.
struct GroupNews {
  enum class Kind : uint8_t { kJoined, kAll, kAllBegins, kLeft, kWanted };
  Kind kind;
  GroupRange range;  // kWanted; else a group.
  std::vector<AnyActorRef> members;
  std::vector<uint64_t> numbers;  // Of members; kLeft: none.
  WireTypeList types;
};

// Tells a session, in its data queue, what to write.
struct GroupNewsOut {
  std::shared_ptr<const GroupNews> news;
  uint64_t sequence;
};
// Tells it to ask for what was left out; see GroupBook::CatchUp().
struct GroupsChangedOut {};

class GroupBook final : public GroupRelay {
 public:
  struct Share {
    GroupProtocol protocol;
    WireTypeList types;
  };
  // Whether a peer may hear of the group; null: of all. Under the lock.
  using Filter = std::function<bool(const GroupName&)>;
  static constexpr size_t kMaxWaiting = 16384;
  // Members in one item, which fits in half of the shortest frames.
  static constexpr size_t kMaxMembers = 256;
  // A peer that wants more means no good.
  static constexpr size_t kMaxWanted = 1 << 16;

  // Outlives the actors of `system`.
  GroupBook(ActorSystem& system, absl::string_view node);

  // From now on the node shares these groups; see GroupSeam::Share().
  absl::Status Add(const GroupRange& range, const GroupProtocol& protocol,
                   WireTypeList types) ABSL_LOCKS_EXCLUDED(mu_);
  // What is known of a group that is shared; null: it is not.
  std::shared_ptr<const Share> Find(GroupNameView group) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // -- for sessions

  // The session with `peer` has begun.
  void Open(FarCell& peer, uint64_t session_number) ABSL_LOCKS_EXCLUDED(mu_);
  // The peer wants to hear of these, and does of those that it may: it is told
  // of their members once, as few bytes ask for many. False: of too many.
  [[nodiscard]] bool OnWanted(FarCell& peer, const GroupRange& range,
                              Filter may_hear) ABSL_LOCKS_EXCLUDED(mu_);
  // The session has taken a GroupNewsOut.
  void OnTaken(FarCell& peer) ABSL_LOCKS_EXCLUDED(mu_);
  // It has taken a GroupsChangedOut: tells it what was left out.
  void CatchUp(FarCell& peer) ABSL_LOCKS_EXCLUDED(mu_);
  // It is over: what it has said of members there is dropped.
  void Close(FarCell& peer) ABSL_LOCKS_EXCLUDED(mu_);

  GroupSeam& seam() { return seam_; }

  // How much of what is said waits for sessions to take it.
  size_t waiting() const ABSL_LOCKS_EXCLUDED(mu_);

  void OnLocalChange(const LocalGroupChange& change) override
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Peer {
    FarCell* cell = nullptr;
    uint64_t session_number = 0;
    GroupShares<Filter> wanted;
    uint64_t sequence = 0;
    size_t waiting = 0;
    std::set<GroupName> left_out;
  };
  using Numbered = GroupSeam::Numbered;

  static bool Hears(const Peer& peer, GroupNameView group);
  void Tell(Peer& peer, GroupNews news) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Push(Peer& peer, std::shared_ptr<const GroupNews> news)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TellAll(Peer& peer, const GroupName& group,
               absl::Span<const Numbered> members)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Tells the sessions that want them, or `only` that one.
  void LookAndTell(const GroupRange& range, FarCell* only)
      ABSL_LOCKS_EXCLUDED(mu_);

  GroupSeam seam_;
  mutable absl::Mutex mu_;
  GroupShares<std::shared_ptr<const Share>> shares_ ABSL_GUARDED_BY(mu_);
  std::map<GroupSource, Peer> peers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_GROUP_BOOK_H_
