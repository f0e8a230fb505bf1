// What one monitor of groups has been told and has not handled yet.
#ifndef TROUPE_REGISTRY_INTERNAL_MONITOR_GATE_H_
#define TROUPE_REGISTRY_INTERNAL_MONITOR_GATE_H_

#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/registry/group_changed.h"

namespace troupe::internal {

// The way of changes to a monitor. Once it is shut nothing arrives any more,
// what was sent before included.
//
// Ownership: of itself. It goes when it is shut and nothing is under way.
// Thread safety: any thread; also under the lock of the groups.
class MonitorGate final : public MessageSource {
 public:
  explicit MonitorGate(const ActorRef<GroupChanged>& monitor)
      : monitor_(monitor) {}

  // Sends a change. Runs no code of users, and no mailbox refuses it.
  void Push(SharedBody change) ABSL_LOCKS_EXCLUDED(mu_);
  // To be called once; the gate may be gone then.
  void Shut() ABSL_LOCKS_EXCLUDED(mu_);

  SharedBody Arrive(SharedBody change) override ABSL_LOCKS_EXCLUDED(mu_);
  uint32_t Lose() override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  ~MonitorGate() = default;

  // Returns whether the gate is open. One that came is not under way any more.
  bool Come() ABSL_LOCKS_EXCLUDED(mu_);

  const ActorRef<GroupChanged> monitor_;
  absl::Mutex mu_;
  bool open_ ABSL_GUARDED_BY(mu_) = true;
  uint64_t under_way_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_MONITOR_GATE_H_
