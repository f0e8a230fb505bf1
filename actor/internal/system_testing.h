// A fixture for tests that hold on threads as on the deterministic executor.
#ifndef TROUPE_ACTOR_INTERNAL_SYSTEM_TESTING_H_
#define TROUPE_ACTOR_INTERNAL_SYSTEM_TESTING_H_

#include <cstdint>
#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/event.h"

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

// Why the actors of a system ended, also if they did before anybody asked:
// Wait() knows no reason then. To be made before what ends them.
//
// Thread safety: any thread.
class Endings {
 public:
  explicit Endings(ActorSystem& system)
      : system_(system),
        subscription_(
            system.Subscribe<ActorEnded>([this](const ActorEnded& event) {
              Ending& ending = EndingOf(event.actor);
              ending.reason = event.reason;
              ending.known.Set();
            })) {}

  // Waits until `actor` has ended. What it and its children did is visible
  // then, and it has no status but kStopped; to see it counted too, use
  // ActorSystem::AwaitNoActors().
  // REQUIRES: not in a handler.
  ExitReason Await(const AnyActorRef& actor) {
    Ending& ending = EndingOf(actor.id());
    EXPECT_TRUE(system_.executor().WaitFor(ending.known,
                                           MonotonicTime::InfiniteFuture()));
    // The event comes before the last steps.
    EXPECT_TRUE(actor.Wait().ok());
    return ending.reason;
  }

 private:
  struct Ending {
    Event known;
    ExitReason reason;  // Written before the event is set.
  };

  Ending& EndingOf(ActorId actor) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return endings_[actor];
  }

  ActorSystem& system_;
  absl::Mutex mu_;
  std::map<ActorId, Ending> endings_ ABSL_GUARDED_BY(mu_);
  Subscription subscription_;  // Last: the first to go.
};

inline auto AllExecutors() {
  return ::testing::Values(kThreads, 1, 2, 3, 4, 5);
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_SYSTEM_TESTING_H_
