// Hosts in a simulation: each has a system of actors of its own, and a
// transport to the others. They fail, come back, stand still and lose touch,
// when the test says or the seed.
//
//   ForEachSeed(1000, [](testing::Simulation& sim) {
//     auto& cluster = sim.Make<testing::SimulatedCluster>(sim);
//     for (const char* name : {"a", "b", "c"}) {
//       cluster.Add(name, [](testing::SimulatedHost& host) {
//         host.system().Spawn<Server>(host.TakeTransport()).value();
//       });
//     }
//     cluster.MayCrash("a", absl::Seconds(10));
//     cluster.MayPartition(absl::Seconds(5));
//     sim.PlayFor(absl::Minutes(1));
//   });
//
// Properties, faults and what else a test needs are the simulation's; whoever
// plays in it plays all hosts. What is told of a failure begins with the name
// of its host. The simulation's own system is on no host: use it for probes.
// Its trace replays all hosts: which of them plays when, what runs there, and
// which faults happen. What the network does, the seed decides in any case; in
// a shortened course, that is for other messages.
//
// Ownership: the simulation outlives the cluster; hosts are the cluster's.
// Blocking: no call blocks.
// Thread safety: none; all that happens, happens on one thread.
#ifndef TROUPE_TESTING_SIMULATED_CLUSTER_H_
#define TROUPE_TESTING_SIMULATED_CLUSTER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/transport.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/internal/simulation_observation.h"
#include "troupe/testing/simulated_network.h"
#include "troupe/testing/simulation.h"

namespace troupe::testing {

struct SimulatedClusterOptions {
  // Its seed and what records are the simulation's.
  SimulatedNetworkOptions network = {};
  // Of each host; the logger is the simulation's.
  ActorSystem::Options system = {};
};

// A machine, from a start to the next crash.
class SimulatedHost {
 public:
  SimulatedHost(const SimulatedHost&) = delete;
  SimulatedHost& operator=(const SimulatedHost&) = delete;

  const std::string& name() const { return name_; }
  // How often a host of that name has been started, this time included.
  uint64_t incarnation() const { return incarnation_; }
  ActorSystem& system() { return *system_; }

  // It is destroyed when the actors have ended, before the system is.
  Transport& transport() { return *transport_; }
  // For who destroys it himself: an actor, or an extension of the system.
  // Once.
  std::unique_ptr<Transport> TakeTransport() { return std::move(transport_); }

  // Keeps an object that ends before the actors do: a Node. The last one that
  // was given goes first. What it does then is not heard elsewhere, unless the
  // host ends in good order: see SimulatedCluster::Leave().
  template <typename T>
  T& Hold(std::unique_ptr<T> held) {
    T& object = *held;
    held_.push_back(std::move(held));
    return object;
  }

  // Makes an object T(args...) that outlives the system.
  template <typename T, typename... Args>
  T& Make(Args&&... args) {
    auto made = std::make_shared<T>(std::forward<Args>(args)...);
    T& object = *made;
    made_.push_back(std::move(made));
    return object;
  }

 private:
  friend class SimulatedCluster;

  SimulatedHost() = default;
  // What is left of it ends without being heard of.
  ~SimulatedHost();
  friend std::default_delete<SimulatedHost>;

  std::string name_;
  uint64_t incarnation_ = 0;
  // Ends what is held.
  void LetGo();

  std::vector<std::shared_ptr<void>> made_;
  std::vector<std::shared_ptr<void>> held_;
  DeterministicExecutor* executor_ = nullptr;  // The system's.
  std::unique_ptr<ActorSystem> system_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<internal::SimulationObservation> observation_;
};

class SimulatedCluster {
 public:
  // Sets up what runs on a host; must not play.
  using Boot = std::function<void(SimulatedHost&)>;

  explicit SimulatedCluster(Simulation& simulation,
                            const SimulatedClusterOptions& options = {});
  SimulatedCluster(const SimulatedCluster&) = delete;
  SimulatedCluster& operator=(const SimulatedCluster&) = delete;
  // All hosts end at once.
  ~SimulatedCluster();

  // Adds a host and starts it. `boot` is called now and whenever it is started
  // again. REQUIRES: there is no host of that name.
  SimulatedHost& Add(std::string name, Boot boot = {});

  // REQUIRES: the host has been added; for host(), it is up.
  bool IsUp(absl::string_view name) const;
  SimulatedHost& host(absl::string_view name);
  // Those that have been added, in the order of their names.
  std::vector<std::string> names() const;
  SimulatedNetwork& network() { return network_; }

  // -- faults ----------------------------------------------------------------
  // Not in a turn. REQUIRES: the host has been added.

  // Ends a host, its actors too, as others notice it or not. What its actors do
  // in their ends reaches nobody. Does nothing if the host is not up, or
  // leaves.
  void Crash(absl::string_view name, CrashKind kind);
  // Starts it again. Does nothing if it is up.
  void Restart(absl::string_view name);
  // Has a host stand still, its actors and their timers too, until it goes on.
  // Nothing if it is not up, or leaves.
  void Pause(absl::string_view name);
  void Resume(absl::string_view name);
  // Ends a host in good order: first what it holds, and others hear of it; then
  // its actors. Plays, so it is not called in a fault. Does nothing if the host
  // is not up, or is paused.
  void Leave(absl::string_view name);
  // All hosts are up, none is paused, and all links are open; and no fault that
  // the seed decides happens any more.
  void Heal();

  // What the seed decides: whether, when and how. Each fault ends by itself,
  // after a time of at most `within`.
  void MayCrash(absl::string_view name, absl::Duration within,
                Chance chance = {});
  void MayPause(absl::string_view name, absl::Duration within,
                Chance chance = {});
  // Some hosts do not reach the others, or neither do those reach them.
  void MayPartition(absl::Duration within, Chance chance = {});
  // All hosts that are up stand still, and go on together.
  void MayStandStill(absl::Duration within, Chance chance = {});
  // Some connection breaks.
  void MayReset(Chance chance = {});

 private:
  struct Machine {
    Boot boot;
    uint64_t starts = 0;
    bool paused = false;
    bool leaving = false;                 // No fault happens to it then.
    std::unique_ptr<SimulatedHost> host;  // Null: it is not up.
  };

  Machine& MachineOf(absl::string_view name);
  void Start(const std::string& name, Machine& machine);
  void End(absl::string_view name, Machine& machine, CrashKind kind);
  // As Simulation::MayHappen(), until all is healed.
  void MayHappen(const std::string& fault, std::function<void()> happen,
                 Chance chance);
  absl::Duration Drawn(absl::Duration within);
  void CutOff(absl::Duration within);

  Simulation& simulation_;
  const SimulatedClusterOptions options_;
  SimulatedNetwork network_;
  bool healed_ = false;
  std::map<std::string, Machine, std::less<>> machines_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SIMULATED_CLUSTER_H_
