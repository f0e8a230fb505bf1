#include "troupe/supervision/internal/deadline_heap.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "troupe/base/check.h"
#include "troupe/base/clock.h"

namespace troupe::internal {

void DeadlineHeap::Set(uint32_t entry, MonotonicTime deadline) {
  Cancel(entry);
  if (entry >= places_.size()) places_.resize(entry + 1, kNowhere);
  heap_.emplace_back();
  PutUpwards(heap_.size() - 1, {deadline, entry});
}

void DeadlineHeap::Cancel(uint32_t entry) {
  if (IsSet(entry)) Remove(places_[entry]);
}

MonotonicTime DeadlineHeap::next() const {
  return heap_.empty() ? MonotonicTime::InfiniteFuture()
                       : heap_.front().deadline;
}

uint32_t DeadlineHeap::Pop() {
  TROUPE_CHECK(!heap_.empty(), "there is a deadline to remove");
  const uint32_t entry = heap_.front().entry;
  Remove(0);
  return entry;
}

void DeadlineHeap::Put(size_t place, const Node& node) {
  heap_[place] = node;
  places_[node.entry] = static_cast<uint32_t>(place);
}

void DeadlineHeap::PutUpwards(size_t place, const Node& node) {
  while (place > 0) {
    const size_t parent = (place - 1) / 2;
    if (heap_[parent] < node) break;
    Put(place, heap_[parent]);
    place = parent;
  }
  Put(place, node);
}

void DeadlineHeap::PutDownwards(size_t place, const Node& node) {
  while (true) {
    size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
    if (node < heap_[child]) break;
    Put(place, heap_[child]);
    place = child;
  }
  Put(place, node);
}

void DeadlineHeap::Remove(size_t place) {
  places_[heap_[place].entry] = kNowhere;
  const Node last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  // The last node fills the gap; it may belong above it as well as below.
  if (place > 0 && last < heap_[(place - 1) / 2]) {
    PutUpwards(place, last);
  } else {
    PutDownwards(place, last);
  }
}

}  // namespace troupe::internal
