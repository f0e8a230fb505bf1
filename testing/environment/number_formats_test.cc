// What a program sets for the numbers of a thread or of the process: how
// floating-point operations round, and how numbers are written.
#include <locale.h>

#include <cfenv>
#include <cstdint>
#include <locale>
#include <memory>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call.h"
#include "troupe/actor/run_blocking.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/internal/thread_testing.h"
#include "troupe/testing/environment/environment_testing.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::testing {
namespace {

using ::testing::Contains;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;

struct AskRounding {
  using Reply = int;
};
struct AskPoolsRounding {
  using Reply = int;
};
struct Hold {
  Event* begun;
  Event* go_on;
};

class Rounder : public Actor<AskRounding, AskPoolsRounding, Hold> {
 public:
  int Handle(AskRounding) { return std::fegetround(); }
  Task<int> Handle(AskPoolsRounding) {
    std::fesetround(FE_UPWARD);
    auto asked = RunBlocking(&std::fegetround);
    const absl::StatusOr<int> rounding = co_await std::move(asked);
    co_return rounding.value();
  }
  void Handle(Hold m) {
    std::fesetround(FE_UPWARD);
    m.begun->Set();
    EXPECT_TRUE(m.go_on->WaitWithTimeout(absl::InfiniteDuration()));
    std::fesetround(FE_TONEAREST);
  }
};

TEST(NumberFormatsTest, ThreadsDoNotRoundAsTheirMakersDo) {
  std::fesetround(FE_UPWARD);
  const auto system = ActorSystem::Create({.workers = 1}).value();
  const auto pinned =
      system->Spawn<Rounder>({.dedicated_thread = true}).value();
  const auto rounder = system->Spawn<Rounder>().value();
  std::fesetround(FE_TONEAREST);
  EXPECT_THAT(rounder.Call<AskRounding>().Wait(), IsOkAndHolds(FE_TONEAREST));
  EXPECT_THAT(pinned.Call<AskRounding>().Wait(), IsOkAndHolds(FE_TONEAREST));
}

// The thread of the pool is made by the handler's.
TEST(NumberFormatsTest, BlockingWorkDoesNotRoundAsItsHandler) {
  const auto system = ActorSystem::Create({.workers = 1}).value();
  const auto rounder = system->Spawn<Rounder>().value();
  EXPECT_THAT(rounder.Call<AskPoolsRounding>().Wait(),
              IsOkAndHolds(FE_TONEAREST));
}

// The worker goes on with another thread, while the handler blocks that rounds
// its own way.
TEST(NumberFormatsTest, WorkerThatIsLentRoundsAsUsual) {
  const auto system = ActorSystem::Create({.workers = 1}).value();
  const auto holder = system->Spawn<Rounder>().value();
  const auto rounder = system->Spawn<Rounder>().value();
  Event begun, go_on;
  holder.Send<Hold>(&begun, &go_on);
  ASSERT_TRUE(begun.WaitWithTimeout(absl::InfiniteDuration()));
  EXPECT_THAT(
      rounder.Call<AskRounding>().Within(absl::InfiniteDuration()).Wait(),
      IsOkAndHolds(FE_TONEAREST));
  go_on.Set();
  EXPECT_THAT(system->Shutdown(), IsOk());  // Before the events go.
}

// Groups digits in twos and has a comma for a point, as no locale of the system
// need be installed for.
class OddNumbers : public std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\2"; }
};

struct GoWrong {};
class Failing : public Actor<GoWrong> {
 public:
  absl::Status Handle(GoWrong) { return absl::InternalError("on purpose"); }
};

TEST(NumberFormatsTest, MessagesIgnoreTheGlobalLocale) {
  EXPECT_EXIT(
      RunAsChild([] {
        std::locale::global(
            std::locale(std::locale::classic(), new OddNumbers));
        std::ostringstream written;
        written << 123456;
        ASSERT_EQ(written.str(), "12.34.56");

        troupe::internal::RecordingSink log;
        const auto system =
            ActorSystem::Create({.workers = 2, .logger = Logger(&log)}).value();
        AnyActorRef last;
        for (int i = 0; i < 10'000; ++i) {
          const auto adder = system->Spawn<Adder>().value();
          last = adder;
        }
        std::string digits = last.ToString();
        EXPECT_THAT(digits, ::testing::MatchesRegex("actor #[0-9]+"));
        EXPECT_THAT(last.id().value(), ::testing::Ge(10'000));
        const auto failing = system->Spawn<Failing>().value();
        failing.Send<GoWrong>();
        EXPECT_THAT(failing.Wait(), IsOk());
        EXPECT_THAT(log.messages(),
                    Contains(HasSubstr(failing.id().ToString() + " failed")));
        // 2500 ms, in words.
        Event begun, go_on;
        const auto holder = system->Spawn<Rounder>().value();
        holder.Send<Hold>(&begun, &go_on);
        ASSERT_TRUE(begun.WaitWithTimeout(absl::InfiniteDuration()));
        EXPECT_THAT(
            holder.Call<AskRounding>().Within(absl::Microseconds(2500)).Wait(),
            StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("2.5ms")));
        go_on.Set();
        EXPECT_THAT(system->Shutdown(), IsOk());
      }),
      ExitedWithCode(0), "");
}

}  // namespace
}  // namespace troupe::testing
