// Holds for threads, where waiting takes its time, as for the deterministic
// executor, where it plays.
#include "troupe/testing/probe.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::VariantWith;

struct Ping {
  int round;
};
struct Pong {
  int round;
  friend bool operator==(const Pong&, const Pong&) = default;
};
struct Boxed {
  std::unique_ptr<int> number;  // Can only be moved.
};
struct Lookup {
  std::string key;
  using Reply = int;
};
struct Api : Protocol<Ping, Pong, Boxed, Lookup> {};

constexpr absl::Duration kMoment = absl::Milliseconds(5);

// Answers a Ping after `delay`.
class Player : public Actor<Ping> {
 public:
  Player(ActorRef<Pong> other, absl::Duration delay)
      : other_(other), delay_(delay) {}

  void Handle(Ping m) { SendAfter<Pong>(other_, delay_, m.round); }

 private:
  const ActorRef<Pong> other_;
  const absl::Duration delay_;
};

struct Answered {
  absl::StatusOr<int> outcome;
};
// Asks `server` for each key, and tells `listener` what it says.
struct Ask {
  std::string key;
};
class Asker : public Actor<Ask> {
 public:
  Asker(ActorRef<Lookup> server, ActorRef<Answered> listener)
      : server_(server), listener_(listener) {}

  Task<void> Handle(Ask m) {
    absl::StatusOr<int> outcome = co_await server_.Call<Lookup>(m.key);
    listener_.Send<Answered>(std::move(outcome));
  }

 private:
  const ActorRef<Lookup> server_;
  const ActorRef<Answered> listener_;
};

class ProbeTest : public ::testing::TestWithParam<bool> {
 protected:
  static std::unique_ptr<ActorSystem> MakeSystem() {
    if (GetParam()) return ActorSystem::Create({.workers = 2}).value();
    return ActorSystem::CreateOn(std::make_unique<DeterministicExecutor>(
                                     DeterministicExecutor::Options()),
                                 {});
  }

  const std::unique_ptr<ActorSystem> system_ = MakeSystem();
};

TEST_P(ProbeTest, HandsOutWhatItIsSent) {
  Probe<Api> probe(*system_);
  const ActorRef<Pong, Boxed> ref = probe.ref();
  ref.Send<Pong>(1);
  ref.Send<Boxed>(std::make_unique<int>(2));
  EXPECT_THAT(probe.Expect<Pong>(), IsOkAndHolds(Pong{1}));
  const absl::StatusOr<Boxed> boxed = probe.Expect<Boxed>();
  ASSERT_THAT(boxed, IsOk());
  EXPECT_EQ(*boxed->number, 2);
}

TEST_P(ProbeTest, WaitsForWhatComesLater) {
  Probe<Pong> probe(*system_);
  const auto player =
      system_->Spawn<Player>(probe.ref(), absl::Milliseconds(20)).value();
  player.Send<Ping>(7);
  EXPECT_THAT(probe.Expect<Pong>(), IsOkAndHolds(Pong{7}));
}

TEST_P(ProbeTest, RefusesWhatIsOfAnotherType) {
  Probe<Api> probe(*system_, "court");
  probe.ref().Send<Ping>(1);
  probe.ref().Send<Pong>(2);
  ASSERT_THAT(probe.Expect<Ping>(), IsOkAndHolds(Field(&Ping::round, 1)));
  EXPECT_THAT(
      probe.Expect<Ping>(),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr("probe 'court': expected "),
                     HasSubstr("Ping within 10s, got "), HasSubstr("Pong at "),
                     HasSubstr("; before: "), HasSubstr("Ping at "))));
  // It is still there.
  EXPECT_THAT(probe.Expect<Pong>(), IsOkAndHolds(Pong{2}));
}

TEST_P(ProbeTest, SaysThatNothingCame) {
  Probe<Api> probe(*system_);
  EXPECT_THAT(probe.Expect<Pong>(kMoment),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       AllOf(HasSubstr("Pong within 5ms, nothing came until"),
                             Not(HasSubstr("ended")))));
  EXPECT_THAT(probe.Next(kMoment),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       HasSubstr("expected a message within 5ms, nothing")));
}

TEST_P(ProbeTest, SaysThatItWasStopped) {
  Probe<Pong> probe(*system_);
  EXPECT_THAT(probe.ref().StopAndWait(), IsOk());
  EXPECT_THAT(probe.Expect<Pong>(kMoment),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       HasSubstr("the probe's actor has ended")));
}

TEST_P(ProbeTest, ExpectsNothingForAsLongAsAsked) {
  Probe<Pong> probe(*system_);
  const MonotonicTime before = system_->executor().clock().Now();
  EXPECT_THAT(probe.ExpectNothing(kMoment), IsOk());
  EXPECT_GE(system_->executor().clock().Now(), before + kMoment);
}

TEST_P(ProbeTest, SaysWhatCameWhereNothingShould) {
  Probe<Pong> probe(*system_);
  const auto player = system_->Spawn<Player>(probe.ref(), kMoment).value();
  player.Send<Ping>(3);
  EXPECT_THAT(probe.ExpectNothing(Probe<Pong>::kPatience),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("expected nothing within 10s, got "),
                             HasSubstr("Pong at "))));
  EXPECT_THAT(probe.Expect<Pong>(), IsOkAndHolds(Pong{3}));
}

TEST_P(ProbeTest, SkipsToWhatIsLookedFor) {
  Probe<Api> probe(*system_);
  for (int i = 0; i < 3; ++i) probe.ref().Send<Ping>(i);
  probe.ref().Send<Pong>(4);
  probe.ref().Send<Ping>(5);
  EXPECT_THAT(probe.SkipTo<Pong>(), IsOkAndHolds(Pong{4}));
  // On threads the last one may come later than that.
  absl::Status skipped;
  do {
    skipped = probe.SkipTo<Pong>(kMoment).status();
    ASSERT_THAT(skipped, StatusIs(absl::StatusCode::kDeadlineExceeded));
  } while (!absl::StrContains(skipped.message(), "; before: "));
  EXPECT_THAT(skipped.message(), HasSubstr("Ping at"));
  EXPECT_THAT(probe.ExpectNothing(kMoment), IsOk());
}

// Or it would never end where more comes than it can drop. The wait, which
// ends in the past, is as one that has dropped for that long.
TEST(SkippingProbeTest, TakesNothingThatCameTooLate) {
  auto owned =
      std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options());
  DeterministicExecutor& executor = *owned;
  const auto system = ActorSystem::CreateOn(std::move(owned), {});
  Probe<Api> probe(*system);
  probe.ref().Send<Ping>(1);
  executor.RunFor(absl::Seconds(2));
  probe.ref().Send<Pong>(2);
  executor.RunUntilIdle();
  EXPECT_THAT(probe.SkipTo<Pong>(absl::Seconds(-1)),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       AllOf(HasSubstr("got "), HasSubstr("Pong at 2s"),
                             HasSubstr("; before: "), HasSubstr("Ping at 0"))));
  EXPECT_THAT(probe.Expect<Pong>(), IsOkAndHolds(Pong{2}));
}

TEST_P(ProbeTest, HandsOutTheNextWhateverItIs) {
  Probe<Api> probe(*system_);
  probe.ref().Send<Pong>(1);
  probe.ref().Send<Ping>(2);
  EXPECT_THAT(probe.Next(), IsOkAndHolds(VariantWith<Pong>(Pong{1})));
  EXPECT_THAT(probe.Next(),
              IsOkAndHolds(VariantWith<Ping>(Field(&Ping::round, 2))));
}

TEST_P(ProbeTest, NamesSomeOfMany) {
  Probe<Pong> probe(*system_);
  for (int i = 0; i < 10; ++i) probe.ref().Send<Pong>(i);
  ASSERT_THAT(probe.ref().DrainAndWait(), IsOk());  // All have come.
  EXPECT_THAT(probe.ExpectNothing(kMoment).message(),
              AllOf(HasSubstr("; behind it: "), HasSubstr(", and 2 more")));
}

TEST_P(ProbeTest, AnswersRequestsAsTheTestSays) {
  Probe<Lookup> server(*system_);
  Probe<Answered> listener(*system_);
  const auto asker =
      system_->Spawn<Asker>(server.ref(), listener.ref()).value();
  asker.Send<Ask>("troupe");
  absl::StatusOr<ReceivedRequest<Lookup>> asked = server.Expect<Lookup>();
  ASSERT_THAT(asked, IsOk());
  EXPECT_EQ(asked->message.key, "troupe");
  EXPECT_TRUE(asked->reply.Send(42));
  EXPECT_THAT(listener.Expect<Answered>(),
              IsOkAndHolds(Field(&Answered::outcome, IsOkAndHolds(42))));
}

TEST_P(ProbeTest, CancelsRequestsThatTheTestDrops) {
  Probe<Lookup> server(*system_);
  Probe<Answered> listener(*system_);
  const auto asker =
      system_->Spawn<Asker>(server.ref(), listener.ref()).value();
  asker.Send<Ask>("troupe");
  EXPECT_THAT(server.Expect<Lookup>(), IsOk());  // And drops it.
  EXPECT_THAT(listener.Expect<Answered>(),
              IsOkAndHolds(Field(&Answered::outcome,
                                 StatusIs(absl::StatusCode::kCancelled))));
}

TEST_P(ProbeTest, EndsItsActor) {
  ActorRef<Pong> ref;
  {
    Probe<Pong> probe(*system_);
    ref = probe.ref();
    EXPECT_NE(ref.status(), ActorStatus::kStopped);
  }
  EXPECT_THAT(ref.Wait(), IsOk());
}

INSTANTIATE_TEST_SUITE_P(Executors, ProbeTest, ::testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Threads" : "Deterministic";
                         });

}  // namespace
}  // namespace troupe::testing
