#include "troupe/testing/simulation.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "troupe/actor/actor_status.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"
#include "troupe/testing/internal/simulation_observation.h"

namespace troupe::testing {
namespace {

// Apart from the executor's own random numbers, and from each other's.
constexpr uint64_t kForTheTest = 0x5c2b1d9e63a8f047;
constexpr uint64_t kForFaults = 0xa94e7c0d1f3685b2;
constexpr uint64_t kForTheSchedule = 0x71d80b5fa3c6e294;

constexpr int kMaxWorkers = 4;

}  // namespace

void Simulation::Log::Send(const LogEntry& entry) {
  simulation_.Tell(absl::StrCat("log: ", entry.text_message()));
}

Simulation::Simulation(uint64_t seed, const SimulationOptions& options)
    : seed_(seed),
      max_steps_(options.max_steps),
      random_(seed ^ kForTheTest),
      chances_(seed ^ kForFaults),
      log_(*this),
      schedule_(seed ^ kForTheSchedule) {
  DeterministicExecutor::Options how;
  how.seed = seed;
  how.workers = options.workers > 0
                    ? options.workers
                    : 1 + static_cast<int>(chances_.Uniform(kMaxWorkers));
  // Some runs without these, some with many: what each hides from view differs.
  how.hand_over_probability = 0.2 * static_cast<double>(chances_.Uniform(3));
  how.lost_seat_probability = 0.15 * static_cast<double>(chances_.Uniform(3));
  how.logger = Logger(&log_);
  how.schedule = &schedule_;
  schedule_.SetAfterStep([this] { AfterStep(); });
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

void Simulation::AfterStep() {
  TROUPE_CHECK(steps() < 2 * max_steps_,
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
  for (Named& property : always_) {
    if (!failure_.ok()) return;
    LookAt(property.name, property.holds);
  }
  if (steps() > max_steps_) {
    Fail(absl::ResourceExhaustedError(
        absl::StrCat("more than ", max_steps_,
                     " steps: a timer repeats where Play() waits for the last, "
                     "or actors answer each other for ever")));
  }
  for (Fault& fault : faults_) {
    if (!failure_.ok()) return;
    if (fault.times == fault.chance.at_most_times ||
        !chances_.Bernoulli(fault.chance.probability) || !fault.happen()) {
      continue;
    }
    ++fault.times;
    Record(absl::StrCat("fault: ", fault.name));
  }
}

void Simulation::Play() {
  if (!failure_.ok()) return;
  (void)schedule_.RunUntil([this] { return !failure_.ok(); },
                           MonotonicTime::InfiniteFuture());
  for (Named& property : at_rest_) {
    if (!failure_.ok()) return;
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

void Simulation::MayHappen(std::string name, std::function<void()> fault,
                           Chance chance) {
  faults_.push_back({std::move(name), chance, [fault = std::move(fault)] {
                       fault();
                       return true;
                     }});
}

void Simulation::MayKill(std::string name, std::function<AnyActorRef()> find,
                         Chance chance) {
  faults_.push_back(
      {absl::StrCat("kill ", name), chance, [find = std::move(find)] {
         const AnyActorRef actor = find();
         if (actor.IsNull() || actor.status() == ActorStatus::kStopped) {
           return false;
         }
         actor.Kill();
         return true;
       }});
}

void Simulation::MayThrow(absl::string_view point, Chance chance) {
  if (over_ || !failure_.ok()) return;
  int& thrown = thrown_[std::string(point)];
  if (thrown == chance.at_most_times ||
      !chances_.Bernoulli(chance.probability)) {
    return;
  }
  ++thrown;
  Record(absl::StrCat("fault: throw at ", point));
  throw InjectedFault(absl::StrCat("injected fault at ", point));
}

void Simulation::Record(absl::string_view what) {
  if (over_) return;
  Mix(what);
  Tell(what);
}

absl::Status Simulation::Finish() {
  for (const Named& property : at_rest_) {
    if (!failure_.ok() || property.looked_at) continue;
    Fail(absl::FailedPreconditionError(absl::StrCat(
        "'", property.name, "': never at rest, so never looked at")));
  }
  return failure_;
}

void Simulation::LookAt(absl::string_view name, const Property& holds) {
  const absl::Status status = holds();
  if (status.ok()) return;
  Fail(absl::Status(status.code(),
                    absl::StrCat("'", name, "': ", status.message())));
}

void Simulation::Fail(absl::Status status) {
  if (!failure_.ok()) return;
  failure_ = absl::Status(
      status.code(),
      absl::StrCat(status.message(), "\n  seed ", seed_, ", after ", steps(),
                   " steps, at ", absl::FormatDuration(now()),
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
