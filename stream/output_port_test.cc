// Ports and their subscriptions: clause 37 of docs/semantics.md, and R-180 to
//
#include "troupe/stream/output_port.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/stream/internal/stream_testing.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::troupe::internal::Do;
using ::troupe::internal::Gate;
using ::troupe::internal::Line;
using ::troupe::internal::Listener;
using ::troupe::internal::Open;
using ::troupe::internal::Price;
using ::troupe::internal::SlowListener;
using ::troupe::internal::Tracked;

class OutputPortTest : public internal::CallsTest {
 protected:
  // Actors write to the log to their end.
  ~OutputPortTest() override { EXPECT_TRUE(system_->Shutdown().ok()); }

  Listener::Ref SpawnListener() {
    return system_->Spawn<Listener>(got_).value();
  }
  // Begins to handle one price, and then waits for the gate.
  SlowListener::Ref SpawnSlow() {
    return system_->Spawn<SlowListener>(got_, gate_).value();
  }
  void Play() { executor_->RunUntilIdle(); }
  // Lets slow listeners go on with what they handle, one after the other.
  void LetAllPass() {
    for (int i = 0; i < 50; ++i) {
      gate_.Send<Open>();
      Play();
    }
  }
  template <typename... Cents>
  void Publish(Cents... cents) {
    (port_.Publish(cents), ...);
  }

  std::vector<int> got_;
  Gate::Ref gate_ = Spawn<Gate>();
  OutputPort<Price> port_{{.keeps = 3}};
};

INSTANTIATE_TEST_SUITE_P(Seeds, OutputPortTest, internal::SomeSeeds());

// what a subscriber does with the fifth is its own affair.
TEST_P(OutputPortTest, SubscriberGetsEachMessage) {
  class Counts : public Actor<Price> {
   public:
    void Handle(const Price&) {
      if (++count_ == 5) StopSelf();
    }

   private:
    int count_ = 0;
  };
  const auto counts = system_->Spawn<Counts>().value();
  const PortSubscription subscription = port_.Subscribe(counts);
  Publish(1, 2, 3, 4);
  Play();
  EXPECT_EQ(counts.status(), ActorStatus::kRunning);
  Publish(5);
  Play();
  EXPECT_EQ(counts.status(), ActorStatus::kStopped);
}

// §37: there is one message for all of them.
TEST_P(OutputPortTest, FiftySubscribersGetAllOfIt) {
  struct Heavy {
    int number;
    Tracked tracked;
  };
  class Reads : public Actor<Heavy> {
   public:
    Reads(std::vector<int>& got, int& most, std::atomic<int>& living)
        : got_(got), most_(most), living_(living) {}
    void Handle(const Heavy& m) {
      got_.push_back(m.number);
      most_ = std::max(most_, living_.load());
    }

   private:
    std::vector<int>& got_;
    int& most_;
    std::atomic<int>& living_;
  };
  std::atomic<int> living = 0;
  int most = 0;
  OutputPort<Heavy> port;
  std::vector<PortSubscription> subscriptions;
  for (int i = 0; i < 50; ++i) {
    subscriptions.push_back(
        port.Subscribe(system_->Spawn<Reads>(got_, most, living).value()));
  }
  for (int number = 0; number < 2; ++number) {
    port.Publish(number, Tracked(living));
    Play();
  }
  EXPECT_THAT(got_, SizeIs(100));
  EXPECT_EQ(most, 1);
  EXPECT_EQ(living, 0);
}

// R-182, under every policy.
TEST_P(OutputPortTest, WhatIsPendingOutlivesThePort) {
  auto port = std::make_unique<OutputPort<Price>>();
  std::vector<PortSubscription> subscriptions;
  for (int i = 0; i < 50; ++i) {
    subscriptions.push_back(port->Subscribe(
        SpawnListener(),
        {.lag = i % 2 == 0 ? Lag::kLossless : Lag::kDropOldest}));
  }
  for (int cents = 0; cents < 3; ++cents) port->Publish(cents);
  const PortRef<Price> ref = port->ref();
  port.reset();
  for (const PortSubscription& subscription : subscriptions) {
    EXPECT_FALSE(subscription.is_active());
  }
  Play();
  EXPECT_THAT(got_, SizeIs(150));
  // Nobody is reached any more, and nobody can be.
  ref.Publish(7);
  const PortSubscription late = ref.Subscribe(SpawnListener());
  EXPECT_FALSE(late.is_active());
  ref.Publish(8);
  Play();
  EXPECT_THAT(got_, SizeIs(150));
  EXPECT_FALSE(ref.TryPublish(9));
}

//
TEST_P(OutputPortTest, LaggingSubscriberGetsLaterMessages) {
  const PortSubscription lossless = port_.Subscribe(SpawnSlow(), {.limit = 10});
  std::vector<int> all;
  for (int cents = 0; cents < 150; ++cents) {
    Publish(cents);
    all.push_back(cents);
  }
  Play();
  EXPECT_EQ(lossless.stats(),
            (SubscriptionStats{
                .waiting = 149, .delivered = 1, .dropped = 0, .active = true}));
  LetAllPass();
  LetAllPass();
  Publish(150);
  all.push_back(150);
  LetAllPass();
  LetAllPass();
  EXPECT_THAT(got_, ElementsAreArray(all));
}

//
TEST_P(OutputPortTest, SubscribersGetWhatTheyConvert) {
  struct Pair {
    int first;
    int second;
  };
  OutputPort<Pair> port;
  const PortSubscription sums = port.Subscribe(
      SpawnListener(),
      [](const Pair& pair) { return Price{pair.first + pair.second}; });
  const PortSubscription products =
      port.Subscribe(SpawnListener(), [](const Pair& pair) {
        return Line{std::string(pair.first * pair.second, 'x')};
      });
  port.Publish(2, 3);
  Play();
  EXPECT_THAT(got_, testing::UnorderedElementsAre(5, -6));
}

TEST_P(OutputPortTest, ConversionMayLeaveMessagesOut) {
  const PortSubscription even =
      port_.Subscribe(SpawnListener(),
                      [](const Price& price) -> std::optional<Price> {
                        if (price.cents % 2 != 0) return std::nullopt;
                        return price;
                      },
                      {.lag = Lag::kConflate});
  Publish(2, 3, 4, 5);
  Play();
  // The latest of those that it wants.
  EXPECT_THAT(got_, ElementsAre(4));
}

TEST_P(OutputPortTest, ConversionThatThrowsLosesOneMessage) {
  const PortSubscription picky =
      port_.Subscribe(SpawnListener(), [](const Price& price) {
        if (price.cents == 2) throw std::runtime_error("two");
        return price;
      });
  const PortSubscription other = port_.Subscribe(SpawnListener());
  Publish(1, 2, 3);
  Play();
  EXPECT_THAT(got_, testing::UnorderedElementsAre(1, 1, 2, 3, 3));
  EXPECT_EQ(picky.stats().dropped, 1u);
  EXPECT_EQ(other.stats().dropped, 0u);
}

//
TEST_P(OutputPortTest, SecondSubscriptionGetsNothingEarlier) {
  const Listener::Ref listener = SpawnListener();
  Publish(1);
  const PortSubscription first = port_.Subscribe(listener);
  Publish(2);
  const PortSubscription second = port_.Subscribe(listener);
  Publish(3);
  Play();
  EXPECT_THAT(got_, ElementsAre(2, 3, 3));
}

//
TEST_P(OutputPortTest, ReplacementTakesEffectAtItsPosition) {
  const Listener::Ref listener = SpawnListener();
  const PortSubscription first = port_.Subscribe(listener);
  const PortSubscription others = port_.Subscribe(SpawnListener());
  Publish(1);
  const PortSubscription second = port_.Subscribe(
      listener, [](const Price& price) { return Price{price.cents * 10}; },
      {.replaces = true});
  Publish(2);
  Play();
  EXPECT_FALSE(first.is_active());
  EXPECT_TRUE(others.is_active());
  EXPECT_EQ(port_.subscriptions(), 2u);
  EXPECT_THAT(got_, testing::UnorderedElementsAre(1, 1, 2, 20));
  EXPECT_EQ(first.stats().delivered, 1u);
}

// §37: no gap, nothing twice, and in order.
TEST_P(OutputPortTest, ReplayComesBeforeWhatIsNewer) {
  Publish(1, 2, 3, 4);
  for (const Lag lag : {Lag::kLossless, Lag::kDropOldest, Lag::kDropNewest}) {
    for (const uint32_t replay : {0, 2, 9}) {
      SCOPED_TRACE(static_cast<int>(lag) * 10 + static_cast<int>(replay));
      got_.clear();
      const PortSubscription subscription =
          port_.Subscribe(SpawnListener(), {.lag = lag, .replay = replay});
      port_.Publish(5);
      Play();
      switch (replay) {
        case 0:
          EXPECT_THAT(got_, ElementsAre(5));
          break;
        case 2:
          EXPECT_THAT(got_, SizeIs(3));
          EXPECT_EQ(got_.back(), 5);
          break;
        default:  // As many as are kept.
          EXPECT_THAT(got_, SizeIs(4));
      }
    }
  }
}

TEST_P(OutputPortTest, ReplayIsOfTheLatest) {
  Publish(1, 2, 3, 4);
  const PortSubscription two = port_.Subscribe(SpawnListener(), {.replay = 2});
  Play();
  EXPECT_THAT(got_, ElementsAre(3, 4));
  got_.clear();
  // The policy holds for a replay, too.
  const PortSubscription latest =
      port_.Subscribe(SpawnListener(), {.lag = Lag::kConflate, .replay = 3});
  EXPECT_EQ(latest.stats().dropped, 2u);
  Play();
  EXPECT_THAT(got_, ElementsAre(4));
}

TEST_P(OutputPortTest, DropOldestKeepsTheLatestOnes) {
  const PortSubscription subscription =
      port_.Subscribe(SpawnSlow(), {.lag = Lag::kDropOldest, .limit = 3});
  Publish(1);
  Play();  // It handles 1: that waits no more.
  Publish(2, 3, 4, 5, 6);
  EXPECT_EQ(subscription.stats(),
            (SubscriptionStats{
                .waiting = 3, .delivered = 1, .dropped = 2, .active = true}));
  LetAllPass();
  EXPECT_THAT(got_, ElementsAre(1, 4, 5, 6));
}

TEST_P(OutputPortTest, DropNewestKeepsTheOldestOnes) {
  const PortSubscription subscription =
      port_.Subscribe(SpawnSlow(), {.lag = Lag::kDropNewest, .limit = 3});
  Publish(1);
  Play();
  Publish(2, 3, 4, 5, 6);
  EXPECT_EQ(subscription.stats().dropped, 2u);
  LetAllPass();
  Publish(7);  // There is room again.
  LetAllPass();
  EXPECT_THAT(got_, ElementsAre(1, 2, 3, 4, 7));
}

TEST_P(OutputPortTest, ConflateKeepsTheLatestOnly) {
  const PortSubscription subscription =
      port_.Subscribe(SpawnSlow(), {.lag = Lag::kConflate});
  Publish(1);
  Play();
  Publish(2, 3, 4);
  LetAllPass();
  EXPECT_THAT(got_, ElementsAre(1, 4));
  EXPECT_EQ(subscription.stats().dropped, 2u);
}

// §17, §37.
TEST_P(OutputPortTest, LosslessKeepsItsPlaceAmongOtherMessages) {
  const Listener::Ref listener = SpawnListener();
  const PortSubscription subscription = port_.Subscribe(listener);
  listener.Send<Price>(1);
  Publish(2);
  listener.Send<Price>(3);
  Publish(4, 5);
  listener.Send<Price>(6);
  Play();
  EXPECT_THAT(got_, ElementsAre(1, 2, 3, 4, 5, 6));
}

// §37: the bounds of a mailbox are for others; order holds.
TEST_P(OutputPortTest, FullMailboxLosesNothing) {
  SpawnOptions options;
  options.mailbox = {.messages = 2, .policy = OverflowPolicy::kReject};
  const auto listener = system_->Spawn<Listener>(options, got_).value();
  const PortSubscription lossless = port_.Subscribe(listener);
  listener.Send<Price>(1);
  Publish(2, 3);
  listener.Send<Price>(4);
  Publish(5);
  listener.Send<Price>(6);  // One too many.
  Play();
  EXPECT_THAT(got_, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(system_->dead_letters(), 1u);
  const PortSubscription latest =
      port_.Subscribe(listener, {.lag = Lag::kConflate});
  Publish(7);
  Play();
  EXPECT_THAT(got_, ElementsAre(1, 2, 3, 4, 5, 7, 7));
}

// §37: from its own handler, at once.
TEST_P(OutputPortTest, NothingArrivesAfterUnsubscribe) {
  for (const Lag lag : {Lag::kLossless, Lag::kDropOldest, Lag::kConflate}) {
    SCOPED_TRACE(static_cast<int>(lag));
    got_.clear();
    const Listener::Ref listener = SpawnListener();
    PortSubscription subscription = port_.Subscribe(listener, {.lag = lag});
    Publish(1);
    Play();
    listener.Send<Do>([&] { subscription.Unsubscribe(); });
    Publish(2, 3);
    const Listener::Ref other = SpawnListener();
    PortSubscription dropped = port_.Subscribe(other, {.lag = lag});
    Publish(4);
    dropped = PortSubscription();
    Publish(5);
    Play();
    EXPECT_THAT(got_, ElementsAre(1));
    EXPECT_EQ(port_.subscriptions(), 0u);
  }
  // Nobody was told of a loss: nobody wanted it any more.
  EXPECT_EQ(system_->dead_letters(), 0u);
}

TEST_P(OutputPortTest, DetachedSubscriptionLastsUntilUnsubscribed) {
  const Listener::Ref listener = SpawnListener();
  port_.Subscribe(listener).Detach();
  port_.Subscribe(listener).Detach();
  Publish(1);
  Play();
  EXPECT_THAT(got_, ElementsAre(1, 1));
  EXPECT_EQ(port_.Unsubscribe(listener), 2u);
  EXPECT_EQ(port_.Unsubscribe(listener), 0u);
  Publish(2);
  Play();
  EXPECT_THAT(got_, ElementsAre(1, 1));
}

// §37: at its end, not at the next message.
TEST_P(OutputPortTest, EndedSubscriberIsPrunedAtOnce) {
  std::vector<PortSubscription> subscriptions;
  std::vector<Listener::Ref> listeners;
  for (int i = 0; i < 30; ++i) {
    listeners.push_back(SpawnListener());
    subscriptions.push_back(
        port_.Subscribe(listeners.back(), {.lag = static_cast<Lag>(i % 4)}));
  }
  Play();
  for (int i = 0; i < 20; ++i) listeners[i].Kill();
  Play();
  EXPECT_EQ(port_.subscriptions(), 10u);
  EXPECT_FALSE(subscriptions[0].is_active());
  EXPECT_TRUE(subscriptions[20].is_active());
  Publish(1);
  Play();
  EXPECT_THAT(got_, SizeIs(10));
  EXPECT_EQ(system_->dead_letters(), 0u);
}

// An actor that has stopped taking messages gets no others, and loses none.
TEST_P(OutputPortTest, WhatComesAfterTheEndIsNoDeadLetter) {
  const Listener::Ref gone = SpawnListener();
  gone.Kill();
  Play();
  const PortSubscription late = port_.Subscribe(gone);
  EXPECT_FALSE(late.is_active());
  const PortSubscription nobody = port_.Subscribe(ActorRef<Price>());
  EXPECT_FALSE(nobody.is_active());
  const Listener::Ref stopped = SpawnListener();
  for (const Lag lag : {Lag::kLossless, Lag::kDropOldest}) {
    port_.Subscribe(stopped, {.lag = lag}).Detach();
  }
  stopped.Stop();
  Publish(1);
  EXPECT_EQ(port_.subscriptions(), 0u);
  Play();
  EXPECT_THAT(got_, IsEmpty());
  EXPECT_EQ(system_->dead_letters(), 0u);
}

// §18, §37: each by its own name.
TEST_P(OutputPortTest, WhatWaitsForAnEndedActorIsADeadLetter) {
  for (const Lag lag : {Lag::kLossless, Lag::kDropOldest, Lag::kConflate}) {
    SCOPED_TRACE(static_cast<int>(lag));
    std::vector<std::string> letters;
    const Subscription heard =
        system_->Subscribe<DeadLetter>([&](const DeadLetter& letter) {
          letters.emplace_back(letter.message_type);
          EXPECT_EQ(letter.reason, DeadLetter::Reason::kStopped);
        });
    const SlowListener::Ref slow = SpawnSlow();
    const PortSubscription subscription = port_.Subscribe(slow, {.lag = lag});
    Publish(1);
    Play();
    Publish(2, 3, 4);
    slow.Kill();
    Play();
    EXPECT_THAT(letters, AllOf(SizeIs(lag == Lag::kConflate ? 1 : 3),
                               Each(std::string(kMessageType<Price>.name))));
    EXPECT_EQ(subscription.stats().waiting, 0u);
    EXPECT_FALSE(subscription.is_active());
  }
}

// A drain handles what has been published.
TEST_P(OutputPortTest, DrainHandlesWhatLosslessBrought) {
  const Listener::Ref listener = SpawnListener();
  const PortSubscription subscription = port_.Subscribe(listener);
  Publish(1, 2);
  listener.Drain();
  Publish(3);
  Play();
  EXPECT_THAT(got_, ElementsAre(1, 2));
}

// Fairness: one envelope stands for all that waits, and goes to the end.
TEST_P(OutputPortTest, LossySubscriptionLetsOthersIn) {
  const Listener::Ref listener = SpawnListener();
  const PortSubscription subscription =
      port_.Subscribe(listener, {.lag = Lag::kDropOldest, .limit = 100});
  Publish(1, 2, 3);
  listener.Send<Price>(10);
  listener.Send<Price>(11);
  Play();
  EXPECT_THAT(got_, ElementsAre(1, 10, 11, 2, 3));
}

TEST_P(OutputPortTest, StatsAreInTheOrderOfSubscription) {
  const PortSubscription first = port_.Subscribe(SpawnSlow(), {.limit = 5});
  const PortSubscription second =
      port_.Subscribe(SpawnSlow(), {.lag = Lag::kConflate});
  Publish(1);
  Play();
  Publish(2, 3);
  EXPECT_THAT(port_.stats(), ElementsAre(first.stats(), second.stats()));
  EXPECT_EQ(port_.stats()[0].waiting, 2u);
  EXPECT_EQ(port_.stats()[1].waiting, 1u);
  LetAllPass();
  EXPECT_EQ(port_.stats()[0].waiting, 0u);
}

// A conversion is user code: it may use the port.
TEST_P(OutputPortTest, ConversionMayPublishAndSubscribe) {
  std::vector<PortSubscription> more;
  const PortSubscription subscription =
      port_.Subscribe(SpawnListener(), [&](const Price& price) {
        if (price.cents == 1) {
          more.push_back(port_.Subscribe(SpawnListener()));
          Publish(5);
        }
        return price;
      });
  Publish(1);
  Play();
  // 5 to both, 1 to the one that was there when it was published.
  EXPECT_THAT(got_, testing::UnorderedElementsAre(5, 5, 1));
}

}  // namespace
}  // namespace troupe
