#include "troupe/testing/simulated_cluster.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/base/check.h"
#include "troupe/base/random.h"

namespace troupe::testing {
namespace {

// Ids of actors cross in as many bytes as they need, and each simulation of the
// process has greater ones. From these on, all need the same for a long time:
// otherwise what a reset cuts would depend on what ran before.
void UseUpShortIds() {
  using troupe::internal::IdSpace;
  constexpr uint64_t kFirst = uint64_t{1} << 35;
  while (IdSpace::TakeBlock(nullptr) < kFirst) {
  }
  IdSpace::Prune();
}

SimulatedNetworkOptions NetworkOptions(Simulation& simulation,
                                       SimulatedNetworkOptions options) {
  options.seed = simulation.seed();
  options.record = [&simulation](absl::string_view what) {
    simulation.Record(what);
  };
  return options;
}

}  // namespace

SimulatedHost::~SimulatedHost() {
  observation_.reset();
  // From now on nobody else plays while this ends.
  executor_->LeaveSchedule();
  LetGo();
  const absl::Status ended = system_->Shutdown(absl::ZeroDuration());
  TROUPE_CHECK(ended.ok(), ended.message());
  transport_.reset();
  system_.reset();
  while (!made_.empty()) made_.pop_back();
}

void SimulatedHost::LetGo() {
  while (!held_.empty()) held_.pop_back();
}

SimulatedCluster::SimulatedCluster(Simulation& simulation,
                                   const SimulatedClusterOptions& options)
    : simulation_(simulation),
      options_(options),
      network_(simulation.schedule(),
               NetworkOptions(simulation, options.network)) {
  static const bool long_ids = (UseUpShortIds(), true);
  (void)long_ids;
}

SimulatedCluster::~SimulatedCluster() {
  for (auto& [name, machine] : machines_) Crash(name, CrashKind::kSilence);
}

SimulatedHost& SimulatedCluster::Add(std::string name, Boot boot) {
  const auto [added, is_new] = machines_.try_emplace(std::move(name));
  TROUPE_CHECK(is_new, absl::StrCat("a second host '", added->first, "'"));
  added->second.boot = std::move(boot);
  Start(added->first, added->second);
  return *added->second.host;
}

void SimulatedCluster::Start(const std::string& name, Machine& machine) {
  Random& random = network_.random();
  DeterministicExecutor::Options how =
      internal::SimulationObservation::ExecutorOptions(simulation_);
  how.seed = random.NextUint64();
  how.workers = 1 + static_cast<int>(random.Uniform(2));
  how.hand_over_probability = 0.2 * static_cast<double>(random.Uniform(3));
  how.lost_seat_probability = 0.15 * static_cast<double>(random.Uniform(3));
  auto executor = std::make_unique<DeterministicExecutor>(how);
  ActorSystem::Options system = options_.system;
  system.logger = simulation_.logger();

  machine.host.reset(new SimulatedHost());
  SimulatedHost& host = *machine.host;
  host.name_ = name;
  host.incarnation_ = ++machine.starts;
  host.executor_ = executor.get();
  host.system_ = ActorSystem::CreateOn(std::move(executor), system);
  host.transport_ = network_.AddTransport(name);
  host.observation_ = std::make_unique<internal::SimulationObservation>(
      simulation_, *host.system_, name);
  if (machine.boot) machine.boot(host);
}

SimulatedCluster::Machine& SimulatedCluster::MachineOf(absl::string_view name) {
  const auto found = machines_.find(std::string(name));
  TROUPE_CHECK(found != machines_.end(),
               absl::StrCat("there is no host '", name, "'"));
  return found->second;
}

bool SimulatedCluster::IsUp(absl::string_view name) const {
  const auto found = machines_.find(std::string(name));
  return found != machines_.end() && found->second.host != nullptr;
}

SimulatedHost& SimulatedCluster::host(absl::string_view name) {
  Machine& machine = MachineOf(name);
  TROUPE_CHECK(machine.host != nullptr,
               absl::StrCat("the host '", name, "' is not up"));
  return *machine.host;
}

std::vector<std::string> SimulatedCluster::names() const {
  std::vector<std::string> names;
  for (const auto& [name, machine] : machines_) names.push_back(name);
  return names;
}

void SimulatedCluster::Crash(absl::string_view name, CrashKind kind) {
  Machine& machine = MachineOf(name);
  if (machine.host == nullptr || machine.leaving) return;
  End(name, machine, kind);
}

void SimulatedCluster::End(absl::string_view name, Machine& machine,
                           CrashKind kind) {
  // First the network, so that nothing of the rest is heard elsewhere.
  network_.Crash(name, kind);
  machine.paused = false;
  machine.host.reset();
}

void SimulatedCluster::Restart(absl::string_view name) {
  Machine& machine = MachineOf(name);
  if (machine.host == nullptr) Start(std::string(name), machine);
}

void SimulatedCluster::Pause(absl::string_view name) {
  Machine& machine = MachineOf(name);
  if (machine.host == nullptr || machine.paused || machine.leaving) return;
  machine.paused = true;
  network_.Pause(name);
  machine.host->executor_->Pause();
}

void SimulatedCluster::Resume(absl::string_view name) {
  Machine& machine = MachineOf(name);
  if (machine.host == nullptr || !machine.paused) return;
  machine.paused = false;
  network_.Resume(name);
  machine.host->executor_->Resume();
}

void SimulatedCluster::Leave(absl::string_view name) {
  Machine& machine = MachineOf(name);
  if (machine.host == nullptr || machine.paused) return;
  machine.leaving = true;
  machine.host->LetGo();
  machine.leaving = false;
  End(name, machine, CrashKind::kReset);
}

void SimulatedCluster::Heal() {
  healed_ = true;
  network_.Heal();
  for (auto& [name, machine] : machines_) {
    Resume(name);
    Restart(name);
  }
}

void SimulatedCluster::MayHappen(const std::string& fault,
                                 std::function<void()> happen, Chance chance) {
  simulation_.MayHappen(
      fault,
      [this, happen = std::move(happen)] {
        if (!healed_) happen();
      },
      chance);
}

absl::Duration SimulatedCluster::Drawn(absl::Duration within) {
  return absl::Nanoseconds(
      network_.random().Uniform(absl::ToInt64Nanoseconds(within) + 1));
}

void SimulatedCluster::MayCrash(absl::string_view name, absl::Duration within,
                                Chance chance) {
  MayHappen(
      absl::StrCat("crash of ", name),
      [this, name = std::string(name), within] {
        Crash(name, network_.random().Bernoulli(0.5) ? CrashKind::kReset
                                                     : CrashKind::kSilence);
        network_.After(Drawn(within), [this, name] { Restart(name); });
      },
      chance);
}

void SimulatedCluster::MayPause(absl::string_view name, absl::Duration within,
                                Chance chance) {
  MayHappen(
      absl::StrCat("pause of ", name),
      [this, name = std::string(name), within] {
        Pause(name);
        network_.After(Drawn(within), [this, name] { Resume(name); });
      },
      chance);
}

void SimulatedCluster::MayPartition(absl::Duration within, Chance chance) {
  MayHappen(
      "partition", [this, within] { CutOff(within); }, chance);
}

void SimulatedCluster::CutOff(absl::Duration within) {
  Random& random = network_.random();
  std::vector<std::string> some;
  std::vector<std::string> others;
  for (const auto& [name, machine] : machines_) {
    (random.Bernoulli(0.5) ? some : others).push_back(name);
  }
  if (some.empty() || others.empty()) return;
  const bool both_ways = random.Bernoulli(0.5);
  network_.Block(some, others);
  if (both_ways) network_.Block(others, some);
  network_.After(Drawn(within), [this, some, others, both_ways] {
    network_.Unblock(some, others);
    if (both_ways) network_.Unblock(others, some);
  });
}

void SimulatedCluster::MayStandStill(absl::Duration within, Chance chance) {
  MayHappen(
      "standstill",
      [this, within] {
        for (const std::string& name : names()) Pause(name);
        network_.After(Drawn(within), [this] {
          for (const std::string& name : names()) Resume(name);
        });
      },
      chance);
}

void SimulatedCluster::MayReset(Chance chance) {
  MayHappen(
      "reset", [this] { (void)network_.ResetAny(); }, chance);
}

}  // namespace troupe::testing
