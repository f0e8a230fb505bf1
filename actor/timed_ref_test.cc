// References with a time for their calls; clause 22.
#include "troupe/actor/timed_ref.h"

#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call_all.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

static_assert(sizeof(TimedRef<Pass>) == 24);
static_assert(std::is_trivially_copyable_v<TimedRef<Pass>>);
static_assert(sizeof(ActorRef<Pass>) == 16);

class TimedRefTest : public CallsTest {
 protected:
  // How long a call waits that nobody answers.
  template <typename C>
  absl::Duration TimeOf(C call) {
    const MonotonicTime began = executor_->clock().Now();
    EXPECT_THAT(std::move(call).Wait(),
                StatusIs(absl::StatusCode::kDeadlineExceeded));
    return executor_->clock().Now() - began;
  }

  Gate::Ref gate_ = Spawn<Gate>();
};

TEST_P(TimedRefTest, ItsCallsHaveItsTime) {
  const auto timed = gate_.WithTimeout(absl::Milliseconds(50));
  EXPECT_EQ(timed.timeout(), absl::Milliseconds(50));
  EXPECT_EQ(TimeOf(timed.Call<Pass>()), absl::Milliseconds(50));
  EXPECT_EQ(TimeOf(gate_.Call<Pass>()), absl::Seconds(5));
}

TEST_P(TimedRefTest, WithinOverridesIt) {
  const auto timed = gate_.WithTimeout(absl::Milliseconds(50));
  EXPECT_EQ(TimeOf(timed.Call<Pass>().Within(absl::Seconds(2))),
            absl::Seconds(2));
}

TEST_P(TimedRefTest, TakesItsTimeToASubset) {
  const TimedRef<Pass, Open> both(gate_, absl::Milliseconds(50));
  const TimedRef<Pass> one = both;
  EXPECT_EQ(one, both);
  EXPECT_EQ(TimeOf(one.Call<Pass>()), absl::Milliseconds(50));
}

TEST_P(TimedRefTest, AsAnActorRefItHasTheSystems) {
  const auto timed = gate_.WithTimeout(absl::Milliseconds(50));
  const ActorRef<Pass> plain = timed;
  EXPECT_EQ(TimeOf(plain.Call<Pass>()), absl::Seconds(5));
  const MonotonicTime began = executor_->clock().Now();
  EXPECT_THAT(CallAll<Pass>(std::vector<TimedRef<Pass>>{timed}).Wait()[0],
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(executor_->clock().Now() - began, absl::Seconds(5));
}

TEST_P(TimedRefTest, AnyTimeIsKept) {
  for (const absl::Duration time :
       {absl::InfiniteDuration(), absl::ZeroDuration(),
        absl::Nanoseconds(-1)}) {
    EXPECT_EQ(gate_.WithTimeout(time).timeout(), time);
  }
  EXPECT_EQ(TimeOf(gate_.WithTimeout(absl::Nanoseconds(-1)).Call<Pass>()),
            absl::ZeroDuration());
}

TEST_P(TimedRefTest, HoldsInATask) {
  const auto timed = gate_.WithTimeout(absl::Milliseconds(50));
  absl::StatusOr<int> outcome = 0;
  Spawn().Send<Play>(
      [&]() -> Task<void> { outcome = co_await timed.Call<Pass>(); });
  executor_->RunFor(absl::Milliseconds(60));
  EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_P(TimedRefTest, SendsAsAnActorRefDoes) {
  const auto timed = gate_.WithTimeout(absl::Minutes(1));
  auto passing = timed.Call<Pass>().Start();
  executor_->RunUntilIdle();
  timed.Send<Open>();
  EXPECT_THAT(std::move(passing).Wait(), IsOkAndHolds(1));
}

INSTANTIATE_TEST_SUITE_P(Seeds, TimedRefTest, SomeSeeds());

}  // namespace
}  // namespace troupe::internal
