#include "troupe/testing/swarm/cluster/run.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/events.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/node_events.h"
#include "troupe/testing/simulated_cluster.h"
#include "troupe/testing/simulated_network.h"
#include "troupe/testing/simulated_node.h"
#include "troupe/testing/simulation.h"
#include "troupe/testing/simulation_options.h"
#include "troupe/testing/simulation_run.h"
#include "troupe/testing/swarm/cluster/resident.h"
#include "troupe/testing/swarm/cluster/world.h"

namespace troupe::cluster_swarm {
namespace {

using testing::CrashKind;
using testing::SimulatedCluster;
using testing::SimulatedClusterOptions;
using testing::SimulatedHost;
using testing::Simulation;

constexpr std::string_view kEnds = "all comes to an end";
constexpr std::string_view kTables = "tables are empty at rest";

// Calls a function when it goes.
class AtEnd {
 public:
  explicit AtEnd(std::function<void()> function)
      : function_(std::move(function)) {}
  ~AtEnd() { function_(); }

 private:
  const std::function<void()> function_;
};

SimulatedClusterOptions ClusterOptions(const Features& features) {
  SimulatedClusterOptions options;
  options.network.connect_timeout = absl::Seconds(1);
  if (features.slow_links()) {
    options.network.link.slow_probability = 0.2;
    options.network.link.bytes_per_second = 1'000'000;
  }
  return options;
}

class Run {
 public:
  explicit Run(Simulation& sim)
      : sim_(sim),
        world_(sim.Make<World>(sim)),
        cluster_(
            sim.Make<SimulatedCluster>(sim, ClusterOptions(world_.features))) {}

  void Play();
  const World& world() const { return world_; }

 private:
  bool broken() const {
    return world_.journal.broken() || !sim_.failure().ok();
  }
  void Boot(SimulatedHost& host);
  void Subscribe(SimulatedHost& host, Home& home);
  void AllowFaults();
  // Until nothing is left to do.
  void PlayAll();
  void DoFromOutside();
  void Rest();
  void End();
  // What runs on a node; null: it does not run.
  Home* HomeOf(const std::string& host);

  Simulation& sim_;
  World& world_;
  SimulatedCluster& cluster_;
  std::map<std::string, Home*> homes_;
};

void Run::Boot(SimulatedHost& host) {
  std::vector<std::string> members;
  for (uint64_t i = 0; i < world_.features.nodes(); ++i) {
    members.push_back(World::HostName(i));
  }
  Home& home = host.Make<Home>(Home{.world = world_, .system = host.system()});
  homes_[host.name()] = &home;
  home.run = world_.sessions.Begins({host.name(), host.incarnation()});
  Subscribe(host, home);
  // Goes after the node: as long as that leaves, others hear of it.
  host.Hold(
      std::make_unique<AtEnd>([&home] { home.world.sessions.Ends(home.run); }));
  Node& node =
      testing::StartNode(host, members,
                         {.heartbeat = world_.features.heartbeat(),
                          .silence = world_.features.silence(),
                          .outbox_messages = world_.features.outbox_messages(),
                          .dial = {.first_pause = absl::Milliseconds(20),
                                   .longest_pause = absl::Milliseconds(500)},
                          .authorization = Authorization::Everything()});
  home.node = &node;
  host.Hold(std::make_unique<AtEnd>([&home] { home.node = nullptr; }));
  for (uint64_t i = 0; i < world_.features.founders(); ++i) {
    const uint64_t kind = world_.Uniform(3);
    const Acquaintance founder = SpawnResident(home, [&](Number number) {
      return kind == 0 ? absl::StatusOr<ResidentRef>(
                             home.system.Spawn<Plain>(&home, number))
             : kind == 1 ? absl::StatusOr<ResidentRef>(
                               home.system.Spawn<Trapper>(&home, number))
                         : absl::StatusOr<ResidentRef>(
                               home.system.Spawn<Juggler>(&home, number));
    });
    home.founders.push_back(founder);
    const absl::Status exported =
        node.Export(absl::StrCat("r", i), RefTo(founder));
    if (!exported.ok()) world_.journal.Break(kEnds, exported.ToString());
  }
}

void Run::Subscribe(SimulatedHost& host, Home& home) {
  World& world = world_;
  const NodeRun run = home.run;
  host.Make<Subscription>(
      host.system().Subscribe<NodeUp>([&world, run](const NodeUp& event) {
        world.sessions.Up(run, event.node);
      }));
  host.Make<Subscription>(
      host.system().Subscribe<NodeDown>([&world, run](const NodeDown& event) {
        world.sessions.Down(run, event.node, event.why);
      }));
  host.Make<Subscription>(host.system().Subscribe<DeadLetter>(
      [&world, run](const DeadLetter& letter) {
        if (letter.reason == DeadLetter::Reason::kNoActor) {
          world.lives.SoughtInVain(run, letter.target);
        }
      }));
}

void Run::AllowFaults() {
  const Features& features = world_.features;
  const absl::Duration longest = features.longest_fault();
  for (uint64_t i = 0; i < features.nodes(); ++i) {
    const std::string host = World::HostName(i);
    if (features.crashes() > 0) {
      cluster_.MayCrash(
          host, longest,
          {.probability = features.crashes() / 4, .at_most_times = 3});
    }
    if (features.pauses() > 0) {
      cluster_.MayPause(
          host, longest,
          {.probability = features.pauses() / 4, .at_most_times = 4});
    }
  }
  if (features.partitions() > 0) {
    cluster_.MayPartition(
        longest, {.probability = features.partitions(), .at_most_times = 6});
  }
  if (features.resets() > 0) {
    cluster_.MayReset({.probability = features.resets(), .at_most_times = 12});
  }
  if (features.standstills() > 0) {
    cluster_.MayStandStill(
        longest, {.probability = features.standstills(), .at_most_times = 4});
  }
  if (features.late_timers()) {
    sim_.MayDelayTimers(features.heartbeat() / 4, {.at_most_times = 20});
  }
}

Home* Run::HomeOf(const std::string& host) {
  Home* const home = homes_[host];
  return cluster_.IsUp(host) && home->node != nullptr ? home : nullptr;
}

void Run::DoFromOutside() {
  const std::string host =
      World::HostName(world_.Uniform(world_.features.nodes()));
  Home* const home = HomeOf(host);
  if (home == nullptr || !world_.Spend()) return;
  if (world_.features.leaves() && world_.Uniform(30) == 0) {
    world_.journal.Note("is a node that leaves", home->run);
    cluster_.Leave(host);
    cluster_.network().After(world_.SomeTime(),
                             [this, host] { cluster_.Restart(host); });
    return;
  }
  const Acquaintance one =
      home->founders[world_.Uniform(home->founders.size())];
  world_.journal.Note("is sent on an errand", one.number);
  RefTo(one).Send<Errand>(Counted(), 1 + world_.Uniform(4));
}

void Run::PlayAll() {
  while (world_.budget > 0 && !broken()) {
    DoFromOutside();
    const uint64_t last =
        sim_.steps() + 1 + world_.Uniform(world_.features.pause_steps());
    (void)sim_.PlayUntil([&] { return sim_.steps() >= last; },
                         world_.features.longest());
    // Where hardly anything is up, there is little to do.
    if (world_.Uniform(256) == 0) (void)world_.Spend();
  }
}

void Run::Rest() {
  if (broken()) return;
  if (!sim_.PlayUntil([&] { return world_.sessions.HaveMet(); },
                      absl::Seconds(60))) {
    world_.sessions.CheckAtRest();
  }
  // Whatever waits, waits for so long at most, and what is under way arrives
  // within that time; one may wait for another.
  const absl::Duration quiet = 2 * world_.features.longest() +
                               world_.features.patience() + absl::Seconds(1);
  uint64_t before;
  int times = 0;
  do {
    before = world_.journal.events();
    sim_.PlayFor(quiet);
    if (++times == 1000) {
      world_.journal.Break(kEnds, "it goes on for ever");
    }
  } while ((world_.journal.events() != before || world_.resolving != 0) &&
           !broken());
  if (broken()) return;
  world_.sessions.CheckAtRest();
  world_.lives.CheckAtRest();
  world_.mail.CheckAtRest();
  world_.calls.CheckAtRest();
  world_.watches.CheckAtRest();
}

// When nobody refers to anybody any more, nothing is kept for anybody.
void Run::End() {
  if (broken()) return;
  for (Number who = 1; who <= world_.lives.count(); ++who) {
    if (world_.lives.is_alive(who)) world_.lives.ref(who).Kill();
  }
  sim_.PlayFor(world_.features.heartbeat() + world_.features.patience() +
               absl::Seconds(1));
  for (const auto& [host, home] : homes_) {
    if (broken()) return;
    const NodeTables tables = home->node->Tables();
    if (tables.exports == 1 && tables.calls_out == 0 && tables.calls_in == 0 &&
        tables.watches == 0 && tables.sessions + 1 == homes_.size()) {
      continue;
    }
    world_.journal.Break(
        kTables, absl::StrCat(host, " has ", tables.sessions, " sessions, ",
                              tables.exports, " exports, ", tables.calls_out,
                              " calls out, ", tables.calls_in, " calls in, ",
                              tables.watches, " watches"));
  }
  for (const auto& [host, home] : homes_) world_.sessions.Ends(home->run);
  for (const std::string& host : cluster_.names()) {
    cluster_.Crash(host, CrashKind::kReset);
  }
  if (Counted::count() != 0) {
    world_.journal.Break(
        kEnds, absl::StrCat(Counted::count(), " messages outlive the end"));
  }
}

void Run::Play() {
  Counted::count() = 0;
  sim_.Always("the swarm", [&world = world_] {
    return world.journal.broken()
               ? absl::FailedPreconditionError(world.journal.report())
               : absl::OkStatus();
  });
  for (uint64_t i = 0; i < world_.features.nodes(); ++i) {
    cluster_.Add(World::HostName(i),
                 [this](SimulatedHost& host) { Boot(host); });
  }
  // A greeting in which all stand still may fail; a session must not.
  if (world_.Uniform(8) != 0 || world_.features.sessions_last()) {
    (void)sim_.PlayUntil([&] { return world_.sessions.HaveMet(); },
                         absl::Seconds(5));
  }
  AllowFaults();
  PlayAll();
  cluster_.Heal();
  Rest();
  // Once more, where all is well.
  world_.budget = 20 + world_.Uniform(20);
  PlayAll();
  Rest();
  End();
  sim_.Record(absl::StrCat("journal ", world_.journal.hash()));
  sim_.Check("the swarm", [&] {
    return world_.journal.broken()
               ? absl::FailedPreconditionError(world_.journal.report())
               : absl::OkStatus();
  });
}

}  // namespace

RunResult RunSeed(uint64_t seed) {
  RunResult result;
  const testing::SimulationRun run = testing::RunSimulation(
      seed,
      [&result](Simulation& sim) {
        Run& run = sim.Make<Run>(sim);
        run.Play();
        result.invariant = run.world().journal.invariant();
        result.report = absl::StrCat(run.world().journal.report(),
                                     run.world().features.ToString(), "\n");
        result.events = run.world().journal.events();
      },
      {.max_steps = 20'000'000});
  result.hash = run.hash;
  result.steps = run.steps;
  if (result.invariant.empty() && !run.failure.ok()) {
    result.invariant = std::string(kEnds);
    result.report = run.failure.ToString();
  }
  return result;
}

}  // namespace troupe::cluster_swarm
