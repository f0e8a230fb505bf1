// A coroutine whose waits are over before they begin lets others run; clause
// 19.
#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/call.h"
#include "troupe/actor/call_all.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/internal/queue_length.h"
#include "troupe/actor/request.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/stopped.h"
#include "troupe/actor/task.h"
#include "troupe/actor/when_any.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

// More than any test should need: a coroutine that never lets go would take
// them all.
constexpr int kTooMany = 100000;

struct Case {
  const char* name;
  // A wait that is over at once. `dead`: an actor that has ended.
  std::function<Task<void>(Gate::Ref dead)> wait;
};

const Case kCases[] = {
    {"Call",
     [](Gate::Ref dead) -> Task<void> {
       const absl::StatusOr<int> refused = co_await dead.Call<Pass>();
       EXPECT_THAT(refused, StatusIs(absl::StatusCode::kNotFound));
     }},
    {"StartedCall",
     [](Gate::Ref dead) -> Task<void> {
       StartedCall<Pass> call = dead.Call<Pass>().Start();
       const absl::StatusOr<int> refused = co_await std::move(call);
       EXPECT_THAT(refused, StatusIs(absl::StatusCode::kNotFound));
     }},
    {"CallAll",
     [](Gate::Ref dead) -> Task<void> {
       const std::vector<Gate::Ref> refs(2, dead);
       const auto refused = co_await CallAll<Pass>(refs);
       EXPECT_THAT(refused.at(1), StatusIs(absl::StatusCode::kNotFound));
     }},
    {"Ended",
     [](Gate::Ref dead) -> Task<void> {
       const auto reason = co_await Ended(dead);
       EXPECT_TRUE(reason.ok());
     }},
    {"QueueLength",
     [](Gate::Ref) -> Task<void> {
       const auto none = co_await QueueLength(AnyActorRef(), absl::Seconds(1));
       EXPECT_THAT(none, IsOkAndHolds(0));
     }},
    {"SendWhenReady",
     [](Gate::Ref dead) -> Task<void> {
       const absl::Status sent = co_await dead.SendWhenReady<Open>();
       EXPECT_THAT(sent, StatusIs(absl::StatusCode::kNotFound));
     }},
    {"Completion",
     [](Gate::Ref) -> Task<void> {
       auto [completer, completion] = MakeCompletion<int>();
       completer.Complete(1);
       const absl::StatusOr<int> completed = co_await std::move(completion);
       EXPECT_TRUE(completed.ok());
     }},
};

class PassesTest : public ::testing::TestWithParam<Case> {
 protected:
  PassesTest() : dead_(system_->Spawn<Gate>().value()) {
    EXPECT_TRUE(dead_.StopAndWait().ok());
  }
  Script::Ref Spawn() { return system_->Spawn<Script>().value(); }

  DeterministicExecutor* executor_ = new DeterministicExecutor({.workers = 1});
  std::unique_ptr<ActorSystem> system_ =
      ActorSystem::CreateOn(std::unique_ptr<Executor>(executor_), {});
  Gate::Ref dead_;
};

TEST_P(PassesTest, LetOthersRunBetween) {
  bool others_ran = false;
  int passes = 0;
  const auto other = Spawn();
  Spawn().Send<Play>([&]() -> Task<void> {
    other.Send<Do>([&] { others_ran = true; });
    while (!others_ran && passes < kTooMany) {
      ++passes;
      co_await GetParam().wait(dead_);
    }
  });
  executor_->RunUntilIdle();
  EXPECT_TRUE(others_ran);
  EXPECT_GT(passes, 0);
  EXPECT_LT(passes, kTooMany);
}

// Whatever comes between them: the coroutine, waiting or not, is gone.
TEST_P(PassesTest, KillEndsThem) {
  std::atomic<int> living{0};
  int passes = 0;
  const auto other = Spawn();
  const auto looping = Spawn();
  looping.Send<Play>([&]() -> Task<void> {
    const Tracked tracked(living);
    other.Send<Do>([&] { looping.Kill(); });
    while (passes < kTooMany) {
      ++passes;
      co_await GetParam().wait(dead_);
    }
  });
  executor_->RunUntilIdle();
  EXPECT_GT(passes, 0);
  EXPECT_LT(passes, kTooMany);
  EXPECT_EQ(living, 0);
  EXPECT_EQ(looping.status(), ActorStatus::kStopped);
}

INSTANTIATE_TEST_SUITE_P(Waits, PassesTest, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

class GivenUpPassesTest : public CallsTest {
 protected:
  // What the handler of a request waits for again and again, once that was
  // given up.
  using Wait = std::function<Task<void>(Request&)>;

  // Others run in between; returns how often it waited until then.
  int PassesUntilOthersRun(const Wait& wait) {
    const auto caller = Spawn();
    const auto callee = Spawn();
    bool others_ran = false;
    int passes = 0;
    const auto ask = [&](Request& request) -> Task<absl::StatusOr<int>> {
      co_await Stopped(request.stop_token());
      while (!others_ran && passes < kTooMany) {
        ++passes;
        co_await wait(request);
      }
      co_return 1;
    };
    caller.Send<Play>([&]() -> Task<void> {
      (void)co_await callee.Call<Ask>(ask).Within(absl::Hours(1));
    });
    executor_->RunUntilIdle();
    caller.Kill();
    const auto other = Spawn();
    Spawn().Send<Play>([&]() -> Task<void> {
      while (passes == 0) {
        const bool slept = co_await Sleep(absl::ZeroDuration());
        EXPECT_TRUE(slept);
      }
      other.Send<Do>([&] { others_ran = true; });
    });
    executor_->RunUntilIdle();
    EXPECT_TRUE(others_ran);
    EXPECT_EQ(callee.status(), ActorStatus::kRunning);
    return passes;
  }
};

// §23: a handler that was given up is told so by each of its waits, and goes on
// when others have run.
TEST_P(GivenUpPassesTest, LetOthersRunBetween) {
  const int passes = PassesUntilOthersRun([](Request& request) -> Task<void> {
    const bool slept = co_await Sleep(absl::Seconds(1));
    EXPECT_FALSE(slept);
    co_await Stopped(request.stop_token());
  });
  EXPECT_GT(passes, 0);
  EXPECT_LT(passes, kTooMany);
}

// The same, whichever of the waits is the one that lets them.
TEST_P(GivenUpPassesTest, StoppedLetsOthersRunBetween) {
  const int passes = PassesUntilOthersRun([](Request& request) -> Task<void> {
    co_await Stopped(request.stop_token());
  });
  EXPECT_GT(passes, 0);
  EXPECT_LT(passes, kTooMany);
}

// Beside what is over at once, too.
TEST_P(GivenUpPassesTest, StoppedAmongOthersLetsOthersRunBetween) {
  const int passes = PassesUntilOthersRun([](Request& request) -> Task<void> {
    (void)co_await WhenAny(Stopped(request.stop_token()),
                           Sleep(absl::Seconds(1)));
  });
  EXPECT_GT(passes, 0);
  EXPECT_LT(passes, kTooMany);
}

// A kill finds it where it lets others run.
TEST_P(GivenUpPassesTest, KillEndsStopped) {
  std::atomic<int> living{0};
  int passes = 0;
  const auto caller = Spawn();
  const auto callee = Spawn();
  const auto ask = [&](Request& request) -> Task<absl::StatusOr<int>> {
    const Tracked tracked(living);
    co_await Stopped(request.stop_token());
    while (passes < kTooMany) {
      if (++passes == 10) callee.Kill();
      co_await Stopped(request.stop_token());
    }
    co_return 1;
  };
  caller.Send<Play>([&]() -> Task<void> {
    (void)co_await callee.Call<Ask>(ask).Within(absl::Hours(1));
  });
  executor_->RunUntilIdle();
  caller.Kill();
  executor_->RunUntilIdle();
  EXPECT_GE(passes, 10);
  EXPECT_LT(passes, kTooMany);
  EXPECT_EQ(living, 0);
  EXPECT_EQ(callee.status(), ActorStatus::kStopped);
}

INSTANTIATE_TEST_SUITE_P(Seeds, GivenUpPassesTest, SomeSeeds());

}  // namespace
}  // namespace troupe::internal
