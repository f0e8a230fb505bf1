#include "troupe/supervision/internal/supervision_world.h"

#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "troupe/actor/sleep.h"
#include "troupe/mailbox/message_type.h"

namespace troupe::internal {

// -- who live there

Resident::Resident(SupervisionWorld& world, int number)
    : world_(world), number_(number) {
  world_.Born(number_);
}

Resident::~Resident() { world_.Died(number_); }

absl::Status Resident::PreStart() {
  if (world_.StartsBadly()) return absl::UnavailableError("not now");
  return absl::OkStatus();
}

Task<void> Resident::PostStop(const ExitReason& reason) {
  world_.Stops(number_, reason);
  const uint64_t chance = world_.Uniform(8);
  if (chance == 0) throw std::runtime_error("cannot stop");
  if (chance < 4) (void)co_await Sleep(absl::Milliseconds(chance));
}

void Resident::Handle(Letter letter) { world_.Received(number_, letter); }

absl::Status Resident::Handle(Blow blow) {
  switch (blow.how) {
    case Blow::How::kFails:
      return absl::DataLossError("hit");
    case Blow::How::kThrows:
      throw std::runtime_error("hit");
    case Blow::How::kStops:
      StopSelf();
      break;
  }
  return absl::OkStatus();
}

Task<absl::Status> SlowResident::PreStart() {
  (void)co_await Sleep(absl::Milliseconds(delay_));
  co_return Resident::PreStart();
}

Task<void> Postman::Handle(Poke) {
  const ChildRef<ResidentApi> child = world_.AnyChild();
  child.Send<Letter>(number_, ++letters_);
  world_.CallBegins();
  // Also if it is killed meanwhile.
  struct End {
    ~End() { world->CallEnds(); }
    SupervisionWorld* world;
  } end{&world_};
  (void)co_await child.Call<Question>().Within(
      absl::Milliseconds(world_.Uniform(4)));
}

// -- the tree

SupervisionWorld::SupervisionWorld(ActorSystem& system, uint64_t seed,
                                   const Options& options)
    : system_(system),
      options_(options),
      random_(seed),
      on_report_(system.Subscribe<SupervisionReport>(
          [this](const SupervisionReport& report) { Reported(report); })),
      on_end_(system.Subscribe<ActorEnded>(
          [this](const ActorEnded& event) { Ended(event); })) {}

Supervisor::Spec SupervisionWorld::MakeTree() {
  absl::MutexLock lock(&mu_);
  return MakeLevel("world", /*depth=*/0);
}

Supervisor::Spec SupervisionWorld::MakeLevel(const std::string& path,
                                             int depth) {
  constexpr Strategy kStrategies[] = {kOneForOne, kOneForAll, kRestForOne,
                                      kDynamic};
  const Strategy strategy = kStrategies[random_.Uniform(depth == 0 ? 3 : 4)];
  const Intensity intensity{
      .restarts = static_cast<int>(depth == 0 ? 30 : random_.Uniform(4)),
      .within = absl::Milliseconds(1 + random_.Uniform(20))};
  constexpr AutoShutdown kAutoShutdowns[] = {kNever, kNever, kNever,
                                             kAnySignificant, kAllSignificant};
  const AutoShutdown auto_shutdown =
      kAutoShutdowns[depth == 0 ? 0 : random_.Uniform(5)];
  const size_t supervisor = supervisors_.size();
  supervisors_.push_back({.path = path,
                          .strategy = strategy,
                          .intensity = intensity,
                          .auto_shutdown = auto_shutdown});
  Supervisor::Spec spec{.name = path,
                        .strategy = strategy,
                        .intensity = intensity,
                        .auto_shutdown = auto_shutdown};
  const uint64_t children = (depth == 0 ? 3 : 1) + random_.Uniform(3);
  for (uint64_t i = 0; i < children; ++i) {
    // The first is a worker: by its first start a new supervisor is known.
    const bool is_supervisor =
        i > 0 && depth < 3 && random_.Uniform(depth == 0 ? 2 : 3) == 0;
    if (!is_supervisor) {
      spec.children.push_back(MakeChildOf(supervisor, /*from_spec=*/true));
      continue;
    }
    const std::string id = absl::StrCat("s", i);
    const size_t below = supervisors_.size();
    Supervisor::Spec level = MakeLevel(absl::StrCat(path, "/", id), depth + 1);
    const ChildRef<SupervisorApi> ref = spec.Add({.id = id}, std::move(level));
    supervisors_[below].ref = ref;
  }
  return spec;
}

ChildSpec SupervisionWorld::MakeChildOf(size_t supervisor, bool from_spec) {
  constexpr Restart kRestarts[] = {kPermanent, kPermanent, kTransient,
                                   kTemporary};
  const int number = static_cast<int>(children_.size());
  ChildOptions options{.id = absl::StrCat(number)};
  options.restart = kRestarts[random_.Uniform(4)];
  options.significant = options.restart != kPermanent &&
                        supervisors_[supervisor].auto_shutdown != kNever &&
                        random_.Uniform(2) == 0;
  switch (random_.Uniform(4)) {
    case 0:
      options.shutdown = Shutdown::Brutal();
      break;
    case 1:
      options.shutdown = Shutdown::Within(absl::Milliseconds(2));
      break;
    case 2:
      options.shutdown = Shutdown::Infinite();
      break;
    default:
      break;
  }
  if (random_.Uniform(4) == 0) {
    options.backoff = RestartBackoff{.initial = absl::Milliseconds(1),
                                     .max = absl::Milliseconds(4),
                                     .reset_after = absl::Milliseconds(8)};
  }
  options.hold_messages = random_.Uniform(6);
  children_.push_back({.supervisor = supervisor,
                       .from_spec = from_spec,
                       .has_backoff = options.backoff.has_value()});
  supervisors_[supervisor].children.push_back(number);
  ChildSpec child = ChildSpec::Of(options, [this, number](StartContext& start) {
    return StartOne(start, number);
  });
  refs_.push_back(child.RefTo<ActorRef<ResidentApi>>());
  return child;
}

const SupervisionWorld::SupervisorState& SupervisionWorld::Find(
    const ChildRef<SupervisorApi>& supervisor) const {
  size_t index = 0;
  while (!(supervisors_[index].ref == supervisor)) ++index;
  return supervisors_[index];
}

ChildSpec SupervisionWorld::MakeChild(
    const ChildRef<SupervisorApi>& supervisor) {
  absl::MutexLock lock(&mu_);
  return MakeChildOf(
      static_cast<size_t>(&Find(supervisor) - supervisors_.data()),
      /*from_spec=*/false);
}

std::pair<Strategy, Intensity> SupervisionWorld::NextStrategy(
    const ChildRef<SupervisorApi>& supervisor) {
  constexpr Strategy kStrategies[] = {kOneForOne, kOneForAll, kRestForOne};
  absl::MutexLock lock(&mu_);
  return {kStrategies[random_.Uniform(3)], Find(supervisor).intensity};
}

absl::StatusOr<ActorRef<ResidentApi>> SupervisionWorld::StartOne(
    StartContext& start, int child) {
  Starts(child, start.earlier_starts() == 0);
  if (StartsBadly()) return absl::UnavailableError("no start");
  const absl::StatusOr<ActorRef<ResidentApi>> ref =
      Uniform(3) == 0 ? start.Spawn<SlowResident>({}, std::ref(*this), child)
                      : start.Spawn<Resident>({}, std::ref(*this), child);
  if (StartsBadly()) throw std::runtime_error("changed its mind");
  return ref;
}

// -- what happens

void SupervisionWorld::BeginLife() {
  absl::MutexLock lock(&mu_);
  lives_ = true;
}

void SupervisionWorld::BeginEnd() {
  absl::MutexLock lock(&mu_);
  ends_ = true;
}

void SupervisionWorld::CheckEnd() {
  absl::MutexLock lock(&mu_);
  EXPECT_EQ(open_calls_, 0) << "calls that were not answered";
  for (size_t i = 0; i < children_.size(); ++i) {
    EXPECT_EQ(children_[i].alive, 0) << "child " << i;
    EXPECT_TRUE(refs_[i].ref().IsNull()) << "child " << i;
  }
  if (options_.kills_supervisors) return;
  for (const auto& [actor, times] : failed_) {
    EXPECT_EQ(told_[actor], 1) << actor.ToString();
  }
}

void SupervisionWorld::Born(int child) {
  absl::MutexLock lock(&mu_);
  ++births_;
  EXPECT_EQ(++children_[child].alive, 1) << "instances of child " << child;
  Happened(1 + 16 * child);
}

void SupervisionWorld::Died(int child) {
  absl::MutexLock lock(&mu_);
  --children_[child].alive;
  Happened(2 + 16 * child);
}

void SupervisionWorld::Starts(int child, bool is_first) {
  absl::MutexLock lock(&mu_);
  ChildState& state = children_[child];
  EXPECT_EQ(state.alive, 0) << "start of child " << child << " beside another";
  Happened(3 + 16 * child);
  if (!is_first) return;
  ++state.first_starts;
  if (!state.from_spec) return;
  SupervisorState& supervisor = supervisors_[state.supervisor];
  if (supervisor.children.front() == child) supervisor.restarts.clear();
  for (const int sibling : supervisor.children) {
    if (sibling == child) break;
    EXPECT_GE(children_[sibling].first_starts, state.first_starts)
        << "child " << child << " starts before " << sibling;
  }
}

void SupervisionWorld::Stops(int child, const ExitReason& reason) {
  absl::MutexLock lock(&mu_);
  Happened(4 + 16 * child);
  const SupervisorState& supervisor = supervisors_[children_[child].supervisor];
  if (!ends_ || reason.kind() != ExitReason::Kind::kShutdown ||
      supervisor.strategy == kDynamic) {
    return;
  }
  for (size_t i = supervisor.children.size(); i-- > 0;) {
    const int sibling = supervisor.children[i];
    if (sibling == child) break;
    EXPECT_EQ(children_[sibling].alive, 0)
        << "child " << child << " stops before " << sibling;
  }
}

void SupervisionWorld::Received(int child, const Letter& letter) {
  absl::MutexLock lock(&mu_);
  ++letters_;
  int64_t& last = children_[child].last_letters[letter.sender];
  EXPECT_GT(letter.number, last)
      << "child " << child << " from " << letter.sender;
  last = letter.number;
  Happened(5 + 16 * (child + 1024 * letter.number));
}

void SupervisionWorld::Ended(const ActorEnded& event) {
  if (event.reason.kind() != ExitReason::Kind::kFailed) return;
  if (event.class_name != TypeName<Resident>() &&
      event.class_name != TypeName<SlowResident>()) {
    return;
  }
  absl::MutexLock lock(&mu_);
  ++failed_[event.actor];
}

void SupervisionWorld::Reported(const SupervisionReport& report) {
  absl::MutexLock lock(&mu_);
  ++reports_;
  Happened(6 + 16 * (static_cast<uint64_t>(report.decision) +
                     256 * report.restarts));
  EXPECT_EQ(report.reason.ToString().find("shutting down"), std::string::npos)
      << report.ToString();
  if (!report.instance.IsNull()) {
    EXPECT_EQ(++told_[report.instance], 1) << report.ToString();
  }
  using Decision = SupervisionReport::Decision;
  if (report.decision == Decision::kRestart ||
      report.decision == Decision::kRestartAll ||
      report.decision == Decision::kRestartRest) {
    CountRestart(report);
  }
}

void SupervisionWorld::CountRestart(const SupervisionReport& report) {
  if (!options_.checks_times) return;
  int child = 0;
  // Supervisors have no backoff.
  if (absl::SimpleAtoi(report.child, &child) && children_[child].has_backoff) {
    return;
  }
  for (SupervisorState& supervisor : supervisors_) {
    if (supervisor.path != report.supervisor) continue;
    const auto most = static_cast<size_t>(supervisor.intensity.restarts);
    const MonotonicTime now = system_.executor().clock().Now();
    ASSERT_GT(most, 0u) << report.ToString();
    if (supervisor.restarts.size() == most) {
      EXPECT_GE(now - supervisor.restarts.front(), supervisor.intensity.within)
          << report.ToString();
      supervisor.restarts.pop_front();
    }
    supervisor.restarts.push_back(now);
  }
}

bool SupervisionWorld::StartsBadly() {
  absl::MutexLock lock(&mu_);
  return random_.Uniform(lives_ ? 20 : 200) == 0;
}

uint64_t SupervisionWorld::Uniform(uint64_t limit) {
  absl::MutexLock lock(&mu_);
  return random_.Uniform(limit);
}

ChildRef<ResidentApi> SupervisionWorld::AnyChild() {
  absl::MutexLock lock(&mu_);
  return refs_[random_.Uniform(refs_.size())];
}

ChildRef<SupervisorApi> SupervisionWorld::AnySupervisor() {
  absl::MutexLock lock(&mu_);
  return supervisors_[random_.Uniform(supervisors_.size())].ref;
}

void SupervisionWorld::CallBegins() {
  absl::MutexLock lock(&mu_);
  ++open_calls_;
}

void SupervisionWorld::CallEnds() {
  absl::MutexLock lock(&mu_);
  --open_calls_;
}

void SupervisionWorld::Happened(uint64_t what) {
  // FNV-1a, a word at a time.
  hash_ = (hash_ ^ what) * 0x100000001b3;
}

uint64_t SupervisionWorld::hash() const {
  absl::MutexLock lock(&mu_);
  return hash_;
}

int SupervisionWorld::births() const {
  absl::MutexLock lock(&mu_);
  return births_;
}

int SupervisionWorld::letters() const {
  absl::MutexLock lock(&mu_);
  return letters_;
}

int SupervisionWorld::reports() const {
  absl::MutexLock lock(&mu_);
  return reports_;
}

// -- who does it

WorldDriver::WorldDriver(SupervisionWorld& world, int number, uint64_t seed)
    : world_(world),
      number_(2 * number),
      random_(seed),
      postman_(world.system()
                   .Spawn<Postman>(std::ref(world), 2 * number + 1)
                   .value()) {}

template <typename Call>
void WorldDriver::Keep(Call call, bool is_admin) {
  asked_.push_back([this, is_admin, call = std::move(call)]() mutable {
    const auto answer = std::move(call).Wait();
    absl::Status status;
    if constexpr (std::is_same_v<std::decay_t<decltype(answer)>,
                                 absl::Status>) {
      status = answer;
    } else {
      status = answer.status();
    }
    if (is_admin && !world_.options().kills_supervisors) {
      EXPECT_NE(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
      EXPECT_NE(status.code(), absl::StatusCode::kCancelled) << status;
    }
    return status;
  });
}

void WorldDriver::Step() {
  const uint64_t chance = random_.Uniform(100);
  const ChildRef<ResidentApi> child = world_.AnyChild();
  if (chance < 40) {
    child.Send<Letter>(number_, ++letters_);
  } else if (chance < 50) {
    Keep(child.Call<Question>()
             .Within(absl::Milliseconds(random_.Uniform(4)))
             .Start(),
         /*is_admin=*/false);
  } else if (chance < 60) {
    postman_.Send<Poke>();
  } else if (chance < 75) {
    child.Send<Blow>(static_cast<Blow::How>(random_.Uniform(3)));
  } else if (chance < 82) {
    child.ref().Kill();
  } else if (chance < 98) {
    AskSupervisor();
  } else if (world_.options().kills_supervisors) {
    world_.AnySupervisor().ref().Kill();
  } else {
    world_.AnySupervisor().ref().Stop();
  }
}

void WorldDriver::AskSupervisor() {
  const ChildRef<SupervisorApi> supervisor = world_.AnySupervisor();
  if (supervisor == ChildRef<SupervisorApi>()) return;
  const std::string id =
      random_.Uniform(8) == 0 ? "s1" : absl::StrCat(random_.Uniform(24));
  constexpr bool kAdmin = true;
  switch (random_.Uniform(10)) {
    case 0:
    case 1:
      return Keep(
          supervisor.Call<StartChild>(world_.MakeChild(supervisor)).Start(),
          kAdmin);
    case 2:
      return Keep(supervisor.Call<TerminateChild>(id).Start(), kAdmin);
    case 3:
      return Keep(supervisor.Call<RestartChild>(id).Start(), kAdmin);
    case 4:
      return Keep(supervisor.Call<DeleteChild>(id).Start(), kAdmin);
    case 5:
      return Keep(supervisor.Call<ListChildren>().Start(), kAdmin);
    case 6:
      return Keep(supervisor.Call<CountChildren>().Start(), kAdmin);
    case 7:
      return Keep(supervisor.Call<GetChild>(id).Start(), kAdmin);
    case 8: {
      // Refused by kDynamic. The intensity is as it was, for who counts.
      const auto [strategy, intensity] = world_.NextStrategy(supervisor);
      return Keep(supervisor.Call<SetStrategy>(strategy, intensity).Start(),
                  kAdmin);
    }
    default:
      return Keep(supervisor.Call<GetTree>().Start(), kAdmin);
  }
}

void WorldDriver::AwaitAnswers() {
  for (auto& answer : asked_) (void)answer();
  asked_.clear();
}

}  // namespace troupe::internal
