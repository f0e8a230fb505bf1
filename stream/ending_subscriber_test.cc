// Subscribers that end at what a port brings (§14, §37).
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/stream/output_port.h"
#include "troupe/stream/port_subscription.h"

namespace troupe {
namespace {

struct News {
  int number;
};

class SlowToStop : public Actor<News> {
 public:
  void Handle(const News&) {}
  Task<void> PostStop(const ExitReason&) {
    (void)co_await Sleep(absl::Seconds(1));
  }
};

class LastReader : public Actor<News> {
 public:
  void PreStart() { EXPECT_TRUE(Spawn<SlowToStop>().ok()); }
  void Handle(const News&) { StopSelf(); }
};

// It has nothing to do meanwhile, and must not keep its worker busy.
TEST(EndingSubscriberTest, AwaitsItsChildrenWithoutTurns) {
  constexpr int kMany = 1000;
  auto executor = std::make_unique<DeterministicExecutor>(
      DeterministicExecutor::Options{.workers = 1,
                                     .hand_over_probability = 0,
                                     .lost_seat_probability = 0});
  DeterministicExecutor& player = *executor;
  const auto system = ActorSystem::CreateOn(std::move(executor), {});
  const OutputPort<News> port;
  const LastReader::Ref reader = system->Spawn<LastReader>().value();
  const PortSubscription subscription = port.Subscribe(reader);
  port.Publish(1);
  int steps = 0;
  while (steps < kMany && player.Step()) ++steps;
  ASSERT_LT(steps, kMany);
  EXPECT_EQ(reader.status(), ActorStatus::kStopping);
  player.RunFor(absl::Seconds(2));
  EXPECT_EQ(reader.status(), ActorStatus::kStopped);
}

}  // namespace
}  // namespace troupe
