#include "troupe/testing/internal/simulation_observation.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/scheduler/deterministic_choice.h"
#include "troupe/scheduler/runnable.h"

namespace troupe::testing::internal {
namespace {

std::string Text(std::string_view text) { return std::string(text); }

}  // namespace

DeterministicExecutor::Options SimulationObservation::ExecutorOptions(
    Simulation& simulation) {
  DeterministicExecutor::Options options;
  options.logger = simulation.logger();
  options.schedule = &simulation.schedule();
  options.before_turn = [&simulation](const Runnable& next) {
    simulation.BeforeTurn(next);
  };
  options.choose = [&simulation](DeterministicChoice choice,
                                 uint32_t alternatives, uint32_t drawn) {
    return simulation.Choose(choice, alternatives, drawn);
  };
  options.timer_delay = [&simulation] { return simulation.TimerDelay(); };
  return options;
}

SimulationObservation::SimulationObservation(Simulation& simulation,
                                             ActorSystem& system,
                                             std::string name)
    : simulation_(simulation),
      executor_(static_cast<DeterministicExecutor&>(system.executor())) {
  simulation_.executors_.push_back(&executor_);
  if (!name.empty()) name += ": ";
  subscriptions_.push_back(system.Subscribe<ActorStarted>(
      [&simulation, name](const ActorStarted& event) {
        const uint64_t number = simulation.NumberOf(event.actor);
        simulation.Mix(number);
        simulation.Mix(simulation.NumberOf(event.parent));
        simulation.Record(absl::StrCat(name, Text(event.class_name), " #",
                                       number, " started"));
      }));
  subscriptions_.push_back(system.Subscribe<ActorEnded>(
      [&simulation, name](const ActorEnded& event) {
        const uint64_t number = simulation.NumberOf(event.actor);
        simulation.Mix(number);
        simulation.Mix(static_cast<uint64_t>(event.reason.kind()));
        simulation.Mix(Text(event.class_name));
        // In words it may name actors by their ids.
        simulation.Tell(absl::StrCat(name, Text(event.class_name), " #", number,
                                     " ended: ", event.reason.ToString()));
      }));
  subscriptions_.push_back(system.Subscribe<DeadLetter>(
      [&simulation, name](const DeadLetter& letter) {
        simulation.Record(absl::StrCat(name, "dead letter to #",
                                       simulation.NumberOf(letter.target), ": ",
                                       Text(letter.message_type), ", ",
                                       DeadLetterReasonName(letter.reason)));
      }));
}

SimulationObservation::~SimulationObservation() {
  std::erase(simulation_.executors_, &executor_);
}

}  // namespace troupe::testing::internal
