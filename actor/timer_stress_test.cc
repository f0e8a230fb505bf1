// Timers on threads, while actors move between workers, are taken over, and
// end: that none is early, late for ever, doubled, or heard of after it was
// cancelled. Under TSan this also shows that their state is never touched by
// two threads at once.
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/actor/timer.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::troupe::testing::IsOk;

constexpr int kActors = 64;
constexpr int kRounds = 150;  // For each actor.
constexpr int kTimersPerRound = 4;

struct Fire {
  int round;
  int index;
};
struct Round {};
struct Noise {};
struct Spin {};

// In each round it starts some timers, cancels some of them, now or when the
// first arrives, and begins the next one when the last has arrived.
class Juggler : public Actor<Fire, Round, Noise, Spin> {
 public:
  Juggler(uint64_t seed, absl::BlockingCounter& done)
      : random_(seed), done_(done) {}

  void Handle(Round) { BeginRound(); }
  void Handle(Fire m) {
    EXPECT_EQ(m.round, round_) << "of a round that is over";
    Entry& entry = entries_[m.index];
    EXPECT_EQ(entry.state, State::kPending) << "cancelled, or a second time";
    EXPECT_GE(Now(), entry.due) << "early";
    EXPECT_FALSE(entry.timer.pending());
    entry.state = State::kOver;
    // Exact: it may be due already.
    const int other = static_cast<int>(random_.Uniform(kTimersPerRound));
    if (entries_[other].state == State::kPending) Cancel(entries_[other]);
    EndRoundIfOver();
  }
  // What makes actors move: messages from others, and handlers that are long.
  void Handle(Noise) {}
  Task<void> Handle(Spin) {
    co_await Sleep(absl::Microseconds(random_.Uniform(3000)));
    const MonotonicTime end = Now() + absl::Milliseconds(3);
    while (Now() < end) {
    }
  }

  std::vector<ActorRef<Noise>> others;

 private:
  enum class State { kPending, kOver };
  struct Entry {
    Timer timer;
    MonotonicTime due;
    State state = State::kOver;
  };

  MonotonicTime Now() const { return system().executor().clock().Now(); }

  void BeginRound() {
    for (int i = 0; i < kTimersPerRound; ++i) {
      const auto delay = absl::Microseconds(random_.Uniform(4000));
      entries_[i].due = Now() + delay;
      entries_[i].timer = SendAfter<Fire>(delay, round_, i);
      entries_[i].state = State::kPending;
    }
    Cancel(entries_[random_.Uniform(kTimersPerRound)]);
    if (random_.Uniform(16) == 0) self().Send<Spin>();
  }
  void Cancel(Entry& entry) {
    EXPECT_TRUE(entry.timer.Cancel().has_value());
    entry.state = State::kOver;
  }
  void EndRoundIfOver() {
    for (const Entry& entry : entries_) {
      if (entry.state == State::kPending) return;
    }
    if (++round_ < kRounds) {
      BeginRound();
    } else {
      done_.DecrementCount();
    }
  }

  Random random_;
  absl::BlockingCounter& done_;
  int round_ = 0;
  Entry entries_[kTimersPerRound];
};

class Sender : public Actor<Round> {
 public:
  explicit Sender(std::vector<ActorRef<Noise>> whom) : whom_(whom) {}
  void PostStart() { SendEvery<Round>(absl::Milliseconds(1)); }
  void Handle(Round) {
    for (const ActorRef<Noise>& actor : whom_) actor.Send<Noise>();
  }

 private:
  const std::vector<ActorRef<Noise>> whom_;
};

TEST(TimerStressTest, ExactWhileActorsMove) {
  for (const uint64_t seed : testing::TestSeeds(1)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    const std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 3}).value();
    absl::BlockingCounter done(kActors);
    std::vector<ActorRef<Noise>> half[2];
    for (int i = 0; i < kActors; ++i) {
      const auto actor =
          system->Spawn<Juggler>(seed * kActors + i, done).value();
      actor.Send<Round>();
      half[i % 2].push_back(actor);
    }
    for (const auto& some : half) {
      ASSERT_THAT(system->Spawn<Sender>(some), IsOk());
    }
    done.Wait();
  }
}

// Ticks of actors that end again and again, in the same memory.
class Ephemeral : public Actor<Fire, Round> {
 public:
  Ephemeral(uint64_t seed, std::atomic<int64_t>& alive)
      : random_(seed), alive_(alive) {}
  void PostStart() {
    SendEvery<Fire>(
        {.period = absl::Microseconds(700), .missed = MissedTicks::kBurst},
        life_, 0);
    SendAfter<Round>(absl::Microseconds(random_.Uniform(3000)));
    if (random_.Uniform(4) == 0) {
      KillAfter(absl::Microseconds(random_.Uniform(3000)));
    }
    ++alive_;
  }
  ~Ephemeral() { --alive_; }
  void Handle(Fire m) { EXPECT_EQ(m.round, life_) << "of another's"; }
  void Handle(Round) { StopSelf(); }

 private:
  inline static std::atomic<int> lives_{0};

  Random random_;
  std::atomic<int64_t>& alive_;
  const int life_ = ++lives_;
};

TEST(TimerStressTest, NoTickReachesALaterActor) {
  constexpr int kLives = 3000;
  std::atomic<int64_t> alive = 0;
  {
    const std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 3}).value();
    for (int i = 0; i < kLives; ++i) {
      ASSERT_THAT(system->Spawn<Ephemeral>(uint64_t(i), alive), IsOk());
      if (i % 300 == 0) system->AwaitNoActors();
    }
    system->AwaitNoActors();
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace troupe
