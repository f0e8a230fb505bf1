// What every actor has whatever its messages are; see actor.h.
#ifndef TROUPE_ACTOR_INTERNAL_ACTOR_BASE_H_
#define TROUPE_ACTOR_INTERNAL_ACTOR_BASE_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/timer.h"

namespace troupe {

class ActorSystem;

namespace internal {

struct ActorAccess;
class StashBase;

class ActorBase {
 public:
  ActorBase(const ActorBase&) = delete;
  ActorBase& operator=(const ActorBase&) = delete;

 protected:
  ActorBase() = default;
  ~ActorBase() = default;

  ActorSystem& system() const;
  // The actor that spawned this one; null if none did.
  AnyActorRef parent() const;
  // Those that have not ended, or whose end this actor has not heard of; in the
  // order of their spawn.
  std::vector<AnyActorRef> children() const;

  // Stops this actor when the handler returns; see AnyActorRef::Stop(). By
  // default the reason is normal.
  void StopSelf();
  void StopSelf(const ExitReason& reason);
  // Fails it when the handler returns. The first failure counts.
  // REQUIRES: !status.ok()
  void Fail(absl::Status status);

  // Stops or kills this actor when `delay` has passed; see Stop() and Kill() of
  // AnyActorRef. A handler that runs then is waited for; a kill does not wait
  // for one that is suspended.
  Timer StopAfter(absl::Duration delay);
  Timer KillAfter(absl::Duration delay);

  // Has OnDown() told, once, that `actor` has ended; down.h. At once if it had
  // already. Without effect, and over at once, for the actor itself, and in an
  // actor that ends.
  // kFailedPrecondition, as its failure: the class has no OnDown.
  MonitorHandle Monitor(const AnyActorRef& actor);
  // Ends a monitor of this actor: once this has returned no Down of it arrives,
  // not even one that waits. Returns whether it was on: not demonitored yet,
  // and no Down had come.
  bool Demonitor(const MonitorHandle& monitor);

  // Ties this actor's end and that of `actor` together; exit.h. Two actors have
  // one link at most. A link to one that has ended already is an exit with
  // kNoActor. Without effect for the actor itself, and in an actor that ends.
  void Link(const AnyActorRef& actor);
  // Ends the link, whoever made it: once this has returned no Exit of it
  // arrives, not even one that waits. Returns whether there was one.
  bool Unlink(const AnyActorRef& actor);

  AnyActorRef untyped_self() const {
    Cell& me = cell();
    return AnyActorRef(&me, me.CurrentId());
  }
  Cell& cell() const {
    if (cell_ == nullptr) [[unlikely]]
      EndForPlainObject();
    return *cell_;
  }
  SystemCore& core() const { return *cell().system; }

 private:
  friend struct ActorAccess;
  friend class StashBase;
  [[noreturn]] static void EndForPlainObject();
  void AttachTo(Cell& cell) { cell_ = &cell; }
  Cell& CellInItsCode() const;

  Cell* cell_ = nullptr;  // Null: a plain object.
};

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTOR_INTERNAL_ACTOR_BASE_H_
