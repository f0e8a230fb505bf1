#include "troupe/scheduler/deterministic_schedule.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/deterministic_choice.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/post.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using testing::SeedTrace;
using testing::TestSeeds;

MonotonicTime After(absl::Duration duration) {
  return MonotonicTime() + duration;
}

// Plays at given times, and notes in a book of all that it did.
class Notes final : public DeterministicPlayer {
 public:
  Notes(std::string name, std::vector<std::string>& book)
      : name_(std::move(name)), book_(book) {}

  void PlayAt(absl::Duration time) { due_.push_back(After(time)); }

  bool IsReady() override { return !due_.empty() && due_[0] <= now_; }
  void Play() override {
    due_.pop_front();
    book_.push_back(
        absl::StrCat(name_, "@", absl::FormatDuration(now_ - MonotonicTime())));
  }
  MonotonicTime NextExpiry() const override {
    return due_.empty() ? MonotonicTime::InfiniteFuture() : due_[0];
  }
  void AdvanceTo(MonotonicTime now) override { now_ = now; }

 private:
  const std::string name_;
  std::vector<std::string>& book_;
  std::deque<MonotonicTime> due_;
  MonotonicTime now_;
};

// A schedule with two players that note what they do.
struct Two {
  explicit Two(uint64_t seed = 0) : schedule(seed) {
    schedule.Join(a);
    schedule.Join(b);
  }
  ~Two() {
    schedule.Leave(a);
    schedule.Leave(b);
  }

  std::vector<std::string> book;
  DeterministicSchedule schedule;
  Notes a{"a", book};
  Notes b{"b", book};
};

TEST(DeterministicScheduleTest, TimeJumpsToWhoeverIsNext) {
  Two two;
  two.a.PlayAt(absl::Seconds(3));
  two.b.PlayAt(absl::Seconds(1));
  two.b.PlayAt(absl::Seconds(4));
  two.schedule.RunFor(absl::Seconds(10));
  EXPECT_THAT(two.book, ElementsAre("b@1s", "a@3s", "b@4s"));
  EXPECT_EQ(two.schedule.now(), After(absl::Seconds(10)));
  EXPECT_EQ(two.schedule.steps(), 3);
}

TEST(DeterministicScheduleTest, TimeStandsStillWhileSomebodyIsReady) {
  Two two;
  two.a.PlayAt(absl::ZeroDuration());
  two.a.PlayAt(absl::ZeroDuration());
  two.b.PlayAt(absl::Seconds(1));
  EXPECT_EQ(two.schedule.RunUntilIdle(), 2);
  EXPECT_EQ(two.schedule.now(), MonotonicTime());
  EXPECT_THAT(two.book, ElementsAre("a@0", "a@0"));
}

TEST(DeterministicScheduleTest, RunStopsWhereItIsDone) {
  Two two;
  for (int i = 1; i <= 5; ++i) two.a.PlayAt(absl::Seconds(i));
  EXPECT_TRUE(two.schedule.RunUntil([&] { return two.book.size() == 2; },
                                    MonotonicTime::InfiniteFuture()));
  EXPECT_EQ(two.schedule.now(), After(absl::Seconds(2)));
  EXPECT_FALSE(two.schedule.RunUntil([] { return false; },
                                     After(absl::Milliseconds(3500))));
  EXPECT_EQ(two.schedule.now(), After(absl::Milliseconds(3500)));
  EXPECT_FALSE(two.schedule.RunUntil([] { return false; },
                                     MonotonicTime::InfiniteFuture()));
  EXPECT_EQ(two.book.size(), 5);
}

TEST(DeterministicScheduleTest, PausedPlayerIsLateWhenItResumes) {
  Two two;
  two.a.PlayAt(absl::Seconds(1));
  two.b.PlayAt(absl::Seconds(2));
  two.schedule.Pause(two.a);
  two.schedule.RunFor(absl::Seconds(5));
  EXPECT_THAT(two.book, ElementsAre("b@2s"));
  two.schedule.Resume(two.a);
  two.schedule.RunUntilIdle();
  EXPECT_THAT(two.book, ElementsAre("b@2s", "a@5s"));
}

TEST(DeterministicScheduleTest, WhoJoinsLateHasTheTimeOfAll) {
  Two two;
  two.schedule.RunFor(absl::Seconds(5));
  DeterministicExecutor executor({.schedule = &two.schedule});
  EXPECT_EQ(executor.clock().Now(), After(absl::Seconds(5)));
}

TEST(DeterministicScheduleTest, EachStepIsFollowedByTheHook) {
  Two two;
  std::vector<size_t> seen;
  two.schedule.SetAfterStep([&] { seen.push_back(two.book.size()); });
  two.a.PlayAt(absl::Seconds(1));
  two.b.PlayAt(absl::Seconds(2));
  two.schedule.RunFor(absl::Seconds(2));
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

// Which of two that are ready plays first differs from seed to seed, and not
// between two runs of a seed.
TEST(DeterministicScheduleTest, SeedDecidesWhoPlays) {
  const auto run = [](uint64_t seed) {
    Two two(seed);
    for (int i = 0; i < 4; ++i) {
      two.a.PlayAt(absl::ZeroDuration());
      two.b.PlayAt(absl::ZeroDuration());
    }
    two.schedule.RunUntilIdle();
    return two.book;
  };
  std::set<std::vector<std::string>> courses;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    courses.insert(run(seed));
    EXPECT_EQ(run(seed), run(seed));
  }
  EXPECT_GT(courses.size(), 10);
}

TEST(DeterministicScheduleTest, PlayersAreChosenInPlaceOfTheSeed) {
  Two two;
  for (int i = 0; i < 2; ++i) {
    two.a.PlayAt(absl::ZeroDuration());
    two.b.PlayAt(absl::ZeroDuration());
  }
  two.a.PlayAt(absl::Seconds(1));
  std::vector<uint64_t> asked_in;
  two.schedule.SetChoose(
      [&](DeterministicChoice choice, uint32_t alternatives, uint32_t drawn) {
        EXPECT_EQ(choice, DeterministicChoice::kPlayer);
        EXPECT_EQ(alternatives, 2);
        EXPECT_LT(drawn, 2);
        asked_in.push_back(two.schedule.steps());
        return asked_in.size() == 1 ? 1 : 0;
      });
  two.schedule.RunFor(absl::Seconds(2));
  EXPECT_THAT(two.book, ElementsAre("b@0", "a@0", "a@0", "b@0", "a@1s"));
  EXPECT_THAT(asked_in, ElementsAre(1, 2, 3));
}

// -- executors ----------------------------------------------------------------

TEST(DeterministicScheduleTest, ExecutorsOfAScheduleShareTheirTime) {
  DeterministicSchedule schedule(1);
  DeterministicExecutor a({.schedule = &schedule});
  DeterministicExecutor b({.schedule = &schedule});
  MonotonicTime rung;
  Alarm alarm([&] { rung = b.clock().Now(); });
  a.SetAlarm(alarm, After(absl::Seconds(7)));
  b.RunFor(absl::Seconds(10));
  EXPECT_EQ(rung, After(absl::Seconds(7)));
  EXPECT_EQ(a.clock().Now(), After(absl::Seconds(10)));
}

TEST(DeterministicScheduleTest, WhoWaitsOnOneExecutorPlaysAll) {
  for (const uint64_t seed : TestSeeds(20)) {
    SCOPED_TRACE(SeedTrace(seed));
    DeterministicSchedule schedule(seed);
    DeterministicExecutor a({.seed = seed, .schedule = &schedule});
    DeterministicExecutor b({.seed = seed + 1, .schedule = &schedule});
    Event answered;
    Post(b, [&] { Post(a, [&] { Post(b, [&] { answered.Set(); }); }); });
    EXPECT_TRUE(a.WaitFor(answered, MonotonicTime::InfiniteFuture()));
  }
}

TEST(DeterministicScheduleTest, PausedExecutorDoesNothing) {
  DeterministicSchedule schedule(1);
  DeterministicExecutor a({.schedule = &schedule});
  DeterministicExecutor b({.schedule = &schedule});
  bool ran = false;
  int rung = 0;
  Alarm alarm([&] { ++rung; });
  a.SetAlarm(alarm, After(absl::Seconds(1)));
  Post(a, [&] { ran = true; });
  a.Pause();
  b.RunFor(absl::Seconds(2));
  EXPECT_FALSE(ran);
  EXPECT_EQ(rung, 0);
  a.Resume();
  b.RunUntilIdle();
  EXPECT_TRUE(ran);
  EXPECT_EQ(rung, 1);
}

TEST(DeterministicScheduleTest, ExecutorThatHasLeftPlaysAlone) {
  DeterministicSchedule schedule(1);
  DeterministicExecutor a({.schedule = &schedule});
  DeterministicExecutor b({.schedule = &schedule});
  bool a_ran = false;
  bool b_ran = false;
  Post(a, [&] { a_ran = true; });
  Post(b, [&] { b_ran = true; });
  a.LeaveSchedule();
  a.RunFor(absl::Seconds(1));
  EXPECT_TRUE(a_ran);
  EXPECT_FALSE(b_ran);
  EXPECT_EQ(b.clock().Now(), MonotonicTime());
  schedule.RunUntilIdle();
  EXPECT_TRUE(b_ran);
}

}  // namespace
}  // namespace troupe
