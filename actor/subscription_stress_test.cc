// Subscriptions that are dropped while other threads are in their subscribers.
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"

namespace troupe {
namespace {

struct Ping {};
class Idle : public Actor<Ping> {
 public:
  void Handle(Ping) {}
};

// No call begins or lasts after Drop() has returned, nor is one lost of a
// subscription that stays.
TEST(SubscriptionStressTest, DropWaitsForCallsOnOtherThreads) {
  constexpr int kPublishers = 3;
  constexpr int kEvents = 5000;
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  Idle::Ref gone = system->Spawn<Idle>().value();
  ASSERT_TRUE(gone.KillAndWait().ok());
  std::atomic<int> stays{0};
  Subscription kept = system->Subscribe<DeadLetter>(
      [&](const DeadLetter&) { stays.fetch_add(1); });

  std::atomic<int> publishing{kPublishers};
  std::atomic<int> published{0};
  std::atomic<bool> heard{false};  // By one that is dropped.
  std::vector<std::thread> publishers;
  for (int i = 0; i < kPublishers; ++i) {
    publishers.emplace_back([&] {
      for (int e = 0; e < kEvents || !heard.load(); ++e) {
        gone.Send<Ping>();
        published.fetch_add(1);
      }
      publishing.fetch_sub(1);
    });
  }
  while (publishing.load() > 0) {
    // Gone with the subscription: a late call is a use after free.
    auto seen = std::make_unique<std::atomic<int>>(0);
    std::atomic<bool> dropped{false};
    Subscription subscription = system->Subscribe<DeadLetter>(
        [counter = seen.get(), &dropped, &heard](const DeadLetter&) {
          EXPECT_FALSE(dropped.load());
          counter->fetch_add(1);
          heard.store(true);
          std::this_thread::yield();
          EXPECT_FALSE(dropped.load());
        });
    while (seen->load() == 0 && publishing.load() > 0) {
      std::this_thread::yield();
    }
    subscription.Drop();
    dropped.store(true);
    seen.reset();
  }
  for (std::thread& publisher : publishers) publisher.join();
  EXPECT_EQ(stays.load(), published.load());
}

}  // namespace
}  // namespace troupe
