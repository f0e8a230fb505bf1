#include "troupe/examples/word_count/progress_line.h"

#include <sstream>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"

namespace troupe::word_count {
namespace {

TEST(ProgressLineTest, NothingIsWrittenUnlessToATerminal) {
  ManualClock clock;
  std::ostringstream out;
  {
    ProgressLine progress(out, /*is_terminal=*/false, clock);
    clock.Advance(absl::Seconds(1));
    progress.Update(1000);
  }
  EXPECT_EQ(out.str(), "");
}

TEST(ProgressLineTest, LineIsWrittenAtMostOncePerPeriod) {
  ManualClock clock;
  std::ostringstream out;
  ProgressLine progress(out, /*is_terminal=*/true, clock);
  progress.Update(1'000'000);
  EXPECT_EQ(out.str(), "");

  clock.Advance(ProgressLine::kPeriod);
  progress.Update(2'000'000);
  EXPECT_EQ(out.str(), "\r\033[Kcounted 2.0 MB, 20.0 MB/s");

  clock.Advance(ProgressLine::kPeriod - absl::Nanoseconds(1));
  progress.Update(3'000'000);
  EXPECT_EQ(out.str(), "\r\033[Kcounted 2.0 MB, 20.0 MB/s");

  clock.Advance(absl::Nanoseconds(1));
  progress.Update(6'000'000);
  EXPECT_THAT(out.str(),
              ::testing::EndsWith("\r\033[Kcounted 6.0 MB, 30.0 MB/s"));
}

TEST(ProgressLineTest, LineIsRemovedOnce) {
  ManualClock clock;
  std::ostringstream out;
  {
    ProgressLine progress(out, /*is_terminal=*/true, clock);
    clock.Advance(absl::Seconds(1));
    progress.Update(1000);
    out.str("");
    progress.Clear();
    EXPECT_EQ(out.str(), "\r\033[K");
  }
  EXPECT_EQ(out.str(), "\r\033[K");
}

TEST(ProgressLineTest, ShortCountsShowNoLine) {
  ManualClock clock;
  std::ostringstream out;
  {
    ProgressLine progress(out, /*is_terminal=*/true, clock);
    progress.Update(1000);
  }
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace troupe::word_count
