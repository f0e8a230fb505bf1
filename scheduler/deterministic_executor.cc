#include "troupe/scheduler/deterministic_executor.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/base/check.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/scheduler/internal/ticks.h"

namespace troupe {
namespace {

// Virtual time starts at zero.
constexpr internal::Ticks kTicks{MonotonicTime()};

// Apart from what decides the course: that may be chosen otherwise, and asks
// for another number of random ones then.
constexpr uint64_t kForSeeds = 0x3f84d5b50c71e2a9;

}  // namespace

DeterministicExecutor::DeterministicExecutor(const Options& options)
    : random_(options.seed),
      seeds_(options.seed ^ kForSeeds),
      hand_over_probability_(options.hand_over_probability),
      lost_seat_probability_(options.lost_seat_probability),
      shared_count_(options.workers),
      logger_(options.logger),
      after_step_(options.after_step),
      before_turn_(options.before_turn),
      choose_(options.choose),
      timer_delay_(options.timer_delay),
      schedule_(options.schedule) {
  TROUPE_CHECK(options.workers > 0, "an executor needs a worker");
  for (int i = 0; i < shared_count_; ++i) {
    absl::StatusOr<std::unique_ptr<Worker>> worker =
        Worker::Create(*this, Worker::Kind::kShared, i);
    TROUPE_CHECK(worker.ok(), worker.status().message());
    AddWorker(*std::move(worker));
  }
  if (schedule_ != nullptr) schedule_->Join(player_);
}

DeterministicExecutor::~DeterministicExecutor() {
  const absl::Status status = Shutdown();
  TROUPE_CHECK(status.ok(), "an executor is destroyed in one of its own turns");
  LeaveSchedule();
}

void DeterministicExecutor::LeaveSchedule() {
  if (schedule_ != nullptr) schedule_->Leave(player_);
  schedule_ = nullptr;
}

void DeterministicExecutor::Pause() {
  TROUPE_CHECK(schedule_ != nullptr, "an executor is paused in its schedule");
  schedule_->Pause(player_);
}

void DeterministicExecutor::Resume() {
  TROUPE_CHECK(schedule_ != nullptr, "an executor is paused in its schedule");
  schedule_->Resume(player_);
}

Worker& DeterministicExecutor::shared_worker(int index) {
  TROUPE_CHECK(index >= 0 && index < shared_count_, "no such worker");
  return *workers_[index].worker;
}

void DeterministicExecutor::SetLocals(
    absl::AnyInvocable<std::unique_ptr<WorkerLocal>(Worker&)> make) {
  make_local_ = std::move(make);
  for (Played& played : workers_) {
    played.worker->set_local(make_local_(*played.worker));
  }
}

void DeterministicExecutor::AddWorker(std::unique_ptr<Worker> worker) {
  if (make_local_) worker->set_local(make_local_(*worker));
  TROUPE_CHECK(worker->Rest() && worker->FallAsleep(),
               "a new worker has nothing to do");
  workers_.push_back({std::move(worker)});
}

uint32_t DeterministicExecutor::Choose(Choice choice, uint32_t alternatives) {
  if (alternatives == 1) return 0;
  const auto drawn = static_cast<uint32_t>(random_.Uniform(alternatives));
  return choose_ ? choose_(choice, alternatives, drawn) : drawn;
}

bool DeterministicExecutor::Chance(Choice choice, double probability) {
  const bool drawn = random_.Bernoulli(probability);
  return choose_ ? choose_(choice, 2, drawn) != 0 : drawn;
}

absl::StatusOr<Worker*> DeterministicExecutor::StartDedicatedWorker(
    absl::string_view name) {
  if (shut_down_) {
    return absl::FailedPreconditionError(absl::StrCat(
        "dedicated thread '", name, "': the executor has been shut down"));
  }
  absl::StatusOr<std::unique_ptr<Worker>> worker =
      Worker::Create(*this, Worker::Kind::kDedicated, dedicated_started_++);
  if (!worker.ok()) return worker.status();
  AddWorker(*std::move(worker));
  return workers_.back().worker.get();
}

void DeterministicExecutor::ReleaseDedicatedWorker(Worker& worker) {
  // It may be the one whose turn this is.
  released_.push_back(&worker);
}

void DeterministicExecutor::Inject(Runnable& runnable) {
  workers_[Choose(Choice::kInject, shared_count_)].worker->Deliver(runnable);
}

void DeterministicExecutor::SetAlarm(Alarm& alarm, MonotonicTime time) {
  alarms_.Schedule(alarm, kTicks.AtOrAfter(time));
}

bool DeterministicExecutor::CancelAlarm(Alarm& alarm) {
  return alarms_.Cancel(alarm);
}

bool DeterministicExecutor::Step() {
  TROUPE_CHECK(!this_thread.InTurn(), "an executor is pumped in a turn");
  return schedule_ != nullptr ? schedule_->Step() : StepAlone();
}

void DeterministicExecutor::Player::Play() {
  if (executor_.HasDueAlarms()) {
    executor_.RingDueAlarms();
  } else {
    (void)executor_.StepAlone();
  }
}

bool DeterministicExecutor::StepAlone() {
  if (!PlayStep()) return false;
  if (after_step_) after_step_();
  return true;
}

bool DeterministicExecutor::PlayStep() {
  std::vector<Played*> busy;
  for (Played& played : workers_) {
    if (IsReady(played)) busy.push_back(&played);
  }
  if (busy.empty()) return false;
  ++steps_;
  SeatAndPlay(
      *busy[Choose(Choice::kWorker, static_cast<uint32_t>(busy.size()))]);
  EraseReleased();
  return true;
}

bool DeterministicExecutor::IsReady() {
  return std::any_of(workers_.begin(), workers_.end(),
                     [this](Played& played) { return IsReady(played); });
}

bool DeterministicExecutor::IsReady(Played& played) {
  const Worker& worker = *played.worker;
  return worker.ready() > 0 || worker.HasDeliveries() || HasDueTimer(played);
}

bool DeterministicExecutor::HasDueTimer(Played& played) {
  const MonotonicTime now = clock_.Now();
  if (std::max(played.worker->NextTimer(), played.timers_held_until) > now) {
    return false;
  }
  if (!timer_delay_ || std::exchange(played.asked_for_delay, true)) return true;
  played.timers_held_until = now + timer_delay_();
  return played.timers_held_until <= now;
}

void DeterministicExecutor::SeatAndPlay(Played& played) {
  Worker& worker = *played.worker;
  (void)this_thread.seat.Enter();
  worker.SeatThread();
  worker.Poll();
  if (HasDueTimer(played)) {
    (void)worker.Rise();
    worker.FireTimers();
    played.asked_for_delay = false;
  }
  if (worker.ready() > 0) {
    Runnable& runnable =
        *worker.TakeReady(Choose(Choice::kRunnable, worker.ready()));
    if (!HandOver(worker, runnable)) {
      internal::MustHaveMemory("a turn of a worker",
                               [&] { PlayTurn(worker, runnable); });
    }
  }
  if (worker.ready() == 0) LetRest(worker);
  worker.UnseatThread();
  this_thread.worker = nullptr;
  this_thread.seat.Leave();
}

bool DeterministicExecutor::HandOver(Worker& worker, Runnable& runnable) {
  if (worker.kind() != Worker::Kind::kShared || shared_count_ == 1 ||
      !Chance(Choice::kHandOver, hand_over_probability_)) {
    return false;
  }
  const int away =
      1 + static_cast<int>(Choose(Choice::kReceiver, shared_count_ - 1));
  if (!runnable.type->release(runnable, worker)) return false;
  worker.FlushLocal();
  runnable.queue_next = nullptr;
  worker.GiveTo(shared_worker((worker.index() + away) % shared_count_),
                runnable);
  return true;
}

void DeterministicExecutor::PlayTurn(Worker& worker, Runnable& runnable) {
  if (worker.kind() == Worker::Kind::kShared && lost_turns_ < kMaxLostTurns &&
      Chance(Choice::kLoseSeat, lost_seat_probability_)) {
    // The next that enters the seat comes to AwaitSettledSeat().
    this_thread.seat.Settle(OwnerTag::kSeatBeingRevoked);
  }
  if (before_turn_) before_turn_(runnable);
  if (worker.Run(runnable)) return;
  this_thread.running = nullptr;
  --lost_turns_;
  worker.SeatThread();
  if (Chance(Choice::kTakeBack, 0.5)) {
    (void)worker.Rise();
    worker.TakeBack(runnable);
  } else {
    worker.GiveBack(runnable);
  }
}

void DeterministicExecutor::AwaitSettledSeat() { LoseSeat(); }

void DeterministicExecutor::GiveUpSeat() {
  if (!this_thread.InTurn() || &this_thread.worker->executor() != this) return;
  TROUPE_DCHECK(!this_thread.seat.IsInside(), "user code is outside its seat");
  if (this_thread.seat.tag() == OwnerTag::kNoSeat ||
      this_thread.worker->kind() != Worker::Kind::kShared ||
      lost_turns_ == kMaxLostTurns) {
    return;
  }
  LoseSeat();
}

void DeterministicExecutor::LoseSeat() {
  ++lost_turns_;
  Worker& worker = *this_thread.worker;
  Runnable* const running = std::exchange(this_thread.running, nullptr);
  Seat<>& seat = worker.TakeSeat();
  LetRest(worker);
  seat.Settle(OwnerTag::kNoSeat);
  const auto play = [this] {
    for (uint32_t i = Choose(Choice::kMeanwhile, kMaxStepsInTurn + 1);
         i > 0 && PlayStep(); --i) {
    }
  };
  if (WorkerLocal* const local = worker.local()) {
    local->SetTurnAside(play);
  } else {
    play();
  }
  this_thread.worker = &worker;
  this_thread.running = running;
}

void DeterministicExecutor::LetRest(Worker& worker) {
  worker.FlushLocal();
  // With something ready, or delivered meanwhile, it stays awake.
  if (worker.ready() == 0 && worker.Rest()) (void)worker.FallAsleep();
}

void DeterministicExecutor::EraseReleased() {
  for (Worker* worker : std::exchange(released_, {})) {
    if (!worker->LooksAsleep()) {
      released_.push_back(worker);
      continue;
    }
    workers_.erase(std::find_if(workers_.begin() + shared_count_,
                                workers_.end(), [worker](const Played& other) {
                                  return other.worker.get() == worker;
                                }));
  }
}

uint64_t DeterministicExecutor::RunUntilIdle() {
  if (schedule_ != nullptr) return schedule_->RunUntilIdle();
  const uint64_t before = steps_;
  while (Step()) {
  }
  return steps_ - before;
}

MonotonicTime DeterministicExecutor::NextExpiry() const {
  MonotonicTime next =
      kTicks.TimeOf(alarms_.NextExpiry().value_or(internal::Ticks::kNever));
  for (const Played& played : workers_) {
    next = std::min(
        next, std::max(played.worker->NextTimer(), played.timers_held_until));
  }
  return next;
}

bool DeterministicExecutor::JumpToNextExpiry(MonotonicTime limit) {
  const MonotonicTime next = NextExpiry();
  if (next.IsInfinite() || next > limit) {
    if (!limit.IsInfinite()) clock_.AdvanceTo(limit);
    return false;
  }
  clock_.AdvanceTo(next);
  RingDueAlarms();
  return true;
}

bool DeterministicExecutor::HasDueAlarms() const {
  const std::optional<uint64_t> tick = alarms_.NextExpiry();
  return tick.has_value() && kTicks.TimeOf(*tick) <= clock_.Now();
}

void DeterministicExecutor::RingDueAlarms() {
  rings_ = true;
  alarms_.Advance(kTicks.At(clock_.Now()),
                  [](TimerNode& node) { static_cast<Alarm&>(node).Ring(); });
  rings_ = false;
}

void DeterministicExecutor::RunFor(absl::Duration duration) {
  if (schedule_ != nullptr) return schedule_->RunFor(duration);
  const MonotonicTime end = clock_.Now() + duration;
  do {
    RunUntilIdle();
  } while (JumpToNextExpiry(end));
}

bool DeterministicExecutor::RunUntil(absl::FunctionRef<bool()> done,
                                     MonotonicTime deadline) {
  if (schedule_ != nullptr) return schedule_->RunUntil(done, deadline);
  while (!done()) {
    if (Step()) continue;
    if (clock_.Now() >= deadline || !JumpToNextExpiry(deadline)) return done();
  }
  return true;
}

bool DeterministicExecutor::WaitFor(Event& event, MonotonicTime deadline) {
  return RunUntil([&event] { return event.IsSet(); }, deadline);
}

absl::Status DeterministicExecutor::Shutdown() {
  const bool in_turn =
      this_thread.InTurn() && &this_thread.worker->executor() == this;
  if (in_turn || rings_) {
    return absl::FailedPreconditionError(
        "an executor cannot be shut down in one of its own turns or alarms; "
        "leave it to the thread that created it");
  }
  while (StepAlone()) {
  }
  shut_down_ = true;
  return absl::OkStatus();
}

}  // namespace troupe
