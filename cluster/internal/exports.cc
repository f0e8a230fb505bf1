#include "troupe/cluster/internal/exports.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"

namespace troupe::internal {

absl::Status Exports::Check(const AnyActorRef& actor) const {
  const uint64_t id = actor.id().value();
  if (id > FarCell::kIdMask) {
    return absl::ResourceExhaustedError(
        absl::StrCat(actor.ToString(),
                     " is one of more actors than other "
                     "nodes can refer to; restart this one"));
  }
  const std::shared_ptr<SystemCore> owner = IdSpace::Find(id);
  if (actor.IsRemote() || (owner != nullptr && owner != system_.core())) {
    return absl::InvalidArgumentError(
        absl::StrCat(actor.ToString(), " is of another system"));
  }
  return absl::OkStatus();
}

absl::Status Exports::Add(const AnyActorRef& actor) {
  const uint64_t id = actor.id().value();
  {
    absl::ReaderMutexLock lock(&mu_);
    if (actors_.contains(id)) return absl::OkStatus();
  }
  if (absl::Status status = Check(actor); !status.ok()) return status;
  if (actor.status() == ActorStatus::kStopped) return absl::OkStatus();
  absl::MutexLock lock(&mu_);
  if (actors_.size() >= sweep_at_) Sweep();
  actors_.emplace(id, actor.cell());
  return absl::OkStatus();
}

Exports::Entry Exports::Find(uint64_t id) const {
  Entry entry;
  {
    absl::ReaderMutexLock lock(&mu_);
    const auto found = actors_.find(id);
    if (found == actors_.end()) return entry;
    entry.actor = AnyActorRef(found->second, id);
  }
  entry.messages = entry.actor.messages();
  // Who is there now was there when they were looked up.
  return entry.actor.status() == ActorStatus::kStopped ? Entry() : entry;
}

AnyActorRef Exports::RefTo(uint64_t id) const {
  const Entry entry = Find(id);
  return entry.actor.IsNull() ? AnyActorRef(&NoCell(), id) : entry.actor;
}

size_t Exports::size() {
  absl::MutexLock lock(&mu_);
  Sweep();
  return actors_.size();
}

size_t Exports::kept() const {
  absl::ReaderMutexLock lock(&mu_);
  return actors_.size();
}

void Exports::Sweep() {
  absl::erase_if(actors_, [](const auto& actor) {
    return AnyActorRef(actor.second, actor.first).status() ==
           ActorStatus::kStopped;
  });
  sweep_at_ = std::max(kFew, 2 * actors_.size());
}

}  // namespace troupe::internal
