// Many who watch (§28): what one actor that is watched keeps, and what its end
// costs others.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/watch_testing.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/scale.h"

namespace troupe {
namespace {

// Notes how many watch it.
struct CountWatchers {};
class Watched : public Actor<CountWatchers> {
 public:
  explicit Watched(size_t& most) : most_(most) {}
  void Handle(CountWatchers) {
    most_ = std::max(most_, internal::WatchersOf(cell()).value_or(0));
  }
  void PostStop(const ExitReason&) {
    EXPECT_EQ(internal::WatchersOf(cell()).value_or(0), 0u);
  }

 private:
  size_t& most_;
};

struct Look {};
class ShortWatcher : public Actor<Look> {
 public:
  explicit ShortWatcher(AnyActorRef actor) : actor_(actor) {}
  void Handle(Look) {
    (void)Monitor(actor_);
    StopSelf();
  }
  void OnDown(const Down&) { ADD_FAILURE() << "it is watched no more"; }

 private:
  const AnyActorRef actor_;
};

struct Breed {
  int64_t left;
};
class Breeder : public Actor<Breed> {
 public:
  static constexpr int64_t kAtOnce = 500;

  Breeder(Watched::Ref watched, absl::Notification& done)
      : watched_(watched), done_(done) {}
  void Handle(Breed m) {
    watched_.Send<CountWatchers>();
    if (m.left == 0) {
      // Until only the two are left, and have been counted.
      if (std::exchange(alone_, system().live_actors() == 2)) {
        watched_.Drain();
        return done_.Notify();
      }
      return self().Send<Breed>(0);
    }
    for (int64_t i = 0; i < kAtOnce; ++i) {
      Spawn<ShortWatcher>(watched_).value().Send<Look>();
    }
    self().Send<Breed>(m.left - kAtOnce);
  }

 private:
  const Watched::Ref watched_;
  absl::Notification& done_;
  bool alone_ = false;
};

TEST(WatchScaleTest, MillionWatchersThatEndLeaveNothing) {
  const int64_t watchers = testing::Scaled(1'000'000);
  size_t most = 0;
  absl::Notification done;
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  const Watched::Ref watched = system->Spawn<Watched>(most).value();
  system->Spawn<Breeder>(watched, done).value().Send<Breed>(watchers);
  done.WaitForNotification();
  EXPECT_TRUE(watched.Wait().ok());
  EXPECT_LE(most, static_cast<size_t>(2 * Breeder::kAtOnce));
}

// Counts its turns.
struct Tick {};
class Ticker : public Actor<Tick> {
 public:
  explicit Ticker(int64_t& ticks) : ticks_(ticks) {}
  void Handle(Tick) {
    ++ticks_;
    self().Send<Tick>();
  }

 private:
  int64_t& ticks_;
};

struct MonitorOften {
  AnyActorRef actor;
  int64_t times;
};
class PatientWatcher : public Actor<MonitorOften> {
 public:
  PatientWatcher(int64_t& downs, const int64_t& ticks, int64_t& ticks_before)
      : downs_(downs), ticks_(ticks), ticks_before_(ticks_before) {}
  void Handle(MonitorOften m) {
    for (int64_t i = 0; i < m.times; ++i) (void)Monitor(m.actor);
  }
  void OnDown(const Down&) {
    if (downs_++ == 0) ticks_before_ = ticks_;
  }

 private:
  int64_t& downs_;
  const int64_t& ticks_;
  int64_t& ticks_before_;
};

TEST(WatchScaleTest, OthersRunWhileManyAreTold) {
  const int64_t monitors = testing::Scaled(100'000);
  int64_t downs = 0;
  int64_t ticks = 0;
  int64_t ticks_before = 0;
  size_t most = 0;
  auto* const executor = new DeterministicExecutor({.seed = 5, .workers = 1});
  std::unique_ptr<ActorSystem> system =
      ActorSystem::CreateOn(std::unique_ptr<Executor>(executor), {});
  const Watched::Ref watched = system->Spawn<Watched>(most).value();
  const auto watcher =
      system->Spawn<PatientWatcher>(downs, ticks, ticks_before).value();
  watcher.Send<MonitorOften>(watched, monitors);
  executor->RunUntilIdle();
  watched.Send<CountWatchers>();
  executor->RunUntilIdle();
  EXPECT_EQ(most, static_cast<size_t>(monitors));
  const Ticker::Ref ticker = system->Spawn<Ticker>(ticks).value();
  ticker.Send<Tick>();
  watched.Kill();
  while (downs < monitors) ASSERT_TRUE(executor->Step());
  EXPECT_GT(ticks - ticks_before, 100);
  ticker.Kill();
}

// One of many in a row, each linked to the one before.
struct Fall {};
class Domino : public Actor<Look, Fall> {
 public:
  explicit Domino(AnyActorRef before) : before_(before) {}
  void Handle(Look) {
    if (!before_.IsNull()) Link(before_);
  }
  absl::Status Handle(Fall) { return absl::AbortedError("pushed"); }

 private:
  const AnyActorRef before_;
};

struct PlaceDominoes {
  int dominoes;
};
// Hears of each end, and lives on.
class Table : public Actor<PlaceDominoes> {
 public:
  Table(int& fallen, absl::Notification& done) : fallen_(fallen), done_(done) {}
  void Handle(PlaceDominoes m) {
    dominoes_ = m.dominoes;
    Domino::Ref last;
    for (int i = 0; i < m.dominoes; ++i) {
      const Domino::Ref next = Spawn<Domino>(last).value();
      next.Send<Look>();
      last = next;
    }
    // All of them are linked before they are told of an end: they have been
    // asked to before the next one was there.
    last.Send<Fall>();
  }
  void OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kStarted) return;
    EXPECT_EQ(event.reason.status().code(), absl::StatusCode::kAborted);
    EXPECT_LT(event.reason.status().message().size(), 600u);
    if (++fallen_ == dominoes_) done_.Notify();
  }

 private:
  int& fallen_;
  absl::Notification& done_;
  int dominoes_ = 0;
};

TEST(WatchScaleTest, LongChainOfLinksFallsWithoutRecursion) {
  const int dominoes = static_cast<int>(testing::Scaled(100'000));
  int fallen = 0;
  absl::Notification done;
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 2}).value();
  system->Spawn<Table>(fallen, done).value().Send<PlaceDominoes>(dominoes);
  done.WaitForNotification();
  EXPECT_EQ(fallen, dominoes);
}

}  // namespace
}  // namespace troupe
