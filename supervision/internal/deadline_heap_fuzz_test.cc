// A heap of deadlines against a sorted set, through the calls that the input
// says.
#include <cstddef>
#include <cstdint>

#include "troupe/supervision/internal/deadline_heap_world.h"
#include "troupe/tools/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::FuzzInput input(data, size);
  troupe::internal::DeadlineHeapWorld world(input);
  while (!input.empty()) world.Step();
  return 0;
}
