// An actor whose timers tests start from outside, and that notes what arrives.
#ifndef TROUPE_ACTOR_INTERNAL_TIMER_TESTING_H_
#define TROUPE_ACTOR_INTERNAL_TIMER_TESTING_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/actor/timer.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/deterministic_executor.h"

namespace troupe::internal {

// A message that counts how many of it live.
class Tick {
 public:
  explicit Tick(std::string its_name) : name(std::move(its_name)) { ++living_; }
  Tick(const Tick& other) : Tick(other.name) {}
  Tick(Tick&& other) noexcept : name(std::move(other.name)) { ++living_; }
  ~Tick() { --living_; }

  static int living() { return living_; }

  std::string name;

 private:
  inline static int living_ = 0;
};

class TimedActor;

// Runs something in the actor.
struct Do {
  std::function<void(TimedActor&)> what;
};
// Suspends a handler for so long, and then runs something.
struct DoLater {
  absl::Duration sleep;
  std::function<void(TimedActor&)> what;
};

class TimedActor : public Actor<Tick, Do, DoLater> {
 public:
  using Actor::Fail;
  using Actor::KillAfter;
  using Actor::self;
  using Actor::SendAfter;
  using Actor::SendEvery;
  using Actor::StopAfter;
  using Actor::StopSelf;
  using Actor::system;

  explicit TimedActor(std::vector<std::string>& log) : log_(log) {}

  void Handle(const Tick& tick) {
    Note(tick.name);
    if (on_tick) on_tick(*this, tick.name);
  }
  void Handle(const Do& m) { m.what(*this); }
  Task<void> Handle(const DoLater& m) {
    co_await Sleep(m.sleep);
    m.what(*this);
  }

  void Note(const std::string& what) {
    const MonotonicTime now = system().executor().clock().Now();
    log_.push_back(absl::StrCat(
        what, "@",
        absl::ToInt64Milliseconds(absl::Nanoseconds(now.ToNanoseconds()))));
  }

  std::function<void(TimedActor&, const std::string&)> on_tick;

 private:
  std::vector<std::string>& log_;
};

// On the deterministic executor, whose time begins at 0.
class TimerTest : public ::testing::TestWithParam<int> {
 protected:
  TimerTest()
      : executor_(new DeterministicExecutor(
            {.seed = static_cast<uint64_t>(GetParam())})),
        system_(
            ActorSystem::CreateOn(std::unique_ptr<Executor>(executor_), {})),
        actor_(system_->Spawn<TimedActor>(log_).value()) {}
  ~TimerTest() override {
    system_.reset();
    EXPECT_EQ(Tick::living(), 0);
  }

  MonotonicTime now() const { return executor_->clock().Now(); }
  void RunFor(int milliseconds) {
    executor_->RunFor(absl::Milliseconds(milliseconds));
  }
  // In the actor, at once.
  void InActor(std::function<void(TimedActor&)> what) {
    actor_.Send(Do{std::move(what)});
    executor_->RunUntilIdle();
  }

  std::vector<std::string> log_;
  DeterministicExecutor* executor_;
  std::unique_ptr<ActorSystem> system_;
  TimedActor::Ref actor_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_TIMER_TESTING_H_
