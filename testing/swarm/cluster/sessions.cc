#include "troupe/testing/swarm/cluster/sessions.h"

#include <string_view>

#include "absl/strings/str_cat.h"

namespace troupe::cluster_swarm {
namespace {

constexpr std::string_view kAlternate = "node events alternate";
constexpr std::string_view kLast = "sessions last";
constexpr std::string_view kMeet = "nodes meet";

std::string Spelled(const NodeId& id) {
  return absl::StrCat(id.name, "/", id.incarnation);
}

}  // namespace

NodeRun Sessions::Begins(const NodeId& id) {
  nodes_.push_back({.id = id, .peers = {}, .pairs = {}});
  const NodeRun run = static_cast<NodeRun>(nodes_.size());
  runs_[id] = run;
  journal_.Note("is a node that begins", run);
  return run;
}

void Sessions::Ends(NodeRun run) {
  if (!nodes_[run - 1].runs) return;
  journal_.Note("is a node that ends", run);
  nodes_[run - 1].runs = false;
}

NodeRun Sessions::Find(const NodeId& id) const {
  const auto found = runs_.find(id);
  return found != runs_.end() ? found->second : 0;
}

NodeRun Sessions::PeerOf(NodeRun run, const std::string& name) const {
  const auto& peers = nodes_[run - 1].peers;
  const auto found = peers.find(name);
  return found != peers.end() ? found->second.up : 0;
}

void Sessions::Up(NodeRun run, const NodeId& id) {
  Node& node = nodes_[run - 1];
  if (!node.runs) return;
  const NodeRun peer_run = Find(id);
  journal_.Note("is a node that has a session with", run, peer_run);
  Peer& peer = node.peers[id.name];
  if (peer_run == 0) {
    journal_.Break(kAlternate, absl::StrCat("there is no node ", Spelled(id)));
    return;
  }
  if (peer.up != 0) {
    journal_.Break(
        kAlternate,
        absl::StrCat(Spelled(node.id), " hears that ", Spelled(id),
                     " is up, while ", Spelled(nodes_[peer.up - 1].id), " is"));
  }
  if (id.incarnation < peer.last_incarnation) {
    journal_.Break(kAlternate, absl::StrCat(Spelled(node.id), " hears that ",
                                            Spelled(id), " is up again"));
  }
  peer.up = peer_run;
  peer.last_incarnation = id.incarnation;
  ++node.pairs[peer_run].changes;
}

void Sessions::Down(NodeRun run, const NodeId& id, const absl::Status& why) {
  Node& node = nodes_[run - 1];
  if (!node.runs) return;
  const NodeRun peer_run = Find(id);
  journal_.Note("is a node that has lost", run, peer_run);
  Peer& peer = node.peers[id.name];
  if (peer_run == 0 || peer.up != peer_run) {
    journal_.Break(kAlternate, absl::StrCat(Spelled(node.id), " hears that ",
                                            Spelled(id), " is down"));
    return;
  }
  peer.up = 0;
  Pair& pair = node.pairs[peer_run];
  ++pair.changes;
  pair.last_down = journal_.now();
  if (last_ && nodes_[peer_run - 1].runs) {
    journal_.Break(
        kLast,
        absl::StrCat(Spelled(node.id), " hears that ", Spelled(id),
                     " is down, and nothing has failed: ", why.ToString()));
  }
}

Epoch Sessions::EpochOf(NodeRun run, NodeRun peer) const {
  if (run == peer) return Epoch(1);
  const auto& pairs = nodes_[run - 1].pairs;
  const auto found = pairs.find(peer);
  return Epoch(found != pairs.end() ? found->second.changes : 0);
}

absl::Duration Sessions::LastDown(NodeRun run, NodeRun peer) const {
  const auto& pairs = nodes_[run - 1].pairs;
  const auto found = pairs.find(peer);
  return found != pairs.end() ? found->second.last_down : absl::ZeroDuration();
}

void Sessions::SaidToBeOver(NodeRun run, NodeRun peer, Epoch epoch) {
  if (epoch.is_up()) claims_.push_back({run, peer, epoch});
}

bool Sessions::HaveMet() const {
  for (const Node& node : nodes_) {
    if (!node.runs) continue;
    for (const Node& other : nodes_) {
      if (!other.runs || &other == &node) continue;
      const auto found = node.peers.find(other.id.name);
      if (found == node.peers.end() || found->second.up == 0 ||
          &nodes_[found->second.up - 1] != &other) {
        return false;
      }
    }
  }
  return true;
}

void Sessions::CheckAtRest() const {
  if (!HaveMet()) {
    journal_.Break(kMeet, "some nodes have no session, though nothing fails");
  }
  for (const Claim& claim : claims_) {
    if (!Lasted(claim.run, claim.peer, claim.epoch)) continue;
    journal_.Break(kLast,
                   absl::StrCat("somebody on ", Spelled(id(claim.run)),
                                " was told that there is no connection "
                                "with ",
                                Spelled(id(claim.peer)), ", and there is"));
  }
}

}  // namespace troupe::cluster_swarm
