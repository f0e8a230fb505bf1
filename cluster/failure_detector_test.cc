#include "troupe/cluster/internal/failure_detector.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"

namespace troupe::internal {
namespace {

class FailureDetectorTest : public ::testing::Test {
 protected:
  // Lets that much time pass. Looks are due at a fixed rate, as timers are:
  // those that are missed while it stands still are one, when it goes on.
  // Returns whether the peer is gone.
  bool Run(absl::Duration how_long) {
    const MonotonicTime end = now_ + how_long;
    bool is_gone = false;
    while (due_ <= end) {
      now_ = due_;
      due_ += kStep;
      if (detector_.Look(now_)) is_gone = true;
    }
    now_ = end;
    return is_gone;
  }
  bool StandStill(absl::Duration how_long) {
    now_ += how_long;
    if (due_ > now_) return false;
    while (due_ <= now_) due_ += kStep;
    return detector_.Look(now_);
  }
  void Hear() { detector_.Heard(now_); }

  static constexpr absl::Duration kHeartbeat = absl::Seconds(2);
  static constexpr absl::Duration kStep =
      absl::Milliseconds(2000 / FailureDetector::kLooks);
  static constexpr absl::Duration kSilence = absl::Seconds(8);
  static constexpr int kLooksInSilence = 4 * FailureDetector::kLooks;

  MonotonicTime now_;
  MonotonicTime due_ = now_ + kStep;
  FailureDetector detector_{kHeartbeat, kSilence, now_};
};

TEST_F(FailureDetectorTest, PeerIsGoneThatSaysNothing) {
  EXPECT_FALSE(Run(kSilence));
  EXPECT_TRUE(Run(kStep));
}

TEST_F(FailureDetectorTest, PeerIsThereThatSaysSomething) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(Run(kSilence));
    Hear();
  }
}

// Whatever it stands still for, one step of it counts.
TEST_F(FailureDetectorTest, OwnStandstillIsNoSilence) {
  for (const absl::Duration standstill :
       {kHeartbeat - absl::Milliseconds(1), kHeartbeat, kHeartbeat + kStep,
        absl::Seconds(6), absl::Hours(1)}) {
    SCOPED_TRACE(absl::FormatDuration(standstill));
    Hear();
    // More than the silence in all, and hardly a moment to listen between.
    for (int i = 0; i < 10; ++i) {
      EXPECT_FALSE(StandStill(standstill));
      EXPECT_FALSE(Run(absl::Milliseconds(1)));
    }
  }
}

TEST_F(FailureDetectorTest, PeerGetsAnotherWindowAfterALongStandstill) {
  EXPECT_FALSE(Run(kSilence));
  EXPECT_FALSE(StandStill(kHeartbeat + 2 * kStep));
  EXPECT_FALSE(Run(kSilence - kStep));
  EXPECT_TRUE(Run(2 * kStep));
}

// What came while it stood still is read when it goes on, and not before it
// looks.
TEST_F(FailureDetectorTest, PeerIsHeardBeforeItIsGivenUp) {
  EXPECT_FALSE(Run(kSilence));
  EXPECT_FALSE(StandStill(2 * kStep + absl::Milliseconds(1)));
  Hear();
  EXPECT_FALSE(Run(kSilence));
}

TEST_F(FailureDetectorTest, PeerIsGoneHoweverOftenThisEndStandsStill) {
  int times = 0;
  bool is_gone = false;
  while (!is_gone && times < 1000) {
    ++times;
    is_gone = Run(kStep / 2) || StandStill(kHeartbeat);
  }
  EXPECT_GE(times * 1.5 * kStep, kSilence);
  EXPECT_LE(times * kStep / 2, kSilence + kHeartbeat);
}

// This end does not get to listen in time even once: it is not the peer that is
// slow, but a peer that is dead has to be given up.
TEST_F(FailureDetectorTest, PeerIsGoneThoughThisEndIsAlwaysLate) {
  for (int i = 0; i < 4 * kLooksInSilence; ++i) {
    ASSERT_FALSE(StandStill(2 * kHeartbeat)) << "look " << i;
  }
  EXPECT_TRUE(StandStill(2 * kHeartbeat));
}

TEST_F(FailureDetectorTest, PeerIsThereThatSaysSomethingToAnEndThatIsLate) {
  for (int i = 0; i < 40 * kLooksInSilence; ++i) {
    if (i % 10 == 0) Hear();
    ASSERT_FALSE(StandStill(2 * kHeartbeat)) << "look " << i;
  }
}

}  // namespace
}  // namespace troupe::internal
