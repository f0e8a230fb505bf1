#include "troupe/testing/simulation.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/internal/description.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"
#include "troupe/testing/internal/simulation_observation.h"

namespace troupe::testing {
namespace {

// Apart from the random numbers of others that have the same seed.
constexpr uint64_t kForTheTest = 0x5c2b1d9e63a8f047;
constexpr uint64_t kForTheSchedule = 0x71d80b5fa3c6e294;

// Names of faults, and what those of points begin with.
constexpr absl::string_view kLateTimers = "late timers";
constexpr absl::string_view kThrowAt = "throw at ";
constexpr absl::string_view kNoMemoryAt = "no memory at ";

constexpr int kMaxWorkers = 4;
constexpr int64_t kMaxFilledSteps = 20;

}  // namespace

void Simulation::Log::Send(const LogEntry& entry) {
  simulation_.Tell(absl::StrCat("log: ", entry.text_message()));
}

Simulation::Simulation(uint64_t seed, const SimulationOptions& options)
    : seed_(seed),
      max_steps_(options.max_steps),
      max_steps_of_waits_(options.max_steps_of_waits > 0
                              ? options.max_steps_of_waits
                              : 2 * options.max_steps),
      random_(seed ^ kForTheTest),
      decisions_(seed, options.replay),
      log_(*this),
      schedule_(seed ^ kForTheSchedule) {
  schedule_.SetChoose(
      [this](DeterministicChoice choice, uint32_t alternatives,
             uint32_t drawn) { return Choose(choice, alternatives, drawn); });
  schedule_.SetAfterStep([this] { AfterStep(); });
  Random& random = decisions_.seeded();
  DeterministicExecutor::Options how =
      internal::SimulationObservation::ExecutorOptions(*this);
  how.seed = seed;
  how.workers = options.workers > 0
                    ? options.workers
                    : 1 + static_cast<int>(random.Uniform(kMaxWorkers));
  // Some runs without these, some with many: what each hides from view differs.
  how.hand_over_probability = 0.2 * static_cast<double>(random.Uniform(3));
  how.lost_seat_probability = 0.15 * static_cast<double>(random.Uniform(3));
  ActorSystem::Options system = options.system;
  system.logger = Logger(&log_);
  system_ = ActorSystem::CreateOn(std::make_unique<DeterministicExecutor>(how),
                                  system);
  observation_ = std::make_unique<internal::SimulationObservation>(
      *this, *system_, /*name=*/"");
}

Simulation::~Simulation() {
  over_ = true;
  observation_.reset();
  system_.reset();
  while (!made_.empty()) made_.pop_back();
}

absl::Duration Simulation::now() const {
  return schedule_.now() - MonotonicTime();
}

uint32_t Simulation::Choose(DeterministicChoice choice, uint32_t alternatives,
                            uint32_t drawn) {
  return decisions_.Choose(choice, alternatives, drawn, steps());
}

void Simulation::BeforeTurn(const Runnable& next) {
  if (over_) return;
  // A closure has no number of its own: 0.
  Mix(NumberOf(troupe::internal::ActorOf(next)));
}

void Simulation::AfterStep() {
  TROUPE_CHECK(steps() < max_steps_of_waits_,
               absl::StrCat("the simulation with seed ", seed_,
                            " waits for what never comes"));
  if (over_) return;
  Mix(steps());
  Mix(static_cast<uint64_t>(schedule_.now().ToNanoseconds()));
  for (DeterministicExecutor* executor : executors_) {
    for (int i = 0; i < executor->shared_workers(); ++i) {
      const Worker& worker = executor->shared_worker(i);
      Mix(worker.turns());
      Mix(worker.ready());
    }
  }
  const size_t properties = always_.size();
  for (size_t i = 0; i < properties; ++i) {
    if (!failure_.ok()) return;
    LookAt(always_[i].name, always_[i].holds);
  }
  if (steps() > max_steps_) {
    Fail("", absl::ResourceExhaustedError(absl::StrCat(
                 "more than ", max_steps_,
                 " steps: a timer repeats where Play() waits for the last, or "
                 "actors answer each other for ever")));
  }
  filled_.EmptyThoseDue(steps());
  // Those that one of them adds come in from the next step on.
  const size_t faults = step_faults_.size();
  for (size_t i = 0; i < faults; ++i) {
    if (!failure_.ok()) return;
    StepFault& step_fault = step_faults_[i];
    if (decisions_.Occurs(step_fault.fault)) {
      step_fault.happen(step_fault.fault);
    }
  }
}

void Simulation::Play() {
  if (!failure_.ok()) return;
  (void)schedule_.RunUntil([this] { return !failure_.ok(); },
                           MonotonicTime::InfiniteFuture());
  const size_t properties = at_rest_.size();
  for (size_t i = 0; i < properties; ++i) {
    if (!failure_.ok()) return;
    Named& property = at_rest_[i];
    property.looked_at = true;
    LookAt(property.name, property.holds);
  }
}

void Simulation::PlayFor(absl::Duration duration) {
  if (!failure_.ok()) return;
  (void)schedule_.RunUntil([this] { return !failure_.ok(); },
                           schedule_.now() + duration);
}

bool Simulation::PlayUntil(absl::FunctionRef<bool()> done,
                           absl::Duration within) {
  if (!failure_.ok()) return false;
  return schedule_.RunUntil([this, done] { return !failure_.ok() || done(); },
                            schedule_.now() + within) &&
         failure_.ok();
}

void Simulation::AddStepFault(std::string name, Chance chance,
                              std::function<void(Fault&)> happen) {
  // A trace tells them apart by their names. Those of points may come later.
  TROUPE_CHECK(!name.empty(), "a fault has a name");
  TROUPE_CHECK(name != kLateTimers && !absl::StartsWith(name, kThrowAt) &&
                   !absl::StartsWith(name, kNoMemoryAt),
               absl::StrCat("another kind of fault is called '", name, "'"));
  const auto is_taken = [this](absl::string_view taken) {
    return std::any_of(
        step_faults_.begin(), step_faults_.end(),
        [taken](const StepFault& other) { return other.fault.name == taken; });
  };
  std::string unique = name;
  for (int i = 2; is_taken(unique); ++i) {
    unique = absl::StrCat(name, " (", i, ")");
  }
  step_faults_.push_back({{std::move(unique), chance}, std::move(happen)});
}

void Simulation::Happened(Fault& fault, int64_t amount,
                          absl::string_view told) {
  decisions_.Happened(fault, amount);
  Record(absl::StrCat("fault: ", fault.name, told));
}

void Simulation::MayHappen(std::string name, std::function<void()> fault,
                           Chance chance) {
  AddStepFault(std::move(name), chance,
               [this, happen = std::move(fault)](Fault& fault) {
                 happen();
                 Happened(fault);
               });
}

void Simulation::MayKill(std::string name, std::function<AnyActorRef()> find,
                         Chance chance) {
  AddStepFault(
      absl::StrCat("kill ", name), chance,
      [this, find = std::move(find)](Fault& fault) {
        const AnyActorRef actor = find();
        if (actor.IsNull() || actor.status() == ActorStatus::kStopped) {
          return;
        }
        actor.Kill();
        Happened(fault);
      });
}

void Simulation::MayFill(std::string name, std::function<AnyActorRef()> find,
                         Chance chance) {
  AddStepFault(
      absl::StrCat("fill ", name), chance,
      [this, find = std::move(find)](Fault& fault) {
        if (!filled_.Fill(find())) return;
        const int64_t steps = decisions_.Amount(fault, kMaxFilledSteps);
        filled_.EmptyLastAt(this->steps() + static_cast<uint64_t>(steps));
        Happened(fault, steps, absl::StrCat(" for ", steps, " steps"));
      });
}

void Simulation::MayDelayTimers(absl::Duration at_most, Chance chance) {
  latest_ms_ = absl::ToInt64Milliseconds(at_most);
  TROUPE_CHECK(latest_ms_ > 0, "timers are late by 1 ms or more");
  late_timers_ = {std::string(kLateTimers), chance};
}

absl::Duration Simulation::TimerDelay() {
  if (over_ || !failure_.ok() || !late_timers_.has_value() ||
      !decisions_.Occurs(*late_timers_)) {
    return absl::ZeroDuration();
  }
  const int64_t ms = decisions_.Amount(*late_timers_, latest_ms_);
  Happened(*late_timers_, ms, absl::StrCat(", by ", ms, "ms"));
  return absl::Milliseconds(ms);
}

Simulation::Fault& Simulation::PointFault(std::string name, Chance chance) {
  Fault& fault = point_faults_[name];
  fault.name = std::move(name);
  fault.chance = chance;
  return fault;
}

void Simulation::MayThrow(absl::string_view point, Chance chance) {
  if (over_ || !failure_.ok()) return;
  Fault& fault = PointFault(absl::StrCat(kThrowAt, point), chance);
  if (!decisions_.Occurs(fault)) return;
  Happened(fault);
  throw InjectedFault(absl::StrCat("injected fault at ", point));
}

MemoryShortage Simulation::MayLackMemory(absl::string_view point,
                                         Chance chance) {
  Fault& fault = PointFault(absl::StrCat(kNoMemoryAt, point), chance);
  return MemoryShortage([this, &fault] {
    if (over_ || !failure_.ok() || !decisions_.Occurs(fault)) return false;
    Happened(fault);
    return true;
  });
}

void Simulation::Record(absl::string_view what) {
  if (over_) return;
  Mix(what);
  Tell(what);
}

absl::Status Simulation::Finish() {
  for (const Named& property : at_rest_) {
    if (!failure_.ok() || property.looked_at) continue;
    Fail(property.name,
         absl::FailedPreconditionError("never at rest, so never looked at"));
  }
  return failure_;
}

void Simulation::LookAt(absl::string_view name, const Property& holds) {
  const absl::Status status = holds();
  if (!status.ok()) Fail(name, status);
}

void Simulation::Fail(absl::string_view property, absl::Status status) {
  if (!failure_.ok()) return;
  failed_property_ = std::string(property);
  const std::string which =
      property.empty() ? "" : absl::StrCat("'", property, "': ");
  failure_ = absl::Status(
      status.code(),
      absl::StrCat(which, status.message(), "\n  seed ", seed_, ", after ",
                   steps(), " steps, at ", absl::FormatDuration(now()),
                   "; what happened last:", told_.empty() ? " nothing" : "\n  ",
                   absl::StrJoin(told_, "\n  ")));
}

void Simulation::Tell(absl::string_view what) {
  if (over_) return;
  told_.push_back(absl::StrCat(absl::FormatDuration(now()), " ", what));
  if (told_.size() > kTold) told_.pop_front();
}

void Simulation::Mix(uint64_t word) {
  hash_ = (hash_ ^ word) * 0x9e3779b97f4a7c15;
  hash_ ^= hash_ >> 29;
}

void Simulation::Mix(absl::string_view text) {
  Mix(text.size());
  for (const char c : text) Mix(static_cast<unsigned char>(c));
}

uint64_t Simulation::NumberOf(ActorId actor) {
  if (actor.IsNull()) return 0;
  return numbers_.try_emplace(actor, numbers_.size() + 1).first->second;
}

}  // namespace troupe::testing
