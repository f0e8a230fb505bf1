// Who is started, stopped and restarted, and in which order.
#include "troupe/supervision/internal/supervisor_machine.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/base/clock.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_status.h"
#include "troupe/supervision/internal/child_table.h"
#include "troupe/supervision/internal/supervisor_command.h"
#include "troupe/supervision/internal/supervisor_testing.h"
#include "troupe/supervision/strategy.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = ExitReason::Kind;

const ChildRules kPermanentRules = {.restart = kPermanent};
const ChildRules kTransientRules = {.restart = kTransient};
const ChildRules kTemporaryRules = {.restart = kTemporary};
const Intensity kMany = {.restarts = 100};

std::vector<ChildRules> Three(const ChildRules& rules = kPermanentRules) {
  return {rules, rules, rules};
}

// ---- Clause 29: start in order, stop in reverse

TEST(SupervisorMachineTest, EachStartWaitsForTheOneBefore) {
  TestShell shell({}, Three());
  shell.machine.Start(shell.now);
  EXPECT_THAT(shell.Take(), ElementsAre("start 0"));
  shell.Started(0);
  EXPECT_THAT(shell.Take(), ElementsAre("start 1"));
  shell.Started(1);
  EXPECT_THAT(shell.Take(), ElementsAre("start 2"));
  shell.Started(2);
  EXPECT_THAT(shell.Take(), ElementsAre("ready"));
  EXPECT_EQ(shell.machine.status(1), ChildStatus::kRunning);
}

TEST(SupervisorMachineTest, IsReadyAtOnceWithoutChildren) {
  TestShell shell({});
  shell.machine.Start(shell.now);
  EXPECT_THAT(shell.Take(), ElementsAre("ready"));
}

TEST(SupervisorMachineTest, ShutdownStopsInReverseOneByOne) {
  TestShell shell({}, Three());
  shell.StartAll();
  shell.machine.Shutdown(shell.now);
  EXPECT_THAT(shell.Take(), ElementsAre("stop 2"));
  shell.Stopped(2);
  EXPECT_THAT(shell.Take(), ElementsAre("stop 1"));
  shell.Stopped(1);
  EXPECT_THAT(shell.Take(), ElementsAre("stop 0"));
  shell.Stopped(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("finished: asked, child -1, 0 failures within 0"));
}

TEST(SupervisorMachineTest, DynamicChildrenStopAllAtOnce) {
  TestShell shell({.strategy = kDynamic}, Three());
  shell.StartAll();
  shell.machine.Shutdown(shell.now);
  EXPECT_THAT(shell.Take(), ElementsAre("stop 2", "stop 1", "stop 0"));
  shell.Stopped(1);
  shell.Stopped(2);
  EXPECT_THAT(shell.Take(), IsEmpty());
  shell.Stopped(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("finished: asked, child -1, 0 failures within 0"));
}

TEST(SupervisorMachineTest, ShutdownCutsAStartShort) {
  TestShell shell({}, Three());
  shell.machine.Start(shell.now);
  shell.Started(0);
  shell.Take();
  shell.machine.Shutdown(shell.now);
  EXPECT_THAT(shell.Take(), ElementsAre("stop 1"));
  shell.NotStarted(1);
  EXPECT_THAT(shell.Take(), ElementsAre("stop 0"));
  shell.Stopped(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("finished: asked, child -1, 0 failures within 0"));
}

// Started all the same: its end is still to come.
TEST(SupervisorMachineTest, StartThatSucceedsDuringShutdownIsWaitedFor) {
  TestShell shell({}, {kPermanentRules});
  shell.machine.Start(shell.now);
  shell.machine.Shutdown(shell.now);
  EXPECT_THAT(shell.Take(), ElementsAre("start 0", "stop 0"));
  shell.Started(0);
  EXPECT_THAT(shell.Take(), IsEmpty());
  shell.Stopped(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("finished: asked, child -1, 0 failures within 0"));
}

// As OTP's start_link: the error names the child, and the others have ended.
TEST(SupervisorMachineTest, FailedFirstStartEndsTheSupervisor) {
  TestShell shell({.intensity = kMany}, Three());
  shell.machine.Start(shell.now);
  shell.Started(0);
  shell.NotStarted(1);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("start 0", "start 1",
                  "report 1: start_failed after 0 restarts, in 0", "stop 0"));
  shell.Stopped(0);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("finished: start_failed, child 1, 0 failures within 0"));
}

// ---- Clause 29: brutal kill, time limit, infinity

TEST(SupervisorMachineTest, BrutalShutdownKillsAtOnce) {
  TestShell shell({}, {{.shutdown = Shutdown::Brutal()}});
  shell.StartAll();
  shell.machine.Shutdown(shell.now);
  EXPECT_THAT(shell.Take(), ElementsAre("kill 0"));
  EXPECT_EQ(shell.machine.next_wake(), MonotonicTime::InfiniteFuture());
  shell.Ended(0, Kind::kKilled);
  EXPECT_THAT(shell.Take(),
              ElementsAre("finished: asked, child -1, 0 failures within 0"));
}

TEST(SupervisorMachineTest, LimitThatPassesKillsOnce) {
  TestShell shell({}, {{.shutdown = Shutdown::Within(absl::Seconds(2))}});
  shell.StartAll();
  shell.machine.Shutdown(shell.now);
  EXPECT_THAT(shell.Take(), ElementsAre("stop 0"));
  EXPECT_EQ(shell.machine.next_wake(), shell.now + absl::Seconds(2));
  shell.Pass(absl::Seconds(2) - absl::Nanoseconds(1));
  EXPECT_THAT(shell.Take(), IsEmpty());
  shell.Pass(absl::Hours(1));
  EXPECT_THAT(shell.Take(), ElementsAre("kill 0"));
  shell.Pass(absl::Hours(1));
  EXPECT_THAT(shell.Take(), IsEmpty());
  shell.Ended(0, Kind::kKilled);
  EXPECT_THAT(shell.Take(),
              ElementsAre("report 0: none after 0 restarts, in 0",
                          "finished: asked, child -1, 0 failures within 0"));
}

TEST(SupervisorMachineTest, InfiniteShutdownWaits) {
  TestShell shell({}, {{.shutdown = Shutdown::Infinite()}});
  shell.StartAll();
  shell.machine.Shutdown(shell.now);
  EXPECT_THAT(shell.Take(), ElementsAre("stop 0"));
  EXPECT_EQ(shell.machine.next_wake(), MonotonicTime::InfiniteFuture());
}

TEST(SupervisorMachineTest, NoTimeToStopIsDueAtOnce) {
  TestShell shell({}, {{.shutdown = Shutdown::Within(absl::ZeroDuration())}});
  shell.StartAll();
  shell.machine.Shutdown(shell.now);
  EXPECT_THAT(shell.Take(), ElementsAre("stop 0"));
  EXPECT_EQ(shell.machine.next_wake(), shell.now);
  shell.Pass(absl::ZeroDuration());
  EXPECT_THAT(shell.Take(), ElementsAre("kill 0"));
}

// ---- Clause 29: permanent, transient, temporary

TEST(SupervisorMachineTest, PermanentChildIsRestartedWhateverEndsIt) {
  for (const Kind kind : {Kind::kNormal, Kind::kShutdown, Kind::kDrained,
                          Kind::kKilled, Kind::kFailed}) {
    TestShell shell({}, {kPermanentRules});
    shell.StartAll();
    shell.Ended(0, kind);
    EXPECT_THAT(
        shell.Take(),
        ElementsAre("report 0: restart after 0 restarts, in 0", "start 0"));
    EXPECT_EQ(shell.machine.restarts(0), 1);
  }
}

TEST(SupervisorMachineTest, TransientChildStaysEndedIfItEndsGracefully) {
  for (const Kind kind : {Kind::kNormal, Kind::kShutdown, Kind::kDrained}) {
    TestShell shell({}, {kTransientRules});
    shell.StartAll();
    shell.Ended(0, kind);
    EXPECT_THAT(shell.Take(),
                ElementsAre("report 0: leave after 0 restarts, in 0"));
    EXPECT_EQ(shell.machine.status(0), ChildStatus::kIdle);
  }
  for (const Kind kind : {Kind::kKilled, Kind::kFailed}) {
    TestShell shell({}, {kTransientRules});
    shell.StartAll();
    shell.Ended(0, kind);
    EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0"));
  }
}

TEST(SupervisorMachineTest, TemporaryChildIsForgottenWhateverEndsIt) {
  for (const Kind kind : {Kind::kNormal, Kind::kKilled, Kind::kFailed}) {
    TestShell shell({}, {kTemporaryRules});
    shell.StartAll();
    shell.Ended(0, kind);
    EXPECT_THAT(
        shell.Take(),
        ElementsAre("report 0: forget after 0 restarts, in 0", "forget 0"));
    EXPECT_EQ(shell.machine.size(), 0);
  }
}

// OTP's simple_one_for_one keeps no spec of a child that is done.
TEST(SupervisorMachineTest, DynamicTransientChildIsForgottenWhenDone) {
  TestShell shell({.strategy = kDynamic}, {kTransientRules});
  shell.StartAll();
  shell.Fails(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0"));
  shell.Started(0);
  shell.Ended(0, Kind::kNormal);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("forget 0"));
}

// ---- Clause 29: the strategies

TEST(SupervisorMachineTest, OneForOneRestartsTheOneThatFailed) {
  TestShell shell({.strategy = kOneForOne}, Three());
  shell.StartAll();
  shell.Fails(1);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("report 1: restart after 0 restarts, in 0", "start 1"));
  shell.Started(1);
  EXPECT_THAT(shell.Take(), IsEmpty());
}

TEST(SupervisorMachineTest, OneForAllStopsInReverseAndStartsInOrder) {
  TestShell shell({.strategy = kOneForAll}, Three());
  shell.StartAll();
  shell.Fails(1);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("report 1: restart_all after 0 restarts, in 0", "stop 2"));
  shell.Stopped(2);
  EXPECT_THAT(shell.Take(), ElementsAre("stop 0"));
  shell.Stopped(0);
  EXPECT_THAT(shell.Take(), ElementsAre("start 0"));
  shell.Started(0);
  EXPECT_THAT(shell.Take(), ElementsAre("start 1"));
  shell.Started(1);
  EXPECT_THAT(shell.Take(), ElementsAre("start 2"));
  shell.Started(2);
  EXPECT_THAT(shell.Take(), IsEmpty());
  EXPECT_EQ(shell.machine.restarts(0), 1);
}

TEST(SupervisorMachineTest, RestForOneLeavesAloneWhoCameBefore) {
  TestShell shell({.strategy = kRestForOne}, Three());
  shell.StartAll();
  shell.Fails(1);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 2"));
  shell.Stopped(2);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 1"));
  shell.Started(1);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 2"));
  EXPECT_EQ(shell.machine.restarts(0), 0);
}

// OTP starts all of the group, as terminate_child's "can later be restarted by
// the supervisor" says.
TEST(SupervisorMachineTest, GroupRestartStartsThoseThatWereIdle) {
  TestShell shell({.strategy = kOneForAll}, {kTransientRules, kPermanentRules});
  shell.StartAll();
  shell.Ended(0, Kind::kNormal);
  shell.Take();
  shell.Fails(1);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0"));
  shell.Started(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 1"));
}

TEST(SupervisorMachineTest, GroupRestartForgetsTemporaryChildren) {
  TestShell shell({.strategy = kOneForAll},
                  {kPermanentRules, kTemporaryRules, kPermanentRules});
  shell.StartAll();
  shell.Fails(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 2"));
  shell.Stopped(2);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 1"));
  shell.Stopped(1);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("forget 1", "start 0"));
  shell.Started(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 2"));
}

TEST(SupervisorMachineTest, GroupRestartKeepsToTheLimitOfEachChild) {
  TestShell shell({.strategy = kRestForOne},
                  {kPermanentRules,
                   {.shutdown = Shutdown::Brutal()},
                   {.shutdown = Shutdown::Within(absl::Seconds(1))}});
  shell.StartAll();
  shell.Fails(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 2"));
  shell.Pass(absl::Seconds(1));
  EXPECT_THAT(shell.TakeActions(), ElementsAre("kill 2"));
  shell.Ended(2, Kind::kKilled);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("kill 1"));
  shell.Ended(1, Kind::kKilled);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0"));
}

// ---- A child's death before its start returned

TEST(SupervisorMachineTest, DeathBeforeTheStartReturnedIsARestart) {
  TestShell shell({}, {kPermanentRules, kPermanentRules});
  shell.machine.Start(shell.now);
  shell.Fails(0);
  EXPECT_THAT(shell.Take(), ElementsAre("start 0"));
  shell.Started(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("report 0: restart after 0 restarts, in 0", "start 0",
                          "start 1"));
}

TEST(SupervisorMachineTest, DeathBeforeAFailedStartIsTheFailedStart) {
  TestShell shell({}, {kPermanentRules});
  shell.machine.Start(shell.now);
  shell.Fails(0);
  shell.NotStarted(0);
  EXPECT_THAT(
      shell.TakeActions(),
      ElementsAre("start 0",
                  "finished: start_failed, child 0, 0 failures within 0"));
}

// ---- Clause 29: significant children and auto-shutdown, as OTP

ChildRules Significant(Restart restart) {
  return {.restart = restart, .significant = true};
}

TEST(SupervisorMachineTest, AnySignificantEndEndsTheSupervisor) {
  TestShell shell(
      {.auto_shutdown = kAnySignificant},
      {kPermanentRules, Significant(kTransient), Significant(kTransient)});
  shell.StartAll();
  shell.Ended(1, Kind::kNormal);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("report 1: auto_shutdown after 0 restarts, in 0", "stop 2"));
  shell.Stopped(2);
  shell.Stopped(0);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("stop 0",
                  "finished: auto_shutdown, child 1, 0 failures within 0"));
}

TEST(SupervisorMachineTest, AllSignificantWaitsForTheLastOne) {
  TestShell shell({.auto_shutdown = kAllSignificant},
                  {Significant(kTransient), Significant(kTemporary)});
  shell.StartAll();
  shell.Ended(0, Kind::kNormal);
  EXPECT_THAT(shell.TakeActions(), IsEmpty());
  shell.Fails(1);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("report 1: auto_shutdown after 0 restarts, in 0",
                  "finished: auto_shutdown, child 1, 0 failures within 0"));
}

TEST(SupervisorMachineTest, SignificantChildThatIsRestartedEndsNothing) {
  TestShell shell({.auto_shutdown = kAnySignificant},
                  {Significant(kTransient)});
  shell.StartAll();
  shell.Fails(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0"));
}

// Not when the supervisor itself has ended the child.
TEST(SupervisorMachineTest, SignificantEndThatWasAskedForEndsNothing) {
  TestShell shell({.strategy = kOneForAll, .auto_shutdown = kAnySignificant},
                  {kPermanentRules, Significant(kTemporary)});
  shell.StartAll();
  shell.Fails(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 1"));
  shell.Stopped(1);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("forget 1", "start 0"));
}

TEST(SupervisorMachineTest, OrdinaryEndLeavesTheSupervisorAlone) {
  TestShell shell({.auto_shutdown = kAnySignificant}, {kTransientRules});
  shell.StartAll();
  shell.Ended(0, Kind::kNormal);
  EXPECT_THAT(shell.TakeActions(), IsEmpty());
  EXPECT_FALSE(shell.machine.ending());
}

// ---- The strategy is replaced

TEST(SupervisorMachineTest, NewStrategyIsForTheNextFailure) {
  TestShell shell({.strategy = kOneForAll, .intensity = kMany}, Three());
  shell.StartAll();
  shell.Fails(0);
  shell.machine.SetStrategy(kOneForOne);
  shell.Stopped(2);
  shell.Stopped(1);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 2", "stop 1", "start 0"));
  shell.Started(0);
  shell.Fails(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 1", "start 0"));
}

TEST(SupervisorMachineDeathTest, DynamicCannotBecomeAnotherStrategy) {
  TestShell shell({.strategy = kDynamic});
  EXPECT_DEATH(shell.machine.SetStrategy(kOneForOne),
               "dynamic children have no order");
}

TEST(SupervisorMachineDeathTest, EndWithoutAnInstanceIsAMistake) {
  TestShell shell({}, {kTransientRules});
  shell.StartAll();
  shell.Stopped(0);
  EXPECT_DEATH(shell.Stopped(0), "ends once for each time it started");
  EXPECT_DEATH(shell.Started(0), "answered once for each time");
}

}  // namespace
}  // namespace troupe::internal
