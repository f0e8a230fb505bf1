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
    if (const auto known = peers_.find(member.name); known != peers_.end()) {
      peer = std::move(known->second);
      peers_.erase(known);
    }
    if (peer.address == member.address) continue;
    peer.address = member.address;
    peer.pause = absl::ZeroDuration();
    peer.due.Cancel();  // It is dialled there at once, or after this dial.
  }
  for (auto& [name, gone] : peers_) gone.due.Cancel();
  peers_ = std::move(peers);
  for (auto& [name, peer] : peers_) {
    if (!peer.due.pending() && !dialled_.contains(name)) {
      peer.pause = absl::ZeroDuration();
      Plan(name);
    }
  }
}

void Dialler::Handle(const PeerIsDown& m) {
  const auto found = peers_.find(m.name);
  if (found == peers_.end() || found->second.due.pending()) return;
  found->second.pause = options_.first_pause;  // It had been there.
  Plan(m.name);
}

void Dialler::Plan(const std::string& name) {
  const auto found = peers_.find(name);
  if (found == peers_.end() || found->second.due.pending()) return;
  Peer& peer = found->second;
  // Between half of it and all: so two that dial each other fall out of step.
  const double part = 0.5 + static_cast<double>(random_.Uniform(1000)) / 2000;
  const absl::Duration pause = peer.pause * part;
  peer.pause =
      std::clamp(2 * peer.pause, options_.first_pause, options_.longest_pause);
  peer.due = SendAfter<DialDue>(pause, name);
}

void Dialler::Handle(const DialDue& m) {
  const auto found = peers_.find(m.name);
  if (found == peers_.end() || dialled_.contains(m.name)) return;
  absl::StatusOr<Session::Ref> session = system().Spawn<Session>(
      std::ref(shared_), m.name,
      [&transport = transport_, address = found->second.address](
          std::shared_ptr<ConnectionHandler> handler) {
        return transport.Dial(address, std::move(handler));
      });
  if (session.ok()) {
    dialled_.emplace(m.name, Monitor(*session));
  } else if (!absl::IsAlreadyExists(session.status())) {
    Plan(m.name);
  }
}

void Dialler::OnDown(const Down& down) {
  const auto found = std::find_if(
      dialled_.begin(), dialled_.end(),
      [&](const auto& dialled) { return dialled.second == down.monitor; });
  if (found == dialled_.end()) return;
  const std::string name = std::move(dialled_.extract(found).key());
  Plan(name);
}

}  // namespace troupe::internal
