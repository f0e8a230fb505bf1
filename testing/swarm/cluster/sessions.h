// Nodes, and what each is told of the others (clause 31).
//
// Invariants:
//   node events alternate            up, down, up ..., never to an incarnation
//                                    that was before
//   sessions last                    where nothing breaks them
//   nodes meet                       at rest, all of them
#ifndef TROUPE_TESTING_SWARM_CLUSTER_SESSIONS_H_
#define TROUPE_TESTING_SWARM_CLUSTER_SESSIONS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/cluster/node_id.h"
#include "troupe/testing/swarm/cluster/journal.h"

namespace troupe::cluster_swarm {

// What a node knew of a session with another one at some time: how often it has
// heard of its begin or its end.
class Epoch {
 public:
  Epoch() = default;
  explicit Epoch(uint32_t changes) : changes_(changes) {}

  bool is_up() const { return changes_ % 2 != 0; }
  uint32_t changes() const { return changes_; }
  friend bool operator==(Epoch, Epoch) = default;

 private:
  uint32_t changes_ = 0;
};

class Sessions {
 public:
  // `last`: no session ever ends but with its nodes.
  Sessions(Journal& journal, bool last) : journal_(journal), last_(last) {}

  NodeRun Begins(const NodeId& id);
  // It has crashed or left: nothing of it counts any more.
  void Ends(NodeRun run);

  void Up(NodeRun run, const NodeId& peer);
  void Down(NodeRun run, const NodeId& peer, const absl::Status& why);

  bool is_running(NodeRun run) const { return nodes_[run - 1].runs; }
  const NodeId& id(NodeRun run) const { return nodes_[run - 1].id; }
  // 0: there is none.
  NodeRun Find(const NodeId& id) const;
  // The node of that name with which `run` has a session; 0: none.
  NodeRun PeerOf(NodeRun run, const std::string& name) const;

  // With itself, a node always has a session.
  Epoch EpochOf(NodeRun run, NodeRun peer) const;
  // Whether what was begun in that session must have got where it was to go, at
  // rest: it was up, and is the same.
  bool Lasted(NodeRun run, NodeRun peer, Epoch since) const {
    return is_running(run) && is_running(peer) && since.is_up() &&
           since == EpochOf(run, peer);
  }
  // The same for what may have been begun before the node was told of the
  // session that there was.
  bool MayHaveLasted(NodeRun run, NodeRun peer, Epoch since) const {
    return Lasted(run, peer, since) ||
           Lasted(run, peer, Epoch(since.changes() + 1));
  }
  // When `run` last heard of an end of a session with `peer`.
  absl::Duration LastDown(NodeRun run, NodeRun peer) const;

  // Somebody of `run` was told that there is no connection, though there was
  // one at that time: so it has to end.
  void SaidToBeOver(NodeRun run, NodeRun peer, Epoch epoch);

  // Whether all running nodes have sessions with all others.
  bool HaveMet() const;
  void CheckAtRest() const;

 private:
  struct Peer {
    NodeRun up = 0;  // There is a session with it.
    uint64_t last_incarnation = 0;
  };
  struct Pair {
    uint32_t changes = 0;
    absl::Duration last_down;
  };
  struct Node {
    NodeId id;
    bool runs = true;
    std::map<std::string, Peer> peers;
    std::map<NodeRun, Pair> pairs;
  };
  struct Claim {
    NodeRun run;
    NodeRun peer;
    Epoch epoch;
  };

  Journal& journal_;
  const bool last_;
  std::vector<Node> nodes_;
  std::map<NodeId, NodeRun> runs_;
  std::vector<Claim> claims_;
};

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_SESSIONS_H_
