// What the tests of environments share: a child process that may spoil its own
// limits, and a system that is tried out in it.
#ifndef TROUPE_TESTING_ENVIRONMENT_ENVIRONMENT_TESTING_H_
#define TROUPE_TESTING_ENVIRONMENT_ENVIRONMENT_TESTING_H_

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/testing/environment/process_state.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::testing {

// For the first argument of EXPECT_EXIT(..., ExitedWithCode(0), ""): a process
// of its own, whose expectations count. One that hangs is killed by SIGALRM,
// which is no exit.
[[noreturn]] inline void RunAsChild(absl::FunctionRef<void()> body) {
  alarm(100);
  body();
  // GoogleTest is silent here; what goes to stderr, the parent shows.
  const ::testing::TestResult& result =
      *::testing::UnitTest::GetInstance()->current_test_info()->result();
  for (int i = 0; i < result.total_part_count(); ++i) {
    const ::testing::TestPartResult& part = result.GetTestPartResult(i);
    if (part.failed()) {
      std::fprintf(stderr, "line %d: %s\n", part.line_number(), part.message());
    }
  }
  std::exit(result.Failed() ? 1 : 0);
}

struct Add {
  int64_t value;
};
struct Total {
  using Reply = int64_t;
};

class Adder : public Actor<Add, Total> {
 public:
  void Handle(Add m) { total_ += m.value; }
  int64_t Handle(Total) { return total_; }

 private:
  int64_t total_ = 0;
};

// Expects that a system of two workers can be had, that its actors run, and
// that it ends.
inline void ExpectThatSystemsWork() {
  absl::StatusOr<std::unique_ptr<ActorSystem>> system =
      ActorSystem::Create({.workers = 2});
  ASSERT_THAT(system, IsOk());
  const auto adder = (*system)->Spawn<Adder>();
  ASSERT_THAT(adder, IsOk());
  for (int64_t value = 1; value <= 100; ++value) adder->Send<Add>(value);
  EXPECT_THAT(adder->Call<Total>().Wait(), IsOkAndHolds(5050));
  EXPECT_THAT((*system)->Shutdown(), IsOk());
}

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_ENVIRONMENT_ENVIRONMENT_TESTING_H_
