// By which names rules know the actors of this node that others may address:
// those under which they were exported, or of the factory that started them;
// and which nodes have rights of their own to them.
//
// Thread safety: any thread.
#ifndef TROUPE_CLUSTER_INTERNAL_TARGETS_H_
#define TROUPE_CLUSTER_INTERNAL_TARGETS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/end_observer.h"

namespace troupe {

class ActorSystem;

namespace internal {

class Targets final : public EndObserver {
 public:
  struct Target {
    std::vector<std::string> names;
    // The node that had it started here; empty: this one.
    std::string starter;
    // The node that may tell it of the end of another one; empty: none.
    std::string teller;
  };

  // Outlives the actors of `system`.
  explicit Targets(ActorSystem& system) : system_(system) {}

  // Nothing happens for an actor that has ended.
  void Add(const AnyActorRef& actor, absl::string_view name,
           absl::string_view starter = {}) ABSL_LOCKS_EXCLUDED(mu_);
  // Lets that node tell it of an end, and nothing else.
  void SetTeller(const AnyActorRef& actor, absl::string_view teller)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Without names: it has none.
  Target Find(uint64_t id) const ABSL_LOCKS_EXCLUDED(mu_);
  size_t size() const ABSL_LOCKS_EXCLUDED(mu_);

  void OnActorEnd(const AnyActorRef& actor) override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // Null: the actor has ended.
  Target* Of(const AnyActorRef& actor) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  ActorSystem& system_;
  mutable absl::Mutex mu_;
  absl::flat_hash_map<uint64_t, Target> targets_ ABSL_GUARDED_BY(mu_);
};

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_CLUSTER_INTERNAL_TARGETS_H_
