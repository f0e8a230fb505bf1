// Monitors: what an actor hears of the end of another one that it watches,
// through the hook `OnDown(const Down&)`.
//
//   void PreStart() { worker_ = Monitor(worker); }
//   void OnDown(const Down& down) {
//     if (down.monitor == worker_) Replace(down.actor, down.reason);
//   }
//
// One-way: the actor that is watched knows nothing of it, and the watcher's own
// end ends its monitors. Exactly one Down for each monitor, unless Demonitor()
// comes first: with the reason, or with kNoActor if the actor had ended before
// it heard of the monitor. Several monitors of one actor each get theirs.
//
// Order: a Down is a message of the actor that has ended: behind all that it
// sent to the watcher before, in the normal lane. So a suspended handler delays
// it, and a Stop() of the watcher overtakes it. It counts against no limit of a
// mailbox, and is never refused. The object of the actor is destroyed by then,
// its name free, and its status kStopped: for a watcher on its own node.
#ifndef TROUPE_ACTOR_DOWN_H_
#define TROUPE_ACTOR_DOWN_H_

#include <cstdint>
#include <utility>

#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"

namespace troupe {

// A handle to what Monitor() began.
//
// Ownership: none. Dropping a handle ends nothing; it may outlive its monitor.
// Thread safety: a value.
class MonitorHandle {
 public:
  // Stands for none: it is over.
  MonitorHandle() = default;

  friend bool operator==(const MonitorHandle& a, const MonitorHandle& b) {
    return a.watcher_ == b.watcher_ && a.serial_ == b.serial_;
  }
  template <typename H>
  friend H AbslHashValue(H state, const MonitorHandle& handle) {
    return H::combine(std::move(state), handle.watcher_, handle.serial_);
  }

  // For the runtime.
  MonitorHandle(uint64_t watcher, uint64_t serial, uint32_t slot)
      : watcher_(watcher), serial_(serial), slot_(slot) {}
  uint64_t watcher() const { return watcher_; }
  uint64_t serial() const { return serial_; }
  uint32_t slot() const { return slot_; }

 private:
  uint64_t watcher_ = 0;  // The id of the actor; 0: none.
  uint64_t serial_ = 0;   // No two of one actor have the same.
  uint32_t slot_ = 0;
};

struct Down {
  MonitorHandle monitor;  // Over by now.
  AnyActorRef actor;      // Gone.
  ExitReason reason;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_DOWN_H_
