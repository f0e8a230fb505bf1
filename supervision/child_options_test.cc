#include "troupe/supervision/child_options.h"

#include <limits>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/supervision/strategy.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

auto Refused(const char* fault) {
  return StatusIs(absl::StatusCode::kInvalidArgument,
                  AllOf(HasSubstr("child \"till\": "), HasSubstr(fault)));
}

TEST(ChildOptionsTest, DefaultsAreValid) {
  EXPECT_THAT(Validate({.id = "till"}, kNever), IsOk());
  EXPECT_THAT(Validate({.id = "till", .backoff = RestartBackoff{}}, kNever),
              IsOk());
}

// Clause 29: a time limit (default 5 s), infinity for supervisors.
TEST(ShutdownTest, DefaultFollowsTheKindOfChild) {
  EXPECT_EQ(Shutdown().For(kWorker), Shutdown::Within(absl::Seconds(5)));
  EXPECT_EQ(Shutdown().For(kSupervisor), Shutdown::Infinite());
  EXPECT_EQ(Shutdown::Brutal().For(kSupervisor), Shutdown::Brutal());
}

TEST(ShutdownTest, NoTimeIsNotBrutal) {
  EXPECT_FALSE(Shutdown::Within(absl::ZeroDuration()).IsBrutal());
  EXPECT_NE(Shutdown::Within(absl::ZeroDuration()), Shutdown::Brutal());
}

TEST(ShutdownTest, SaysWhatItIs) {
  EXPECT_EQ(ToString(Shutdown()), "as its kind has it");
  EXPECT_EQ(ToString(Shutdown::Brutal()), "brutal");
  EXPECT_EQ(ToString(Shutdown::Infinite()), "infinite");
  EXPECT_EQ(ToString(Shutdown::Within(absl::Seconds(2))), "within 2s");
}

TEST(ChildOptionsTest, NegativeShutdownIsRefused) {
  EXPECT_THAT(
      Validate({.id = "till", .shutdown = Shutdown::Within(-absl::Seconds(3))},
               kNever),
      Refused("shutdown is within -3s"));
}

// As OTP refuses {restart, permanent} with {significant, true}.
TEST(ChildOptionsTest, PermanentChildIsNeverSignificant) {
  EXPECT_THAT(Validate({.id = "till", .significant = true}, kAnySignificant),
              Refused("significant is true and restart permanent"));
}

// As OTP refuses {auto_shutdown, never} with {significant, true}.
TEST(ChildOptionsTest, SignificanceNeedsAutoShutdown) {
  const ChildOptions options = {
      .id = "till", .restart = kTransient, .significant = true};
  EXPECT_THAT(Validate(options, kNever),
              Refused("significant is true and the supervisor's auto_shutdown "
                      "never"));
  EXPECT_THAT(Validate(options, kAnySignificant), IsOk());
  EXPECT_THAT(Validate(options, kAllSignificant), IsOk());
}

TEST(ChildOptionsTest, EnumsOutOfRangeAreRefused) {
  EXPECT_THAT(
      Validate({.id = "till", .restart = static_cast<Restart>(7)}, kNever),
      Refused("restart is 7"));
  EXPECT_THAT(
      Validate({.id = "till", .kind = static_cast<ChildKind>(9)}, kNever),
      Refused("kind is 9"));
}

TEST(BackoffTest, NamesTheFieldAndTheValueItRefuses) {
  const auto validate = [](const RestartBackoff& backoff) {
    return Validate({.id = "till", .backoff = backoff}, kNever);
  };
  EXPECT_THAT(validate({.initial = absl::ZeroDuration()}),
              Refused("backoff.initial is 0"));
  EXPECT_THAT(validate({.initial = absl::Seconds(2), .max = absl::Seconds(1)}),
              Refused("backoff.max is 1s"));
  EXPECT_THAT(validate({.max = absl::InfiniteDuration()}),
              Refused("backoff.max is inf"));
  EXPECT_THAT(validate({.factor = 0.5}), Refused("backoff.factor is 0.5"));
  EXPECT_THAT(validate({.factor = std::numeric_limits<double>::quiet_NaN()}),
              Refused("backoff.factor is nan"));
  EXPECT_THAT(validate({.jitter = 1.5}), Refused("backoff.jitter is 1.5"));
  EXPECT_THAT(validate({.jitter = -0.1}), Refused("backoff.jitter is -0.1"));
  EXPECT_THAT(validate({.reset_after = absl::ZeroDuration()}),
              Refused("backoff.reset_after is 0"));
  EXPECT_THAT(validate({.factor = 1, .jitter = 0}), IsOk());
}

}  // namespace
}  // namespace troupe
