// A fixture for tests that hold on threads as on the deterministic executor.
#ifndef TROUPE_ACTOR_INTERNAL_SYSTEM_TESTING_H_
#define TROUPE_ACTOR_INTERNAL_SYSTEM_TESTING_H_

#include <cstdint>
#include <memory>

#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/scheduler/deterministic_executor.h"

namespace troupe::internal {

inline constexpr int kThreads = 0;  // Any other parameter is a seed.

class SystemTest : public ::testing::TestWithParam<int> {
 protected:
  static std::unique_ptr<ActorSystem> MakeSystem() {
    if (GetParam() == kThreads) {
      return ActorSystem::Create({.workers = 2}).value();
    }
    return ActorSystem::CreateOn(
        std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options{
            .seed = static_cast<uint64_t>(GetParam())}),
        {});
  }
};

inline auto AllExecutors() {
  return ::testing::Values(kThreads, 1, 2, 3, 4, 5);
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_SYSTEM_TESTING_H_
