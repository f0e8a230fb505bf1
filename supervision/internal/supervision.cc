#include "troupe/supervision/internal/supervision.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/sleep.h"
#include "troupe/base/contain.h"
#include "troupe/base/log.h"
#include "troupe/supervision/internal/door.h"
#include "troupe/supervision/start_context.h"
#include "troupe/supervision/supervision_report.h"

namespace troupe::internal {
namespace {

using Kind = SupervisorCommand::Kind;

// Starts between which others have a turn.
constexpr int kStartsPerTurn = 64;

// What a report says of it, however long the chain of reasons was.
ExitReason WithAbridgedStatus(const ExitReason& reason) {
  if (reason.kind() != ExitReason::Kind::kFailed) return reason;
  const absl::Status& status = reason.status();
  return ExitReason::Failed(
      absl::Status(status.code(), Abridged(std::string(status.message()))),
      reason.message_type());
}

ChildRules RulesOf(const ChildOptions& options) {
  return {.restart = options.restart,
          .shutdown = options.shutdown.For(options.kind),
          .significant = options.significant,
          .backoff = options.backoff};
}

SupervisionReport::Decision DecisionOf(Verdict verdict) {
  using Decision = SupervisionReport::Decision;
  switch (verdict) {
    case Verdict::kRestart:
      return Decision::kRestart;
    case Verdict::kRestartAll:
      return Decision::kRestartAll;
    case Verdict::kRestartRest:
      return Decision::kRestartRest;
    case Verdict::kLeave:
      return Decision::kLeave;
    case Verdict::kForget:
      return Decision::kForget;
    case Verdict::kAutoShutdown:
      return Decision::kAutoShutdown;
    case Verdict::kGiveUp:
      return Decision::kGiveUp;
    case Verdict::kStartFailed:
      return Decision::kFailToStart;
    case Verdict::kNone:
      break;
  }
  return Decision::kNothing;
}

void StopAll(const std::vector<AnyActorRef>& actors) {
  for (const AnyActorRef& actor : actors) actor.Stop(ExitReason::Shutdown());
}

// Nobody finds the doors of a child any more, nor of those below it.
void ForgetDoors(const ChildSpec& spec) {
  if (spec.slot() != nullptr) spec.slot()->set_address(AnyActorRef());
  if (spec.children() == nullptr) return;
  for (const ChildSpec& child : *spec.children()) ForgetDoors(child);
}

// The doors of the children of a supervisor that does not run lead nowhere.
void CloseDoorsBelow(const ChildSpec& spec) {
  if (spec.children() == nullptr) return;
  for (const ChildSpec& child : *spec.children()) {
    if (child.slot() != nullptr) {
      SetDoor(child.slot()->address(), DoorLeadsTo::Where::kGone,
              AnyActorRef());
    }
    CloseDoorsBelow(child);
  }
}

// A reason as a status, to fail with.
absl::Status StatusOf(const ExitReason& reason) {
  return reason.kind() == ExitReason::Kind::kFailed
             ? reason.status()
             : absl::AbortedError(reason.ToString());
}

}  // namespace

Supervision::Supervision(Supervisor& supervisor,
                         std::shared_ptr<Supervisor::Spec> spec,
                         std::string path)
    : supervisor_(supervisor),
      spec_(std::move(spec)),
      path_(std::move(path)),
      random_(supervisor.system().executor().NewSeed()),
      machine_({.strategy = spec_->strategy,
                .intensity = spec_->intensity,
                .auto_shutdown = spec_->auto_shutdown},
               random_),
      intensity_(spec_->intensity) {}

Supervision::~Supervision() {
  // Of a supervisor that was killed, children have ended unheard.
  for (const Child& child : children_) {
    if (child.details == nullptr || child.instance.IsNull()) continue;
    const std::shared_ptr<ChildSlot>& slot = child.details->spec->slot();
    if (slot != nullptr) slot->set_instance(AnyActorRef());
  }
}

MonotonicTime Supervision::now() const {
  return TimeOfTurn(supervisor_.core());
}

// -- adding

absl::Status Supervision::CheckSpec(const ChildSpec& spec) const {
  const ChildOptions& options = spec.options();
  if (options.id.empty() && machine_.strategy() != kDynamic) {
    return absl::InvalidArgumentError(
        absl::StrCat("supervisor '", path_, "': a child has no id"));
  }
  absl::Status status = Validate(options, spec_->auto_shutdown);
  if (!status.ok()) {
    return absl::Status(status.code(), absl::StrCat("supervisor '", path_,
                                                    "': ", status.message()));
  }
  if (options.id.empty()) return absl::OkStatus();
  const std::optional<ChildKey> found = Find(ChildName(options.id));
  if (!found.has_value()) return absl::OkStatus();
  const AnyActorRef& instance = children_[*found].instance;
  return absl::AlreadyExistsError(absl::StrCat(
      "supervisor '", path_, "' has a child '", options.id, "' already, ",
      instance.IsNull() ? "which does not run" : instance.ToString()));
}

absl::Status Supervision::MakeDoors(const ChildSpec& spec,
                                    std::vector<AnyActorRef>& doors) {
  const std::shared_ptr<ChildSlot>& slot = spec.slot();
  // Only who has a reference by now can ever have one.
  if (slot != nullptr && slot.use_count() > 1 &&
      slot->address().status() == ActorStatus::kStopped) {
    absl::Status failure;
    const AnyActorRef door = spec.make_door()(
        supervisor_.cell(), spec.options().hold_messages, failure);
    if (door.IsNull()) return failure;
    doors.push_back(door);
    slot->set_address(door);
  }
  if (spec.children() == nullptr) return absl::OkStatus();
  for (const ChildSpec& child : *spec.children()) {
    absl::Status status = MakeDoors(child, doors);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<ChildKey> Supervision::Add(ChildSpec* spec,
                                          std::unique_ptr<ChildSpec> owned) {
  if (absl::Status status = CheckSpec(*spec); !status.ok()) return status;
  // One that is gone may have the id still: it is forgotten in its turn.
  while (by_id_.contains(spec->options().id)) CarryOut(machine_.TakeCommand());
  std::vector<AnyActorRef> doors;
  if (absl::Status status = MakeDoors(*spec, doors); !status.ok()) {
    StopAll(doors);
    return status;
  }
  const ChildKey key = machine_.Add(RulesOf(spec->options()));
  if (key >= children_.size()) children_.resize(key + 1);
  Child& child = children_[key];
  child.details = std::make_unique<Details>();
  child.details->spec = spec;
  child.details->owned = std::move(owned);
  if (spec->slot() != nullptr) child.details->door = spec->slot()->address();
  child.details->doors = std::move(doors);
  if (!spec->options().id.empty()) by_id_.emplace(spec->options().id, key);
  return key;
}

absl::Status Supervision::AddAll() {
  absl::Status status = Validate(spec_->intensity);
  if (!status.ok()) {
    return absl::Status(status.code(), absl::StrCat("supervisor '", path_,
                                                    "': ", status.message()));
  }
  for (ChildSpec& spec : spec_->children) {
    status = Add(&spec, nullptr).status();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// -- in and out of the machine

void Supervision::Pump() {
  int starts = 0;
  while (machine_.HasCommand()) {
    const SupervisorCommand command = machine_.TakeCommand();
    CarryOut(command);
    if (command.kind == Kind::kStart && ++starts == kStartsPerTurn) break;
  }
}

void Supervision::PumpAndGoOn() {
  Pump();
  if (machine_.HasCommand() && !tick_is_sent_) {
    tick_is_sent_ = true;
    // By a timer: no bound of the mailbox refuses or drops what that brings.
    (void)supervisor_.SendAfter<SupervisorTick>(absl::ZeroDuration());
  }
  SetTimer();
}

void Supervision::GoOn() {
  tick_is_sent_ = false;
  if (!timer_.pending()) timer_time_ = MonotonicTime::InfiniteFuture();
  if (machine_.next_wake() <= now()) machine_.TimerDue(now());
  PumpAndGoOn();
}

void Supervision::SetTimer() {
  const MonotonicTime next = machine_.next_wake();
  if (next == timer_time_) return;
  timer_.Cancel();
  timer_time_ = next;
  if (next == MonotonicTime::InfiniteFuture()) return;
  timer_ = supervisor_.SendAfter<SupervisorTick>(next - now());
}

void Supervision::CarryOut(const SupervisorCommand& command) {
  const ChildKey key = command.child;
  switch (command.kind) {
    case Kind::kStart:
      return StartInstance(key);
    case Kind::kStop:
      LeadDoor(key);
      return children_[key].instance.Stop(ExitReason::Shutdown());
    case Kind::kKill:
      LeadDoor(key);
      return children_[key].instance.Kill();
    case Kind::kForget:
      return Forget(key);
    case Kind::kAnswer: {
      // It may have been terminated while it had no instance, whose end would
      // tell.
      if (machine_.status(key) == ChildStatus::kIdle) LeadDoor(key);
      auto owed = tickets_.extract(command.ticket);
      if (!owed.empty()) owed.mapped()(command.outcome, key);
      return;
    }
    case Kind::kReport:
      return Report(command);
    case Kind::kReady:
      is_ready_ = true;
      return;
    case Kind::kFinished:
      return Finish(command);
  }
}

void Supervision::StartInstance(ChildKey key) {
  Child& child = children_[key];
  Details& details = *child.details;
  if (IsExiting(supervisor_.cell())) {
    // Decided before the end was. Nothing has failed, and nothing is reported.
    reasons_.erase(key);
    machine_.StartFailed(key, now());
    return;
  }
  const auto route = [&] {
    child.watch = std::make_unique<StartWatch>(*this, supervisor_.cell(), key);
    return child.watch->route();
  };
  StartContext context(supervisor_.cell(), details.spec->options().id, path_,
                       details.starts++,
                       std::exchange(details.state, HandedState()), route);
  absl::Status status = CallStart(*details.spec, context);
  if (context.spawned().IsNull()) {
    return StartHasFailed(key, std::move(status));
  }
  child.instance = context.spawned();
  by_instance_.emplace(child.instance.id().value(), key);
  if (!status.ok()) {
    // Nobody has use for what it spawned, but the next instance must not run
    // beside it.
    details.is_refused = true;
    details.start_failure = std::move(status);
    child.instance.Kill();
  } else if (!context.starts_later()) {
    HasStarted(key);
  }
}

absl::Status Supervision::CallStart(ChildSpec& spec, StartContext& context) {
  absl::StatusOr<AnyActorRef> instance = absl::UnknownError("");
  absl::Status status = Contain([&] { instance = spec.start()(context); });
  if (!status.ok()) return status;
  if (!instance.ok()) return instance.status();
  if (*instance == context.spawned() && !instance->IsNull()) return status;
  return absl::InvalidArgumentError(absl::StrCat(
      "its start returned ", instance->ToString(),
      context.spawned().IsNull()
          ? absl::StrCat(", and spawned no actor by its StartContext")
          : absl::StrCat(", but spawned ", context.spawned().ToString())));
}

void Supervision::HasStarted(ChildKey key) {
  Child& child = children_[key];
  child.watch = nullptr;
  Details& details = *child.details;
  details.start_failure = absl::OkStatus();
  if (details.spec->slot() != nullptr) {
    details.spec->slot()->set_instance(child.instance);
  }
  machine_.ChildStarted(key, now());
  LeadDoor(key);
  if (details.spec->options().restart == kTemporary &&
      details.owned != nullptr) {
    // It is never started again.
    details.owned->start() = nullptr;
    if (IdOf(key).empty() && details.door.IsNull()) child.details = nullptr;
  }
}

void Supervision::StartHasFailed(ChildKey key, absl::Status status) {
  Child& child = children_[key];
  child.watch = nullptr;
  by_instance_.erase(child.instance.id().value());
  child.instance = AnyActorRef();
  reasons_[key] = {AnyActorRef(), ExitReason::Failed(status)};
  last_start_failure_ = status;
  child.details->is_refused = false;
  child.details->start_failure = std::move(status);
  machine_.StartFailed(key, now());
  LeadDoor(key);
}

void Supervision::HasEnded(ChildKey key, const ExitReason& reason) {
  Child& child = children_[key];
  reasons_[key] = {child.instance, reason};
  by_instance_.erase(child.instance.id().value());
  child.instance = AnyActorRef();
  if (child.details != nullptr && child.details->spec->slot() != nullptr) {
    child.details->spec->slot()->set_instance(AnyActorRef());
  }
  machine_.ChildEnded(key, reason.kind(), now());
  LeadDoor(key);
}

void Supervision::LeadDoor(ChildKey key) {
  const Child& child = children_[key];
  if (child.details == nullptr) return;
  using Where = DoorLeadsTo::Where;
  // A supervisor that ends may be started again: its children, too, then.
  ChildStatus status = machine_.status(key);
  if (status == ChildStatus::kIdle && machine_.ending()) {
    status = ChildStatus::kWaiting;
  }
  if (status == ChildStatus::kIdle) CloseDoorsBelow(*child.details->spec);
  switch (status) {
    case ChildStatus::kRunning:
      return SetDoor(child.details->door, Where::kInstance, child.instance);
    case ChildStatus::kIdle:
      return SetDoor(child.details->door, Where::kGone, AnyActorRef());
    case ChildStatus::kWaiting:
    case ChildStatus::kStarting:
    case ChildStatus::kStopping:
      return SetDoor(child.details->door, Where::kNowhere, AnyActorRef());
  }
}

void Supervision::Forget(ChildKey key) {
  Child& child = children_[key];
  reasons_.erase(key);
  if (child.details == nullptr) return;
  const ChildSpec& spec = *child.details->spec;
  if (!spec.options().id.empty()) by_id_.erase(spec.options().id);
  SetDoor(child.details->door, DoorLeadsTo::Where::kGone, AnyActorRef());
  if (!child.details->doors.empty()) {
    ForgetDoors(spec);
    StopAll(child.details->doors);
  }
  child.details = nullptr;
}

void Supervision::OnChild(const ChildEvent& event) {
  if (event.kind == ChildEvent::Kind::kStarted) return;
  const auto found = by_instance_.find(event.child.id().value());
  if (found == by_instance_.end()) return;  // A door.
  const ChildKey key = found->second;
  const Child& child = children_[key];
  if (child.details != nullptr && child.details->is_refused) {
    StartHasFailed(key, child.details->start_failure);
  } else {
    // Its end is heard of before its start: that has succeeded.
    if (child.watch != nullptr) HasStarted(key);
    if (child.details != nullptr) child.details->state = event.state;
    HasEnded(key, event.reason);
  }
  React();
}

void Supervision::OnStartAnswer(ChildKey key, absl::Status status) {
  Child& child = children_[key];
  if (!child.details->is_refused) {
    if (status.ok()) {
      HasStarted(key);
    } else {
      StartHasFailed(key, std::move(status));
    }
  } else if (status.ok()) {
    child.watch = nullptr;  // Its end will be heard of.
  } else {
    StartHasFailed(key, child.details->start_failure);
  }
  React();
}

void Supervision::React() {
  if (hook_wait_ != nullptr) return hook_wait_->Resume();
  // The hook goes on with it; one that has been killed has nothing to go on
  // with.
  if (is_in_hook_ || IsExiting(supervisor_.cell())) return;
  PumpAndGoOn();
}

// -- from the start to the end

Task<absl::Status> Supervision::Start() {
  absl::Status status = AddAll();
  if (!status.ok()) co_return status;
  machine_.Start(now());
  is_in_hook_ = true;
  const auto is_over = [this] { return is_ready_ || finished_.has_value(); };
  co_await PumpUntil(is_over);
  is_in_hook_ = false;
  if (finished_.has_value()) co_return WhyFinished();
  PumpAndGoOn();
  co_return absl::OkStatus();
}

Task<void> Supervision::End() {
  timer_.Cancel();
  machine_.Shutdown(now());
  is_in_hook_ = true;
  const auto is_over = [this] { return finished_.has_value(); };
  co_await PumpUntil(is_over);
}

Task<void> Supervision::PumpUntil(absl::FunctionRef<bool()> done) {
  while (true) {
    Pump();
    if (done()) co_return;
    if (machine_.HasCommand()) {
      (void)co_await Sleep(absl::ZeroDuration());
    } else {
      co_await HookWait(hook_wait_, machine_.next_wake());
    }
    machine_.TimerDue(now());
  }
}

void Supervision::Finish(const SupervisorCommand& command) {
  finished_ = command;
  if (command.child != kNoChild) {
    finished_child_ = Describe(command.child);
    finished_reason_ = reasons_[command.child].reason;
  }
  if (is_in_hook_) return;
  if (command.cause == EndCause::kGaveUp) {
    supervisor_.Fail(WhyFinished());
  } else {
    supervisor_.StopSelf(ExitReason::Shutdown(WhyFinished().message()));
  }
}

absl::Status Supervision::WhyFinished() const {
  const std::string& child = finished_child_;
  const absl::Status last = StatusOf(finished_reason_);
  const std::string who = absl::StrCat("supervisor '", path_, "'");
  switch (finished_->cause) {
    case EndCause::kAsked:
      return absl::OkStatus();
    case EndCause::kStartFailed:
      return absl::Status(
          last.code(), Abridged(absl::StrCat(who, " cannot start ", child, ": ",
                                             last.message())));
    case EndCause::kGaveUp: {
      const std::string limit =
          finished_->within == absl::InfiniteDuration()
              ? absl::StrCat(" in a row, where ", intensity_.restarts, " are")
              : absl::StrCat(", where ", intensity_.restarts, " in ",
                             absl::FormatDuration(intensity_.within), " are");
      return absl::Status(
          last.code(), Abridged(absl::StrCat(
                           who, " gave up: ", finished_->restarts, " failures",
                           limit, " allowed; the last: ", child, " ",
                           finished_reason_.ToString())));
    }
    case EndCause::kAutoShutdown:
      return absl::Status(
          absl::StatusCode::kAborted,
          Abridged(absl::StrCat(who, " ends with its significant ", child, ", ",
                                finished_reason_.ToString())));
  }
  return absl::OkStatus();
}

void Supervision::Report(const SupervisorCommand& command) {
  const ChildKey key = command.child;
  const auto found = reasons_.find(key);
  if (found == reasons_.end()) return;
  SupervisionReport report;
  report.supervisor = path_;
  report.child = std::string(IdOf(key));
  report.instance = found->second.instance.id();
  report.reason = WithAbridgedStatus(found->second.reason);
  report.restarts = command.restarts;
  report.decision = DecisionOf(command.verdict);
  report.delay = command.delay;
  supervisor_.system().logger().Log(LogSeverity::kWarning, report.ToString());
  supervisor_.system().Publish(report);
}

}  // namespace troupe::internal
