// Two nodes in this process, each with a system and workers of its own, that
// speak over the in-process transport: what is measured of them is the cluster
// itself, encoding, frames and decoding, without a network.
//
// Ownership: of both nodes and systems.
// Blocking: all but references.
// Thread safety: belongs to a plain thread.
#ifndef TROUPE_BENCHMARKS_REMOTE_PAIR_H_
#define TROUPE_BENCHMARKS_REMOTE_PAIR_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/node.h"

namespace troupe::benchmarks {

class RemotePair {
 public:
  // Nobody has joined yet.
  explicit RemotePair(int workers);
  // Both leave.
  ~RemotePair();

  ActorSystem& here() { return *here_.system; }
  ActorSystem& there() { return *there_.system; }

  // Both join, and there is a session between them.
  void Join();

  // What an actor there is from here: exports and resolves it.
  // REQUIRES: they have joined.
  template <typename... Ps>
  ActorRef<Ps...> FromHere(const std::string& name,
                           const ActorRef<Ps...>& actor) {
    Check(there_.node->Export(name, actor));
    absl::StatusOr<ActorRef<Ps...>> far =
        here_.node->ResolveAndWait<Ps...>(name + "@there");
    Check(far.status());
    return *far;
  }

 private:
  struct Side {
    std::unique_ptr<ActorSystem> system;
    std::unique_ptr<Node> node;
  };

  // Ends the program unless it is OK.
  static void Check(const absl::Status& status);
  void JoinSide(Side& side, absl::string_view name);

  InProcessNetwork network_;
  Side here_;
  Side there_;
};

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_REMOTE_PAIR_H_
