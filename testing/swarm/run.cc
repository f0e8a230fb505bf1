#include "troupe/testing/swarm/run.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/registry/groups.h"
#include "troupe/registry/names.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/supervision/supervision_report.h"
#include "troupe/supervision/supervisor_api.h"
#include "troupe/testing/swarm/citizen.h"
#include "troupe/testing/swarm/rest.h"
#include "troupe/testing/swarm/warden.h"
#include "troupe/testing/swarm/world.h"

namespace troupe::swarm {
namespace {

constexpr std::string_view kEnds = "all comes to an end";
constexpr uint64_t kMostSteps = 1'000'000;

// Much goes wrong here.
class Silence final : public LogSink {
 public:
  void Send(const LogEntry&) override {}
};

class Run {
 public:
  explicit Run(uint64_t seed);
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void Play();
  RunResult result() const {
    return {world_.journal.invariant(), world_.journal.report(),
            world_.journal.hash(), world_.journal.events(), steps_};
  }

 private:
  bool broken() const { return world_.journal.broken(); }
  void Subscribe();
  void AfterStep();
  // Until nothing is left to do, or so many more steps were played.
  void PlayOn(uint64_t steps);
  void Found();
  // From now on the children of supervisors are known by their addresses.
  void MeetSupervised();
  void EndSomeWarden();
  void DoFromOutside();
  void CheckAtRest();
  void CheckWardens();
  void CheckGroups();
  void End();

  World world_;
  Silence silence_;
  DeterministicExecutor* executor_;  // The system's.
  std::unique_ptr<ActorSystem> system_;
  std::vector<Subscription> subscriptions_;  // Last: the first to go.
  std::vector<Door> doors_;
  uint64_t steps_ = 0;
  bool is_at_rest_ = false;
  bool over_ = false;
};

Run::Run(uint64_t seed) : world_(seed) {
  DeterministicExecutor::Options options = world_.features.executor();
  options.seed = world_.random.NextUint64();
  options.logger = Logger(&silence_);
  options.after_step = [this] { AfterStep(); };
  auto executor = std::make_unique<DeterministicExecutor>(options);
  executor_ = executor.get();
  world_.journal.set_executor(executor_);
  system_ = ActorSystem::CreateOn(std::move(executor),
                                  {.logger = Logger(&silence_),
                                   .deadlock_check_after = world_.SomeTime(),
                                   .child_stop_timeout = world_.SomeTime()});
  world_.system = system_.get();
  (void)system_->Get<Names>();  // Before an actor has one.
  for (int i = 0; i < 2 && world_.features.pinned() > 0; ++i) {
    world_.threads.push_back(
        system_->StartThread(absl::StrCat("thread", i)).value());
  }
  Subscribe();
}

void Run::Subscribe() {
  subscriptions_.push_back(
      system_->Subscribe<ActorStarted>([this](const ActorStarted& event) {
        world_.lives.Started(event.actor);
      }));
  subscriptions_.push_back(
      system_->Subscribe<ActorEnded>([this](const ActorEnded& event) {
        world_.lives.Ended(event.actor, event.reason);
      }));
  subscriptions_.push_back(system_->Subscribe<SupervisionReport>(
      [this](const SupervisionReport& report) {
        world_.restarts.Reported(report);
      }));
  subscriptions_.push_back(
      system_->Subscribe<DeadLetter>([this](const DeadLetter& letter) {
        if (letter.message_type == kMessageType<Cry>.name) {
          return world_.group_book.DeadLetter();
        }
        if (letter.message_type != kMessageType<Parcel>.name) return;
        const Number target = world_.lives.NumberOf(letter.target);
        world_.mail.DeadLetter(target, world_.IsCountedApart(target));
      }));
}

void Run::AfterStep() {
  if (broken() || over_) return;
  world_.journal.LookAtClock();
  for (int i = 0; i < executor_->shared_workers(); ++i) {
    const Worker& worker = executor_->shared_worker(i);
    world_.journal.Mix(worker.turns() << 20 ^ worker.ready());
  }
  world_.lives.LookAtSome(executor_->steps());
  world_.bounds.LookAtSome(executor_->steps());
  if (executor_->steps() > kMostSteps) {
    world_.journal.Break(
        kEnds, absl::StrCat("it goes on for ever;",
                            Rest(world_.journal, world_.lives).Ready()));
  }
  if (!is_at_rest_ && world_.Uniform(1024) < world_.features.from_outside()) {
    DoFromOutside();
  }
}

void Run::PlayOn(uint64_t steps) {
  const uint64_t last = executor_->steps() + steps;
  (void)executor_->RunUntil(
      [this, last] { return broken() || executor_->steps() >= last; },
      MonotonicTime::InfiniteFuture());
  world_.journal.LookAtClock();
}

void Run::Play() {
  for (uint64_t i = world_.features.founders(); i > 0; --i) Found();
  for (uint64_t i = world_.features.supervisors(); i > 0; --i) {
    FoundWarden(world_, doors_);
  }
  if (!doors_.empty()) {
    PlayOn(world_.Uniform(50));
    MeetSupervised();
  }
  const uint64_t rounds = 1 + world_.Uniform(3);
  for (uint64_t i = 0; i < rounds && !broken(); ++i) {
    for (uint64_t j = 1 + world_.Uniform(8); j > 0; --j) DoFromOutside();
    if (world_.features.shuts_down_early() && i + 1 == rounds) {
      PlayOn(world_.Uniform(300));
    } else {
      PlayOn(kMostSteps);
      if (!broken()) CheckAtRest();
    }
  }
  if (!broken()) End();
}

void Run::Found() {
  const Number number = world_.lives.Conceive(0, /*is_supervised=*/false);
  const SpawnOptions options = SomeOptions(world_, number);
  const absl::StatusOr<CitizenRef> ref = [&]() -> absl::StatusOr<CitizenRef> {
    switch (world_.Uniform(3)) {
      case 0:
        return system_->SpawnInstant<Plain>(options, &world_, number);
      case 1:
        return system_->SpawnInstant<Trapper>(options, &world_, number);
      default:
        return system_->SpawnInstant<Juggler>(options, &world_, number);
    }
  }();
  if (ref.ok()) world_.Introduce({*ref, number}, options);
}

void Run::MeetSupervised() {
  for (const Door& door : doors_) {
    const CitizenRef ref = door.child.address();
    if (!ref.IsNull()) world_.Introduce({ref, door.number}, {});
  }
  doors_.clear();
}

void Run::EndSomeWarden() {
  if (world_.restarts.supervisors() == 0 || !world_.IsViolent()) return;
  const Number warden = world_.restarts.instance(
      static_cast<uint32_t>(world_.Uniform(world_.restarts.supervisors())));
  if (warden == 0) return;
  world_.lives.AskedToEnd(0, warden);
  const AnyActorRef& ref = world_.lives.ref(warden);
  switch (world_.Uniform(3)) {
    case 0:
      return ref.Stop();
    case 1:
      return ref.Kill();
    default:
      return ref.Drain();
  }
}

void Run::DoFromOutside() {
  if (!world_.Spend()) return;
  const Acquaintance one = world_.Anybody();
  if (one.number == 0) return Found();
  world_.journal.Note(What::kFromOutside, one.number);
  switch (world_.Uniform(13)) {
    case 0:
      if (!world_.IsViolent()) return;
      world_.lives.AskedToEnd(0, one.number);
      switch (world_.Uniform(3)) {
        case 0:
          return one.ref.Stop();
        case 1:
          return one.ref.Kill();
        default:
          world_.Drains(one.number);
          return one.ref.Drain();
      }
    case 1:
      if (world_.lives.count() < world_.features.most_actors()) Found();
      return;
    case 2:
    case 3:
    case 4:
      return RefTo(one).Send<Errand>(world_.counted, 1 + world_.Uniform(4));
    case 5: {
      Parcel parcel = world_.MakeParcel(0, one, Way::kUrgent);
      return RefTo(one).SendUrgent<Parcel>(std::move(parcel));
    }
    case 6:
      return EndSomeWarden();
    default: {
      Parcel parcel = world_.MakeParcel(0, one, Way::kNormal);
      for (Acquaintance& brought : parcel.brings) brought = world_.Anybody();
      return RefTo(one).Send(std::move(parcel));
    }
  }
}

void Run::CheckAtRest() {
  Rest(world_.journal, world_.lives).Check(*system_);
  world_.lives.CheckAtRest();
  world_.mail.CheckAtRest();
  world_.calls.CheckAtRest();
  world_.ticks.CheckAtRest();
  world_.watches.CheckAtRest();
  world_.name_book.CheckAtRest(system_->Get<Names>());
  CheckGroups();
  for (const auto& [number, subscription] : world_.subscriptions) {
    world_.port_book.CheckAtRest(number, subscription.stats());
  }
  CheckWardens();
}

void Run::CheckWardens() {
  // Nothing is to happen while they answer.
  is_at_rest_ = true;
  for (uint32_t i = 0; i < world_.restarts.supervisors() && !broken(); ++i) {
    const SupervisorRef warden = WardenRef(world_, i);
    if (warden.IsNull()) continue;
    world_.restarts.CheckAtRest(i, warden.Call<ListChildren>().Wait(),
                                warden.Call<CountChildren>().Wait(),
                                warden.Call<GetTree>().Wait());
  }
  is_at_rest_ = false;
}

void Run::CheckGroups() {
  for (size_t group = 0; group < GroupBook::kGroups; ++group) {
    const absl::StatusOr<std::vector<CitizenRef>> members =
        system_->Get<Groups>().Members(World::GroupOf(group));
    std::vector<Number> numbers;
    for (const CitizenRef& member : members.value()) {
      numbers.push_back(world_.lives.NumberOf(member.id()));
    }
    world_.group_book.CheckAtRest(group, numbers);
    world_.group_watch.CheckAtRest(
        group, std::vector<AnyActorRef>(members->begin(), members->end()));
  }
  world_.group_book.CheckAllAtRest();
}

void Run::End() {
  const absl::Status ended = system_->Shutdown(world_.SomeTime());
  world_.journal.LookAtClock();
  if (broken()) return;
  if (!ended.ok()) {
    world_.journal.Break(kEnds, ended.ToString());
  } else if (system_->live_actors() != 0) {
    world_.journal.Break(kEnds, absl::StrCat(system_->live_actors(),
                                             " actors outlive the shutdown"));
  }
  // What was on its way to actors that have ended.
  over_ = true;
  PlayOn(kMostSteps);
  if (broken()) return;
  steps_ = executor_->steps();
  subscriptions_.clear();
  world_.subscriptions.clear();
  world_.threads.clear();
  for (std::optional<OutputPort<News>>& port : world_.ports) port.reset();
  world_.journal.set_executor(nullptr);
  system_ = nullptr;
  world_.lives.CheckAtEnd();
  world_.mail.CheckAtRest();
  world_.calls.CheckAtRest();
  // World::counted is one itself.
  if (world_.payloads != 1) {
    world_.journal.Break(
        kEnds, absl::StrCat(world_.payloads - 1, " messages outlive the end"));
  }
}

}  // namespace

RunResult RunSeed(uint64_t seed) {
  auto run = std::make_unique<Run>(seed);
  run->Play();
  RunResult result = run->result();
  if (!result.invariant.empty()) (void)run.release();
  return result;
}

}  // namespace troupe::swarm
