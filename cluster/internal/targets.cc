#include "troupe/cluster/internal/targets.h"

#include <algorithm>

#include "troupe/actor/actor_system.h"

namespace troupe::internal {

void Targets::Add(const AnyActorRef& actor, absl::string_view name,
                  absl::string_view starter) {
  absl::MutexLock lock(&mu_);
  Target* const target = Of(actor);
  if (target == nullptr) return;
  if (std::find(target->names.begin(), target->names.end(), name) ==
      target->names.end()) {
    target->names.emplace_back(name);
  }
  if (!starter.empty()) target->starter = std::string(starter);
}

void Targets::SetTeller(const AnyActorRef& actor, absl::string_view teller) {
  absl::MutexLock lock(&mu_);
  if (Target* const target = Of(actor)) target->teller = std::string(teller);
}

Targets::Target* Targets::Of(const AnyActorRef& actor) {
  const uint64_t id = actor.id().value();
  if (!targets_.contains(id) && !system_.ObserveEnd(actor, *this).ok()) {
    return nullptr;
  }
  return &targets_[id];
}

Targets::Target Targets::Find(uint64_t id) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto found = targets_.find(id);
  return found != targets_.end() ? found->second : Target();
}

size_t Targets::size() const {
  absl::ReaderMutexLock lock(&mu_);
  return targets_.size();
}

void Targets::OnActorEnd(const AnyActorRef& actor) {
  absl::MutexLock lock(&mu_);
  targets_.erase(actor.id().value());
}

}  // namespace troupe::internal
