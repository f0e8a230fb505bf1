// Ports on one node, and their subscribers on another one.
#include "troupe/cluster/ports.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/events.h"
#include "troupe/actor/protocol.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/node_events.h"
#include "troupe/stream/output_port.h"
#include "troupe/stream/port_subscription.h"
#include "troupe/stream/publishes.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::TestCluster;
using internal::TestNode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

struct Price {
  static constexpr absl::string_view kWireName = "test.Price";
  int64_t cents = 0;
};
struct Line {
  std::string text;
};
struct TickerApi : Protocol<Subscribe<Price>, Unsubscribe<Price>> {};

// Its port is used by the test, too.
class Ticker : public Actor<TickerApi>, public Publishes<Price> {
 public:
  explicit Ticker(std::optional<PortRef<Price>>& port)
      : Publishes<Price>({.keeps = 10}) {
    port = this->port().ref();
  }
};

// What a reader has read; and it may be made to wait.
class Book {
 public:
  void Add(int64_t cents) {
    absl::MutexLock lock(&mu_);
    read_.push_back(cents);
    begun_ = true;
    const auto open = [this] {
      mu_.AssertReaderHeld();
      return !closed_;
    };
    mu_.Await(absl::Condition(&open));
  }
  std::vector<int64_t> Await(size_t count) {
    absl::MutexLock lock(&mu_);
    const auto there = [&] {
      mu_.AssertReaderHeld();
      return read_.size() >= count;
    };
    mu_.Await(absl::Condition(&there));
    return read_;
  }
  void Close() {
    absl::MutexLock lock(&mu_);
    closed_ = true;
  }
  void Open() {
    absl::MutexLock lock(&mu_);
    closed_ = false;
  }

 private:
  absl::Mutex mu_;
  std::vector<int64_t> read_ ABSL_GUARDED_BY(mu_);
  bool begun_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

class Reader : public Actor<Price, Line> {
 public:
  explicit Reader(Book& book) : book_(book) {}
  void Handle(Price m) { book_.Add(m.cents); }
  void Handle(const Line& m) {
    book_.Add(-static_cast<int64_t>(m.text.size()));
  }

 private:
  Book& book_;
};

// The port is on b, readers are on a.
class ClusterPortsTest : public ::testing::Test {
 protected:
  explicit ClusterPortsTest(Authorization rules = Authorization::Everything())
      : cluster_({"a", "b", "c"}, std::move(rules)) {
    ticker_ = b_->system().Spawn<Ticker>(std::ref(port_)).value();
    EXPECT_THAT(b_->node().Export("ticker", ticker_), IsOk());
    a_->AwaitPeer("b");
    far_ = a_->node().ResolveAndWait<TickerApi>("ticker@b").value();
    reader_ = a_->system().Spawn<Reader>(std::ref(book_)).value();
  }
  ~ClusterPortsTest() override { book_.Open(); }

  // Has a frame go to b and back, behind all that was sent before.
  void RoundTrip() { (void)a_->node().ResolveAndWait<Price>("none@b"); }
  void AwaitSubscriptions(size_t count) {
    while (port_->subscriptions() != count) RoundTrip();
  }

  TestCluster cluster_;
  std::unique_ptr<TestNode> a_ = cluster_.Start("a");
  std::unique_ptr<TestNode> b_ = cluster_.Start("b");
  std::optional<PortRef<Price>> port_;
  Ticker::Ref ticker_;
  ActorRef<TickerApi> far_;
  Book book_;
  Reader::Ref reader_;
};

// Nobody may watch anybody.
class UnwatchedPortsTest : public ClusterPortsTest {
 protected:
  UnwatchedPortsTest()
      : ClusterPortsTest(Authorization::Everything().Deny(
            Authorization::kAnyRole, {Verb::kWatch})) {}
};

TEST_F(UnwatchedPortsTest, SubscriberIsServedAndItsEndEndsIt) {
  const PortSubscription prices = SubscribeTo<Price>(far_, reader_);
  AwaitSubscriptions(1);
  // A refusal to watch would come back meanwhile.
  for (int i = 0; i < 3; ++i) RoundTrip();
  ASSERT_EQ(port_->subscriptions(), 1);
  ASSERT_TRUE(prices.is_active());
  port_->Publish(1);
  EXPECT_THAT(book_.Await(1), ElementsAre(1));
  reader_.Stop();
  AwaitSubscriptions(0);
}

TEST_F(ClusterPortsTest, PublishedMessagesCrossInOrder) {
  const PortSubscription prices = SubscribeTo<Price>(far_, reader_);
  AwaitSubscriptions(1);
  for (int i = 0; i < 1000; ++i) port_->Publish(i);
  const std::vector<int64_t> read = book_.Await(1000);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(read[i], i);
  EXPECT_TRUE(prices.is_active());
  EXPECT_EQ(prices.stats().delivered, 1000);
  EXPECT_EQ(b_->system().dead_letters(), 0);
}

TEST_F(ClusterPortsTest, ReplayComesFirst) {
  for (int i = 0; i < 5; ++i) port_->Publish(i);
  const PortSubscription prices =
      SubscribeTo<Price>(far_, reader_, SubscribeOptions{.replay = 3});
  AwaitSubscriptions(1);
  port_->Publish(5);
  EXPECT_THAT(book_.Await(4), ElementsAre(2, 3, 4, 5));
}

TEST_F(ClusterPortsTest, ConversionsRunAtTheSubscriber) {
  const PortSubscription lines = SubscribeTo<Price>(
      far_, reader_, [](const Price& price) -> std::optional<Line> {
        if (price.cents % 2 == 0) return std::nullopt;
        return Line{std::string(price.cents, 'x')};
      });
  AwaitSubscriptions(1);
  for (int i = 0; i < 6; ++i) port_->Publish(i);
  EXPECT_THAT(book_.Await(3), ElementsAre(-1, -3, -5));
  // What is left out waits no more, either.
  while (port_->stats()[0].waiting >= 1024 / 8) RoundTrip();
}

TEST_F(ClusterPortsTest, UnsubscribingEndsItAtBothEnds) {
  PortSubscription prices = SubscribeTo<Price>(far_, reader_);
  AwaitSubscriptions(1);
  prices.Unsubscribe();
  port_->Publish(1);  // It may be on its way; nobody gets it.
  AwaitSubscriptions(0);
  const PortSubscription again = SubscribeTo<Price>(far_, reader_);
  AwaitSubscriptions(1);
  port_->Publish(2);
  EXPECT_THAT(book_.Await(1), ElementsAre(2));
}

TEST_F(ClusterPortsTest, SubscriptionGivenUpBeforeItCrossedIsNone) {
  { const PortSubscription prices = SubscribeTo<Price>(far_, reader_); }
  RoundTrip();
  AwaitSubscriptions(0);
  port_->Publish(1);
  std::move(
      *std::make_unique<PortSubscription>(SubscribeTo<Price>(far_, reader_)))
      .Detach();
  AwaitSubscriptions(1);
  port_->Publish(2);
  EXPECT_THAT(book_.Await(1), ElementsAre(2));
}

TEST_F(ClusterPortsTest, UnsubscribeMessageEndsIt) {
  const PortSubscription prices = SubscribeTo<Price>(far_, reader_);
  AwaitSubscriptions(1);
  far_.Send<Unsubscribe<Price>>(reader_);
  AwaitSubscriptions(0);
  while (prices.is_active()) RoundTrip();
}

TEST_F(ClusterPortsTest, EndOfTheSubscriberEndsIt) {
  const PortSubscription prices = SubscribeTo<Price>(far_, reader_);
  AwaitSubscriptions(1);
  reader_.Stop();
  AwaitSubscriptions(0);
  EXPECT_FALSE(prices.is_active());
}

TEST_F(ClusterPortsTest, EndOfThePortDeliversWhatIsUnderWay) {
  for (const Lag lag : {Lag::kLossless, Lag::kDropOldest}) {
    SCOPED_TRACE(static_cast<int>(lag));
    Book book;
    const auto reader = a_->system().Spawn<Reader>(std::ref(book)).value();
    const auto ticker = b_->system().Spawn<Ticker>(std::ref(port_)).value();
    const std::string name = lag == Lag::kLossless ? "first" : "second";
    EXPECT_THAT(b_->node().Export(name, ticker), IsOk());
    const auto far = a_->node().ResolveAndWait<TickerApi>(name + "@b").value();
    const PortSubscription prices =
        SubscribeTo<Price>(far, reader, SubscribeOptions{.lag = lag});
    AwaitSubscriptions(1);
    const std::weak_ptr<internal::SubscriptionCore> at_port =
        port_->core()->Cores()[0];
    for (int i = 0; i < 100; ++i) port_->Publish(i);
    ticker.Stop();
    EXPECT_THAT(book.Await(100), SizeIs(100));
    while (prices.is_active() || !at_port.expired()) RoundTrip();
  }
}

TEST_F(ClusterPortsTest, MessageThatIsNotHandledLeavesNoSubscription) {
  ticker_.Stop();
  EXPECT_THAT(ticker_.Wait(), IsOk());
  const PortSubscription prices = SubscribeTo<Price>(far_, reader_);
  while (prices.is_active()) RoundTrip();
}

TEST_F(ClusterPortsTest, LosslessIsFullByWhatWaitsElsewhere) {
  const PortSubscription prices =
      SubscribeTo<Price>(far_, reader_, SubscribeOptions{.limit = 4});
  AwaitSubscriptions(1);
  book_.Close();
  EXPECT_TRUE(port_->TryPublish(0));
  (void)book_.Await(1);  // It is being handled.
  while (port_->stats()[0].waiting != 0) RoundTrip();
  for (int i = 1; i <= 4; ++i) EXPECT_TRUE(port_->TryPublish(i)) << i;
  RoundTrip();
  EXPECT_FALSE(port_->TryPublish(5));
  EXPECT_EQ(port_->stats()[0].waiting, 4);
  EXPECT_EQ(port_->stats()[0].delivered, 1);
  book_.Open();
  EXPECT_THAT(port_->PublishWhenReady(6).Within(absl::Minutes(1)).Wait(),
              IsOk());
  EXPECT_THAT(book_.Await(6), ElementsAre(0, 1, 2, 3, 4, 6));
}

TEST_F(ClusterPortsTest, LossyKeepsItsLimitAtTheSubscriber) {
  struct Case {
    SubscribeOptions options;
    std::vector<int64_t> read;
  };
  for (const Case& one :
       {Case{{.lag = Lag::kConflate}, {0, 9}},
        Case{{.lag = Lag::kDropOldest, .limit = 3}, {0, 7, 8, 9}},
        Case{{.lag = Lag::kDropNewest, .limit = 3}, {0, 1, 2, 3}}}) {
    SCOPED_TRACE(static_cast<int>(one.options.lag));
    Book book;
    const auto reader = a_->system().Spawn<Reader>(std::ref(book)).value();
    PortSubscription prices = SubscribeTo<Price>(far_, reader, one.options);
    AwaitSubscriptions(1);
    book.Close();
    port_->Publish(0);
    (void)book.Await(1);
    for (int i = 1; i < 10; ++i) {
      port_->Publish(i);
      // It leaves b before the next one comes.
      while (port_->stats()[0].delivered != static_cast<uint64_t>(i + 1)) {
        RoundTrip();
      }
    }
    RoundTrip();
    EXPECT_EQ(prices.stats().dropped, 10 - one.read.size());
    EXPECT_EQ(port_->stats()[0].dropped, 0);
    book.Open();
    EXPECT_EQ(book.Await(one.read.size()), one.read);
    prices.Unsubscribe();
    AwaitSubscriptions(0);
    reader.Stop();
    EXPECT_THAT(reader.Wait(), IsOk());
  }
}

TEST_F(ClusterPortsTest, PortSubscribesActorsElsewhereItself) {
  const ActorRef<Price> far_reader = [this] {
    EXPECT_THAT(a_->node().Export("reader", ActorRef<Price>(reader_)), IsOk());
    b_->AwaitPeer("a");
    return b_->node().ResolveAndWait<Price>("reader@a").value();
  }();
  OutputPort<Price> port;
  PortSubscription prices = port.Subscribe(far_reader);
  for (int i = 0; i < 3; ++i) port.Publish(i);
  EXPECT_THAT(book_.Await(3), ElementsAre(0, 1, 2));
  prices.Unsubscribe();
  port.Publish(3);
  const PortSubscription again =
      port.Subscribe(far_reader, {.lag = Lag::kDropOldest});
  port.Publish(4);
  EXPECT_THAT(book_.Await(4), ElementsAre(0, 1, 2, 4));
  reader_.Stop();
  while (port.subscriptions() != 0) RoundTrip();
}

// Nobody may send to the reader.
class RefusedPortsTest : public ClusterPortsTest {
 protected:
  RefusedPortsTest()
      : ClusterPortsTest(Authorization::Everything().Deny(
            Authorization::kAnyRole, {Verb::kSend}, "reader")) {}
};

// Clause 37: what is refused there takes no place any more.
TEST_F(RefusedPortsTest, PublisherDoesNotWaitForWhatIsRefused) {
  EXPECT_THAT(a_->node().Export("reader", ActorRef<Price>(reader_)), IsOk());
  b_->AwaitPeer("a");
  const auto far_reader = b_->node().ResolveAndWait<Price>("reader@a");
  ASSERT_THAT(far_reader, IsOk());
  OutputPort<Price> port;
  const PortSubscription prices = port.Subscribe(*far_reader, {.limit = 4});
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(port.ref().PublishWhenReady(i).Within(absl::Seconds(10)).Wait(),
                IsOk())
        << i;
  }
}

TEST_F(ClusterPortsTest, ActorOnAThirdNodeCanBeSubscribed) {
  const std::unique_ptr<TestNode> c = cluster_.Start("c");
  c->AwaitPeer("a");
  c->AwaitPeer("b");
  b_->AwaitPeer("c");
  EXPECT_THAT(a_->node().Export("reader", ActorRef<Price>(reader_)), IsOk());
  const auto reader = c->node().ResolveAndWait<Price>("reader@a").value();
  const auto ticker = c->node().ResolveAndWait<TickerApi>("ticker@b").value();
  const PortSubscription prices = SubscribeTo<Price>(ticker, reader);
  while (port_->subscriptions() != 1) {
    (void)c->node().ResolveAndWait<Price>("none@b");
  }
  EXPECT_FALSE(prices.is_active());  // It is the other nodes' affair.
  port_->Publish(7);
  EXPECT_THAT(book_.Await(1), ElementsAre(7));
}

// A message with a subscription in it.
struct Enrol {
  static constexpr absl::string_view kWireName = "test.Enrol";
  std::string reason;
  Subscribe<Price> prices;
};
class Clerk : public Actor<Enrol>, public Publishes<Price> {
 public:
  explicit Clerk(std::optional<PortRef<Price>>& port) {
    port = this->port().ref();
  }
  void Handle(Enrol&& m) { Publishes<Price>::Handle(std::move(m.prices)); }
};

// It is taken out of the message that is written, and that once.
TEST_F(ClusterPortsTest, SubscriptionWithinALongMessageIsRefused) {
  std::optional<PortRef<Price>> port;
  const Clerk::Ref clerk = b_->system().Spawn<Clerk>(std::ref(port)).value();
  EXPECT_THAT(b_->node().Export("clerk", ActorRef<Enrol>(clerk)), IsOk());
  const auto far = a_->node().ResolveAndWait<Enrol>("clerk@b").value();
  const auto enrol = [&](size_t bytes) {
    Enrol message{std::string(bytes, 'x'), Subscribe<Price>(reader_)};
    PortSubscription prices(message.prices.core());
    far.Send(std::move(message));
    RoundTrip();
    return prices;
  };
  PortSubscription prices = enrol(10);
  EXPECT_TRUE(prices.is_active());
  while (port->subscriptions() != 1) RoundTrip();
  EXPECT_EQ(a_->system().dead_letters(), 0);
  prices.Unsubscribe();
  for (const size_t bytes : {size_t{100'000}, size_t{1'000'000}}) {
    EXPECT_FALSE(enrol(bytes).is_active());
  }
  EXPECT_EQ(a_->system().dead_letters(), 2);
  RoundTrip();
  EXPECT_EQ(a_->node().Tables().subscriptions, 0);
}

TEST_F(ClusterPortsTest, NodeThatIsDownEndsSubscriptionsWithAnEvent) {
  absl::Mutex mu;
  std::vector<std::string> events;
  absl::Notification done;
  const Subscription lost = a_->system().Subscribe<SubscriptionLost>(
      [&](const SubscriptionLost& event) {
        absl::MutexLock lock(&mu);
        events.push_back("lost " + event.node.name);
        EXPECT_EQ(event.subscriber, reader_);
      });
  const Subscription down =
      a_->system().Subscribe<NodeDown>([&](const NodeDown& event) {
        absl::MutexLock lock(&mu);
        events.push_back("down " + event.node.name);
        done.Notify();
      });
  const PortSubscription prices = SubscribeTo<Price>(far_, reader_);
  AwaitSubscriptions(1);
  port_->Publish(1);
  EXPECT_THAT(book_.Await(1), ElementsAre(1));
  b_->Leave();
  done.WaitForNotification();
  {
    absl::MutexLock lock(&mu);
    EXPECT_THAT(events, ElementsAre("lost b", "down b"));
  }
  EXPECT_FALSE(prices.is_active());
  // The port has none left, either, and nobody waits for what was lost.
  EXPECT_EQ(port_->subscriptions(), 0);
  EXPECT_TRUE(port_->TryPublish(2));
}

}  // namespace
}  // namespace troupe
