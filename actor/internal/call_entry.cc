#include "troupe/actor/internal/call_entry.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace troupe::internal {

void MoreCalls::Add(CallRef call, uint64_t serial) {
  uint32_t place;
  if (free_.empty()) {
    place = static_cast<uint32_t>(slots_.size());
    if (slots_.size() == slots_.capacity()) {
      const size_t capacity = std::max<size_t>(1, 2 * slots_.size());
      // First: each slot has a place in it, so that Take() needs no memory.
      free_.reserve(capacity);
      slots_.reserve(capacity);
    }
    slots_.emplace_back();
  } else {
    place = free_.back();
    free_.pop_back();
  }
  call.entry().number_ = serial << CallEntry::kIndexBits | (place + 1);
  slots_[place] = call;
}

CallRef MoreCalls::Take(uint64_t number) {
  const uint64_t index = number & ((uint64_t{1} << CallEntry::kIndexBits) - 1);
  if (index == 0 || index > slots_.size()) return CallRef();
  CallRef& slot = slots_[index - 1];
  if (slot.IsNull() || slot.entry().number() != number) return CallRef();
  free_.push_back(static_cast<uint32_t>(index - 1));
  return std::exchange(slot, CallRef());
}

void MoreCalls::AbandonAll() {
  // By index: what is destroyed may begin others.
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].IsNull()) continue;
    Abandon(Take(slots_[i].entry().number()));
  }
}

}  // namespace troupe::internal
