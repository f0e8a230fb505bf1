// One fast publisher and three subscribers with ideas of their own: the ledger
// misses nothing, and the ticker waits for it; the tape keeps the last two that
// it has not seen; the chart wants the latest only.
//
//   ./bazelw run //examples:ticker
//
// prints
//
//   ledger: 1 2 3 4 5 6 7 8 (0 missed)
//   tape: 1 3 5 7 8 (3 missed)
//   chart: 1 5 8 (5 missed)
//
// It runs in virtual time, so that it prints the same each time.
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/executor.h"
#include "troupe/stream/port_subscription.h"
#include "troupe/stream/publishes.h"
#include "troupe/stream/subscribe_options.h"

namespace {

struct Price {
  int cents;
};
struct Run {};

class Ticker : public troupe::Actor<Run, troupe::Subscribe<Price>,
                                    troupe::Unsubscribe<Price>>,
               public troupe::Publishes<Price> {
 public:
  troupe::Task<absl::Status> Handle(Run) {
    for (int cents = 1; cents <= 8; ++cents) {
      const absl::Status published =
          co_await port().PublishWhenReady(cents);  // The ledger has room.
      if (!published.ok()) co_return published;
    }
    co_return absl::OkStatus();
  }
};

// Needs `pace` for each price.
class Screen : public troupe::Actor<Price> {
 public:
  Screen(std::string name, absl::Duration pace,
         troupe::ActorRef<troupe::Subscribe<Price>> ticker,
         troupe::SubscribeOptions options)
      : seen_(std::move(name) + ":"),
        pace_(pace),
        ticker_(ticker),
        options_(options) {}

  void PreStart() {
    prices_ = troupe::SubscribeTo<Price>(ticker_, self(), options_);
  }
  troupe::Task<void> Handle(const Price& price) {
    seen_ += " " + std::to_string(price.cents);
    (void)co_await troupe::Sleep(pace_);
  }
  void PostStop(const troupe::ExitReason&) {
    std::cout << seen_ << " (" << prices_.stats().dropped << " missed)\n";
  }

 private:
  std::string seen_;
  const absl::Duration pace_;
  const troupe::ActorRef<troupe::Subscribe<Price>> ticker_;
  const troupe::SubscribeOptions options_;
  troupe::PortSubscription prices_;
};

}  // namespace

int main() {
  using troupe::Lag;
  auto* const executor = new troupe::DeterministicExecutor({.seed = 1});
  const auto system = troupe::ActorSystem::CreateOn(
      std::unique_ptr<troupe::Executor>(executor), {});
  const auto ticker = system->Spawn<Ticker>().value();
  const auto ms = [](int n) { return absl::Milliseconds(n); };
  const auto spawn = [&](const char* name, absl::Duration pace,
                         troupe::SubscribeOptions options) {
    return system->Spawn<Screen>(name, pace, ticker, options).value();
  };
  const auto ledger = spawn("ledger", ms(2), {.limit = 1});
  const auto tape = spawn("tape", ms(5), {.lag = Lag::kDropOldest, .limit = 2});
  const auto chart = spawn("chart", ms(7), {.lag = Lag::kConflate});
  ticker.Send<Run>();
  executor->RunFor(absl::Seconds(1));
  for (const auto& screen : {ledger, tape, chart}) {
    (void)screen.DrainAndWait();
  }
}
