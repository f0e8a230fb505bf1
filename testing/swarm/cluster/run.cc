#include "troupe/testing/swarm/run.h"

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
#include "troupe/cluster/spawn.h"
#include "troupe/cluster/transport.h"
#include "troupe/registry/group.h"
#include "troupe/registry/groups.h"
#include "troupe/testing/simulated_cluster.h"
#include "troupe/testing/simulated_network.h"
#include "troupe/testing/simulated_node.h"
#include "troupe/testing/simulation.h"
#include "troupe/testing/simulation_options.h"
#include "troupe/testing/simulation_run.h"
#include "troupe/testing/swarm/cluster/overseer.h"
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

// By then a slow link has carried most of what there may be.
constexpr absl::Duration kCarried = absl::Seconds(60);

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

// The members of a group, as a node knows them.
std::vector<AnyActorRef> MembersOf(Home& home, size_t group) {
  std::vector<AnyActorRef> members;
  const auto known =
      home.system.Get<Groups>().Members(Group<GroupApi>(Crowds::NameOf(group)));
  if (!known.ok()) home.world.journal.Break(kEnds, known.status().ToString());
  if (known.ok()) members.assign(known->begin(), known->end());
  return members;
}

class Run {
 public:
  explicit Run(Simulation& sim)
      : sim_(sim),
        world_(sim.Make<World>(sim)),
        cluster_(
            sim.Make<SimulatedCluster>(sim, ClusterOptions(world_.features))) {
    World::OfRun() = &world_;
  }

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
  // What others than founders find on a node.
  void Share(Home& home, const std::string& host);
  void Rest();
  // Until nobody does anything any more.
  void BecomeQuiet();
  // What actors send is on its way: a slow link takes long.
  bool IsCarrying();
  void Ring();
  void CheckGroups();
  void CheckTables(bool ended);
  void End();
  // What runs on a node; null: it does not run.
  Home* HomeOf(const std::string& host);

  Simulation& sim_;
  World& world_;
  SimulatedCluster& cluster_;
};

void Run::Boot(SimulatedHost& host) {
  Home& home = host.Make<Home>(Home{.world = world_, .system = host.system()});
  world_.homes[host.name()] = &home;
  home.run = world_.sessions.Begins({host.name(), host.incarnation()});
  Subscribe(host, home);
  // Goes after the node: as long as that leaves, others hear of it.
  host.Hold(
      std::make_unique<AtEnd>([&home] { home.world.sessions.Ends(home.run); }));
  Node& node =
      testing::StartNode(host, world_.HostNames(),
                         {.heartbeat = world_.features.heartbeat(),
                          .silence = world_.features.silence(),
                          .outbox_messages = world_.features.outbox_messages(),
                          .dial = {.first_pause = absl::Milliseconds(20),
                                   .longest_pause = absl::Milliseconds(500)},
                          .authorization = world_.rules.Of(host.name())});
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
    world_.lives.Named(founder.number, absl::StrCat("r", i));
    const absl::Status exported =
        node.Export(absl::StrCat("r", i), RefTo(founder));
    if (!exported.ok()) world_.journal.Break(kEnds, exported.ToString());
  }
  Share(home, host.name());
}

void Run::Share(Home& home, const std::string& host) {
  absl::Status status = home.node->ShareScope<GroupApi>(Crowds::kScope);
  for (size_t group = 0; group + 1 < Crowds::kGroups; ++group) {
    status.Update(home.node->Share(Group<GroupApi>(Crowds::NameOf(group))));
  }
  status.Update(ExportFactory<Started(uint32_t, std::string), ResidentApi>(
      *home.node, Rules::kFactory));
  if (world_.features.supervises()) {
    // The next one, on which it may depend that there is this one.
    std::string where;
    for (const std::string& name : world_.HostNames()) {
      if (name > host && where.empty()) where = name;
    }
    if (where.empty()) where = World::HostName(0);
    // A child whose parent cannot be watched is killed, and started again, for
    // ever.
    const Authorization& rules = world_.rules.Of(host);
    if (rules.Allows(rules.RoleOf(where), Verb::kWatch, "")) {
      const auto overseer = home.system.Spawn<Overseer>(
          &home, where, world_.starts.Supervised(home.run, where));
      status.Update(overseer.status());
      if (overseer.ok()) home.overseer = *overseer;
    }
  }
  if (!status.ok()) world_.journal.Break(kEnds, status.ToString());
}

void Run::Subscribe(SimulatedHost& host, Home& home) {
  World& world = world_;
  const NodeRun run = home.run;
  host.Make<Subscription>(
      host.system().Subscribe<NodeUp>([&world, run](const NodeUp& event) {
        world.sessions.Up(run, event.node);
      }));
  host.Make<Subscription>(
      host.system().Subscribe<NodeDown>([&world, &home](const NodeDown& event) {
        world.sessions.Down(home.run, event.node, event.why);
        if (!world.sessions.is_running(home.run)) return;
        for (size_t group = 0; group < Crowds::kGroups; ++group) {
          world.crowds.LostNode(home.run, world.sessions.Find(event.node),
                                MembersOf(home, group));
        }
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
  Home* const home = world_.homes[host];
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
  BecomeQuiet();
  const bool rung = world_.readers.any();
  if (rung) {
    Ring();
    BecomeQuiet();
  }
  if (broken()) return;
  CheckGroups();
  world_.sessions.CheckAtRest();
  world_.lives.CheckAtRest();
  world_.mail.CheckAtRest();
  world_.calls.CheckAtRest();
  world_.watches.CheckAtRest();
  world_.crowds.CheckAllAtRest();
  world_.readers.CheckAtRest(rung);
  world_.starts.CheckAtRest();
  CheckTables(/*ended=*/false);
}

void Run::BecomeQuiet() {
  // Whatever waits, waits for so long at most, and what is under way arrives
  // within that time; one may wait for another.
  const absl::Duration quiet = 2 * world_.features.longest() +
                               world_.features.patience() + absl::Seconds(1);
  uint64_t before;
  bool is_empty;
  int times = 0;
  do {
    // Who supervises may try again and again, and some of that be on its way at
    // any time; so it is enough that the network is empty once.
    is_empty = sim_.PlayUntil([this] { return !IsCarrying(); }, kCarried);
    before = world_.journal.events();
    sim_.PlayFor(quiet);
    if (++times == 1000) {
      world_.journal.Break(kEnds, "it goes on for ever");
    }
  } while ((!is_empty || world_.journal.events() != before ||
            world_.resolving != 0 || world_.starts.IsWaiting()) &&
           !broken());
}

bool Run::IsCarrying() {
  // Control is never still, and waits for nothing.
  return cluster_.network().bytes_under_way(TransportLane::kData) != 0 ||
         cluster_.network().bytes_under_way(TransportLane::kBulk) != 0;
}

// Everybody who has subscribers publishes something.
void Run::Ring() {
  for (Number who = 1; who <= world_.lives.count() && !broken(); ++who) {
    if (!world_.lives.is_alive(who)) continue;
    const auto one = world_.lives.ref(who).As<troupe::cluster_swarm::Ring>();
    if (one.ok()) one->Send<troupe::cluster_swarm::Ring>();
  }
}

void Run::CheckGroups() {
  for (const auto& [host, home] : world_.homes) {
    for (size_t group = 0; group < Crowds::kGroups && !broken(); ++group) {
      world_.crowds.CheckAtRest(home->run, group, MembersOf(*home, group));
    }
  }
}

// When nobody refers to anybody any more, nothing is kept for anybody.
void Run::End() {
  if (broken()) return;
  for (const auto& [host, home] : world_.homes) {
    if (!home->overseer.IsNull()) home->overseer.Kill();
  }
  for (Number who = 1; who <= world_.lives.count(); ++who) {
    if (!world_.lives.is_alive(who)) continue;
    world_.lives.AskedToEnd(world_.lives.run(who), who, /*surely=*/true);
    world_.lives.ref(who).Kill();
  }
  sim_.PlayFor(world_.features.heartbeat() + world_.features.patience() +
               (world_.starts.any() ? Starts::kKept : absl::Seconds(1)));
  CheckTables(/*ended=*/true);
  for (const auto& [host, home] : world_.homes) {
    world_.sessions.Ends(home->run);
  }
  for (const std::string& host : cluster_.names()) {
    cluster_.Crash(host, CrashKind::kReset);
  }
  if (Counted::count() != 0) {
    world_.journal.Break(
        kEnds, absl::StrCat(Counted::count(), " messages outlive the end"));
  }
}

void Run::CheckTables(bool ended) {
  for (const auto& [host, home] : world_.homes) {
    if (broken()) return;
    const NodeTables tables = home->node->Tables();
    if (tables.exports == 1 && tables.calls_out == 0 && tables.calls_in == 0 &&
        tables.watches == 0 && tables.subscriptions == 0 &&
        tables.outbox == 0 && tables.group_news == 0 && tables.targets == 0 &&
        tables.sessions + 1 == world_.homes.size()) {
      continue;
    }
    // Before, there is what those who live need.
    if (!ended && tables.exports <= home->system.live_actors() &&
        tables.targets <= home->system.live_actors() && tables.outbox == 0 &&
        tables.group_news == 0 && tables.sessions + 1 == world_.homes.size()) {
      continue;
    }
    world_.journal.Break(
        kTables,
        absl::StrCat(host, " has ", tables.sessions, " sessions, ",
                     tables.exports, " exports, ", tables.calls_out,
                     " calls out, ", tables.calls_in, " calls in, ",
                     tables.watches, " watches, ", tables.subscriptions,
                     " subscriptions, ", tables.outbox, " outgoing, ",
                     tables.group_news, " group news, ", tables.targets,
                     " targets, ", home->system.live_actors(), " actors"));
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

}  // namespace troupe::cluster_swarm

namespace troupe {

swarm::RunResult swarm::RunSeed(uint64_t seed) {
  RunResult result;
  const testing::SimulationRun run = testing::RunSimulation(
      seed,
      [&result](testing::Simulation& sim) {
        auto& run = sim.Make<cluster_swarm::Run>(sim);
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
    result.invariant = std::string(cluster_swarm::kEnds);
    result.report = run.failure.ToString();
  }
  return result;
}

}  // namespace troupe
