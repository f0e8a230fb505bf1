// In a fuzz test, an expectation of GoogleTest that fails ends the program, as
// any other crash does that libFuzzer looks for.
#include "gtest/gtest.h"

// Called by libFuzzer, and by replay_main.cc, before the first input.
extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  GTEST_FLAG_SET(break_on_failure, true);
  return 0;
}
