// How long a subscription lasts, and what subscribers may do.
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/base/log.h"
#include "troupe/scheduler/deterministic_executor.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Log : public LogSink {
 public:
  void Send(const LogEntry& entry) override {
    absl::MutexLock lock(&mu_);
    entries_.emplace_back(entry.text_message());
  }
  std::vector<std::string> entries() const {
    absl::MutexLock lock(&mu_);
    return entries_;
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<std::string> entries_ ABSL_GUARDED_BY(mu_);
};

// A system in which every Ping to nobody is an event.
class SubscriptionTest : public ::testing::Test {
 protected:
  struct Ping {};
  class Idle : public Actor<Ping> {
   public:
    void Handle(Ping) {}
  };

  SubscriptionTest() : gone_(system_->Spawn<Idle>().value()) {
    EXPECT_TRUE(gone_.KillAndWait().ok());
  }

  void Publish() { gone_.Send<Ping>(); }
  Subscription Subscribe(std::function<void()> subscriber) {
    return system_->Subscribe<DeadLetter>(
        [subscriber = std::move(subscriber)](const DeadLetter&) {
          subscriber();
        });
  }

  Log log_;
  std::unique_ptr<ActorSystem> system_ =
      ActorSystem::CreateOn(std::make_unique<DeterministicExecutor>(
                                DeterministicExecutor::Options{.seed = 1}),
                            {.logger = Logger(&log_)});
  ActorRef<Ping> gone_;
};

TEST_F(SubscriptionTest, SubscribersAreCalledInTheOrderTheyCame) {
  std::vector<int> calls;
  Subscription first = Subscribe([&] { calls.push_back(1); });
  Subscription second = Subscribe([&] { calls.push_back(2); });
  Publish();
  Publish();
  EXPECT_THAT(calls, ElementsAre(1, 2, 1, 2));
}

TEST_F(SubscriptionTest, NothingComesAfterDrop) {
  std::vector<int> calls;
  Subscription dropped = Subscribe([&] { calls.push_back(1); });
  Subscription kept = Subscribe([&] { calls.push_back(2); });
  {
    Subscription scoped = Subscribe([&] { calls.push_back(3); });
    Publish();
  }
  dropped.Drop();
  dropped.Drop();  // Harmless.
  Publish();
  EXPECT_THAT(calls, ElementsAre(1, 2, 3, 2));
}

TEST_F(SubscriptionTest, MoveTakesTheSubscriptionAlong) {
  std::vector<int> calls;
  Subscription from = Subscribe([&] { calls.push_back(1); });
  Subscription to = Subscribe([&] { calls.push_back(2); });
  to = std::move(from);  // Ends what it held.
  Publish();
  to = Subscription();
  Publish();
  EXPECT_THAT(calls, ElementsAre(1));
}

TEST_F(SubscriptionTest, SubscriberMayDropItself) {
  std::vector<int> calls;
  Subscription subscription;
  subscription = Subscribe([&] {
    calls.push_back(1);
    subscription.Drop();
    Publish();  // It hears no more, not even of what it does now.
  });
  Publish();
  EXPECT_THAT(calls, ElementsAre(1));
}

TEST_F(SubscriptionTest, SubscriberMayDropAnotherThatComesNext) {
  std::vector<int> calls;
  Subscription second;
  Subscription first = Subscribe([&] { second.Drop(); });
  second = Subscribe([&] { calls.push_back(2); });
  Publish();
  EXPECT_THAT(calls, IsEmpty());
}

TEST_F(SubscriptionTest, SubscriberMaySubscribe) {
  std::vector<int> calls;
  Subscription second;
  Subscription first = Subscribe([&] {
    calls.push_back(1);
    second = Subscribe([&] { calls.push_back(2); });
  });
  Publish();
  first.Drop();
  Publish();
  EXPECT_THAT(calls, ElementsAre(1, 2));
}

TEST_F(SubscriptionTest, ThrowingSubscriberIsLoggedAndDisturbsNobody) {
  std::vector<int> calls;
  Subscription first = Subscribe([] { throw std::runtime_error("boom"); });
  Subscription second = Subscribe([&] { calls.push_back(2); });
  Publish();
  Publish();
  first.Drop();  // The throw has left nothing behind that would block it.
  EXPECT_THAT(calls, ElementsAre(2, 2));
  const auto report = AllOf(HasSubstr("subscriber"), HasSubstr("boom"));
  EXPECT_THAT(log_.entries(), ElementsAre(report, report));
}

TEST_F(SubscriptionTest, MayOutliveTheSystem) {
  Subscription subscription = Subscribe([] {});
  system_.reset();
  Publish();
  subscription.Drop();
}

// Hears of dead letters as messages.
class Mourner : public Actor<DeadLetter> {
 public:
  explicit Mourner(std::vector<ActorId>& targets) : targets_(targets) {}
  void Handle(const DeadLetter& letter) { targets_.push_back(letter.target); }

 private:
  std::vector<ActorId>& targets_;
};

TEST_F(SubscriptionTest, ActorMaySubscribe) {
  std::vector<ActorId> targets;
  Mourner::Ref mourner = system_->Spawn<Mourner>(targets).value();
  Subscription subscription = system_->Subscribe<DeadLetter>(mourner);
  Publish();
  Publish();
  EXPECT_TRUE(mourner.DrainAndWait().ok());
  EXPECT_THAT(targets, ElementsAre(gone_.id(), gone_.id()));
}

// Publishes a number on a thread of its own, and then the next one itself.
struct Number {
  int value;
};
struct Go {};
class Publisher : public Actor<Go> {
 public:
  void Handle(Go) {
    std::thread([this] { system().Publish(Number{1}); }).join();
    system().Publish(Number{2});
  }
};
class Reader : public Actor<Number> {
 public:
  explicit Reader(std::vector<int>& seen) : seen_(seen) {}
  void Handle(Number number) { seen_.push_back(number.value); }

 private:
  std::vector<int>& seen_;
};

// The publisher's own worker has a faster way, which would overtake.
TEST_F(SubscriptionTest, ActorHearsInTheOrderOfPublishing) {
  std::vector<int> seen;
  const auto reader = system_->Spawn<Reader>(seen).value();
  Subscription subscription = system_->Subscribe<Number>(reader);
  const auto publisher = system_->Spawn<Publisher>().value();
  for (int round = 0; round < 10; ++round) publisher.Send<Go>();
  EXPECT_TRUE(publisher.DrainAndWait().ok());
  EXPECT_TRUE(reader.DrainAndWait().ok());
  std::vector<int> expected;
  for (int round = 0; round < 10; ++round) {
    expected.push_back(1);
    expected.push_back(2);
  }
  EXPECT_EQ(seen, expected);
}

// §18: what such an actor does not hear any more is a dead letter in its turn,
// of which it is not told: that would go on for ever.
TEST_F(SubscriptionTest, ActorThatIsGoneIsNotToldOfItsOwnDeadLetters) {
  std::vector<ActorId> targets;
  Mourner::Ref mourner = system_->Spawn<Mourner>(targets).value();
  Subscription subscription = system_->Subscribe<DeadLetter>(mourner);
  std::vector<ActorId> heard;
  Subscription other = system_->Subscribe<DeadLetter>(
      [&](const DeadLetter& letter) { heard.push_back(letter.target); });
  Publish();
  EXPECT_TRUE(mourner.StopAndWait().ok());  // With one in its mailbox.
  Publish();
  EXPECT_THAT(targets, IsEmpty());
  EXPECT_EQ(system_->dead_letters(), 4u);
  EXPECT_THAT(heard, ::testing::UnorderedElementsAre(gone_.id(), mourner.id(),
                                                     gone_.id(), mourner.id()));
}

}  // namespace
}  // namespace troupe
