// A wheel against a model that keeps its timers sorted, through the operations
// that the input says.
#include <cstddef>
#include <cstdint>

#include "troupe/scheduler/internal/timer_wheel_world.h"
#include "troupe/tools/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::FuzzInput input(data, size);
  const uint64_t start_tick = input.Bernoulli(0.5) ? 0 : input.NextUint64();
  troupe::internal::TimerWheelWorld world(input, start_tick);
  while (!input.empty()) world.Step();
  return 0;
}
