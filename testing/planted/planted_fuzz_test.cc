// Planted: of two entries with one deadline, the higher one comes first.
// libFuzzer must find the calls that show it; from the one input of the corpus,
// which does not.
#include <cstddef>
#include <cstdint>

#include "troupe/base/clock.h"
#include "troupe/supervision/internal/deadline_heap.h"
#include "troupe/supervision/internal/deadline_heap_world.h"
#include "troupe/tools/fuzz/input.h"

namespace {

struct TurnsTies : troupe::internal::DeadlineHeap {
  uint32_t Pop() {
    const troupe::MonotonicTime deadline = next();
    const uint32_t first = DeadlineHeap::Pop();
    if (next() != deadline) return first;
    const uint32_t second = DeadlineHeap::Pop();
    Set(first, deadline);
    return second;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::FuzzInput input(data, size);
  troupe::internal::DeadlineHeapWorld<troupe::FuzzInput, TurnsTies> world(
      input);
  while (!input.empty()) world.Step();
  return 0;
}
