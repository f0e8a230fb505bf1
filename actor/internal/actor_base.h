// What every actor has whatever its messages are; see actor.h.
#ifndef TROUPE_ACTOR_INTERNAL_ACTOR_BASE_H_
#define TROUPE_ACTOR_INTERNAL_ACTOR_BASE_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"

namespace troupe {

class ActorSystem;

namespace internal {

struct ActorAccess;
struct Cell;
class SystemCore;

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

  // Stops this actor when the handler returns; see AnyActorRef::Stop().
  void StopSelf(ExitReason reason = ExitReason::Normal());
  // Fails it when the handler returns. The first failure counts.
  // REQUIRES: !status.ok()
  void Fail(absl::Status status);

  AnyActorRef untyped_self() const;
  Cell& cell() const;
  SystemCore& core() const;

 private:
  friend struct ActorAccess;
  void AttachTo(Cell& cell) { cell_ = &cell; }

  Cell* cell_ = nullptr;  // Null: a plain object.
};

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTOR_INTERNAL_ACTOR_BASE_H_
