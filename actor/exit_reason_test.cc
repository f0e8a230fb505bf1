#include "troupe/actor/exit_reason.h"

#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(ExitReasonTest, SaysWhatItWasMadeWith) {
  EXPECT_EQ(ExitReason().kind(), ExitReason::Kind::kNormal);
  EXPECT_EQ(ExitReason::Normal("enough").detail(), "enough");
  EXPECT_EQ(ExitReason::Shutdown("late").kind(), ExitReason::Kind::kShutdown);
  EXPECT_EQ(ExitReason::Killed().detail(), "");
  EXPECT_EQ(ExitReason::Drained().status(), absl::OkStatus());
  EXPECT_EQ(ExitReason::Failed(absl::DataLossError("lost")).status(),
            absl::DataLossError("lost"));
}

TEST(ExitReasonTest, ReadsAsASentence) {
  EXPECT_EQ(ExitReason::NoActor().ToString(), "no such actor");
  EXPECT_EQ(ExitReason::Shutdown("maintenance").ToString(),
            "shutdown (maintenance)");
  EXPECT_EQ(ExitReason::Failed(absl::DataLossError("lost")).ToString(),
            "failed: DATA_LOSS: lost");
}

TEST(ExitReasonTest, EqualsWhatSaysTheSame) {
  EXPECT_EQ(ExitReason::Normal("enough"), ExitReason::Normal("enough"));
  EXPECT_EQ(ExitReason::Normal(""), ExitReason());
  EXPECT_NE(ExitReason::Normal("enough"), ExitReason::Normal());
  EXPECT_NE(ExitReason::Normal("enough"), ExitReason::Shutdown("enough"));
  EXPECT_NE(ExitReason::Failed(absl::DataLossError("lost")),
            ExitReason::Failed(absl::DataLossError("found")));
}

TEST(ExitReasonTest, CopyOutlivesTheOriginal) {
  ExitReason copy;
  {
    const ExitReason original = ExitReason::Failed(absl::DataLossError("lost"));
    copy = original;
  }
  EXPECT_EQ(copy.status(), absl::DataLossError("lost"));
  const ExitReason moved = std::move(copy);
  EXPECT_EQ(moved.ToString(), "failed: DATA_LOSS: lost");
}

TEST(ExitReasonTest, IsPlainWithoutStatusOrDetail) {
  EXPECT_TRUE(ExitReason::Plain(ExitReason::Kind::kKilled).IsPlain());
  EXPECT_TRUE(ExitReason::Normal("").IsPlain());
  EXPECT_FALSE(ExitReason::Normal("enough").IsPlain());
  EXPECT_FALSE(ExitReason::Failed(absl::DataLossError("lost")).IsPlain());
}

}  // namespace
}  // namespace troupe
