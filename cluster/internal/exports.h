// The actors of this node that other nodes may address: those to which a
// reference has left it, until they end. Whoever makes ids up finds nothing.
//
// Thread safety: any thread.
#ifndef TROUPE_CLUSTER_INTERNAL_EXPORTS_H_
#define TROUPE_CLUSTER_INTERNAL_EXPORTS_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/end_observer.h"
#include "troupe/mailbox/message_type.h"

namespace troupe {

class ActorSystem;

namespace internal {

class Exports final : public EndObserver {
 public:
  struct Entry {
    AnyActorRef actor;
    // What it takes.
    absl::Span<const MessageType* const> messages;
  };

  // Outlives the actors of `system`.
  explicit Exports(ActorSystem& system) : system_(system) {}

  // Lets other nodes address `actor`. OK also if it has ended: nobody will find
  // it. kInvalidArgument: it is no actor of this system. kResourceExhausted:
  // its id is too large for others.
  absl::Status Add(const AnyActorRef& actor) ABSL_LOCKS_EXCLUDED(mu_);

  // Null: there is no such actor, or it may not be addressed.
  Entry Find(uint64_t id) const ABSL_LOCKS_EXCLUDED(mu_);
  // The same as a reference, which leads nowhere if there is none.
  AnyActorRef RefTo(uint64_t id) const ABSL_LOCKS_EXCLUDED(mu_);

  size_t size() const ABSL_LOCKS_EXCLUDED(mu_);

  void OnActorEnd(const AnyActorRef& actor) override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  ActorSystem& system_;
  mutable absl::Mutex mu_;
  absl::flat_hash_map<uint64_t, Entry> actors_ ABSL_GUARDED_BY(mu_);
};

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_CLUSTER_INTERNAL_EXPORTS_H_
