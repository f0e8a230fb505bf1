// Ports whose publishers, subscribers and ends meet on several threads: clause
// 37 of docs/semantics.md.
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/executor.h"
#include "troupe/stream/output_port.h"
#include "troupe/stream/port_subscription.h"
#include "troupe/stream/publishes.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::AnyOf;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

constexpr int kEnd = -1;

// `number` counts what one publisher publishes.
struct Item {
  Item(int its_publisher, int its_number, std::atomic<int>& its_living)
      : publisher(its_publisher), number(its_number), living(&its_living) {
    ++*living;
  }
  Item(const Item& other)
      : Item(other.publisher, other.number, *other.living) {}
  ~Item() { --*living; }

  int publisher;
  int number;
  std::atomic<int>* living;
};

// What a reader got of one publisher.
struct Seen {
  int first = 0;
  int last = 0;
  int count = 0;
};

struct Leave {};

// Fails where order, or what is said to be without a gap, is broken.
class Reader : public Actor<Item, Leave> {
 public:
  Reader(bool gaps, absl::BlockingCounter* done) : gaps_(gaps), done_(done) {}
  void Handle(const Item& m) {
    Seen& seen = seen_[m.publisher];
    if (m.number == kEnd) return End();
    if (seen.count++ == 0) {
      seen.first = m.number;
    } else if (gaps_) {
      EXPECT_GT(m.number, seen.last);
    } else {
      EXPECT_EQ(m.number, seen.last + 1);
    }
    seen.last = m.number;
  }
  void Handle(Leave) { StopSelf(); }

 private:
  void End() {
    if (done_ != nullptr) std::exchange(done_, nullptr)->DecrementCount();
  }

  const bool gaps_;
  absl::BlockingCounter* done_;
  Seen seen_[2];
};

class StreamStressTest : public ::testing::Test {
 protected:
  ~StreamStressTest() override {
    EXPECT_THAT(system_->Shutdown(), IsOk());
    system_.reset();
    EXPECT_EQ(living_, 0);
  }
  Reader::Ref SpawnReader(bool gaps = false,
                          absl::BlockingCounter* done = nullptr) {
    return system_->Spawn<Reader>(gaps, done).value();
  }

  std::atomic<int> living_{0};
  std::unique_ptr<ActorSystem> system_ =
      ActorSystem::Create({.workers = 2}).value();
};

// §37: per subscription and publisher, in order, whoever publishes.
TEST_F(StreamStressTest, PublishersMeetUnderEveryPolicy) {
  constexpr int kEach = 3000;
  OutputPort<Item> port;
  absl::BlockingCounter done(8);
  for (int i = 0; i < 8; ++i) {
    const auto lag = static_cast<Lag>(i % 4);
    port.Subscribe(SpawnReader(lag != Lag::kLossless, &done),
                   {.lag = lag, .limit = 16})
        .Detach();
  }
  std::vector<std::thread> publishers;
  for (int publisher = 0; publisher < 2; ++publisher) {
    publishers.emplace_back([&, publisher] {
      for (int number = 0; number < kEach; ++number) {
        port.Publish(publisher, number, living_);
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  // One that drops what is new may drop an end as well.
  absl::Notification all;
  std::thread ends([&] {
    while (!all.HasBeenNotified()) {
      EXPECT_THAT(port.PublishWhenReady(0, kEnd, living_).Wait(), IsOk());
    }
  });
  done.Wait();
  all.Notify();
  ends.join();
}

// §37: whoever waits has a turn, and whoever had one gives it back, however
// soon it comes.
TEST_F(StreamStressTest, HandlersWaitForTheirTurnBesideThreads) {
  constexpr int kEach = 3000;
  struct Begin {
    using Reply = int;
  };
  class Publisher : public Actor<Begin> {
   public:
    Publisher(PortRef<Item> port, std::atomic<int>& living)
        : port_(std::move(port)), living_(living) {}
    Task<int> Handle(Begin) {
      int told = 0;
      for (int number = 0; number < kEach; ++number) {
        const absl::Status status =
            co_await port_.PublishWhenReady(0, number, living_)
                .Within(absl::InfiniteDuration());
        if (status.ok()) ++told;
      }
      co_return told;
    }

   private:
    const PortRef<Item> port_;
    std::atomic<int>& living_;
  };
  OutputPort<Item> port;
  absl::BlockingCounter done(1);
  port.Subscribe(SpawnReader(false, &done), {.limit = 4}).Detach();
  const auto handler = system_->Spawn<Publisher>(port.ref(), living_).value();
  std::thread thread([&] {
    for (int number = 0; number < kEach; ++number) {
      EXPECT_THAT(port.PublishWhenReady(1, number, living_)
                      .Within(absl::InfiniteDuration())
                      .Wait(),
                  IsOk());
    }
  });
  EXPECT_THAT(handler.Call<Begin>().Within(absl::InfiniteDuration()).Wait(),
              IsOkAndHolds(kEach));
  thread.join();
  // The last has given its turn back, and all that was told has been there.
  EXPECT_THAT(port.PublishWhenReady(0, kEnd, living_).Wait(), IsOk());
  done.Wait();
  EXPECT_EQ(port.stats().front().delivered, 2u * kEach + 1);
}

// §37: a subscription begins without a gap and without anything twice.
TEST_F(StreamStressTest, SubscribersComeWhileOthersPublish) {
  OutputPort<Item> port({.keeps = 4});
  constexpr int kReaders = 200;
  absl::Notification all_there;
  std::thread publisher([&] {
    int number = 0;
    while (!all_there.HasBeenNotified()) port.Publish(0, number++, living_);
    port.Publish(0, kEnd, living_);
  });
  absl::BlockingCounter done(kReaders);
  std::vector<PortSubscription> subscriptions;
  for (int i = 0; i < kReaders; ++i) {
    subscriptions.push_back(port.Subscribe(
        SpawnReader(false, &done), {.replay = static_cast<uint32_t>(i % 6)}));
  }
  all_there.Notify();
  done.Wait();
  publisher.join();
}

// §37: whoever unsubscribes gets nothing more.
TEST_F(StreamStressTest, SubscribersGoWhileOthersPublish) {
  struct Go {};
  class Fickle : public Actor<Item, Go> {
   public:
    Fickle(PortRef<Item> port, int rounds, absl::BlockingCounter& done)
        : port_(std::move(port)), rounds_(rounds), done_(done) {}
    void PostStart() { Begin(); }
    void Handle(const Item&) {
      EXPECT_TRUE(wants_);
      wants_ = false;
      subscription_.Unsubscribe();
      self().template Send<Go>();
    }
    void Handle(Go) {
      if (--rounds_ > 0) return Begin();
      done_.DecrementCount();
    }

   private:
    void Begin() {
      wants_ = true;
      subscription_ = port_.Subscribe(
          self(), {.lag = static_cast<Lag>(rounds_ % 4), .limit = 8});
    }

    const PortRef<Item> port_;
    int rounds_;
    absl::BlockingCounter& done_;
    bool wants_ = false;
    PortSubscription subscription_;
  };
  OutputPort<Item> port;
  absl::BlockingCounter done(4);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(system_->Spawn<Fickle>(port.ref(), 300, done).ok());
  }
  absl::Notification all;
  std::vector<std::thread> publishers;
  for (int publisher = 0; publisher < 2; ++publisher) {
    publishers.emplace_back([&] {
      while (!all.HasBeenNotified()) port.Publish(0, 0, living_);
    });
  }
  done.Wait();
  all.Notify();
  for (std::thread& publisher : publishers) publisher.join();
  EXPECT_EQ(port.subscriptions(), 0u);
}

// §37: a subscription that is given up while its publisher begins it leaves
// nothing behind.
TEST_F(StreamStressTest, SubscriptionsAreGivenUpWhileTheyBegin) {
  struct Count {
    using Reply = size_t;
  };
  class Publisher
      : public Actor<troupe::Subscribe<Item>, troupe::Unsubscribe<Item>, Count>,
        public Publishes<Item> {
   public:
    size_t Handle(Count) { return port().subscriptions(); }
  };
  const auto publisher = system_->Spawn<Publisher>().value();
  const Reader::Ref reader = SpawnReader();
  for (int i = 0; i < 20'000; ++i) {
    PortSubscription given_up = SubscribeTo<Item>(publisher, reader);
    // At various moments of its beginning.
    for (int spin = 0; spin < i % 64 && given_up.is_active(); ++spin) {
    }
    given_up.Unsubscribe();
  }
  EXPECT_THAT(publisher.Call<Count>().Wait(), IsOkAndHolds(0u));
}

// §37: subscribers that end are gone, and hold up nobody.
TEST_F(StreamStressTest, SubscribersEndWhileOthersPublish) {
  OutputPort<Item> port;
  absl::Notification all;
  std::thread publisher([&] {
    int number = 0;
    while (!all.HasBeenNotified()) {
      EXPECT_THAT(port.PublishWhenReady(0, number++, living_).Wait(), IsOk());
    }
  });
  for (int round = 0; round < 300; ++round) {
    std::vector<Reader::Ref> readers;
    for (int i = 0; i < 4; ++i) {
      readers.push_back(SpawnReader(true));
      port.Subscribe(readers.back(), {.lag = static_cast<Lag>(i), .limit = 2})
          .Detach();
    }
    readers[0].Kill();
    readers[1].Stop();
    readers[2].Drain();
    readers[3].Send<Leave>();
    for (const Reader::Ref& reader : readers) {
      EXPECT_THAT(reader.Wait(), IsOk());
    }
  }
  all.Notify();
  publisher.join();
  // Each was told, or found out, before its end was waited for; what is told
  // to the port comes right behind.
  const auto is_empty = [&] { return port.subscriptions() == 0; };
  EXPECT_TRUE(
      system_->executor().RunUntil(is_empty, MonotonicTime::InfiniteFuture()));
}

// §37: what is pending when a port goes is delivered; publishers that are still
// at it reach nobody.
TEST_F(StreamStressTest, PortGoesWhileOthersUseIt) {
  for (int round = 0; round < 200; ++round) {
    auto port = std::make_unique<OutputPort<Item>>(PortOptions{.keeps = 2});
    absl::BlockingCounter started(2);
    const PortRef<Item> ref = port->ref();
    std::thread publisher([&] {
      for (int number = 0; number < 50; ++number) {
        ref.Publish(0, number, living_);
        if (number == 10) started.DecrementCount();
      }
      // Published, or told that there is no port any more.
      EXPECT_THAT(ref.PublishWhenReady(0, 50, living_).Wait(),
                  AnyOf(IsOk(), StatusIs(absl::StatusCode::kAborted)));
    });
    std::thread subscriber([&] {
      for (int i = 0; i < 20; ++i) {
        ref.Subscribe(SpawnReader(i % 4 != 0),
                      {.lag = static_cast<Lag>(i % 4), .replay = 2})
            .Detach();
        if (i == 5) started.DecrementCount();
      }
    });
    started.Wait();
    port.reset();
    publisher.join();
    subscriber.join();
    EXPECT_EQ(ref.subscriptions(), 0u);
    EXPECT_FALSE(ref.TryPublish(0, 51, living_));
  }
}

}  // namespace
}  // namespace troupe
