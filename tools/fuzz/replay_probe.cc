// A fuzz test for replay_main_test.sh: says what it is given, and refuses some.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include "gtest/gtest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  EXPECT_NE(text, "expectation");
  std::printf("<%s>\n", text.c_str());
  return text == "refused" ? 1 : 0;
}
