// A table of names against a std::map, through the calls that the input says.
#include <cstddef>
#include <cstdint>

#include "troupe/registry/internal/name_table_world.h"
#include "troupe/tools/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::FuzzInput input(data, size);
  troupe::internal::NameTableWorld world(input);
  // What is looked at after each step grows with them.
  for (int step = 0; step < 300 && !input.empty(); ++step) {
    world.Step();
    world.Check();
  }
  return 0;
}
