#include "troupe/cluster/internal/dialler.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "troupe/actor/actor_system.h"

namespace troupe::internal {

void Dialler::Handle(const MembersCame& m) {
  std::map<std::string, Peer, std::less<>> peers;
  for (const Member& member : m.membership->members) {
    if (member.name == shared_.node.self().name) continue;
    Peer& peer = peers[member.name];
    const auto known = peers_.find(member.name);
    if (known != peers_.end() && known->second.address == member.address) {
      peer = std::move(known->second);
    } else {
      peer.address = member.address;
    }
  }
  peers_ = std::move(peers);
  for (auto& [name, peer] : peers_) {
    if (!peer.planned && peer.dialled == MonitorHandle()) {
      peer.pause = absl::ZeroDuration();
      Plan(name);
    }
  }
}

void Dialler::Handle(const PeerIsDown& m) {
  const auto found = peers_.find(m.name);
  if (found == peers_.end() || found->second.planned) return;
  found->second.pause = options_.first_pause;  // It had been there.
  Plan(m.name);
}

void Dialler::Plan(const std::string& name) {
  const auto found = peers_.find(name);
  if (found == peers_.end() || found->second.planned) return;
  Peer& peer = found->second;
  peer.planned = true;
  // Between half of it and all: so two that dial each other fall out of step.
  const double part = 0.5 + static_cast<double>(random_.Uniform(1000)) / 2000;
  const absl::Duration pause = peer.pause * part;
  peer.pause =
      std::clamp(2 * peer.pause, options_.first_pause, options_.longest_pause);
  SendAfter<DialDue>(pause, name);
}

void Dialler::Handle(const DialDue& m) {
  const auto found = peers_.find(m.name);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  peer.planned = false;
  if (!(peer.dialled == MonitorHandle())) return;
  absl::StatusOr<Session::Ref> session = system().Spawn<Session>(
      std::ref(shared_), m.name,
      [&transport = transport_,
       address = peer.address](std::shared_ptr<ConnectionHandler> handler) {
        return transport.Dial(address, std::move(handler));
      });
  if (session.ok()) {
    peer.dialled = Monitor(*session);
  } else if (!absl::IsAlreadyExists(session.status())) {
    Plan(m.name);
  }
}

void Dialler::OnDown(const Down& down) {
  for (auto& [name, peer] : peers_) {
    if (!(peer.dialled == down.monitor)) continue;
    peer.dialled = MonitorHandle();
    Plan(name);
    return;
  }
}

}  // namespace troupe::internal
