#include "troupe/actor/internal/call_entry.h"

#include <cstddef>
#include <utility>

namespace troupe::internal {

const CallEntry::Type PendingCall::kEntry = {
    .answer =
        [](CallEntry& call, Envelope* reply) {
          static_cast<PendingCall&>(call).OnReply(EnvelopePtr(reply));
        },
    .actor_gone =
        [](CallEntry& call) { static_cast<PendingCall&>(call).OnActorGone(); },
};

void Abandon(CallEntry& call) {
  if (call.type().actor_gone != nullptr) call.type().actor_gone(call);
}

uint64_t MoreCalls::Add(CallEntry& call, uint64_t serial) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t place = free_.back();
  free_.pop_back();
  slots_[place] = {serial << CallSlot::kIndexBits | (place + 1), &call};
  return slots_[place].number;
}

CallEntry* MoreCalls::Take(uint64_t number) {
  const uint64_t index = number & ((uint64_t{1} << CallSlot::kIndexBits) - 1);
  if (index == 0 || index > slots_.size()) return nullptr;
  CallSlot& slot = slots_[index - 1];
  if (slot.number != number || slot.call == nullptr) return nullptr;
  free_.push_back(static_cast<uint32_t>(index - 1));
  return std::exchange(slot.call, nullptr);
}

void MoreCalls::AbandonAll() {
  // By index: what is destroyed may begin others.
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (CallEntry* const call = Take(slots_[i].number)) Abandon(*call);
  }
}

}  // namespace troupe::internal
