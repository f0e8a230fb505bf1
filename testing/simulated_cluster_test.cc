#include "troupe/testing/simulated_cluster.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/cluster/transport.h"
#include "troupe/scheduler/deterministic_choice.h"
#include "troupe/testing/run_simulation.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/simulated_network.h"
#include "troupe/testing/simulation.h"
#include "troupe/testing/trace.h"

namespace troupe::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

constexpr TransportLane kData = TransportLane::kData;

// What a frame said, and where it came from.
struct Heard {
  int connection;  // Numbered by who accepted.
  std::string frame;
};
struct Tick {};

// Writes into a book what it hears.
class Listening : public Actor<Heard> {
 public:
  explicit Listening(std::vector<Heard>& book) : book_(book) {}
  void Handle(Heard heard) { book_.push_back(std::move(heard)); }

 private:
  std::vector<Heard>& book_;
};

// Hands frames to an actor.
class ToActor final : public ConnectionHandler {
 public:
  ToActor(ActorRef<Heard> actor, int connection)
      : actor_(actor), connection_(connection) {}

  void OnFrame(TransportLane, std::string frame) override {
    if (!actor_.IsNull()) actor_.Send(Heard{connection_, std::move(frame)});
  }
  void OnSent(TransportLane, size_t) override {}
  void OnClosed(const absl::Status& why) override { closed_ = why; }

  const std::optional<absl::Status>& closed() const { return closed_; }

 private:
  const ActorRef<Heard> actor_;
  const int connection_;
  std::optional<absl::Status> closed_;
};

class ForActor final : public Acceptor {
 public:
  explicit ForActor(ActorRef<Heard> actor) : actor_(actor) {}

  std::shared_ptr<ConnectionHandler> OnAccept(
      std::unique_ptr<Connection> connection) override {
    connections_.push_back(std::move(connection));
    return std::make_shared<ToActor>(actor_,
                                     static_cast<int>(connections_.size()));
  }

 private:
  const ActorRef<Heard> actor_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

// Listens at port 1 of its host, for a book.
void Listen(SimulatedHost& host, std::vector<Heard>& book) {
  const auto actor = host.system().Spawn<Listening>(std::ref(book)).value();
  host.Make<std::unique_ptr<Listener>>(*host.transport().Listen(
      absl::StrCat(host.name(), ":1"), std::make_shared<ForActor>(actor)));
}

// Counts to its peer, once every 100 ms, on a new connection where the last one
// has ended.
class Counting : public Actor<Tick> {
 public:
  Counting(Transport& transport, std::string peer)
      : transport_(transport), peer_(std::move(peer)) {}
  void PostStart() { ticker_ = SendEvery<Tick>(absl::Milliseconds(100)); }
  void Handle(Tick) {
    if (handler_ == nullptr || handler_->closed().has_value()) {
      handler_ = std::make_shared<ToActor>(ActorRef<Heard>(), 0);
      connection_ = *transport_.Dial(peer_, handler_);
      next_ = 0;
    }
    connection_->Send(kData, absl::StrCat(next_++));
  }

 private:
  Transport& transport_;
  const std::string peer_;
  std::shared_ptr<ToActor> handler_;
  std::unique_ptr<Connection> connection_;
  int next_ = 0;
  Timer ticker_;
};

std::vector<std::string> FramesIn(const std::vector<Heard>& book) {
  std::vector<std::string> frames;
  for (const Heard& heard : book) frames.push_back(heard.frame);
  return frames;
}

TEST(SimulatedClusterTest, FramesReachActorsOfOtherHosts) {
  Simulation sim(1);
  auto& book = sim.Make<std::vector<Heard>>();
  auto& cluster = sim.Make<SimulatedCluster>(sim);
  cluster.Add("a");
  cluster.Add("b", [&](SimulatedHost& host) { Listen(host, book); });
  const auto handler = std::make_shared<ToActor>(ActorRef<Heard>(), 0);
  const auto connection = *cluster.host("a").transport().Dial("b:1", handler);
  connection->Send(kData, "hello");
  sim.Play();
  EXPECT_THAT(FramesIn(book), ElementsAre("hello"));
  EXPECT_EQ(sim.failure(), absl::OkStatus());
}

TEST(SimulatedClusterTest, HostsShareTheTimeOfTheSimulation) {
  Simulation sim(1);
  auto& cluster = sim.Make<SimulatedCluster>(sim);
  cluster.Add("a");
  sim.PlayFor(absl::Seconds(5));
  cluster.Add("b");
  sim.PlayFor(absl::Seconds(5));
  for (const std::string& name : cluster.names()) {
    EXPECT_EQ(cluster.host(name).system().executor().clock().Now(),
              sim.schedule().now());
  }
  EXPECT_EQ(sim.now(), absl::Seconds(10));
}

TEST(SimulatedClusterTest, CrashedHostIsHeardOfAndComesBack) {
  Simulation sim(1);
  auto& book = sim.Make<std::vector<Heard>>();
  auto& cluster = sim.Make<SimulatedCluster>(sim);
  cluster.Add("a");
  cluster.Add("b", [&](SimulatedHost& host) { Listen(host, book); });
  const auto handler = std::make_shared<ToActor>(ActorRef<Heard>(), 0);
  const auto before = *cluster.host("a").transport().Dial("b:1", handler);
  before->Send(kData, "first");
  sim.Play();
  EXPECT_EQ(cluster.host("b").incarnation(), 1);

  cluster.Crash("b", CrashKind::kReset);
  sim.Play();
  EXPECT_FALSE(cluster.IsUp("b"));
  EXPECT_TRUE(handler->closed().has_value());

  cluster.Restart("b");
  EXPECT_EQ(cluster.host("b").incarnation(), 2);
  const auto again = std::make_shared<ToActor>(ActorRef<Heard>(), 0);
  const auto after = *cluster.host("a").transport().Dial("b:1", again);
  after->Send(kData, "second");
  sim.Play();
  EXPECT_THAT(FramesIn(book), ElementsAre("first", "second"));
}

// Sends a last word when it ends.
class Dying : public Actor<Tick> {
 public:
  Dying(Transport& transport, const std::string& peer)
      : connection_(*transport.Dial(
            peer, std::make_shared<ToActor>(ActorRef<Heard>(), 0))) {}
  void Handle(Tick) {}
  void PostStop(const ExitReason&) { connection_->Send(kData, "last word"); }

 private:
  const std::unique_ptr<Connection> connection_;
};

TEST(SimulatedClusterTest, LastWordsOfACrashedHostReachNobody) {
  Simulation sim(1);
  auto& book = sim.Make<std::vector<Heard>>();
  auto& cluster = sim.Make<SimulatedCluster>(sim);
  cluster.Add("b", [&](SimulatedHost& host) { Listen(host, book); });
  SimulatedHost& a = cluster.Add("a");
  (void)a.system().Spawn<Dying>(std::ref(a.transport()), "b:1").value();
  sim.Play();
  cluster.Crash("a", CrashKind::kReset);
  sim.Play();
  EXPECT_THAT(book, IsEmpty());
  EXPECT_EQ(cluster.network().connections(), 0);
}

TEST(SimulatedClusterTest, PausedHostStandsStill) {
  Simulation sim(1);
  auto& book = sim.Make<std::vector<Heard>>();
  auto& cluster = sim.Make<SimulatedCluster>(sim);
  cluster.Add("b", [&](SimulatedHost& host) { Listen(host, book); });
  SimulatedHost& a = cluster.Add("a");
  (void)a.system().Spawn<Counting>(std::ref(a.transport()), "b:1").value();
  sim.PlayFor(absl::Seconds(1));
  const size_t before = book.size();
  EXPECT_GT(before, 5);
  cluster.Pause("a");
  sim.PlayFor(absl::Seconds(10));
  // What was on its way arrives.
  EXPECT_LE(book.size(), before + 1);
  cluster.Resume("a");
  sim.PlayFor(absl::Seconds(2));
  EXPECT_GT(book.size(), before + 15);
}

// Dials when it begins, and says a last word, and waits a while, when it ends.
class Guest {
 public:
  Guest(Simulation& sim, Transport& transport, const std::string& peer)
      : sim_(sim),
        connection_(*transport.Dial(
            peer, std::make_shared<ToActor>(ActorRef<Heard>(), 0))) {}
  ~Guest() {
    connection_->Send(kData, "goodbye");
    sim_.PlayFor(absl::Seconds(1));
  }

 private:
  Simulation& sim_;
  const std::unique_ptr<Connection> connection_;
};

TEST(SimulatedClusterTest, WhatIsHeldIsHeardOfOnlyInGoodOrder) {
  for (const bool in_good_order : {true, false}) {
    Simulation sim(1);
    auto& book = sim.Make<std::vector<Heard>>();
    auto& cluster = sim.Make<SimulatedCluster>(sim);
    cluster.Add("b", [&](SimulatedHost& host) { Listen(host, book); });
    SimulatedHost& a = cluster.Add("a");
    a.Hold(std::make_unique<Guest>(sim, a.transport(), "b:1"));
    sim.Play();
    if (in_good_order) {
      cluster.Leave("a");
    } else {
      cluster.Crash("a", CrashKind::kReset);
    }
    EXPECT_FALSE(cluster.IsUp("a"));
    sim.Play();
    EXPECT_EQ(FramesIn(book), in_good_order
                                  ? std::vector<std::string>{"goodbye"}
                                  : std::vector<std::string>{});
  }
}

TEST(SimulatedClusterTest, HealedClusterStaysWell) {
  ForEachSeed(20, [](Simulation& sim) {
    auto& cluster = sim.Make<SimulatedCluster>(sim);
    for (const char* name : {"a", "b"}) {
      cluster.Add(name, [](SimulatedHost& host) {
        (void)host.system()
            .Spawn<Counting>(std::ref(host.transport()), "a:1")
            .value();
      });
      cluster.MayCrash(name, absl::Seconds(100),
                       {.probability = 0.1, .at_most_times = 1000});
      cluster.MayPause(name, absl::Seconds(100),
                       {.probability = 0.1, .at_most_times = 1000});
    }
    sim.PlayFor(absl::Seconds(10));
    cluster.Heal();
    std::vector<uint64_t> incarnations;
    for (const std::string& name : cluster.names()) {
      incarnations.push_back(cluster.host(name).incarnation());
    }
    sim.PlayFor(absl::Seconds(10));
    sim.Check("all are as they were", [&] {
      size_t i = 0;
      for (const std::string& name : cluster.names()) {
        if (!cluster.IsUp(name)) return false;
        SimulatedHost& host = cluster.host(name);
        if (host.incarnation() != incarnations[i++]) return false;
        if (host.system().executor().clock().Now() != sim.schedule().now()) {
          return false;  // It stands still.
        }
      }
      return true;
    });
  });
}

// Three hosts that count to each other, and fail in all ways.
struct Counters {
  explicit Counters(Simulation& sim)
      : books(sim.Make<std::map<std::string, std::vector<Heard>>>()),
        cluster(sim.Make<SimulatedCluster>(sim)) {
    const std::vector<std::string> names = {"a", "b", "c"};
    for (const std::string& name : names) {
      cluster.Add(name, [&books = books, names](SimulatedHost& host) {
        std::vector<Heard>& book =
            books[absl::StrCat(host.name(), host.incarnation())];
        Listen(host, book);
        for (const std::string& peer : names) {
          (void)host.system()
              .Spawn<Counting>(std::ref(host.transport()),
                               absl::StrCat(peer, ":1"))
              .value();
        }
      });
    }
  }

  std::map<std::string, std::vector<Heard>>& books;
  SimulatedCluster& cluster;
};

// Whether each connection was heard from its start, without a gap.
bool AllInOrder(const std::map<std::string, std::vector<Heard>>& books) {
  for (const auto& [host, book] : books) {
    std::map<int, int> next;
    for (const Heard& heard : book) {
      if (heard.frame != absl::StrCat(next[heard.connection]++)) return false;
    }
  }
  return true;
}

TEST(SimulatedClusterTest, OrderHoldsWhateverFails) {
  uint64_t restarts = 0;
  ForEachSeed(30, [&restarts](Simulation& sim) {
    Counters counters(sim);
    SimulatedCluster& cluster = counters.cluster;
    for (const std::string& name : cluster.names()) {
      cluster.MayCrash(name, absl::Seconds(5), {.probability = 0.002});
      cluster.MayPause(name, absl::Seconds(5), {.probability = 0.002});
    }
    cluster.MayPartition(absl::Seconds(5),
                         {.probability = 0.002, .at_most_times = 3});
    cluster.MayReset({.probability = 0.005, .at_most_times = 5});
    sim.PlayFor(absl::Seconds(20));
    sim.Check("each connection is in order",
              [&] { return AllInOrder(counters.books); });
    for (const std::string& name : cluster.names()) {
      if (cluster.IsUp(name)) restarts += cluster.host(name).incarnation() - 1;
    }
  });
  EXPECT_GT(restarts, 30);
}

TEST(SimulatedClusterTest, TraceReplaysAllHosts) {
  const auto body = [](Simulation& sim) {
    Counters counters(sim);
    counters.cluster.MayCrash("a", absl::Seconds(1), {.probability = 0.01});
    counters.cluster.MayPartition(absl::Seconds(1), {.probability = 0.01});
    // Only the hosts have timers.
    sim.MayDelayTimers(absl::Milliseconds(50), {.at_most_times = 5});
    sim.PlayFor(absl::Seconds(5));
  };
  std::set<std::string> faults;
  std::set<DeterministicChoice> choices;
  for (const uint64_t seed : TestSeeds(5)) {
    SCOPED_TRACE(SeedTrace(seed));
    Simulation seeded(seed);
    body(seeded);
    const Trace course = seeded.trace();
    for (const Trace::Fault& fault : course.faults) faults.insert(fault.name);
    for (const Trace::Choice& choice : course.choices) {
      choices.insert(choice.kind);
    }
    Simulation replayed(seed, {.replay = course});
    body(replayed);
    EXPECT_EQ(replayed.hash(), seeded.hash());
    EXPECT_EQ(replayed.trace(), course);
    Simulation plain(seed, {.replay = Trace()});
    body(plain);
    EXPECT_NE(plain.hash(), seeded.hash());
    EXPECT_EQ(plain.trace(), Trace());
  }
  EXPECT_THAT(faults, ElementsAre("crash of a", "late timers", "partition"));
  EXPECT_THAT(choices, IsSupersetOf({DeterministicChoice::kPlayer,
                                     DeterministicChoice::kHandOver,
                                     DeterministicChoice::kLoseSeat}));
}

// What takes it that connections last is caught.
TEST(SimulatedClusterTest, FaultsBreakWhatTrustsConnections) {
  const auto found = FindFailingSeed(20, [](Simulation& sim) {
    Counters counters(sim);
    counters.cluster.MayReset({.probability = 0.01});
    sim.PlayFor(absl::Seconds(5));
    sim.Check("each host has three connections", [&] {
      for (const auto& [host, book] : counters.books) {
        for (const Heard& heard : book) {
          if (heard.connection > 3) return false;
        }
      }
      return true;
    });
  });
  ASSERT_TRUE(found.has_value());
  EXPECT_THAT(std::string(found->failure.message()),
              AllOf(HasSubstr("three connections"), HasSubstr("seed")));
}

TEST(SimulatedClusterTest, FailureTellsWhatHappenedOnWhichHost) {
  Simulation sim(1);
  auto& book = sim.Make<std::vector<Heard>>();
  auto& cluster = sim.Make<SimulatedCluster>(sim);
  cluster.Add("b", [&](SimulatedHost& host) { Listen(host, book); });
  sim.Play();
  cluster.network().Partition({"a"}, {"b"});
  cluster.Crash("b", CrashKind::kSilence);
  sim.Check("what does not hold", [] { return false; });
  EXPECT_THAT(std::string(sim.failure().message()),
              AllOf(HasSubstr("b: "), HasSubstr("Listening #1 started"),
                    HasSubstr("network: nothing gets from a to b"),
                    HasSubstr("network: b is gone in silence")));
}

}  // namespace
}  // namespace troupe::testing
