// A port on one node and readers on two others, while everything fails: within
// a subscription nothing is missed, nothing comes twice or in another order;
// and whoever subscribes again when it has ended is served at rest.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/ports.h"
#include "troupe/stream/port_subscription.h"
#include "troupe/stream/publishes.h"
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

struct Count {
  static constexpr absl::string_view kWireName = "test.Count";
  uint64_t start = 0;  // Of the node.
  uint64_t number = 0;
};
struct CounterApi : Protocol<Subscribe<Count>, Unsubscribe<Count>> {};
struct Again {};

class Counter : public Actor<CounterApi, Again>, public Publishes<Count> {
 public:
  explicit Counter(uint64_t start) : start_(start) {}

  using Publishes<Count>::Handle;
  void PostStart() { SendAfter<Again>(absl::Milliseconds(5)); }
  void Handle(Again) {
    port().Publish(start_, ++number_);
    SendAfter<Again>(absl::Milliseconds(5));
  }

 private:
  const uint64_t start_;
  uint64_t number_ = 0;
};

struct Book {
  uint64_t read = 0;
  uint64_t subscriptions = 0;
  uint64_t gaps = 0;
  bool disordered = false;
};

class Reader : public Actor<Count, Again> {
 public:
  Reader(Node& node, Book& book, const SubscribeOptions& options)
      : node_(node), book_(book), options_(options) {}

  void PostStart() { SendAfter<Again>(absl::Milliseconds(20)); }
  Task<void> Handle(Again) {
    SendAfter<Again>(absl::Milliseconds(20));
    if (counts_.is_active()) co_return;
    const absl::StatusOr<ActorRef<CounterApi>> counter =
        co_await node_.Resolve<CounterApi>("counter@a");
    if (!counter.ok()) co_return;
    ++book_.subscriptions;
    counts_ = SubscribeTo<Count>(*counter, self(), options_);
  }
  void Handle(const Count& m) {
    ++book_.read;
    const std::pair<uint64_t, uint64_t> now(m.start, m.number);
    if (now <= last_) book_.disordered = true;
    if (now != std::pair(last_.first, last_.second + 1)) ++book_.gaps;
    last_ = now;
  }

 private:
  Node& node_;
  Book& book_;
  const SubscribeOptions options_;
  PortSubscription counts_;
  std::pair<uint64_t, uint64_t> last_;
};

TEST(PortsSimTest, SubscriptionsAreWholeWhateverFails) {
  uint64_t subscriptions = 0;
  ForEachSeed(25, [&](Simulation& sim) {
    // By the name of the host: "b" has lossless ones, "c" the latest only.
    auto& books = sim.Make<std::map<std::string, Book>>();
    auto& cluster = sim.Make<SimulatedCluster>(sim);
    const std::vector<std::string> names = {"a", "b", "c"};
    for (const std::string& name : names) {
      cluster.Add(name, [&books, names](SimulatedHost& host) {
        Node& node = testing::StartNode(host, names,
                                        {.heartbeat = absl::Milliseconds(200),
                                         .silence = absl::Milliseconds(800)});
        if (host.name() == "a") {
          const Counter::Ref counter =
              host.system().Spawn<Counter>(host.incarnation()).value();
          EXPECT_EQ(node.Export("counter", ActorRef<CounterApi>(counter)),
                    absl::OkStatus());
          return;
        }
        const SubscribeOptions options{
            .lag = host.name() == "b" ? Lag::kLossless : Lag::kConflate};
        (void)host.system()
            .Spawn<Reader>(std::ref(node), std::ref(books[host.name()]),
                           options)
            .value();
      });
    }
    sim.Always("counts come in order, and once", [&] {
      return !books["b"].disordered && !books["c"].disordered;
    });
    sim.Always("nothing is missed within a subscription",
               [&] { return books["b"].gaps <= books["b"].subscriptions; });
    cluster.MayCrash("a", absl::Seconds(2),
                     {.probability = 0.001, .at_most_times = 2});
    for (const std::string& name : names) {
      cluster.MayPause(name, absl::Seconds(2),
                       {.probability = 0.001, .at_most_times = 2});
    }
    cluster.MayPartition(absl::Seconds(2),
                         {.probability = 0.001, .at_most_times = 3});
    cluster.MayReset({.probability = 0.002, .at_most_times = 8});
    sim.PlayFor(absl::Seconds(5));
    cluster.Heal();
    for (const std::string name : {"b", "c"}) {
      const uint64_t before = books[name].read;
      sim.Check("it is served again", [&] {
        return sim.PlayUntil([&] { return books[name].read > before + 100; },
                             absl::Seconds(30));
      });
      subscriptions += books[name].subscriptions;
    }
  });
  // It was no fair weather.
  EXPECT_GT(subscriptions, 100);
}

}  // namespace
}  // namespace troupe
