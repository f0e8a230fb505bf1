// A supervisor on one node with a child on one of two others, under all that
// can happen to hosts and links: at rest there is one, and nothing is left of
// those that were lost.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/remote_child.h"
#include "troupe/cluster/spawn.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_ref.h"
#include "troupe/supervision/strategy.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/run_simulation.h"
#include "troupe/testing/scale.h"
#include "troupe/testing/simulated_cluster.h"
#include "troupe/testing/simulated_node.h"
#include "troupe/testing/simulation.h"

namespace troupe {
namespace {

using testing::ForEachSeed;
using testing::Scaled;
using testing::SimulatedCluster;
using testing::SimulatedHost;
using testing::Simulation;

struct Ask {
  static constexpr absl::string_view kWireName = "test.Ask";
  using Reply = int64_t;
};
struct WorkApi : Protocol<Ask> {};

// What a run has seen; factories take only what crosses.
struct Book {
  int alive = 0;
  int starts = 0;
  int64_t answers = 0;
  uint64_t picks = 0;
};
Book* book_of_run = nullptr;

// Takes its time to start, sometimes more than it has, and to stop.
class Work : public Actor<WorkApi> {
 public:
  Work() : id_(++book_of_run->starts) { ++book_of_run->alive; }
  ~Work() { --book_of_run->alive; }
  Task<void> PreStart() {
    (void)co_await Sleep(absl::Milliseconds(id_ % 5 == 0 ? 700 : 10));
  }
  Task<void> PostStop(const ExitReason&) {
    (void)co_await Sleep(absl::Milliseconds(id_ % 3 == 0 ? 400 : 10));
  }
  int64_t Handle(const Ask&) { return id_; }

 private:
  const int id_;
};

// Sees to it that there is a supervisor: its first start may fail.
struct Again {};
class Boss : public Actor<Again> {
 public:
  explicit Boss(Node& node) : node_(node) {}
  void PostStart() { SendAfter<Again>(absl::Milliseconds(50)); }
  Task<void> Handle(Again) {
    SendAfter<Again>(absl::Milliseconds(50));
    if (supervisor_.status() == ActorStatus::kStopped) {
      Supervisor::Spec spec;
      spec.intensity = {.restarts = 1'000'000};
      child_ = spec.Add(
          {.id = "work",
           .shutdown = Shutdown::Within(absl::Milliseconds(200)),
           .backoff = RestartBackoff{.initial = absl::Milliseconds(50),
                                     .max = absl::Milliseconds(500)}},
          ChildOn<WorkApi>(
              node_,
              {.where =
                   [] { return ++book_of_run->picks % 2 == 0 ? "b" : "c"; },
               .factory = "work",
               .within = absl::Milliseconds(500)}));
      const auto started = SpawnInstant<Supervisor>(std::move(spec));
      if (started.ok()) supervisor_ = *started;
    }
    const absl::StatusOr<int64_t> answer =
        co_await child_.Call<Ask>().Within(absl::Milliseconds(200));
    if (answer.ok()) ++book_of_run->answers;
  }
  void OnChild(const ChildEvent&) {}  // It is started again.

 private:
  Node& node_;
  AnyActorRef supervisor_;
  ChildRef<WorkApi> child_;
};

// What other nodes had started on these hosts, with their keepers, and what
// stands there for what was started elsewhere.
size_t Targets(std::vector<Node*> nodes) {
  size_t targets = 0;
  for (Node* const node : nodes) targets += node->core().targets().size();
  return targets;
}

TEST(RemoteChildSimTest, OneInstanceIsLeftWhateverFails) {
  int starts = 0;
  ForEachSeed(40, [&](Simulation& sim) {
    book_of_run = &sim.Make<Book>();
    auto& cluster = sim.Make<SimulatedCluster>(sim);
    auto& nodes = sim.Make<std::map<std::string, Node*>>();
    const std::vector<std::string> names = {"a", "b", "c"};
    for (const std::string& name : names) {
      cluster.Add(name, [&nodes, names](SimulatedHost& host) {
        Node& node =
            testing::StartNode(host, names,
                               {.heartbeat = absl::Milliseconds(200),
                                .silence = absl::Milliseconds(600),
                                .authorization = Authorization::Everything()});
        nodes[host.name()] = &node;
        EXPECT_EQ(ExportFactory<Work()>(node, "work"), absl::OkStatus());
        if (host.name() != "a") return;
        (void)host.system().Spawn<Boss>(std::ref(node)).value();
      });
    }
    for (const std::string& name : names) {
      cluster.MayCrash(name, absl::Seconds(2),
                       {.probability = 0.001, .at_most_times = 2});
      cluster.MayPause(name, absl::Seconds(2),
                       {.probability = 0.001, .at_most_times = 2});
    }
    cluster.MayPartition(absl::Seconds(2),
                         {.probability = 0.001, .at_most_times = 3});
    cluster.MayReset({.probability = 0.002, .at_most_times = 5});
    sim.PlayFor(absl::Seconds(8));
    cluster.Heal();
    // Until what nobody has claimed is gone, too.
    sim.PlayFor(absl::Seconds(30));
    sim.Check("one is left", [&] { return book_of_run->alive == 1; });
    sim.Check("nothing is left of others", [&] {
      return Targets({nodes["b"], nodes["c"]}) == 2 &&
             Targets({nodes["a"]}) == 1;
    });
    const int64_t before = book_of_run->answers;
    sim.PlayFor(absl::Seconds(1));
    sim.Check("it is the one that is reached",
              [&] { return book_of_run->answers >= before + 10; });
    starts += book_of_run->starts;
  });
  EXPECT_GT(starts, Scaled(80)) << "it was no fair weather";
}

}  // namespace
}  // namespace troupe
