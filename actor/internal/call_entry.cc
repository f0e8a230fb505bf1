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
    .list = nullptr,
};

void Abandon(CallEntry& call) {
  if (call.type().actor_gone != nullptr) call.type().actor_gone(call);
}

void MoreCalls::Add(CallEntry& call, uint64_t serial) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.push_back(nullptr);
  }
  const uint32_t place = free_.back();
  free_.pop_back();
  call.number_ = serial << CallEntry::kIndexBits | (place + 1);
  slots_[place] = &call;
}

CallEntry* MoreCalls::Take(uint64_t number) {
  const uint64_t index = number & ((uint64_t{1} << CallEntry::kIndexBits) - 1);
  if (index == 0 || index > slots_.size()) return nullptr;
  CallEntry*& slot = slots_[index - 1];
  if (slot == nullptr || slot->number() != number) return nullptr;
  free_.push_back(static_cast<uint32_t>(index - 1));
  return std::exchange(slot, nullptr);
}

void MoreCalls::AbandonAll() {
  // By index: what is destroyed may begin others.
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i] == nullptr) continue;
    Abandon(*Take(slots_[i]->number()));
  }
}

}  // namespace troupe::internal
