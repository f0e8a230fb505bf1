// In a fuzz test, an expectation of GoogleTest that fails ends the program, as
// any other crash does that libFuzzer looks for.
#include <cstdlib>

#include "gtest/gtest.h"

namespace {

class EndAtFailure : public testing::EmptyTestEventListener {
 private:
  // Behind the listener that prints it.
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.failed()) std::abort();
  }
};

}  // namespace

// Called by libFuzzer, and by replay_main.cc, before the first input.
extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  // Theirs now.
  testing::UnitTest::GetInstance()->listeners().Append(new EndAtFailure);
  return 0;
}
