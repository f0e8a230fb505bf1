// Actors to which others subscribe by messages: clause 37 of docs/semantics.md.
#include "troupe/stream/publishes.h"

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
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using ::troupe::internal::Do;
using ::troupe::internal::Line;
using ::troupe::internal::Listener;
using ::troupe::internal::Price;

struct Tick {
  int cents;
};

// Has a Handle() of its own, which hides what it inherits.
class Ticker : public Actor<Tick, Subscribe<Price>, Unsubscribe<Price>>,
               public Publishes<Price> {
 public:
  Ticker() : Publishes<Price>({.keeps = 2}) {}
  void Handle(Tick m) { port().Publish(m.cents); }
};

// Publishes two types.
class Board : public Actor<Tick, Subscribe<Price>, Unsubscribe<Price>,
                           Subscribe<Line>, Unsubscribe<Line>>,
              public Publishes<Price>,
              public Publishes<Line> {
 public:
  void Handle(Tick m) {
    Publishes<Price>::port().Publish(m.cents);
    Publishes<Line>::port().Publish(std::string(m.cents, 'x'));
  }
};

class PublishesTest : public internal::CallsTest {
 protected:
  ~PublishesTest() override { EXPECT_TRUE(system_->Shutdown().ok()); }

  Listener::Ref SpawnListener() {
    return system_->Spawn<Listener>(got_).value();
  }
  void Play() { executor_->RunUntilIdle(); }

  std::vector<int> got_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, PublishesTest, internal::SomeSeeds());

TEST_P(PublishesTest, MessagesSubscribeAndUnsubscribe) {
  const auto ticker = system_->Spawn<Ticker>().value();
  const Listener::Ref listener = SpawnListener();
  ticker.Send<Tick>(1);
  ticker.Send<Subscribe<Price>>(listener);
  ticker.Send<Tick>(2);
  ticker.Send<Unsubscribe<Price>>(listener);
  ticker.Send<Tick>(3);
  Play();
  // What an end by a message finds under way is dropped.
  EXPECT_THAT(got_, testing::AnyOf(IsEmpty(), ElementsAre(2)));
  got_.clear();
  ticker.Send<Subscribe<Price>>(listener);
  Play();
  ticker.Send<Tick>(4);
  Play();
  EXPECT_THAT(got_, ElementsAre(4));
}

TEST_P(PublishesTest, HandleKeepsTheSubscription) {
  const auto ticker = system_->Spawn<Ticker>().value();
  ticker.Send<Tick>(1);
  PortSubscription prices = SubscribeTo<Price>(ticker, SpawnListener(),
                                               SubscribeOptions{.replay = 1});
  PortSubscription even = SubscribeTo<Price>(
      ticker, SpawnListener(), [](const Price& price) -> std::optional<Line> {
        if (price.cents % 2 != 0) return std::nullopt;
        return Line{std::string(price.cents, 'x')};
      });
  EXPECT_TRUE(prices.is_active());
  ticker.Send<Tick>(2);
  Play();
  EXPECT_THAT(got_, UnorderedElementsAre(1, 2, -2));
  prices.Unsubscribe();
  ticker.Send<Tick>(4);
  Play();
  EXPECT_THAT(got_, UnorderedElementsAre(1, 2, -2, -4));
}

// Also where the publisher has not handled the subscription yet.
TEST_P(PublishesTest, UnsubscribeOvertakesTheSubscription) {
  const auto ticker = system_->Spawn<Ticker>().value();
  const Listener::Ref listener = SpawnListener();
  listener.Send<Do>([&] {
    PortSubscription prices = SubscribeTo<Price>(ticker, listener);
    ticker.Send<Tick>(1);
    prices.Unsubscribe();
  });
  Play();
  EXPECT_THAT(got_, IsEmpty());
}

TEST_P(PublishesTest, EndOfThePublisherEndsThem) {
  const auto ticker = system_->Spawn<Ticker>().value();
  const PortSubscription prices = SubscribeTo<Price>(ticker, SpawnListener());
  ticker.Send<Tick>(1);
  ticker.Drain();
  Play();
  EXPECT_FALSE(prices.is_active());
  EXPECT_THAT(got_, ElementsAre(1));
  const PortSubscription late = SubscribeTo<Price>(ticker, SpawnListener());
  EXPECT_FALSE(late.is_active());
  EXPECT_EQ(system_->dead_letters(), 1u);
}

TEST_P(PublishesTest, ActorMayPublishSeveralTypes) {
  const auto board = system_->Spawn<Board>().value();
  const Listener::Ref listener = SpawnListener();
  board.Send<Subscribe<Price>>(listener);
  board.Send<Subscribe<Line>>(listener);
  board.Send<Tick>(3);
  Play();
  EXPECT_THAT(got_, ElementsAre(3, -3));
  board.Send<Unsubscribe<Price>>(listener);
  board.Send<Tick>(4);
  Play();
  EXPECT_THAT(got_, ElementsAre(3, -3, -4));
}

}  // namespace
}  // namespace troupe
