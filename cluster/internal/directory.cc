#include "troupe/cluster/internal/directory.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace troupe::internal {
namespace {

std::string_view ToStd(absl::string_view text) {
  return std::string_view(text.data(), text.size());
}

}  // namespace

bool Directory::BeginDial(absl::string_view name, const SessionRef& dialler) {
  absl::MutexLock lock(&mu_);
  Entry& entry = entries_[std::string(name)];
  if (entry.session.has_value() || !entry.dialler.IsNull()) return false;
  entry.dialler = dialler;
  return true;
}

void Directory::EndDial(absl::string_view name, const SessionRef& dialler) {
  absl::MutexLock lock(&mu_);
  const auto found = entries_.find(ToStd(name));
  if (found != entries_.end() && found->second.dialler == dialler) {
    found->second.dialler = SessionRef();
  }
}

absl::Status Directory::Enter(const Candidate& candidate) {
  const NodeId& peer = candidate.peer;
  if (peer.name == self_.name) {
    return absl::InvalidArgumentError(
        absl::StrCat("the node '", peer.name,
                     peer.incarnation == self_.incarnation
                         ? "' has dialled itself"
                         : "' has the name of the one that it talks to"));
  }
  SessionRef in_the_way;
  absl::Status result;
  {
    absl::MutexLock lock(&mu_);
    Entry& entry = entries_[peer.name];
    if (peer.incarnation < entry.last.incarnation) {
      return absl::FailedPreconditionError(absl::StrCat(
          "a later incarnation of '", peer.name, "' has been known"));
    }
    if (entry.session.has_value()) {
      const bool is_lost =
          entry.session->peer != peer ||
          (candidate.after != 0 && candidate.after == entry.session->session);
      if (!is_lost) {
        return absl::AlreadyExistsError(
            absl::StrCat("there is a session between '", self_.name, "' and '",
                         peer.name, "'"));
      }
      in_the_way = entry.session->actor;
      result = absl::UnavailableError(absl::StrCat("an earlier session of '",
                                                   peer.name, "' with '",
                                                   self_.name, "' ends first"));
    } else if (!candidate.dialled_here && !entry.dialler.IsNull()) {
      if (self_.name < peer.name) {
        return absl::AbortedError(absl::StrCat(
            "'", self_.name, "' is dialling '", peer.name, "' itself"));
      }
      in_the_way = std::exchange(entry.dialler, SessionRef());
    }
    if (result.ok()) {
      entry.last = peer;
      if (entry.dialler == candidate.actor) entry.dialler = SessionRef();
      entry.session = candidate;
    }
  }
  if (!in_the_way.IsNull()) {
    in_the_way.Send<EndSession>(absl::AbortedError(
        absl::StrCat("'", peer.name, "' has connected anew")));
  }
  return result;
}

void Directory::Leave(const NodeId& peer, const SessionRef& actor) {
  absl::MutexLock lock(&mu_);
  const auto found = entries_.find(ToStd(peer.name));
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (!entry.session.has_value() || entry.session->actor != actor) return;
  entry.last_session = entry.session->session;
  entry.session.reset();
}

uint64_t Directory::LastSession(absl::string_view name) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto found = entries_.find(ToStd(name));
  return found != entries_.end() ? found->second.last_session : 0;
}

std::vector<NodeId> Directory::Peers() const {
  absl::ReaderMutexLock lock(&mu_);
  std::vector<NodeId> peers;
  for (const auto& [name, entry] : entries_) {
    if (entry.session.has_value()) peers.push_back(entry.session->peer);
  }
  return peers;
}

std::vector<SessionRef> Directory::Actors() const {
  absl::ReaderMutexLock lock(&mu_);
  std::vector<SessionRef> actors;
  for (const auto& [name, entry] : entries_) {
    if (entry.session.has_value()) actors.push_back(entry.session->actor);
    if (!entry.dialler.IsNull()) actors.push_back(entry.dialler);
  }
  return actors;
}

void Directory::SetReceptionist(const NodeId& peer,
                                const AnyActorRef& receptionist) {
  absl::MutexLock lock(&mu_);
  Entry& entry = entries_[peer.name];
  if (entry.session.has_value() && entry.session->peer == peer) {
    entry.receptionist = receptionist;
  }
}

AnyActorRef Directory::ReceptionistOf(absl::string_view name) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto found = entries_.find(ToStd(name));
  return found != entries_.end() && found->second.session.has_value()
             ? found->second.receptionist
             : AnyActorRef();
}

}  // namespace troupe::internal
