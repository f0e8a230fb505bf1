// What all parts of a node share.
//
// Thread safety: any thread.
#ifndef TROUPE_CLUSTER_INTERNAL_NODE_CORE_H_
#define TROUPE_CLUSTER_INTERNAL_NODE_CORE_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/internal/exports.h"
#include "troupe/cluster/internal/factories.h"
#include "troupe/cluster/internal/group_book.h"
#include "troupe/cluster/internal/offloader.h"
#include "troupe/cluster/internal/targets.h"
#include "troupe/cluster/node_id.h"
#include "troupe/cluster/wire_type.h"

namespace troupe::internal {

class Directory;

// How many nodes are known: each takes one of the numbers that the process has
// for nodes, for ever.
struct NodeLimits {
  // Of those that were only heard of.
  size_t of_all = IdSpace::kMaxNodes / 2;
  size_t of_one_peer = 1024;  // Whichever incarnations of it spoke of them.
  // Incarnations with which there was a session. A node that fails every half
  // minute is served for a day.
  size_t of_one_name = 4096;
};

class NodeCore {
 public:
  // Outlives the actors of `system`.
  NodeCore(ActorSystem& system, NodeId self,
           Authorization authorization = Authorization(),
           NodeLimits limits = {})
      : system_(system),
        self_(std::move(self)),
        authorization_(std::move(authorization)),
        limits_(limits),
        exports_(system),
        targets_(system),
        groups_(system, self_.name),
        offloader_(system) {}

  ActorSystem& system() { return system_; }
  const NodeId& self() const { return self_; }
  WireTypes& types() { return types_; }
  Exports& exports() { return exports_; }
  GroupBook& groups() { return groups_; }
  const Authorization& authorization() const { return authorization_; }
  Targets& targets() { return targets_; }
  Factories& factories() { return factories_; }
  Offloader& offloader() { return offloader_; }

  // Whom other nodes ask for all else. Known before the first session.
  const AnyActorRef& receptionist() const { return receptionist_; }
  void set_receptionist(const AnyActorRef& actor) { receptionist_ = actor; }
  void set_directory(const Directory& directory) { directory_ = &directory; }
  // Those with which there is a session, in the order of their names.
  std::vector<NodeId> Peers() const;
  // The receptionist of the node in `path`, which is "name@node", and the name,
  // which lies within it. kUnavailable: there is no session with it.
  // kInvalidArgument: it is no such path.
  absl::StatusOr<AnyActorRef> ReceptionistFor(absl::string_view path,
                                              absl::string_view& name) const;

  // What references to the actors of another node lead to, with which there is
  // a session. kResourceExhausted: too many have been known, in all or of that
  // name.
  absl::StatusOr<FarCell*> CellOf(const NodeId& node) ABSL_LOCKS_EXCLUDED(mu_);
  // The same for a node that a peer speaks of. Beyond the limits it is a cell
  // that leads nowhere, for all of them, which is logged for each peer once; so
  // peers cannot take the numbers away that the next peers need.
  absl::StatusOr<FarCell*> CellOfThird(const NodeId& node,
                                       const std::string& peer)
      ABSL_LOCKS_EXCLUDED(mu_);
  bool IsNowhere(const FarCell& cell) const ABSL_LOCKS_EXCLUDED(mu_);
  // Null: it is no node of this one's system.
  const NodeId* NodeOf(const FarCell& cell) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::StatusOr<FarCell*> Make(const NodeId& node)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Writes into `news` what is to be logged.
  absl::StatusOr<FarCell*> FindOrMakeThird(const NodeId& node,
                                           const std::string& peer,
                                           std::string& news)
      ABSL_LOCKS_EXCLUDED(mu_);

  ActorSystem& system_;
  const NodeId self_;
  const Authorization authorization_;
  const NodeLimits limits_;
  WireTypes types_;
  Exports exports_;
  Targets targets_;
  GroupBook groups_;
  Factories factories_;
  AnyActorRef receptionist_;
  const Directory* directory_ = nullptr;
  mutable absl::Mutex mu_;
  absl::flat_hash_map<NodeId, FarCell*> cells_ ABSL_GUARDED_BY(mu_);
  absl::node_hash_map<const FarCell*, NodeId> nodes_ ABSL_GUARDED_BY(mu_);
  // How many incarnations there were sessions with.
  absl::flat_hash_map<std::string, size_t> met_ ABSL_GUARDED_BY(mu_);
  // Those with which there was no session, by whom they were heard of first.
  absl::flat_hash_map<NodeId, std::string> heard_of_ ABSL_GUARDED_BY(mu_);
  struct Told {
    size_t nodes = 0;  // Of heard_of_.
    bool is_logged = false;
  };
  absl::flat_hash_map<std::string, Told> told_ ABSL_GUARDED_BY(mu_);
  FarCell* nowhere_ ABSL_GUARDED_BY(mu_) = nullptr;
  Offloader offloader_;  // Waits for those that use the rest.
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_NODE_CORE_H_
