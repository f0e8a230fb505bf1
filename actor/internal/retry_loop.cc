#include "troupe/actor/internal/retry_loop.h"

#include <algorithm>

#include "troupe/actor/delivery.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"

namespace troupe::internal {
namespace {

// That of the actor that calls; on a plain thread of the one that is called.
std::shared_ptr<SystemCore> SystemOfCaller(const CallPlan& plan) {
  Cell* const caller = CurrentActor();
  return caller != nullptr ? caller->system->shared_from_this()
                           : IdSpace::Find(plan.id);
}

}  // namespace

RetryLoop::RetryLoop(const RetryOptions& options, const CallPlan& plan)
    : options_(options),
      system_(SystemOfCaller(plan)),
      backoff_(options.backoff.initial) {
  // Without a system there will be one attempt, in vain.
  if (system_ == nullptr) return;
  deadline_ = plan.timeout.DeadlineFrom(TimeOfTurn(*system_), *system_,
                                        CurrentDeadline());
}

CallTimeout RetryLoop::BeginAttempt() {
  ++attempt_;
  if (system_ == nullptr) return CallTimeout();
  return CallTimeout(
      std::min(options_.attempt_timeout, deadline_ - TimeOfTurn(*system_)));
}

std::optional<absl::Duration> RetryLoop::PauseAfter(
    const absl::Status& status) {
  if (status.ok() || IsLast() || system_ == nullptr) return std::nullopt;
  const bool repeat =
      options_.when != nullptr ? options_.when(status) : MayRepeat(status);
  if (!repeat) return std::nullopt;
  const absl::Duration pause = NextPause();
  if (TimeOfTurn(*system_) + pause >= deadline_) return std::nullopt;
  if (Delivery(status) != DeliveryState::kNotDelivered) may_have_run_ = true;
  return pause;
}

bool RetryLoop::MayRepeat(const absl::Status& failure) const {
  const DeliveryState delivery = Delivery(failure);
  if (delivery == DeliveryState::kAnswered ||
      (delivery == DeliveryState::kUnknown && !options_.also_unknown)) {
    return false;
  }
  switch (failure.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAborted:
      return options_.also_ended;
    case absl::StatusCode::kFailedPrecondition:
      return false;
    case absl::StatusCode::kCancelled:
      // Not delivered: the caller itself is to give up.
      return delivery == DeliveryState::kUnknown;
    default:
      return true;
  }
}

absl::Duration RetryLoop::NextPause() {
  const Backoff& backoff = options_.backoff;
  const absl::Duration base = std::min(backoff_, backoff.max);
  backoff_ = base * backoff.factor;
  if (backoff.jitter <= 0) return base;
  // In [-1, 1), by 53 bits.
  const double offset =
      static_cast<double>(system_->RandomNumber() >> 11) * 0x1p-52 - 1;
  return std::min(base * (1 + std::min(backoff.jitter, 1.0) * offset),
                  backoff.max);
}

absl::Status RetryLoop::FailureOfAll(const absl::Status& last) const {
  return may_have_run_ && Delivery(last) == DeliveryState::kNotDelivered
             ? WithDelivery(last, DeliveryState::kUnknown)
             : last;
}

void RetryLoop::Block(absl::Duration pause) {
  Event never;
  (void)system_->executor().WaitFor(never,
                                    system_->executor().clock().Now() + pause);
}

}  // namespace troupe::internal
