// Trees that are too deep or too wide for any recursion (R-061, §14), and ends
// that pass through all of them.
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/testing/scale.h"

namespace troupe {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

class DeepTreeTest : public internal::SystemTest {
 protected:
  const int actors_ = static_cast<int>(testing::Scaled(100'000));

  static void AwaitComplete(ActorSystem& system, int actors,
                            absl::Notification& complete) {
    ASSERT_TRUE(system.executor().RunUntil(
        [&] { return complete.HasBeenNotified(); },
        system.executor().clock().Now() + absl::Minutes(5)));
    EXPECT_EQ(system.live_actors(), static_cast<uint64_t>(actors) + 1);
  }
};

INSTANTIATE_TEST_SUITE_P(Executors, DeepTreeTest,
                         ::testing::Values(internal::kThreads, 1));

// Fails.
struct Break {};

enum class End { kKill, kStop, kFail };

void Bring(End end, const ActorRef<Break>& actor) {
  switch (end) {
    case End::kKill:
      return actor.Kill();
    case End::kStop:
      return actor.Stop();
    case End::kFail:
      return actor.Send<Break>();
  }
}

// Makes the next of a chain, until `levels` are left.
class Chained : public Actor<Break> {
 public:
  Chained(int levels, ActorRef<Break>& last, absl::Notification& complete)
      : levels_(levels), last_(last), complete_(complete) {}
  void PostStart() {
    if (levels_ == 0) {
      last_ = self();
      complete_.Notify();
    } else {
      Spawn<Chained>(levels_ - 1, last_, complete_).value();
    }
  }
  absl::Status Handle(Break) { return absl::DataLossError("broken"); }

 private:
  const int levels_;
  ActorRef<Break>& last_;
  absl::Notification& complete_;
};

TEST_P(DeepTreeTest, DeepChainEndsWithoutRecursion) {
  for (const End end : {End::kKill, End::kStop, End::kFail}) {
    ActorRef<Break> last;
    absl::Notification complete;
    std::unique_ptr<ActorSystem> system = MakeSystem();
    const Chained::Ref top =
        system->Spawn<Chained>(actors_, last, complete).value();
    AwaitComplete(*system, actors_, complete);
    Bring(end, top);
    ASSERT_TRUE(system->AwaitNoActors(absl::Minutes(5)));
  }
}

// §27: each parent says who failed, and what was the cause, however many there
// are in between.
TEST_P(DeepTreeTest, FailureOfTheDeepestReachesTheTop) {
  ActorRef<Break> last;
  absl::Notification complete;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  ExitReason reason;
  const Chained::Ref top =
      system->Spawn<Chained>(actors_, last, complete).value();
  AwaitComplete(*system, actors_, complete);
  const Subscription subscription =
      system->Subscribe<ActorEnded>([&](const ActorEnded& event) {
        if (event.actor == top.id()) reason = event.reason;
      });
  last.Send<Break>();
  ASSERT_TRUE(system->AwaitNoActors(absl::Minutes(5)));
  EXPECT_EQ(reason.status().code(), absl::StatusCode::kDataLoss);
  const std::string message(reason.status().message());
  EXPECT_THAT(message, StartsWith("child #"));
  EXPECT_THAT(message, EndsWith("failed: DATA_LOSS: broken"));
  EXPECT_LT(message.size(), 600u);
}

class Leaf : public Actor<Break> {
 public:
  void Handle(Break) {}
};

class Wide : public Actor<Break> {
 public:
  Wide(int children, absl::Notification& complete)
      : children_(children), complete_(complete) {}
  void PostStart() {
    for (int i = 0; i < children_; ++i) Spawn<Leaf>().value();
    complete_.Notify();
  }
  absl::Status Handle(Break) { return absl::DataLossError("broken"); }

 private:
  const int children_;
  absl::Notification& complete_;
};

TEST_P(DeepTreeTest, WideTreeEndsWithoutRecursion) {
  // The deterministic executor walks along all that is ready.
  const int width = GetParam() == internal::kThreads ? actors_ : actors_ / 50;
  for (const End end : {End::kKill, End::kStop, End::kFail}) {
    absl::Notification complete;
    std::unique_ptr<ActorSystem> system = MakeSystem();
    const Wide::Ref top = system->Spawn<Wide>(width, complete).value();
    AwaitComplete(*system, width, complete);
    Bring(end, top);
    ASSERT_TRUE(system->AwaitNoActors(absl::Minutes(5)));
  }
}

}  // namespace
}  // namespace troupe
