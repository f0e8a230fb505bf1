// Timers against a naive model: actors that do what a seed tells them start,
// cancel and look at timers in the handlers of their ticks, and sleep in them,
// on workers that hand actors over and lose their seats all the time. In
// virtual time everything that they see is known, in order and to the
// millisecond; so each actor has a model that keeps its timers in a vector and
// always looks for the first.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
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
#include "troupe/base/random.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

constexpr int kSeeds = 1000;
constexpr int64_t kHorizonMs = 400;
constexpr size_t kMaxTimers = 24;

using Log = std::vector<std::string>;

// What an actor does in a handler, by `Api`: the runtime, or the model. Returns
// for how long it sleeps then, if it does.
template <typename Api>
std::optional<int64_t> Act(Api& api, Random& random, Log& log) {
  const auto pick = [&](uint64_t bound) {
    return static_cast<int64_t>(random.Uniform(bound));
  };
  for (int64_t steps = pick(4); steps > 0; --steps) {
    const int64_t kind = pick(8);
    const bool full = api.size() >= kMaxTimers;
    if (kind < 3 && !full) {
      api.After(pick(4) == 0 ? 0 : pick(30));
    } else if (kind < 4 && !full) {
      const int64_t period = 1 + pick(25);
      const int64_t first = pick(30);
      const bool burst = pick(2) == 0;
      api.Repeat(period, first, burst);
    } else if (api.size() > 0) {
      const int64_t which = pick(api.size());
      const bool cancels = kind < 7;
      const std::optional<int64_t> left =
          cancels ? api.Cancel(which) : api.Left(which);
      log.push_back(absl::StrCat(cancels ? "cancelled " : "looked at ", which,
                                 " with ", left.value_or(-1)));
    }
  }
  if (pick(5) != 0) return std::nullopt;
  return pick(3) == 0 ? 0 : pick(40);
}

// -- the model

class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed) {}

  // Plays it from its start to the horizon.
  Log Run() {
    Begin();
    while (true) {
      if (sleeps_) {
        if (wake_ > kHorizonMs) break;
        now_ = wake_;
        sleeps_ = false;
        log_.push_back(absl::StrCat("woke at ", now_));
        (void)Act(*this, random_, log_);
        continue;
      }
      const int first = First();
      if (first < 0 || std::max(now_, timers_[first].due) > kHorizonMs) break;
      now_ = std::max(now_, timers_[first].due);
      Handle(first);
    }
    return std::move(log_);
  }

  // -- for Act()
  size_t size() const { return timers_.size(); }
  void After(int64_t delay) { Start({.due = now_ + delay}); }
  void Repeat(int64_t period, int64_t first, bool burst) {
    Start({.due = now_ + first, .period = period, .burst = burst});
  }
  std::optional<int64_t> Left(int64_t which) const {
    const Entry& entry = timers_[which];
    if (!entry.pending) return std::nullopt;
    return std::max<int64_t>(0, entry.due - now_);
  }
  std::optional<int64_t> Cancel(int64_t which) {
    const std::optional<int64_t> left = Left(which);
    timers_[which].pending = false;
    return left;
  }

 private:
  struct Entry {
    int64_t due = 0;
    int64_t period = 0;  // 0: once.
    bool burst = false;
    bool pending = true;
    int64_t order = 0;
  };

  void Start(Entry entry) {
    entry.order = next_order_++;
    timers_.push_back(entry);
  }
  void Begin() {
    Start({.due = 1, .period = 7});
    MaySleep(Act(*this, random_, log_));
  }
  int First() const {
    int first = -1;
    for (int i = 0; i < static_cast<int>(timers_.size()); ++i) {
      const Entry& entry = timers_[i];
      if (!entry.pending) continue;
      if (first < 0 || std::pair(entry.due, entry.order) <
                           std::pair(timers_[first].due, timers_[first].order))
        first = i;
    }
    return first;
  }
  void Handle(int which) {
    Entry& entry = timers_[which];
    if (entry.period == 0) {
      entry.pending = false;
    } else {
      do {
        entry.due += entry.period;
      } while (!entry.burst && entry.due <= now_);
      entry.order = next_order_++;
    }
    log_.push_back(absl::StrCat("tick ", which, " at ", now_));
    MaySleep(Act(*this, random_, log_));
  }
  void MaySleep(std::optional<int64_t> duration) {
    if (!duration.has_value()) return;
    sleeps_ = true;
    wake_ = now_ + *duration;
  }

  Random random_;
  Log log_;
  int64_t now_ = 0;
  bool sleeps_ = false;
  int64_t wake_ = 0;
  int64_t next_order_ = 0;
  std::vector<Entry> timers_;
};

// -- the runtime

struct Tick {
  int64_t which;
};
struct Noise {};

class Subject : public Actor<Tick, Noise> {
 public:
  Subject(uint64_t seed, Log& log) : random_(seed), log_(log) {}

  Task<void> PostStart() {
    Repeat(7, 1, /*burst=*/false);
    return Go(Act(*this, random_, log_));
  }
  Task<void> Handle(const Tick& tick) {
    log_.push_back(absl::StrCat("tick ", tick.which, " at ", Now()));
    return Go(Act(*this, random_, log_));
  }
  void Handle(Noise) {}

  // -- for Act()
  size_t size() const { return timers_.size(); }
  void After(int64_t delay) {
    timers_.push_back(SendAfter<Tick>(absl::Milliseconds(delay), Number()));
  }
  void Repeat(int64_t period, int64_t first, bool burst) {
    timers_.push_back(SendEvery<Tick>(
        {.period = absl::Milliseconds(period),
         .first_after = absl::Milliseconds(first),
         .missed = burst ? MissedTicks::kBurst : MissedTicks::kCoalesce},
        Number()));
  }
  std::optional<int64_t> Left(int64_t which) const {
    EXPECT_EQ(timers_[which].pending(), timers_[which].time_left().has_value());
    return InMs(timers_[which].time_left());
  }
  std::optional<int64_t> Cancel(int64_t which) {
    return InMs(timers_[which].Cancel());
  }

 private:
  static std::optional<int64_t> InMs(std::optional<absl::Duration> duration) {
    if (!duration.has_value()) return std::nullopt;
    return absl::ToInt64Milliseconds(*duration);
  }
  int64_t Number() const { return static_cast<int64_t>(timers_.size()); }
  int64_t Now() const {
    return system().executor().clock().Now().ToNanoseconds() / 1'000'000;
  }

  Task<void> Go(std::optional<int64_t> sleep) {
    if (!sleep.has_value()) co_return;
    co_await Sleep(absl::Milliseconds(*sleep));
    log_.push_back(absl::StrCat("woke at ", Now()));
    (void)Act(*this, random_, log_);
  }

  Random random_;
  Log& log_;
  std::vector<Timer> timers_;
};

// Sends messages to the subjects, so that they move.
class Noisy : public Actor<Tick> {
 public:
  explicit Noisy(std::vector<ActorRef<Noise>> whom) : whom_(std::move(whom)) {}
  void PostStart() { SendEvery<Tick>(absl::Milliseconds(3), 0); }
  void Handle(Tick) {
    for (const ActorRef<Noise>& actor : whom_) actor.Send<Noise>();
  }

 private:
  const std::vector<ActorRef<Noise>> whom_;
};

TEST(TimerSimTest, AgreesWithTheModel) {
  size_t entries = 0;
  for (const uint64_t seed : testing::TestSeeds(kSeeds)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    Random random(seed);
    constexpr uint64_t kSubjects = 3;
    Log logs[kSubjects];  // Before the system: shutting it down takes time.
    auto executor =
        std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options{
            .seed = seed,
            .workers = 1 + static_cast<int>(random.Uniform(3)),
            .hand_over_probability = 0.2 * random.Uniform(3),
            .lost_seat_probability = 0.15 * random.Uniform(3)});
    DeterministicExecutor& time = *executor;
    const std::unique_ptr<ActorSystem> system =
        ActorSystem::CreateOn(std::move(executor), {});
    std::vector<ActorRef<Noise>> subjects;
    for (uint64_t i = 0; i < kSubjects; ++i) {
      subjects.push_back(
          system->Spawn<Subject>(seed * kSubjects + i, logs[i]).value());
    }
    ASSERT_TRUE(system->Spawn<Noisy>(subjects).ok());
    time.RunFor(absl::Milliseconds(kHorizonMs));
    for (uint64_t i = 0; i < kSubjects; ++i) {
      const Log expected = Model(seed * kSubjects + i).Run();
      const auto differ = std::mismatch(logs[i].begin(), logs[i].end(),
                                        expected.begin(), expected.end());
      ASSERT_TRUE(differ.first == logs[i].end() &&
                  differ.second == expected.end())
          << "entry " << differ.first - logs[i].begin() << " of subject " << i
          << " is '" << (differ.first != logs[i].end() ? *differ.first : "")
          << "', and '"
          << (differ.second != expected.end() ? *differ.second : "")
          << "' in the model";
      entries += logs[i].size();
    }
  }
  // It did something.
  EXPECT_GT(entries, 100);
}

}  // namespace
}  // namespace troupe
