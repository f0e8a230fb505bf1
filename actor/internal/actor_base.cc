#include "troupe/actor/internal/actor_base.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/base/check.h"

namespace troupe::internal {

void ActorBase::EndForPlainObject() {
  TROUPE_CHECK(false,
               "the services of Actor need an actor that was spawned, from "
               "PreStart on");
  std::abort();
}

ActorSystem& ActorBase::system() const { return core().system(); }

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

void ActorBase::StopSelf() { StopSelf(ExitReason::Normal()); }

void ActorBase::StopSelf(const ExitReason& reason) {
  Cell& me = cell();
  SendRequest(me, me.CurrentId(), Ending::kStop, reason);
}

void ActorBase::Fail(absl::Status status) {
  TROUPE_CHECK(!status.ok(), "Fail() needs a status that is not OK");
  RecordFailure(cell(), std::move(status));
}

}  // namespace troupe::internal
