// The system's events by ports: clauses 18 and 37 of docs/semantics.md.
#include "troupe/stream/event_port.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/stream/internal/stream_testing.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::troupe::internal::Listener;
using ::troupe::internal::Price;

struct Ping {
  int number;
};
struct Custom {
  int number;
};

class Idle : public Actor<Ping> {
 public:
  void Handle(Ping) {}
};

class Watcher : public Actor<DeadLetter, StartedActor, EndedActor, Custom> {
 public:
  explicit Watcher(std::vector<std::string>& log) : log_(log) {}
  void Handle(const DeadLetter& m) {
    log_.push_back("letter to " + m.target.ToString());
  }
  void Handle(const StartedActor& m) {
    log_.push_back("started " + m.actor.ToString());
  }
  void Handle(const EndedActor& m) {
    log_.push_back("ended " + m.actor.ToString() + " " + m.reason.ToString());
  }
  void Handle(const Custom& m) {
    log_.push_back("custom " + std::to_string(m.number));
  }

 private:
  std::vector<std::string>& log_;
};

class EventPortTest : public internal::CallsTest {
 protected:
  ~EventPortTest() override { EXPECT_TRUE(system_->Shutdown().ok()); }

  void Play() { executor_->RunUntilIdle(); }
  Idle::Ref SpawnGone() {
    const auto gone = system_->Spawn<Idle>().value();
    gone.Kill();
    Play();
    return gone;
  }

  std::vector<std::string> log_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, EventPortTest, internal::SomeSeeds());

TEST_P(EventPortTest, BringsEventsThatOwnWhatTheyName) {
  const auto watcher = system_->Spawn<Watcher>(log_).value();
  Play();
  const PortSubscription starts =
      SubscribeEvents<ActorStarted>(*system_, watcher);
  const PortSubscription ends = SubscribeEvents<ActorEnded>(*system_, watcher);
  const PortSubscription letters =
      SubscribeEvents<DeadLetter>(*system_, watcher);
  const auto idle = system_->Spawn<Idle>().value();
  Play();
  idle.Stop();
  Play();
  idle.Send<Ping>(1);
  Play();
  const std::string name = idle.id().ToString();
  EXPECT_THAT(log_, ElementsAre("started " + name, "ended " + name + " normal",
                                "letter to " + name));
}

// What another package, or a user, publishes.
TEST_P(EventPortTest, BringsEventsOfAnyType) {
  const auto watcher = system_->Spawn<Watcher>(log_).value();
  const PortSubscription custom = SubscribeEvents<Custom>(*system_, watcher);
  system_->Publish(Custom{5});
  Play();
  EXPECT_THAT(log_, ElementsAre("custom 5"));
}

// With the policies of ports.
TEST_P(EventPortTest, SubscribersMayConvertAndConflate) {
  std::vector<int> got;
  const auto listener = system_->Spawn<Listener>(got).value();
  const PortSubscription odd =
      SubscribeEvents<Custom>(*system_, listener,
                              [](const Custom& event) -> std::optional<Price> {
                                if (event.number % 2 == 0) return std::nullopt;
                                return Price{event.number};
                              },
                              {.lag = Lag::kConflate});
  for (int number = 1; number <= 4; ++number) {
    system_->Publish(Custom{number});
  }
  Play();
  EXPECT_THAT(got, ElementsAre(3));
  EXPECT_EQ(odd.stats().dropped, 1u);
}

// Dead letters of dead letters would go on for ever.
TEST_P(EventPortTest, DeadLettersOfTheirOwnAreNotPublished) {
  const auto first = system_->Spawn<Watcher>(log_).value();
  const auto second = system_->Spawn<Watcher>(log_).value();
  const PortSubscription one = SubscribeEvents<DeadLetter>(*system_, first);
  const PortSubscription two =
      SubscribeEvents<DeadLetter>(*system_, second, {.lag = Lag::kDropOldest});
  const Idle::Ref gone = SpawnGone();
  log_.clear();
  for (int number = 0; number < 3; ++number) gone.Send<Ping>(number);
  first.Kill();  // Three dead letters wait for it.
  Play();
  EXPECT_THAT(log_, SizeIs(3));
  EXPECT_EQ(system_->dead_letters(), 6u);
  gone.Send<Ping>(3);
  second.Kill();
  Play();
  EXPECT_EQ(system_->dead_letters(), 8u);
  gone.Send<Ping>(4);
  Play();
  EXPECT_EQ(system_->dead_letters(), 9u);
}

}  // namespace
}  // namespace troupe
