#include "troupe/actor/internal/cell.h"

namespace troupe::internal {

ActorStatus Cell::StatusOf(uint64_t expected_id) const {
  const Reading before = Load();
  // Acquire pairs with the release of the owner's store.
  const ActorStatus seen = status.load(std::memory_order_acquire);
  // It is this actor's if the memory served no other meanwhile, which the
  // generation tells.
  const bool same = Word::IsAlive(before) && CurrentId() == expected_id &&
                    Word::GenerationOf(Load()) == Word::GenerationOf(before);
  return same ? seen : ActorStatus::kStopped;
}

}  // namespace troupe::internal
