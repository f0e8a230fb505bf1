#include "troupe/testing/soak/actors.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/run_blocking.h"
#include "troupe/actor/sleep.h"
#include "troupe/base/clock.h"
#include "troupe/registry/groups.h"
#include "troupe/registry/names.h"
#include "troupe/scheduler/event.h"
#include "troupe/stream/subscribe_options.h"
#include "troupe/testing/soak/receipt.h"

namespace troupe::testing {
namespace {

constexpr size_t kTwigs = 16;
constexpr int kTwigsPerTwig = 3;

int64_t Square(int64_t value) { return value * value; }

}  // namespace

Clerk::Clerk(World* world, int number)
    : world_(*world),
      number_(number),
      random_(world->NewSeed()),
      is_lossless_(world->IsDeaf(number) || random_.Bernoulli(0.5)) {}

void Clerk::PostStart() {
  world_.instances.fetch_add(1, std::memory_order_relaxed);
  for (const absl::Status& status :
       {system().Get<Names>().Register(absl::StrCat("soak/clerk-", number_),
                                       self()),
        system().Get<Groups>().Join(world_.readers, self())}) {
    // Not found: this one was asked to end already.
    if (!status.ok() && !absl::IsNotFound(status)) {
      world_.Complain(status.message());
    }
  }
  const Lag lags[] = {Lag::kDropOldest, Lag::kDropNewest, Lag::kConflate};
  prices_ = world_.prices.Subscribe(
      self(), {.lag = is_lossless_ ? Lag::kLossless : lags[random_.Uniform(3)],
               .limit = 64,
               .replay = static_cast<uint32_t>(random_.Uniform(8))});
  world_.price_ledger.Subscribe(number_, is_lossless_);
  if (world_.IsDeaf(number_)) prices_.Unsubscribe();
  SendEvery<Beat>(absl::Milliseconds(5 + random_.Uniform(20)));
}

ActorRef<ClerkApi> Clerk::Later() {
  const int later = kClerks - 1 - number_;
  if (later == 0) return {};
  return world_.clerks[number_ + 1 + random_.Uniform(later)];
}

void Clerk::Handle(Item&& m) {
  world_.CheckOrder(m, number_);
  m.token.Handle();
  if (m.hops == 0 || world_.is_calm()) return;
  world_.clerks[random_.Uniform(kClerks)].Send<Item>(world_.items, m.hops - 1,
                                                     -1, 0);
}

Task<absl::StatusOr<int64_t>> Clerk::Handle(Ask m) {
  m.token.Handle();
  switch (random_.Uniform(8)) {
    case 0:
      co_await Sleep(absl::Microseconds(random_.Uniform(3000)));
      break;
    case 1:
      co_return co_await RunBlocking(&Square, int64_t{number_});
    case 2:
      co_return absl::FailedPreconditionError("not today");
    default:
      break;
  }
  const ActorRef<ClerkApi> other = Later();
  if (m.depth == 0 || other.IsNull() || world_.is_calm()) co_return number_;
  Receipt receipt(world_.asks);
  absl::StatusOr<int64_t> outcome =
      co_await other.Call<Ask>(receipt, m.depth - 1);
  receipt.Note(outcome.status());
  co_return outcome;
}

void Clerk::Handle(Beat) {
  if (world_.is_calm()) return;
  SetTimers();
  TellNews();
}

void Clerk::SetTimers() {
  SendAfter<Tick>(absl::Microseconds(random_.Uniform(20'000)), world_.ticks);
  cancelled_.Cancel();
  cancelled_ = SendAfter<Tick>(absl::Microseconds(random_.Uniform(50'000)),
                               world_.ticks);
}

void Clerk::TellNews() {
  if (!random_.Bernoulli(0.1)) return;
  World::TakeDeadLettersOfThisThread();
  const size_t took =
      system().Get<Groups>().Send<News>(world_.readers, int64_t{number_});
  // Those that did not take it are dead letters already.
  world_.news.Add(Fate::kMade, static_cast<int64_t>(took) +
                                   World::TakeDeadLettersOfThisThread());
}

void Clerk::Handle(const Price& m) {
  const std::string wrong = world_.price_ledger.See(number_, m.number);
  if (!wrong.empty()) world_.Complain(wrong);
  world_.prices_seen.fetch_add(1, std::memory_order_relaxed);
}

void Clerk::Handle(Poison) { throw std::runtime_error("poisoned"); }

void Clerk::Handle(Stall m) {
  if (!m.at_work) {
    const Event never;
    (void)never.WaitWithTimeout(m.duration);
    return;
  }
  const MonotonicTime end = RealClock().Now() + m.duration;
  while (RealClock().Now() < end) {
  }
}

Gardener::Gardener(World* world) : world_(*world), random_(world->NewSeed()) {}

void Gardener::PostStart() { SendEvery<Beat>(absl::Milliseconds(2)); }

void Gardener::Handle(Beat) {
  if (world_.is_calm()) return;
  // Lossless readers that are behind get further behind.
  world_.price_ledger.Publish(next_price_);
  world_.prices.Publish(next_price_++);
  if (random_.Bernoulli(0.2)) Plant();
  if (twigs_.size() > kTwigs) Fell();
}

void Gardener::Plant() {
  const absl::StatusOr<ActorRef<Item>> twig =
      Spawn<Twig>(&world_, static_cast<int>(random_.Uniform(4)));
  if (!twig.ok()) {
    world_.Complain(twig.status().message());
    return;
  }
  for (int i = 0; i < 10; ++i) twig->Send<Item>(world_.items, 8, -1, 0);
  twigs_.push_back(*twig);
}

void Gardener::Fell() {
  const ActorRef<Item> twig = twigs_.front();
  twigs_.pop_front();
  switch (random_.Uniform(3)) {
    case 0:
      return twig.Stop();
    case 1:
      return twig.Kill();
    default:
      return twig.Drain();
  }
}

Twig::Twig(World* world, int levels)
    : world_(*world), levels_(levels), random_(world->NewSeed()) {}

absl::Status Twig::PreStart() {
  for (int i = 0; levels_ > 0 && i < kTwigsPerTwig; ++i) {
    absl::StatusOr<ActorRef<Item>> twig = Spawn<Twig>(&world_, levels_ - 1);
    if (!twig.ok()) return twig.status();
    twigs_.push_back(*twig);
  }
  return absl::OkStatus();
}

void Twig::Handle(Item&& m) {
  m.token.Handle();
  if (m.hops == 0 || twigs_.empty()) return;
  twigs_[random_.Uniform(twigs_.size())].Send<Item>(world_.items, m.hops - 1,
                                                    -1, 0);
}

Supervisor::Spec MakeTree(World& world) {
  const Strategy strategies[] = {kOneForOne, kOneForAll, kRestForOne,
                                 kOneForOne};
  // Faults come faster than any limit would let them.
  const Intensity unlimited{.restarts = 1'000'000, .within = absl::Seconds(1)};
  Supervisor::Spec root{.name = "soak", .intensity = unlimited};
  for (int b = 0; b < kBranches; ++b) {
    Supervisor::Spec branch{.strategy = strategies[b], .intensity = unlimited};
    for (int c = 0; c < kClerksPerBranch; ++c) {
      const int number = b * kClerksPerBranch + c;
      world.clerks.push_back(branch.Add<Clerk>(
          {.id = absl::StrCat("clerk-", number), .hold_messages = 100'000},
          &world, number));
    }
    world.branches.push_back(
        root.Add({.id = absl::StrCat("branch-", b)}, std::move(branch)));
  }
  return root;
}

}  // namespace troupe::testing
