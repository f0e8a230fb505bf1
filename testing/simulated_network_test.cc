#include "troupe/testing/simulated_network.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/transport_conformance.h"
#include "troupe/scheduler/deterministic_schedule.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr TransportLane kControl = TransportLane::kControl;
constexpr TransportLane kData = TransportLane::kData;
constexpr TransportLane kBulk = TransportLane::kBulk;

// Hosts a and b, with a connection from a to b.
class World {
 public:
  explicit World(uint64_t seed = 1, const LinkOptions& link = {})
      : schedule_(seed),
        network_(schedule_, {.seed = seed,
                             .link = link,
                             .record = [this](absl::string_view what) {
                               records_.emplace_back(what);
                             }}) {
    a_ = network_.AddTransport("a");
    b_ = network_.AddTransport("b");
  }

  DeterministicSchedule& schedule() { return schedule_; }
  SimulatedNetwork& network() { return network_; }
  Transport& a() { return *a_; }
  const std::vector<std::string>& records() const { return records_; }

  void Connect() {
    ListenOnB();
    connection_ = Dial("b:1", handler_);
    RunUntil([this] { return acceptor_->count() == 1; });
  }
  void ListenOnB() {
    acceptor_ = std::make_shared<RecordingAcceptor>();
    listener_ = *b_->Listen("b:1", acceptor_);
  }
  std::unique_ptr<Connection> Dial(const std::string& address,
                                   std::shared_ptr<RecordingHandler>& handler) {
    handler = std::make_shared<RecordingHandler>();
    return *a_->Dial(address, handler);
  }
  void RestartB() {
    listener_.reset();
    b_.reset();
    b_ = network_.AddTransport("b");
  }
  void RunFor(absl::Duration duration) { schedule_.RunFor(duration); }
  template <typename F>
  void RunUntil(F done) {
    ASSERT_TRUE(schedule_.RunUntil(done, schedule_.now() + absl::Hours(1)));
  }

  Connection& to_b() { return *connection_; }
  Connection& to_a() { return *acceptor_->connection(); }
  RecordingHandler& at_a() { return *handler_; }
  RecordingHandler& at_b() { return *acceptor_->handler(); }
  RecordingAcceptor& acceptor() { return *acceptor_; }

 private:
  std::vector<std::string> records_;
  DeterministicSchedule schedule_;
  SimulatedNetwork network_;
  std::unique_ptr<Transport> a_;
  std::unique_ptr<Transport> b_;
  std::shared_ptr<RecordingAcceptor> acceptor_;
  std::unique_ptr<Listener> listener_;
  std::shared_ptr<RecordingHandler> handler_;
  std::unique_ptr<Connection> connection_;
};

void SendNumbers(Connection& connection, TransportLane lane, int count) {
  for (int i = 0; i < count; ++i) connection.Send(lane, absl::StrCat(i));
}

void ExpectNumbers(const std::vector<std::string>& frames) {
  for (size_t i = 0; i < frames.size(); ++i) {
    ASSERT_EQ(frames[i], absl::StrCat(i));
  }
}

// -- delays -------------------------------------------------------------------

TEST(SimulatedNetworkTest, FrameTakesItsTime) {
  World world(1, {.min_delay = absl::Milliseconds(10),
                  .max_delay = absl::Milliseconds(20),
                  .slow_probability = 0});
  world.Connect();
  const MonotonicTime sent = world.schedule().now();
  world.to_b().Send(kData, "x");
  world.RunUntil([&] { return world.at_b().count(kData) == 1; });
  EXPECT_GE(world.schedule().now() - sent, absl::Milliseconds(10));
  EXPECT_LE(world.schedule().now() - sent, absl::Milliseconds(20));
}

TEST(SimulatedNetworkTest, LanesOvertakeEachOtherAndKeepTheirOrder) {
  bool overtook = false;
  for (const uint64_t seed : TestSeeds(20)) {
    SCOPED_TRACE(SeedTrace(seed));
    World world(seed);
    world.Connect();
    SendNumbers(world.to_b(), kBulk, 50);
    world.to_b().Send(kData, "data");
    world.RunUntil([&] { return world.at_b().count(kData) == 1; });
    overtook = overtook || world.at_b().count(kBulk) < 50;
    world.RunUntil([&] { return world.at_b().count(kBulk) == 50; });
    ExpectNumbers(world.at_b().frames(kBulk));
  }
  EXPECT_TRUE(overtook);
}

TEST(SimulatedNetworkTest, NarrowLinkTakesItsTime) {
  World world(1, {.slow_probability = 0, .bytes_per_second = 1'000'000});
  world.Connect();
  for (int i = 0; i < 20; ++i) {
    world.to_b().Send(kBulk, std::string(100'000, 'x'));
  }
  world.to_b().Send(kControl, "waits for none of them");
  world.RunFor(absl::Milliseconds(1990));
  EXPECT_EQ(world.at_b().count(kControl), 1);
  EXPECT_EQ(world.at_b().count(kBulk), 19);
  EXPECT_EQ(world.network().bytes_under_way(kBulk), 100'000);
  world.RunFor(absl::Milliseconds(20));
  EXPECT_EQ(world.at_b().count(kBulk), 20);
  EXPECT_EQ(world.network().bytes_under_way(kBulk), 0);
}

// -- partitions ---------------------------------------------------------------

TEST(SimulatedNetworkTest, PartitionHoldsUpWhatComesWhenItHasHealed) {
  World world;
  world.Connect();
  world.network().Partition({"a"}, {"b"});
  SendNumbers(world.to_b(), kData, 10);
  SendNumbers(world.to_a(), kData, 10);
  world.RunFor(absl::Minutes(5));
  EXPECT_EQ(world.at_b().count(kData), 0);
  EXPECT_EQ(world.at_a().count(kData), 0);
  EXPECT_EQ(world.at_a().sent_bytes(kData), 0);
  world.network().Heal();
  world.RunFor(absl::Seconds(1));
  EXPECT_THAT(world.at_b().frames(kData), SizeIs(10));
  EXPECT_THAT(world.at_a().frames(kData), SizeIs(10));
  ExpectNumbers(world.at_b().frames(kData));
  EXPECT_EQ(world.at_a().sent_bytes(kData), 10);
  EXPECT_FALSE(world.at_a().is_closed());
}

TEST(SimulatedNetworkTest, OneWayPartitionLeavesTheOtherWay) {
  World world;
  world.Connect();
  world.network().Block({"a"}, {"b"});
  world.to_b().Send(kData, "held");
  world.to_a().Send(kData, "arrives");
  world.RunFor(absl::Minutes(1));
  EXPECT_THAT(world.at_a().frames(kData), ElementsAre("arrives"));
  EXPECT_THAT(world.at_b().frames(kData), IsEmpty());
  // That it has arrived b does not hear.
  EXPECT_EQ(world.at_b().sent_bytes(kData), 0);
  world.network().Unblock({"a"}, {"b"});
  world.RunFor(absl::Seconds(1));
  EXPECT_THAT(world.at_b().frames(kData), ElementsAre("held"));
  EXPECT_EQ(world.at_b().sent_bytes(kData), 7);
}

TEST(SimulatedNetworkTest, EndWaitsForThePartitionToo) {
  World world;
  world.Connect();
  world.network().Partition({"a"}, {"b"});
  world.to_b().Close(absl::AbortedError("enough"));
  world.RunFor(absl::Minutes(5));
  EXPECT_TRUE(world.at_a().is_closed());
  EXPECT_FALSE(world.at_b().is_closed());
  world.network().Heal();
  world.RunFor(absl::Seconds(1));
  EXPECT_TRUE(world.at_b().is_closed());
}

TEST(SimulatedNetworkTest, DialIntoAPartitionIsGivenUp) {
  World world;
  world.ListenOnB();
  world.network().Partition({"a"}, {"b"});
  std::shared_ptr<RecordingHandler> handler;
  const auto connection = world.Dial("b:1", handler);
  world.RunFor(absl::Milliseconds(9900));
  EXPECT_FALSE(handler->is_closed());
  world.RunFor(absl::Milliseconds(200));
  ASSERT_TRUE(handler->is_closed());
  EXPECT_THAT(*handler->closed(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no answer")));
  world.network().Heal();
  world.RunFor(absl::Seconds(1));
  EXPECT_EQ(world.acceptor().count(), 0);
}

TEST(SimulatedNetworkTest, DialConnectsWhenThePartitionHeals) {
  World world;
  world.ListenOnB();
  world.network().Partition({"a"}, {"b"});
  std::shared_ptr<RecordingHandler> handler;
  const auto connection = world.Dial("b:1", handler);
  connection->Send(kData, "early");
  world.RunFor(absl::Seconds(5));
  world.network().Heal();
  world.RunFor(absl::Minutes(1));
  EXPECT_FALSE(handler->is_closed());
  EXPECT_THAT(world.at_b().frames(kData), ElementsAre("early"));
}

// -- resets -------------------------------------------------------------------

TEST(SimulatedNetworkTest, ResetCutsEachLaneAnywhere) {
  std::set<size_t> arrived;
  for (const uint64_t seed : TestSeeds(100)) {
    SCOPED_TRACE(SeedTrace(seed));
    World world(seed);
    world.Connect();
    SendNumbers(world.to_b(), kData, 10);
    SendNumbers(world.to_b(), kBulk, 10);
    world.network().Reset("b", "a");
    world.RunFor(absl::Seconds(1));
    ASSERT_TRUE(world.at_a().is_closed());
    ASSERT_TRUE(world.at_b().is_closed());
    EXPECT_THAT(*world.at_a().closed(),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("reset")));
    EXPECT_THAT(*world.at_b().closed(),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("reset")));
    ExpectNumbers(world.at_b().frames(kData));
    ExpectNumbers(world.at_b().frames(kBulk));
    arrived.insert(world.at_b().count(kData));
    EXPECT_EQ(world.network().connections(), 0);
  }
  // From none to all.
  EXPECT_THAT(arrived, SizeIs(11));
}

// Short ones that would fit in behind a long one that was cut are lost too.
TEST(SimulatedNetworkTest, NothingBehindTheCutArrives) {
  const std::vector<std::string> sent = {std::string(10, 'a'), "b",
                                         std::string(10, 'c'), "d", "e"};
  for (const uint64_t seed : TestSeeds(50)) {
    SCOPED_TRACE(SeedTrace(seed));
    World world(seed);
    world.Connect();
    for (const std::string& frame : sent) world.to_b().Send(kData, frame);
    world.network().Reset("a", "b");
    world.RunFor(absl::Seconds(1));
    const std::vector<std::string> heard = world.at_b().frames(kData);
    ASSERT_LE(heard.size(), sent.size());
    EXPECT_TRUE(std::equal(heard.begin(), heard.end(), sent.begin()));
  }
}

TEST(SimulatedNetworkTest, AnyConnectionIsResetIfThereIsOne) {
  World world;
  EXPECT_FALSE(world.network().ResetAny());
  world.Connect();
  EXPECT_TRUE(world.network().ResetAny());
  world.RunFor(absl::Seconds(1));
  EXPECT_TRUE(world.at_a().is_closed());
  EXPECT_FALSE(world.network().ResetAny());
}

// -- hosts that fail ----------------------------------------------------------

TEST(SimulatedNetworkTest, CrashIsHeardByTheOtherEnd) {
  World world;
  world.Connect();
  world.network().Crash("b", CrashKind::kReset);
  world.RunFor(absl::Seconds(1));
  ASSERT_TRUE(world.at_a().is_closed());
  EXPECT_THAT(*world.at_a().closed(), StatusIs(absl::StatusCode::kUnavailable));
  // What is dead hears nothing, and what it says goes nowhere.
  EXPECT_FALSE(world.at_b().is_closed());
  world.to_a().Send(kData, "a ghost");
  world.RunFor(absl::Seconds(1));
  EXPECT_THAT(world.at_a().frames(kData), IsEmpty());
  world.RestartB();
  EXPECT_TRUE(world.at_b().is_closed());
}

TEST(SimulatedNetworkTest, DialToACrashedProcessIsRefused) {
  World world;
  world.ListenOnB();
  world.network().Crash("b", CrashKind::kReset);
  std::shared_ptr<RecordingHandler> handler;
  const auto connection = world.Dial("b:1", handler);
  world.RunFor(absl::Seconds(1));
  EXPECT_TRUE(handler->is_closed());
}

TEST(SimulatedNetworkTest, SilentCrashIsHeardByNobody) {
  World world;
  world.Connect();
  world.network().Crash("b", CrashKind::kSilence);
  world.to_b().Send(kData, "into the void");
  world.RunFor(absl::Hours(1));
  EXPECT_FALSE(world.at_a().is_closed());
  EXPECT_EQ(world.at_a().sent_bytes(kData), 0);
}

TEST(SimulatedNetworkTest, HalfOpenConnectionBreaksWhenItIsUsed) {
  World world;
  world.Connect();
  world.network().Crash("b", CrashKind::kSilence);
  world.RunFor(absl::Seconds(1));
  world.RestartB();
  world.RunFor(absl::Hours(1));
  EXPECT_FALSE(world.at_a().is_closed());
  world.to_b().Send(kData, "are you there?");
  world.RunFor(absl::Seconds(1));
  ASSERT_TRUE(world.at_a().is_closed());
  EXPECT_THAT(*world.at_a().closed(),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("does not know the connection")));
  EXPECT_EQ(world.network().connections(), 0);
}

TEST(SimulatedNetworkTest, RestartedHostListensAtTheSameAddress) {
  for (const CrashKind kind : {CrashKind::kReset, CrashKind::kSilence}) {
    World world;
    world.Connect();
    world.network().Crash("b", kind);
    world.RestartB();
    world.ListenOnB();
    std::shared_ptr<RecordingHandler> handler;
    const auto connection = world.Dial("b:1", handler);
    connection->Send(kData, "again");
    world.RunFor(absl::Seconds(1));
    ASSERT_EQ(world.acceptor().count(), 1);
    EXPECT_THAT(world.at_b().frames(kData), ElementsAre("again"));
  }
}

TEST(SimulatedNetworkTest, CrashLosesWhatWasOnItsWay) {
  std::set<size_t> arrived;
  for (const uint64_t seed : TestSeeds(100)) {
    SCOPED_TRACE(SeedTrace(seed));
    World world(seed);
    world.Connect();
    SendNumbers(world.to_a(), kData, 10);
    world.network().Crash("b", CrashKind::kSilence);
    world.RunFor(absl::Seconds(1));
    ExpectNumbers(world.at_a().frames(kData));
    arrived.insert(world.at_a().count(kData));
  }
  EXPECT_THAT(arrived, SizeIs(11));
}

TEST(SimulatedNetworkTest, CrashedTransportDoesNothing) {
  World world;
  world.ListenOnB();
  world.network().Crash("a", CrashKind::kSilence);
  std::shared_ptr<RecordingHandler> handler;
  const auto connection = world.Dial("b:1", handler);
  EXPECT_THAT(world.a().Listen("a:1", std::make_shared<RecordingAcceptor>()),
              IsOk());
  world.RunFor(absl::Minutes(1));
  EXPECT_EQ(world.acceptor().count(), 0);
  EXPECT_FALSE(handler->is_closed());
}

TEST(SimulatedNetworkTest, PausedHostHearsAllAtOnceWhenItGoesOn) {
  World world;
  world.Connect();
  world.to_a().Send(kData, "before");
  world.network().Pause("b");
  SendNumbers(world.to_b(), kData, 10);
  world.RunFor(absl::Minutes(1));
  EXPECT_THAT(world.at_b().frames(kData), IsEmpty());
  EXPECT_THAT(world.at_a().frames(kData), ElementsAre("before"));
  world.network().Resume("b");
  // The machine has received it; nothing is sent again.
  world.RunFor(absl::Milliseconds(1));
  EXPECT_THAT(world.at_b().frames(kData), SizeIs(10));
  ExpectNumbers(world.at_b().frames(kData));
}

// -- determinism --------------------------------------------------------------

// What happens in a run with all kinds of faults, with its times.
std::vector<std::string> Course(uint64_t seed) {
  World world(seed);
  std::vector<std::string> course;
  world.Connect();
  for (int i = 0; i < 20; ++i) {
    world.to_b().Send(static_cast<TransportLane>(i % 3), absl::StrCat(i));
    world.RunFor(absl::Microseconds(300));
    course.push_back(absl::StrCat(
        absl::FormatDuration(world.schedule().now() - MonotonicTime()), " ",
        world.at_b().count(kControl), world.at_b().count(kData),
        world.at_b().count(kBulk)));
    if (i == 5) world.network().Block({"b"}, {"a"});
    if (i == 10) world.network().Heal();
    if (i == 15) (void)world.network().ResetAny();
  }
  world.RunFor(absl::Seconds(1));
  course.insert(course.end(), world.records().begin(), world.records().end());
  course.push_back(absl::StrCat(world.schedule().steps()));
  return course;
}

TEST(SimulatedNetworkTest, SeedDecidesAll) {
  std::set<std::vector<std::string>> courses;
  for (const uint64_t seed : TestSeeds(20)) {
    SCOPED_TRACE(SeedTrace(seed));
    courses.insert(Course(seed));
    EXPECT_EQ(Course(seed), Course(seed));
  }
  EXPECT_GE(courses.size(), std::min<size_t>(TestSeeds(20).size(), 15));
}

TEST(SimulatedNetworkTest, WhatHappensIsRecorded) {
  World world;
  world.Connect();
  world.network().Partition({"a"}, {"b"});
  world.network().Heal();
  (void)world.network().ResetAny();
  world.network().Crash("b", CrashKind::kSilence);
  EXPECT_THAT(world.records(),
              ElementsAre("network: a starts", "network: b starts",
                          "network: a dials b:1: connection 1",
                          "network: nothing gets from a to b",
                          "network: nothing gets from b to a",
                          "network: all reach each other",
                          "network: connection 1 is reset",
                          "network: b is gone in silence"));
}

TEST(SimulatedNetworkTest, FaultsMayEndByThemselves) {
  World world;
  world.Connect();
  world.network().Partition({"a"}, {"b"});
  world.network().After(absl::Seconds(30), [&] { world.network().Heal(); });
  world.to_b().Send(kData, "held");
  world.RunFor(absl::Seconds(29));
  EXPECT_EQ(world.at_b().count(kData), 0);
  world.RunFor(absl::Seconds(2));
  EXPECT_EQ(world.at_b().count(kData), 1);
}

}  // namespace
}  // namespace troupe::testing
