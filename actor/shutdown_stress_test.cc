// Shutdowns while threads and handlers spawn: each spawn is refused, or its
// actor has ended when the shutdown returns.
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/barrier.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

struct Multiply {};

// Makes a top-level actor at each message, until that is refused.
class Idler : public Actor<Multiply> {
 public:
  void Handle(Multiply) {
    if (system().Spawn<Idler>().ok()) self().Send<Multiply>();
  }
};

// §16.
TEST(ShutdownStressTest, NoActorSlipsThroughAShutdown) {
  constexpr int kRounds = 200;
  constexpr int kThreads = 2;
  for (int round = 0; round < kRounds; ++round) {
    std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 2}).value();
    system->Spawn<Idler>().value().Send<Multiply>();
    auto* const barrier = new absl::Barrier(kThreads + 1);
    std::vector<Idler::Ref> last(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&system, &last, barrier, t] {
        if (barrier->Block()) delete barrier;
        while (true) {
          // Every other one is constructed in its own first turn.
          absl::StatusOr<Idler::Ref> spawned =
              t % 2 == 0 ? system->Spawn<Idler>()
                         : system->SpawnInstant<Idler>();
          if (!spawned.ok()) {
            EXPECT_THAT(spawned.status(),
                        StatusIs(absl::StatusCode::kFailedPrecondition,
                                 HasSubstr("shutting down")));
            return;
          }
          last[t] = *spawned;
        }
      });
    }
    if (barrier->Block()) delete barrier;
    EXPECT_THAT(system->Shutdown(), IsOk());
    EXPECT_EQ(system->live_actors(), 0u);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(system->live_actors(), 0u);
    for (const Idler::Ref& ref : last) {
      EXPECT_EQ(ref.status(), ActorStatus::kStopped);
    }
  }
}

}  // namespace
}  // namespace troupe
