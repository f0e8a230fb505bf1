#include "troupe/actor/internal/actor_base.h"

#include <algorithm>
#include <utility>

#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/base/check.h"

namespace troupe::internal {

Cell& ActorBase::cell() const {
  TROUPE_CHECK(cell_ != nullptr,
               "the services of Actor need an actor that was spawned, from "
               "PreStart on");
  return *cell_;
}

SystemCore& ActorBase::core() const { return *cell().system; }

ActorSystem& ActorBase::system() const { return core().system(); }

AnyActorRef ActorBase::untyped_self() const {
  return AnyActorRef(&cell(), cell().CurrentId());
}

AnyActorRef ActorBase::parent() const {
  Cell* const parent = cell().parent;
  if (parent == nullptr) return AnyActorRef();
  return AnyActorRef(parent, parent->CurrentId());
}

std::vector<AnyActorRef> ActorBase::children() const {
  std::vector<AnyActorRef> children;
  children.reserve(cell().children);
  for (Cell* child = cell().newest_child; child != nullptr;
       child = child->older_sibling) {
    children.emplace_back(child, child->CurrentId());
  }
  std::reverse(children.begin(), children.end());
  return children;
}

void ActorBase::StopSelf(ExitReason reason) {
  untyped_self().Stop(std::move(reason));
}

void ActorBase::Fail(absl::Status status) {
  TROUPE_CHECK(!status.ok(), "Fail() needs a status that is not OK");
  RecordFailure(cell(), std::move(status));
}

}  // namespace troupe::internal
