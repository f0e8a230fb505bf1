#include "troupe/cluster/internal/exports.h"

#include "absl/strings/str_cat.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/internal/send.h"

namespace troupe::internal {

absl::Status Exports::Add(const AnyActorRef& actor) {
  const uint64_t id = actor.id().value();
  if (id > FarCell::kIdMask) {
    return absl::ResourceExhaustedError(
        absl::StrCat(actor.ToString(),
                     " is one of more actors than other "
                     "nodes can refer to; restart this one"));
  }
  absl::MutexLock lock(&mu_);
  if (actors_.contains(id)) return absl::OkStatus();
  const Entry entry{actor, actor.messages()};
  absl::Status observed = system_.ObserveEnd(actor, *this);
  if (observed.ok()) actors_.emplace(id, entry);
  return absl::IsNotFound(observed) ? absl::OkStatus() : observed;
}

Exports::Entry Exports::Find(uint64_t id) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto found = actors_.find(id);
  return found != actors_.end() ? found->second : Entry();
}

AnyActorRef Exports::RefTo(uint64_t id) const {
  const Entry entry = Find(id);
  return entry.actor.IsNull() ? AnyActorRef(&NoCell(), id) : entry.actor;
}

size_t Exports::size() const {
  absl::ReaderMutexLock lock(&mu_);
  return actors_.size();
}

void Exports::OnActorEnd(const AnyActorRef& actor) {
  absl::MutexLock lock(&mu_);
  actors_.erase(actor.id().value());
}

}  // namespace troupe::internal
