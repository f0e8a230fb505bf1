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
#include "troupe/mailbox/message_type.h"

namespace troupe {

class ActorSystem;

namespace internal {

struct Cell;

class Exports final {
 public:
  struct Entry {
    AnyActorRef actor;
    // What it takes.
    absl::Span<const MessageType* const> messages;
  };

  // Outlives the actors of `system`.
  explicit Exports(ActorSystem& system) : system_(system) {}
  Exports(const Exports&) = delete;
  Exports& operator=(const Exports&) = delete;

  // Lets other nodes address `actor`. OK also if it has ended: nobody will find
  // it. kInvalidArgument: it is no actor of this system. kResourceExhausted:
  // its id is too large for others.
  absl::Status Add(const AnyActorRef& actor) ABSL_LOCKS_EXCLUDED(mu_);
  // What Add() would say.
  absl::Status Check(const AnyActorRef& actor) const;

  // Null: there is no such actor, or it may not be addressed.
  Entry Find(uint64_t id) const ABSL_LOCKS_EXCLUDED(mu_);
  // The same as a reference, which leads nowhere if there is none.
  AnyActorRef RefTo(uint64_t id) const ABSL_LOCKS_EXCLUDED(mu_);

  // How many may be addressed. Takes as long as there are some.
  size_t size() ABSL_LOCKS_EXCLUDED(mu_);
  // How many are kept: those that have ended, too, until there are as many of
  // them as of the others.
  size_t kept() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // A table with few is not looked through.
  static constexpr size_t kFew = 256;

  void Sweep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  ActorSystem& system_;
  mutable absl::Mutex mu_;
  // By id. 17 bytes, and the room that a table needs: an actor that ends tells
  // nobody here, since to be told would take 200.
  absl::flat_hash_map<uint64_t, Cell*> actors_ ABSL_GUARDED_BY(mu_);
  size_t sweep_at_ ABSL_GUARDED_BY(mu_) = kFew;
};

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_CLUSTER_INTERNAL_EXPORTS_H_
