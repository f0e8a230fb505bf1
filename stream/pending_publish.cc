#include "troupe/stream/pending_publish.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/worker.h"

namespace troupe {
namespace {

using internal::PortCore;

// A plain thread that waits for its turn.
class WaitingPublisher final : public internal::PublishWaiter {
 public:
  Event told;
  bool granted = false;  // Written before `told` is set.

 private:
  void OnTurn(bool its_turn) override {
    granted = its_turn;
    told.Set();
  }
};

std::string WhatFor(const MessageType& type) {
  return absl::StrCat("room for the subscribers of a port of ",
                      absl::string_view(type.name.data(), type.name.size()));
}

absl::Status PortIsGone(const MessageType& type) {
  return absl::AbortedError(
      absl::StrCat("waiting for ", WhatFor(type), ": the port is gone"));
}

// Waits until the event is set, or until then.
void WaitFor(PortCore& port, Event& event, absl::Duration timeout) {
  // Who has room to make lives in a system, whose executor may want pumping.
  for (const auto& core : port.Cores()) {
    const auto system = internal::IdSpace::Find(core->actor().id().value());
    if (system == nullptr) continue;
    Executor& executor = system->executor();
    (void)executor.WaitFor(event, executor.clock().Now() + timeout);
    return;
  }
  (void)event.WaitWithTimeout(timeout);
}

}  // namespace

namespace internal {

PublishWait::~PublishWait() {
  Drop();
  // Something threw before it waited.
  if (is_in_line_) OnGiveUp();
  // Its turn had come, and it did not come to publish.
  if (turn_ == PortCore::Turn::kGranted) port_->EndTurn();
}

bool PublishWait::WaitsForItself() const {
  if (!this_handler.root->exclusive) return false;
  for (const auto& core : port_->Cores()) {
    if (core->actor().id().value() == caller().CurrentId() && core->is_full()) {
      return true;
    }
  }
  return false;
}

bool PublishWait::await_suspend(std::coroutine_handle<> waiting) {
  if (!Prepare()) return Pass(waiting);
  answer_ = OwedAnswer<bool>(route(), false);
  // Once this is in line, it may have its turn at any time, and another thread
  // writes so.
  turn_ = PortCore::Turn::kWaits;
  const PortCore::Turn turn = port_->BeginTurn(this);
  if (turn != PortCore::Turn::kWaits) {
    turn_ = turn;
    answer_.Forget();
    Settle();
    return Pass(waiting);
  }
  is_in_line_ = true;
  if (IsLate()) {
    OnGiveUp();
    SettleLate();
    return Pass(waiting);
  }
  if (WaitsForItself()) {
    OnGiveUp();
    Settle();
    error() = absl::FailedPreconditionError(
        absl::StrCat("waiting for ", What(),
                     ": one is the actor itself, which handles nothing while "
                     "this handler waits"));
    return Pass(waiting);
  }
  Suspend(waiting);
  return true;
}

void PublishWait::OnTurn(bool granted) {
  turn_ = granted ? PortCore::Turn::kGranted : PortCore::Turn::kClosed;
  // Nothing of this is touched once the answer is on its way.
  OwedAnswer<bool> answer = std::move(answer_);
  std::move(answer).Give(granted);
}

void PublishWait::OnGiveUp() {
  is_in_line_ = false;
  if (port_->Withdraw(*this)) {
    answer_.Forget();
    turn_ = PortCore::Turn::kRefused;
  } else if (turn_ == PortCore::Turn::kGranted) {
    // Told meanwhile; the answer will find nobody.
    turn_ = PortCore::Turn::kRefused;
    port_->EndTurn();
  }
}

absl::Status PublishWait::await_resume() {
  is_in_line_ = false;
  switch (turn_) {
    case PortCore::Turn::kGranted:
      port_->Publish(body_);
      turn_ = PortCore::Turn::kRefused;
      port_->EndTurn();
      return absl::OkStatus();
    case PortCore::Turn::kClosed:
      return PortIsGone(type_);
    default:
      return error();
  }
}

std::string PublishWait::What() const { return WhatFor(type_); }

}  // namespace internal

absl::Status PendingPublish::Wait() && {
  if (this_thread.InTurn()) {
    return absl::FailedPreconditionError(
        absl::StrCat("waiting for ", WhatFor(*type_),
                     " inside a handler would block its worker; make the"
                     " handler a Task and co_await"));
  }
  WaitingPublisher waiter;
  PortCore::Turn turn = port_->BeginTurn(&waiter);
  if (turn == PortCore::Turn::kWaits) {
    WaitFor(*port_, waiter.told, timeout_);
    // Also where it has been told: whoever tells it does so under the port's
    // lock, and must have left before the waiter goes.
    if (port_->Withdraw(waiter)) {
      return absl::DeadlineExceededError(
          absl::StrCat("waiting for ", WhatFor(*type_), ": nothing within ",
                       absl::FormatDuration(timeout_)));
    }
    turn = waiter.granted ? PortCore::Turn::kGranted : PortCore::Turn::kClosed;
  }
  if (turn == PortCore::Turn::kClosed) return PortIsGone(*type_);
  const PortCore::EndOfTurn end{*port_};
  port_->Publish(body_);
  return absl::OkStatus();
}

}  // namespace troupe
