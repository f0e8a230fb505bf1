// Trees that are too deep for any recursion.
#include <cstdint>
#include <memory>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/system_testing.h"

namespace troupe {
namespace {

class DeepTreeTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, DeepTreeTest,
                         ::testing::Values(internal::kThreads, 1));

struct Work {};

// Makes the next of a chain, until `levels` are left.
class Link : public Actor<Work> {
 public:
  Link(int levels, absl::Notification& complete)
      : levels_(levels), complete_(complete) {}
  void PostStart() {
    if (levels_ == 0) {
      complete_.Notify();
    } else {
      Spawn<Link>(levels_ - 1, complete_).value();
    }
  }
  void Handle(Work) {}

 private:
  const int levels_;
  absl::Notification& complete_;
};

// R-061, §14: children end without recursion.
TEST_P(DeepTreeTest, DeepChainEndsWithoutRecursion) {
  constexpr int kLevels = 100'000;
  for (bool kill : {true, false}) {
    absl::Notification complete;
    std::unique_ptr<ActorSystem> system = MakeSystem();
    Link::Ref top = system->Spawn<Link>(kLevels, complete).value();
    ASSERT_TRUE(system->executor().RunUntil(
        [&] { return complete.HasBeenNotified(); },
        system->executor().clock().Now() + absl::Minutes(5)));
    EXPECT_EQ(system->live_actors(), uint64_t{kLevels} + 1);
    kill ? top.Kill() : top.Stop();
    ASSERT_TRUE(system->AwaitNoActors(absl::Minutes(5)));
  }
}

}  // namespace
}  // namespace troupe
