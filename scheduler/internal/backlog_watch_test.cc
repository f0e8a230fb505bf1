#include "troupe/scheduler/internal/backlog_watch.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"

namespace troupe::internal {
namespace {

using ::testing::Le;

constexpr int kNever = 2000;

// A worker whose turns take the times of a pattern, again and again.
class Turns {
 public:
  explicit Turns(std::vector<int64_t> nanoseconds)
      : nanoseconds_(std::move(nanoseconds)) {}

  // After how many turns work is to be shared; kNever if after none of them.
  int UntilShared(BacklogWatch& watch, uint32_t ready) {
    for (int i = 1; i < kNever; ++i) {
      if (RunAndLook(watch, ready)) return i;
    }
    return kNever;
  }
  // Runs a turn; whether work is to be shared after it.
  bool RunAndLook(BacklogWatch& watch, uint32_t ready) {
    now_ns_ += nanoseconds_[turns_ % nanoseconds_.size()];
    ++turns_;
    if (!watch.IsDue()) return false;
    ++looks_;
    return watch.Look(MonotonicTime::FromNanoseconds(now_ns_), turns_, ready);
  }

  int looks() const { return looks_; }

 private:
  const std::vector<int64_t> nanoseconds_;
  int64_t now_ns_ = 0;
  uint64_t turns_ = 0;
  int looks_ = 0;
};

TEST(BacklogWatchTest, SharesWhatIsSeenTwice) {
  BacklogWatch watch;
  Turns turns({10'000});
  EXPECT_EQ(turns.UntilShared(watch, 5), 3);
  // As long as it lasts.
  EXPECT_EQ(turns.UntilShared(watch, 5), 1);
}

TEST(BacklogWatchTest, KeepsWhatIsDoneSooner) {
  BacklogWatch watch;
  Turns turns({10'000});
  EXPECT_EQ(turns.UntilShared(watch, 4), kNever);
  EXPECT_THAT(turns.looks(), Le(kNever / 32 + 6));
}

TEST(BacklogWatchTest, OneInterruptionIsNoBacklog) {
  BacklogWatch watch;
  Turns turns({100, 100, 5'000'000, 100, 100, 100, 100, 100, 100, 100,
               100, 100, 100,       100, 100, 100, 100, 100, 100, 100});
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(turns.RunAndLook(watch, 64));
}

// A driver gives each of many others a job and is told of each that is done,
// next by one more actor, and so on.
TEST(BacklogWatchTest, SharesLongTurnsBetweenShortOnes) {
  for (int period = 2; period <= 32; ++period) {
    SCOPED_TRACE(period);
    for (int phase = 0; phase < period; ++phase) {
      std::vector<int64_t> nanoseconds(period, 100);
      nanoseconds[phase] = 40'000;
      BacklogWatch watch;
      Turns turns(nanoseconds);
      EXPECT_THAT(turns.UntilShared(watch, 64), Le(40 * period));
    }
  }
}

TEST(BacklogWatchTest, SharesSoonWhenTurnsBecomeLong) {
  BacklogWatch watch;
  std::vector<int64_t> nanoseconds(kNever - 1, 100);
  nanoseconds.insert(nanoseconds.end(), 1000, 40'000);
  Turns turns(nanoseconds);
  for (int i = 1; i < kNever; ++i) ASSERT_FALSE(turns.RunAndLook(watch, 64));
  EXPECT_THAT(turns.UntilShared(watch, 64),
              Le(BacklogWatch::kMaxInterval + BacklogWatch::kTurnsToConfirm));
}

TEST(BacklogWatchTest, RestartForgetsTheBacklog) {
  BacklogWatch watch;
  Turns turns({10'000});
  ASSERT_EQ(turns.UntilShared(watch, 5), 3);
  watch.Restart();
  EXPECT_EQ(turns.UntilShared(watch, 5), 3);
}

}  // namespace
}  // namespace troupe::internal
