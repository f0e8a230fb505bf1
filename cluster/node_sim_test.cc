// Three nodes under all that can happen to hosts and links. What many actors do
// there at random is //testing/swarm/cluster.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/node_events.h"
#include "troupe/cluster/node_id.h"
#include "troupe/testing/run_simulation.h"
#include "troupe/testing/simulated_cluster.h"
#include "troupe/testing/simulated_node.h"
#include "troupe/testing/simulation.h"

namespace troupe {
namespace {

using testing::ForEachSeed;
using testing::SimulatedCluster;
using testing::SimulatedHost;
using testing::Simulation;

struct Echo {
  static constexpr absl::string_view kWireName = "test.Echo";
  using Reply = int64_t;
  int64_t number = 0;
};
struct EchoApi : Protocol<Echo> {};

class Echoing : public Actor<EchoApi> {
 public:
  int64_t Handle(const Echo& m) { return m.number; }
};

struct Again {};

// What one host has seen, from a start to a crash.
struct Log {
  std::map<std::string, NodeId> peers;  // There is a session with them.
  std::string wrong;                    // Empty: nothing.
  int downs = 0;

  void Up(const NodeId& node) {
    if (!peers.emplace(node.name, node).second) {
      wrong = absl::StrCat(node.name, " is up twice");
    }
  }
  void Down(const NodeId& node) {
    const auto found = peers.find(node.name);
    if (found == peers.end() || found->second != node) {
      wrong = absl::StrCat(node.name, " is down, and was not up");
    } else {
      peers.erase(found);
      ++downs;
    }
  }
};

// Calls its peer once more when the last call has ended, and monitors it.
class Caller : public Actor<Again> {
 public:
  struct Book {
    uint64_t answers = 0;
    uint64_t failures = 0;
    uint64_t downs = 0;
    uint64_t wrong = 0;
  };
  Caller(Node& node, std::string path, Book& book)
      : node_(node), path_(std::move(path)), book_(book) {}

  void PostStart() { SendAfter<Again>(absl::Milliseconds(20)); }

  Task<void> Handle(Again) {
    SendAfter<Again>(absl::Milliseconds(20));
    if (echo_.IsNull()) {
      const absl::StatusOr<ActorRef<EchoApi>> found =
          co_await node_.Resolve<EchoApi>(path_);
      if (!found.ok()) co_return;
      echo_ = *found;
      monitor_ = Monitor(echo_);
    }
    const int64_t number = ++number_;
    const absl::StatusOr<int64_t> answer =
        co_await echo_.Call<Echo>(number).Within(absl::Milliseconds(200));
    if (answer.ok()) {
      ++book_.answers;
      if (*answer != number) ++book_.wrong;
    } else {
      ++book_.failures;
      if (Delivery(answer) == DeliveryState::kAnswered) ++book_.wrong;
    }
  }
  void OnDown(const Down& down) {
    ++book_.downs;
    if (down.monitor != monitor_ || down.actor != echo_) ++book_.wrong;
    echo_ = ActorRef<EchoApi>();
    monitor_ = MonitorHandle();
  }

 private:
  Node& node_;
  const std::string path_;
  Book& book_;
  ActorRef<EchoApi> echo_;
  MonitorHandle monitor_;
  int64_t number_ = 0;
};

// Three nodes; on each an actor that answers, and for each of the others some
// that call.
struct Trio {
  explicit Trio(Simulation& sim, int callers = 1,
                const testing::SimulatedClusterOptions& options = {})
      : logs(sim.Make<std::map<std::string, Log>>()),
        book(sim.Make<Caller::Book>()),
        cluster(sim.Make<SimulatedCluster>(sim, options)) {
    const std::vector<std::string> names = {"a", "b", "c"};
    for (const std::string& name : names) {
      cluster.Add(name, [this, names, callers](SimulatedHost& host) {
        Log& log = logs[host.name()];
        log.peers.clear();  // It has seen none of them go.
        host.Make<Subscription>(host.system().Subscribe<NodeUp>(
            [&log](const NodeUp& event) { log.Up(event.node); }));
        host.Make<Subscription>(host.system().Subscribe<NodeDown>(
            [&log](const NodeDown& event) { log.Down(event.node); }));
        Node& node = testing::StartNode(host, names,
                                        {.heartbeat = absl::Milliseconds(200),
                                         .silence = absl::Milliseconds(600)});
        const Echoing::Ref echo = host.system().Spawn<Echoing>().value();
        EXPECT_EQ(node.Export("echo", echo), absl::OkStatus());
        for (const std::string& peer : names) {
          if (peer == host.name()) continue;
          for (int i = 0; i < callers; ++i) {
            (void)host.system()
                .Spawn<Caller>(std::ref(node), absl::StrCat("echo@", peer),
                               std::ref(book))
                .value();
          }
        }
      });
    }
    sim.Always("node events alternate", [this] {
      for (const auto& [name, log] : logs) {
        if (!log.wrong.empty()) {
          return absl::InternalError(absl::StrCat(name, ": ", log.wrong));
        }
      }
      return absl::OkStatus();
    });
    sim.Always("answers and Downs are those that were asked for",
               [this] { return book.wrong == 0; });
  }

  // Whether each has a session with both others, as they are now.
  bool HaveMet() {
    for (const std::string& name : cluster.names()) {
      if (!cluster.IsUp(name)) return false;
      for (const std::string& peer : cluster.names()) {
        if (peer == name) continue;
        const auto found = logs[name].peers.find(peer);
        if (found == logs[name].peers.end() || !cluster.IsUp(peer) ||
            found->second.incarnation != cluster.host(peer).incarnation()) {
          return false;
        }
      }
    }
    return true;
  }

  std::map<std::string, Log>& logs;
  Caller::Book& book;
  SimulatedCluster& cluster;
};

// R-307, R-320
TEST(NodeSimTest, NodesMeetAndCallEachOther) {
  ForEachSeed(8, [](Simulation& sim) {
    Trio trio(sim);
    sim.Check("they meet", [&] {
      return sim.PlayUntil([&] { return trio.HaveMet(); }, absl::Seconds(2));
    });
    sim.PlayFor(absl::Seconds(3));
    sim.Check("they call each other", [&] { return trio.book.answers > 300; });
    sim.Check("no session is lost where nothing fails",
              [&] { return trio.book.downs == 0; });
  });
}

TEST(NodeSimTest, NodesMeetAgainWhateverFails) {
  uint64_t downs = 0;
  uint64_t failures = 0;
  ForEachSeed(25, [&](Simulation& sim) {
    Trio trio(sim);
    SimulatedCluster& cluster = trio.cluster;
    for (const std::string& name : cluster.names()) {
      cluster.MayCrash(name, absl::Seconds(2),
                       {.probability = 0.001, .at_most_times = 2});
      cluster.MayPause(name, absl::Seconds(2),
                       {.probability = 0.001, .at_most_times = 2});
    }
    cluster.MayPartition(absl::Seconds(2),
                         {.probability = 0.001, .at_most_times = 3});
    cluster.MayReset({.probability = 0.002, .at_most_times = 5});
    sim.PlayFor(absl::Seconds(5));
    cluster.Heal();
    sim.Check("they meet again", [&] {
      return sim.PlayUntil([&] { return trio.HaveMet(); }, absl::Seconds(30));
    });
    sim.PlayFor(absl::Seconds(1));
    const uint64_t before = trio.book.answers;
    sim.PlayFor(absl::Seconds(1));
    sim.Check("they call each other again",
              [&] { return trio.book.answers > before + 100; });
    downs += trio.book.downs;
    failures += trio.book.failures;
  });
  // It was no fair weather.
  EXPECT_GT(downs, 25);
  EXPECT_GT(failures, 25);
}

// Whoever stands still with the rest of the world has missed nothing.
TEST(NodeSimTest, SessionsOutlastTimesInWhichAllStandStill) {
  ForEachSeed(25, [](Simulation& sim) {
    // So the two ends of a session begin, and beat, at different times.
    testing::SimulatedClusterOptions options;
    options.network.link.slow_probability = 0.5;
    options.network.link.slow_delay = absl::Milliseconds(150);
    Trio trio(sim, /*callers=*/0, options);
    sim.PlayFor(absl::Seconds(2));
    for (int i = 0; i < 20; ++i) {
      for (const std::string& name : trio.cluster.names()) {
        trio.cluster.Pause(name);
      }
      // For less than a heartbeat and more, or for many.
      sim.PlayFor(absl::Milliseconds(
          sim.random().Uniform(sim.random().Uniform(3) != 0 ? 400 : 3000)));
      for (const std::string& name : trio.cluster.names()) {
        trio.cluster.Resume(name);
      }
      // Four in a row, between which hardly anything arrives; then a heartbeat.
      sim.PlayFor(absl::Microseconds(sim.random().Uniform(1000)) +
                  absl::Milliseconds(i % 4 == 3 ? 600 : 0));
    }
    sim.Check("no session is lost", [&] {
      for (const auto& [name, log] : trio.logs) {
        if (log.downs != 0) return false;
      }
      return true;
    });
  });
}

// The same while they greet each other.
TEST(NodeSimTest, GreetingsOutlastATimeInWhichAllStandStill) {
  ForEachSeed(20, [](Simulation& sim) {
    testing::SimulatedClusterOptions options;
    options.network.link.slow_probability = 0.5;
    options.network.link.slow_delay = absl::Milliseconds(150);
    Trio trio(sim, /*callers=*/0, options);
    auto& failures = sim.Make<std::vector<std::string>>();
    for (const std::string& name : trio.cluster.names()) {
      SimulatedHost& host = trio.cluster.host(name);
      host.Make<Subscription>(
          host.system().Subscribe<DialFailed>([&](const DialFailed& event) {
            if (absl::StrContains(event.why.message(), "has not greeted")) {
              failures.push_back(event.node);
            }
          }));
    }
    sim.PlayFor(absl::Milliseconds(sim.random().Uniform(400)));
    for (const std::string& name : trio.cluster.names()) {
      trio.cluster.Pause(name);
    }
    // For longer than a greeting may take, and shorter than a connection.
    sim.PlayFor(absl::Milliseconds(5500 + sim.random().Uniform(3000)));
    for (const std::string& name : trio.cluster.names()) {
      trio.cluster.Resume(name);
    }
    sim.Check("they meet", [&] {
      return sim.PlayUntil([&] { return trio.HaveMet(); }, absl::Seconds(2));
    });
    sim.Check("nobody was too late", [&] { return failures.empty(); });
  });
}

struct LinkAndEnd {};

// Links to whom it has resolved, and ends at once.
class Briefly : public Actor<LinkAndEnd> {
 public:
  explicit Briefly(ActorRef<EchoApi> other) : other_(other) {}
  void Handle(LinkAndEnd) {
    Link(other_);
    StopSelf(ExitReason::Normal());
  }

 private:
  const ActorRef<EchoApi> other_;
};

class Trapping : public Actor<EchoApi> {
 public:
  explicit Trapping(int& exits) : exits_(exits) {}
  int64_t Handle(const Echo& m) { return m.number; }
  void OnExit(const Exit&) { ++exits_; }

 private:
  int& exits_;
};

// A link and the end that follows it go the same way.
TEST(NodeSimTest, EndOvertakesNoLink) {
  ForEachSeed(20, [](Simulation& sim) {
    int& exits = sim.Make<int>(0);
    auto& cluster = sim.Make<SimulatedCluster>(sim);
    Node* a = nullptr;
    cluster.Add("a", [&a](SimulatedHost& host) {
      a = &testing::StartNode(host, {"a", "b"});
    });
    cluster.Add("b", [&exits](SimulatedHost& host) {
      Node& node = testing::StartNode(host, {"a", "b"});
      const auto trapping =
          host.system().Spawn<Trapping>(std::ref(exits)).value();
      EXPECT_EQ(node.Export("trapping", trapping), absl::OkStatus());
    });
    sim.Check("they meet", [&] {
      return sim.PlayUntil([&] { return a->Peers().size() == 1; },
                           absl::Seconds(10));
    });
    const auto trapping = a->ResolveAndWait<EchoApi>("trapping@b").value();
    constexpr int kLinks = 50;
    for (int i = 0; i < kLinks; ++i) {
      cluster.host("a")
          .system()
          .Spawn<Briefly>(trapping)
          .value()
          .Send<LinkAndEnd>();
    }
    sim.PlayFor(absl::Seconds(1));
    sim.Check("all ends are heard of", [&] { return exits == kLinks; });
  });
}

}  // namespace
}  // namespace troupe
