#include "troupe/benchmarks/stage.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::benchmarks {
namespace {

using ::testing::Ge;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

struct Number {
  int64_t value;
};

// Finishes at the first number, which is to be 7.
class Checker : public Actor<Number> {
 public:
  explicit Checker(Stage& stage) : stage_(stage) {}

  void Handle(Number number) {
    if (stage_.Check("number", number.value, 7)) stage_.Finish();
  }

 private:
  Stage& stage_;
};

std::unique_ptr<Stage> MakeStage(Stage::Options options = {}) {
  return Stage::Create(options).value();
}

TEST(StageTest, RunWithTheRightResultIsMeasured) {
  const std::unique_ptr<Stage> stage = MakeStage();
  EXPECT_EQ(stage->Begin(1), 1);
  stage->here().Spawn<Checker>(*stage).value().Send<Number>(7);

  const absl::StatusOr<Measured> measured =
      stage->Await(absl::InfiniteDuration());
  ASSERT_THAT(measured, IsOk());
  EXPECT_EQ(measured->operations, 1);
  EXPECT_THAT(measured->elapsed, Gt(absl::ZeroDuration()));
  EXPECT_THAT(measured->peak_rss_bytes, Gt(0));
}

TEST(StageTest, WrongResultIsAnError) {
  const std::unique_ptr<Stage> stage = MakeStage();
  stage->Begin(1);
  stage->here().Spawn<Checker>(*stage).value().Send<Number>(8);

  EXPECT_THAT(stage->Await(absl::InfiniteDuration()),
              StatusIs(absl::StatusCode::kInternal,
                       HasSubstr("number: 8 instead of 7")));
}

TEST(StageTest, WrongResultBehindTheEndIsAnError) {
  const std::unique_ptr<Stage> stage = MakeStage();
  stage->Begin(2);
  const Checker::Ref checker = stage->here().Spawn<Checker>(*stage).value();
  checker.Send<Number>(7);
  checker.Send<Number>(8);
  ASSERT_THAT(checker.DrainAndWait(), IsOk());

  EXPECT_THAT(stage->Await(absl::InfiniteDuration()),
              StatusIs(absl::StatusCode::kInternal,
                       HasSubstr("number: 8 instead of 7")));
}

TEST(StageTest, LostMessageIsAnError) {
  const std::unique_ptr<Stage> stage = MakeStage();
  stage->Begin(1);
  const Checker::Ref checker = stage->here().Spawn<Checker>(*stage).value();
  checker.Send<Number>(7);
  ASSERT_THAT(checker.DrainAndWait(), IsOk());
  checker.Send<Number>(7);

  EXPECT_THAT(
      stage->Await(absl::InfiniteDuration()),
      StatusIs(absl::StatusCode::kInternal, HasSubstr("1 messages lost")));
}

TEST(StageTest, RunThatDoesNotFinishIsAnError) {
  const std::unique_ptr<Stage> stage = MakeStage();
  stage->Begin(1);
  stage->here().Spawn<Checker>(*stage).value();

  EXPECT_THAT(stage->Await(absl::Milliseconds(1)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(StageTest, SidesAreOneSystemUnlessForced) {
  const std::unique_ptr<Stage> free = MakeStage({.workers = 2});
  EXPECT_EQ(&free->here(), &free->there());
  EXPECT_EQ(free->here().executor().shared_workers(), 2);

  const std::unique_ptr<Stage> forced =
      MakeStage({.workers = 2, .forced = true});
  EXPECT_NE(&forced->here(), &forced->there());
  EXPECT_EQ(forced->here().executor().shared_workers(), 1);
  EXPECT_EQ(forced->there().executor().shared_workers(), 1);
}

TEST(StageTest, ScaleMultipliesOperations) {
  const std::unique_ptr<Stage> stage = MakeStage({.scale = 0.01});
  EXPECT_EQ(stage->Scaled(5000), 50);
  EXPECT_EQ(stage->Scaled(50), 1);  // And not none.
}

// Allocates, and touches, a given number of blocks.
class Allocator : public Actor<Number> {
 public:
  explicit Allocator(Stage& stage) : stage_(stage) {}

  void Handle(Number blocks) {
    for (int64_t i = 0; i < blocks.value; ++i) {
      kept_.push_back(std::make_unique<Block>());
    }
    stage_.Finish();
  }

 private:
  struct Block {
    char bytes[1 << 16] = {1};
  };

  Stage& stage_;
  std::vector<std::unique_ptr<Block>> kept_;
};

TEST(StageTest, AllocationsAndMemoryOfTheRunAreCounted) {
  constexpr int64_t kBlocks = 256;
  const std::unique_ptr<Stage> stage = MakeStage();
  stage->Begin(kBlocks);
  stage->here().Spawn<Allocator>(*stage).value().Send<Number>(kBlocks);

  const absl::StatusOr<Measured> measured =
      stage->Await(absl::InfiniteDuration());
  ASSERT_THAT(measured, IsOk());
  EXPECT_THAT(measured->allocations, Ge(kBlocks));
  EXPECT_THAT(measured->rss_growth_bytes, Ge(kBlocks << 16));
  EXPECT_THAT(measured->peak_rss_bytes, Ge(measured->rss_growth_bytes));
}

}  // namespace
}  // namespace troupe::benchmarks
