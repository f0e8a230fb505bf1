// What supervisors do about their children (§27, §29).
#include "troupe/supervision/supervisor.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/internal/supervision_testing.h"
#include "troupe/supervision/strategy.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Ask;
using internal::Hurt;
using internal::Journal;
using internal::Leave;
using internal::PlayUntil;
using internal::Throw;
using internal::Worker;
using internal::WorkerApi;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class SupervisorTest : public internal::SystemTest {
 protected:
  // A Spec with workers a, b and c.
  Supervisor::Spec Workers(Strategy strategy, Restart restart = kPermanent) {
    Supervisor::Spec spec{.name = "bank", .strategy = strategy};
    a_ = spec.Add<Worker>({.id = "a", .restart = restart}, std::ref(journal_),
                          "a");
    b_ = spec.Add<Worker>({.id = "b", .restart = restart}, std::ref(journal_),
                          "b");
    c_ = spec.Add<Worker>({.id = "c", .restart = restart}, std::ref(journal_),
                          "c");
    return spec;
  }
  SupervisorRef Start(Supervisor::Spec spec) {
    SupervisorRef bank = Supervisor::Start(*system_, std::move(spec)).value();
    AwaitEntries(3);
    EXPECT_THAT(journal_.entries(), ElementsAre("+a", "+b", "+c"));
    journal_.Clear();
    return bank;
  }
  void AwaitEntries(size_t count) {
    PlayUntil(*system_, [&] { return journal_.entries().size() >= count; });
  }

  Journal journal_;
  ChildRef<WorkerApi> a_, b_, c_;
  std::unique_ptr<ActorSystem> system_ = MakeSystem();
};

INSTANTIATE_TEST_SUITE_P(Executors, SupervisorTest, internal::AllExecutors());

TEST_P(SupervisorTest, StopsInReverseOrder) {
  const SupervisorRef bank = Start(Workers(kOneForOne));
  EXPECT_THAT(bank.StopAndWait(), IsOk());
  EXPECT_THAT(journal_.entries(), ElementsAre("-c", "-b", "-a"));
  EXPECT_TRUE(system_->AwaitNoActors());
}

TEST_P(SupervisorTest, OneForOneRestartsTheFailedChildAlone) {
  Start(Workers(kOneForOne));
  const ActorRef<WorkerApi> before = b_.ref();
  b_.Send<Hurt>(absl::DataLossError("torn"));
  AwaitEntries(2);
  EXPECT_THAT(journal_.entries(), ElementsAre("-b", "+b"));
  PlayUntil(*system_, [&] { return !b_.ref().IsNull(); });
  EXPECT_NE(b_.ref(), before);
  EXPECT_THAT(before.Call<Ask>().Wait(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(b_.Call<Ask>().Wait(), IsOkAndHolds(1));
}

TEST_P(SupervisorTest, OneForAllRestartsAll) {
  Start(Workers(kOneForAll));
  b_.Send<Throw>();
  AwaitEntries(6);
  EXPECT_THAT(journal_.entries(),
              ElementsAre("-b", "-c", "-a", "+a", "+b", "+c"));
}

TEST_P(SupervisorTest, RestForOneRestartsThoseBehind) {
  Start(Workers(kRestForOne));
  b_.Send<Hurt>(absl::DataLossError("torn"));
  AwaitEntries(4);
  EXPECT_THAT(journal_.entries(), ElementsAre("-b", "-c", "+b", "+c"));
  EXPECT_THAT(a_.Call<Ask>().Wait(), IsOkAndHolds(1));
}

TEST_P(SupervisorTest, PermanentChildIsRestartedAfterANormalEnd) {
  Start(Workers(kOneForOne, kPermanent));
  a_.Send<Leave>();
  AwaitEntries(2);
  EXPECT_THAT(journal_.entries(), ElementsAre("-a", "+a"));
}

TEST_P(SupervisorTest, TransientChildIsRestartedAfterAFailureOnly) {
  const SupervisorRef bank = Start(Workers(kOneForOne, kTransient));
  a_.Send<Leave>();
  b_.ref().Kill();
  AwaitEntries(3);
  PlayUntil(*system_, [&] {
    return bank.Call<GetChild>("a").Wait()->status == ChildStatus::kIdle;
  });
  EXPECT_EQ(journal_.CountOf("+a"), 0u);
  EXPECT_EQ(journal_.CountOf("+b"), 1u);
  // It stays in the list, and can be restarted.
  EXPECT_THAT(bank.Call<RestartChild>("a").Wait(), IsOk());
  EXPECT_THAT(a_.Call<Ask>().Wait(), IsOkAndHolds(1));
}

TEST_P(SupervisorTest, TemporaryChildIsForgotten) {
  const SupervisorRef bank = Start(Workers(kOneForOne, kTemporary));
  a_.Send<Hurt>(absl::DataLossError("torn"));
  AwaitEntries(1);
  PlayUntil(*system_,
            [&] { return bank.Call<CountChildren>().Wait()->specs == 2; });
  EXPECT_THAT(bank.Call<GetChild>("a").Wait(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("'a'")));
  EXPECT_THAT(a_.Call<Ask>().Wait(), StatusIs(absl::StatusCode::kNotFound));
}

// The default: more than one restart within 5 s.
TEST_P(SupervisorTest, GivesUpAfterTooManyRestarts) {
  internal::Endings endings(*system_);
  const SupervisorRef bank = Start(Workers(kOneForOne));
  a_.Send<Hurt>(absl::DataLossError("torn"));
  AwaitEntries(2);
  journal_.Clear();
  a_.Send<Hurt>(absl::DataLossError("torn again"));
  const ExitReason reason = endings.Await(bank);
  EXPECT_THAT(reason.status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("supervisor 'bank' gave up: 2 failures, "
                                       "where 1 in 5s are allowed"),
                             HasSubstr("child 'a'"), HasSubstr("torn again"))));
  // The others were stopped in order, not killed.
  EXPECT_THAT(journal_.entries(), ElementsAre("-a", "-c", "-b"));
  EXPECT_TRUE(system_->AwaitNoActors());
}

TEST_P(SupervisorTest, FailedFirstStartIsTheResult) {
  Supervisor::Spec spec = Workers(kOneForOne);
  spec.Add({.id = "d"}, [](StartContext&) -> absl::StatusOr<Worker::Ref> {
    return absl::UnavailableError("no disk");
  });
  EXPECT_THAT(Supervisor::Start(*system_, std::move(spec)),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("supervisor 'bank' cannot start child "
                                       "'d'"),
                             HasSubstr("no disk"))));
  EXPECT_TRUE(system_->AwaitNoActors());
  EXPECT_THAT(journal_.entries(),
              ElementsAre("+a", "+b", "+c", "-c", "-b", "-a"));
}

TEST_P(SupervisorTest, FunctionsWireSiblings) {
  Supervisor::Spec spec{.strategy = kRestForOne};
  a_ = spec.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  ActorRef<WorkerApi> seen;
  b_ = spec.Add({.id = "b"}, [&, a = a_](StartContext& start) {
    seen = a.ref();
    return start.Spawn<Worker>(std::ref(journal_), "b");
  });
  ASSERT_THAT(Supervisor::Start(*system_, std::move(spec)), IsOk());
  AwaitEntries(2);
  const ActorRef<WorkerApi> before = a_.ref();
  EXPECT_EQ(seen, before);
  a_.Send<Hurt>(absl::DataLossError("torn"));
  AwaitEntries(6);
  EXPECT_THAT(b_.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_NE(seen, before);
  EXPECT_EQ(seen, a_.ref());
}

TEST_P(SupervisorTest, StartMustReturnWhatItSpawned) {
  const Worker::Ref stranger =
      system_->Spawn<Worker>(std::ref(journal_), "stranger").value();
  Supervisor::Spec other;
  other.Add({.id = "a"}, [stranger](StartContext&) { return stranger; });
  EXPECT_THAT(Supervisor::Start(*system_, std::move(other)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("spawned no actor by its StartContext")));
  Supervisor::Spec both;
  both.Add({.id = "a"}, [&](StartContext& start) {
    EXPECT_THAT(start.Spawn<Worker>(std::ref(journal_), "first"), IsOk());
    return start.Spawn<Worker>(std::ref(journal_), "second");
  });
  EXPECT_THAT(Supervisor::Start(*system_, std::move(both)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("has spawned its actor already")));
  stranger.Stop();
  EXPECT_TRUE(system_->AwaitNoActors());
}

// §7: of any type.
TEST_P(SupervisorTest, StartThatThrowsIsAFailedStart) {
  Supervisor::Spec spec;
  spec.Add({.id = "a"},
           [](StartContext&) -> absl::StatusOr<Worker::Ref> { throw 3; });
  EXPECT_THAT(Supervisor::Start(*system_, std::move(spec)),
              StatusIs(absl::StatusCode::kUnknown, HasSubstr("child 'a'")));
  EXPECT_TRUE(system_->AwaitNoActors());
}

TEST_P(SupervisorTest, SpecThatMakesNoSenseIsRefused) {
  const auto start = [&](Supervisor::Spec spec) {
    return Supervisor::Start(*system_, std::move(spec)).status();
  };
  Supervisor::Spec no_id{.name = "bank"};
  no_id.Add<Worker>({}, std::ref(journal_), "a");
  EXPECT_THAT(start(std::move(no_id)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("'bank'"), HasSubstr("has no id"))));
  Supervisor::Spec twice;
  twice.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  twice.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  EXPECT_THAT(start(std::move(twice)),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("'a'")));
  Supervisor::Spec window{.intensity = {.restarts = -1}};
  EXPECT_THAT(start(std::move(window)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("restarts"), HasSubstr("-1"))));
  Supervisor::Spec significant;
  significant.Add<Worker>(
      {.id = "a", .restart = kTransient, .significant = true},
      std::ref(journal_), "a");
  EXPECT_THAT(
      start(std::move(significant)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("significant")));
  EXPECT_THAT(journal_.entries(), IsEmpty());
  EXPECT_TRUE(system_->AwaitNoActors());
}

TEST_P(SupervisorTest, SignificantChildEndsTheSupervisor) {
  internal::Endings endings(*system_);
  Supervisor::Spec spec{.auto_shutdown = kAnySignificant};
  spec.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  b_ = spec.Add<Worker>({.id = "b", .restart = kTransient, .significant = true},
                        std::ref(journal_), "b");
  const SupervisorRef bank =
      Supervisor::Start(*system_, std::move(spec)).value();
  b_.Send<Leave>();
  const ExitReason reason = endings.Await(bank);
  EXPECT_EQ(reason.kind(), ExitReason::Kind::kShutdown);
  EXPECT_THAT(reason.detail(), HasSubstr("significant child 'b'"));
  EXPECT_TRUE(system_->AwaitNoActors());
}

TEST_P(SupervisorTest, KilledSupervisorTakesItsChildrenAlong) {
  const SupervisorRef bank = Start(Workers(kOneForOne));
  EXPECT_THAT(bank.KillAndWait(), IsOk());
  EXPECT_THAT(journal_.entries(), UnorderedElementsAre("-a", "-b", "-c"));
  EXPECT_TRUE(system_->AwaitNoActors());
}

// -- starts that take their time

// Starts after others had a turn, or fails to.
class SlowStarter : public Actor<Ask> {
 public:
  SlowStarter(Journal& journal, int& failures)
      : journal_(journal), failures_(failures) {}
  ~SlowStarter() { journal_.Add("-slow"); }
  Task<absl::Status> PreStart() {
    (void)co_await Sleep(absl::Milliseconds(1));
    if (failures_ > 0) {
      --failures_;
      co_return absl::UnavailableError("not yet");
    }
    journal_.Add("+slow");
    co_return absl::OkStatus();
  }
  int Handle(Ask) { return 1; }

 private:
  Journal& journal_;
  int& failures_;
};

TEST_P(SupervisorTest, AwaitsAStartThatTakesItsTime) {
  int failures = 0;
  Supervisor::Spec spec;
  const auto slow = spec.Add<SlowStarter>({.id = "slow"}, std::ref(journal_),
                                          std::ref(failures));
  spec.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  const absl::StatusOr<SupervisorRef> bank =
      Supervisor::Start(*system_, std::move(spec));
  ASSERT_THAT(bank, IsOk());
  AwaitEntries(2);
  EXPECT_THAT(journal_.entries(), ElementsAre("+slow", "+a"));
  EXPECT_THAT(slow.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_THAT(bank->StopAndWait(), IsOk());
}

TEST_P(SupervisorTest, FailedSlowStartIsTheResult) {
  int failures = 1;
  Supervisor::Spec spec;
  spec.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  spec.Add<SlowStarter>({.id = "slow"}, std::ref(journal_), std::ref(failures));
  EXPECT_THAT(Supervisor::Start(*system_, std::move(spec)),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("not yet")));
  EXPECT_TRUE(system_->AwaitNoActors());
  EXPECT_EQ(journal_.CountOf("-a"), 1u);
}

// §29: failed restarts count, and are tried again.
TEST_P(SupervisorTest, FailedRestartIsTriedAgain) {
  int failures = 0;
  Supervisor::Spec spec{.intensity = {.restarts = 10}};
  const auto slow = spec.Add<SlowStarter>({.id = "slow"}, std::ref(journal_),
                                          std::ref(failures));
  const SupervisorRef bank =
      Supervisor::Start(*system_, std::move(spec)).value();
  failures = 3;
  slow.ref().Kill();
  EXPECT_THAT(slow.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_EQ(failures, 0);
  EXPECT_THAT(bank.StopAndWait(), IsOk());
}

TEST_P(SupervisorTest, AnswersWhileAChildKeepsFailingToRestart) {
  int failures = 0;
  Supervisor::Spec spec{.intensity = {.restarts = 1'000'000}};
  const auto slow = spec.Add<SlowStarter>({.id = "slow"}, std::ref(journal_),
                                          std::ref(failures));
  const SupervisorRef bank =
      Supervisor::Start(*system_, std::move(spec)).value();
  failures = 1'000'000;
  slow.ref().Kill();
  for (int i = 0; i < 10; ++i) {
    ASSERT_THAT(bank.Call<CountChildren>().Wait(), IsOk());
  }
  EXPECT_THAT(bank.StopAndWait(), IsOk());
  EXPECT_TRUE(system_->AwaitNoActors());
}

// -- trees

TEST_P(SupervisorTest, FailureEscalatesWithItsChainOfReasons) {
  internal::Endings endings(*system_);
  Supervisor::Spec tellers{.intensity = {.restarts = 0}};
  a_ = tellers.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  Supervisor::Spec spec{.name = "bank", .intensity = {.restarts = 0}};
  spec.Add({.id = "tellers"}, std::move(tellers));
  const SupervisorRef bank =
      Supervisor::Start(*system_, std::move(spec)).value();
  a_.Send<Hurt>(absl::DataLossError("torn"));
  EXPECT_THAT(endings.Await(bank).status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("supervisor 'bank' gave up"),
                             HasSubstr("supervisor 'bank/tellers' gave up"),
                             HasSubstr("child 'a'"), HasSubstr("torn"))));
}

TEST_P(SupervisorTest, RestartedSupervisorStartsItsChildrenAgain) {
  Supervisor::Spec tellers{.intensity = {.restarts = 0}};
  a_ = tellers.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  Supervisor::Spec spec{.name = "bank"};
  spec.Add({.id = "tellers"}, std::move(tellers));
  const SupervisorRef bank =
      Supervisor::Start(*system_, std::move(spec)).value();
  a_.Send<Hurt>(absl::DataLossError("torn"));
  AwaitEntries(3);
  EXPECT_THAT(journal_.entries(), ElementsAre("+a", "-a", "+a"));
  PlayUntil(*system_, [&] { return !a_.ref().IsNull(); });
  EXPECT_THAT(a_.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_THAT(bank.StopAndWait(), IsOk());
}

TEST_P(SupervisorTest, AddressOutlivesARestartOfItsSupervisor) {
  Supervisor::Spec tellers{.intensity = {.restarts = 0}};
  a_ = tellers.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  Supervisor::Spec spec{.name = "bank"};
  spec.Add({.id = "tellers"}, std::move(tellers));
  const SupervisorRef bank =
      Supervisor::Start(*system_, std::move(spec)).value();
  const ActorRef<WorkerApi> address = a_;
  const AnyActorRef first = a_.ref();
  address.Send<Hurt>(absl::DataLossError("torn"));
  PlayUntil(*system_, [&] { return a_.ref() != first; });
  // The supervisor has failed, and perhaps not been started again.
  EXPECT_THAT(address.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_EQ(a_.address(), address);
  // It is terminated: nobody is expected back.
  EXPECT_THAT(bank.Call<TerminateChild>("tellers").Wait(), IsOk());
  EXPECT_THAT(address.Call<Ask>().Wait(),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(bank.Call<RestartChild>("tellers").Wait(), IsOk());
  EXPECT_THAT(address.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_THAT(bank.StopAndWait(), IsOk());
  EXPECT_TRUE(system_->AwaitNoActors());
}

}  // namespace
}  // namespace troupe
