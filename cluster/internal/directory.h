// Which sessions a node has, and which may begin: one with each other node.
//
// Two nodes that dial each other at the same time end with one session: the
// one that the node with the smaller name has dialled. A node that has lost a
// session may dial again at once; the other end may not know of the loss yet,
// but learns it by what the new connection says (`after`).
//
// Thread safety: any thread.
#ifndef TROUPE_CLUSTER_INTERNAL_DIRECTORY_H_
#define TROUPE_CLUSTER_INTERNAL_DIRECTORY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/cluster/node_id.h"

namespace troupe::internal {

// Asks the actor of a session to end it.
struct EndSession {
  absl::Status why;
};
using SessionRef = ActorRef<EndSession>;

class Directory {
 public:
  explicit Directory(NodeId self) : self_(std::move(self)) {}

  // A connection by which a session is to begin.
  struct Candidate {
    NodeId peer;
    uint64_t session = 0;  // The number that the one who dialled gave it.
    bool dialled_here = false;
    // Accepted: the last session that the one who dialled knows to be over.
    uint64_t after = 0;
    SessionRef actor;  // It is ended to make room.
  };

  // `dialler` is about to dial the node of that name. False: there is a session
  // with it, or somebody dials it already.
  [[nodiscard]] bool BeginDial(absl::string_view name,
                               const SessionRef& dialler)
      ABSL_LOCKS_EXCLUDED(mu_);
  // It dials no more, and has no session.
  void EndDial(absl::string_view name, const SessionRef& dialler)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Whether the candidate may become the session with its peer; then it is that
  // until Leave(). Others that stand in its way are ended, in which case it
  // may try again soon: kUnavailable. kAlreadyExists: there is one that stays,
  // or will be. kFailedPrecondition: a later incarnation of it has been known.
  // kInvalidArgument: it is this node.
  absl::Status Enter(const Candidate& candidate) ABSL_LOCKS_EXCLUDED(mu_);
  // Where to ask the node of that session for actors.
  void SetReceptionist(const NodeId& peer, const AnyActorRef& receptionist)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Null: there is no session with a node of that name.
  AnyActorRef ReceptionistOf(absl::string_view name) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // The session of that actor is over.
  void Leave(const NodeId& peer, const SessionRef& actor)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The number of the last session with a node of that name that is over; 0:
  // there was none.
  uint64_t LastSession(absl::string_view name) const ABSL_LOCKS_EXCLUDED(mu_);
  // The nodes with which there is a session, in the order of their names.
  std::vector<NodeId> Peers() const ABSL_LOCKS_EXCLUDED(mu_);
  // The actors that speak with them, and those that are dialling.
  std::vector<SessionRef> Actors() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    SessionRef dialler;  // Null: nobody dials.
    std::optional<Candidate> session;
    AnyActorRef receptionist;   // Of the session.
    NodeId last;                // The latest incarnation that has been known.
    uint64_t last_session = 0;  // The number of the last one that is over.
  };

  const NodeId self_;
  mutable absl::Mutex mu_;
  std::map<std::string, Entry, std::less<>> entries_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_DIRECTORY_H_
