// Clause 30: what admin operations are answered, and when.
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
#include "troupe/supervision/internal/supervisor_machine.h"
#include "troupe/supervision/internal/supervisor_testing.h"
#include "troupe/supervision/strategy.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = ExitReason::Kind;

const ChildRules kPermanentRules = {.restart = kPermanent};
const ChildRules kTemporaryRules = {.restart = kTemporary};

// ---- start_child

TEST(SupervisorAdminTest, StartChildIsAnsweredWhenItHasStarted) {
  TestShell shell({});
  shell.StartAll();
  const ChildKey child = shell.machine.Add(kPermanentRules);
  shell.StartChild(child, 7);
  EXPECT_THAT(shell.Take(), ElementsAre("start 0"));
  shell.Started(child);
  EXPECT_THAT(shell.Take(), ElementsAre("answer 7 about 0: done"));
}

// OTP drops the spec, and the failure is not the supervisor's.
TEST(SupervisorAdminTest, FailedStartChildIsForgottenAndDoesNotCount) {
  TestShell shell({.intensity = {.restarts = 0}});
  shell.StartAll();
  shell.StartChild(shell.machine.Add(kPermanentRules), 7);
  shell.Take();
  shell.NotStarted(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("report 0: forget after 0 restarts, in 0",
                          "answer 7 about 0: start_failed", "forget 0"));
  EXPECT_FALSE(shell.machine.ending());
  EXPECT_EQ(shell.machine.size(), 0);
}

TEST(SupervisorAdminTest, StartChildDoesNotWaitForARestart) {
  TestShell shell({.strategy = kOneForAll}, {kPermanentRules, kPermanentRules});
  shell.StartAll();
  shell.Fails(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 1"));
  shell.StartChild(shell.machine.Add(kPermanentRules), 7);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 2"));
  shell.Started(2);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("answer 7 about 2: done"));
}

// The caller hears of the start that succeeds in the end.
TEST(SupervisorAdminTest, StartChildThatIsCutShortStartsWithItsSiblings) {
  TestShell shell({.strategy = kOneForAll}, {kPermanentRules});
  shell.StartAll();
  shell.StartChild(shell.machine.Add(kPermanentRules), 7);
  shell.Fails(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 1", "stop 1"));
  shell.NotStarted(1);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0"));
  shell.Started(0);
  shell.Started(1);
  EXPECT_THAT(shell.TakeActions(),
              ElementsAre("start 1", "answer 7 about 1: done"));
}

TEST(SupervisorAdminTest, TemporaryStartThatIsCutShortIsAnswered) {
  TestShell shell({.strategy = kOneForAll}, {kPermanentRules});
  shell.StartAll();
  shell.StartChild(shell.machine.Add(kTemporaryRules), 7);
  shell.Fails(0);
  shell.NotStarted(1);
  EXPECT_THAT(shell.TakeActions(),
              ElementsAre("start 1", "stop 1", "answer 7 about 1: stopped",
                          "forget 1", "start 0"));
}

// ---- terminate_child

TEST(SupervisorAdminTest, TerminateIsAnsweredAtTheEndAndKeepsTheChild) {
  TestShell shell({}, {kPermanentRules});
  shell.StartAll();
  shell.Terminate(0, 1);
  shell.Terminate(0, 2);
  EXPECT_THAT(shell.Take(), ElementsAre("stop 0"));
  shell.Stopped(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("answer 1 about 0: done", "answer 2 about 0: done"));
  EXPECT_EQ(shell.machine.status(0), ChildStatus::kIdle);
  shell.Terminate(0, 3);
  EXPECT_THAT(shell.Take(), ElementsAre("answer 3 about 0: done"));
}

TEST(SupervisorAdminTest, CrashOfATerminatedChildIsReportedNotRestarted) {
  TestShell shell({}, {kPermanentRules});
  shell.StartAll();
  shell.Terminate(0, 1);
  shell.Fails(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("stop 0", "report 0: none after 0 restarts, in 0",
                          "answer 1 about 0: done"));
}

TEST(SupervisorAdminTest, TerminateKillsWhenTheLimitHasPassed) {
  TestShell shell({}, {{.shutdown = Shutdown::Within(absl::Seconds(1))}});
  shell.StartAll();
  shell.Terminate(0, 1);
  shell.Pass(absl::Seconds(1));
  EXPECT_THAT(shell.Take(), ElementsAre("stop 0", "kill 0"));
}

TEST(SupervisorAdminTest, TerminateForgetsTemporaryChildren) {
  TestShell shell({}, {kTemporaryRules});
  shell.StartAll();
  shell.Terminate(0, 1);
  shell.Stopped(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("stop 0", "answer 1 about 0: done", "forget 0"));
}

TEST(SupervisorAdminTest, TerminateForgetsDynamicChildren) {
  TestShell shell({.strategy = kDynamic}, {kPermanentRules});
  shell.StartAll();
  shell.Terminate(0, 1);
  shell.Stopped(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("stop 0", "answer 1 about 0: done", "forget 0"));
}

TEST(SupervisorAdminTest, TerminateCancelsADelayedRestart) {
  TestShell shell({.intensity = {.restarts = 9}},
                  {{.backoff = RestartBackoff{.jitter = 0}}});
  shell.StartAll();
  shell.Fails(0);
  shell.Terminate(0, 1);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("answer 1 about 0: done"));
  shell.Pass(absl::Hours(1));
  EXPECT_THAT(shell.Take(), IsEmpty());
}

TEST(SupervisorAdminTest, TerminateTakesAChildOutOfARestart) {
  TestShell shell({.strategy = kOneForAll}, {kPermanentRules, kPermanentRules});
  shell.StartAll();
  shell.Fails(0);
  shell.Terminate(1, 1);
  shell.Stopped(1);
  EXPECT_THAT(shell.TakeActions(),
              ElementsAre("stop 1", "answer 1 about 1: done", "start 0"));
  shell.Started(0);
  EXPECT_THAT(shell.TakeActions(), IsEmpty());
}

TEST(SupervisorAdminTest, TerminateCutsAFirstStartShort) {
  TestShell shell({}, {kPermanentRules, kPermanentRules});
  shell.machine.Start(shell.now);
  shell.Terminate(0, 1);
  // The next one need not wait.
  EXPECT_THAT(shell.Take(), ElementsAre("start 0", "stop 0", "start 1"));
  shell.NotStarted(0);
  shell.Started(1);
  EXPECT_THAT(shell.Take(), ElementsAre("answer 1 about 0: done", "ready"));
}

// ---- restart_child

TEST(SupervisorAdminTest, RestartStartsAnIdleChild) {
  TestShell shell({}, {kPermanentRules});
  shell.StartAll();
  shell.Terminate(0, 1);
  shell.Stopped(0);
  shell.Take();
  shell.Restart(0, 2);
  EXPECT_THAT(shell.Take(), ElementsAre("start 0"));
  shell.Started(0);
  EXPECT_THAT(shell.Take(), ElementsAre("answer 2 about 0: done"));
  EXPECT_EQ(shell.machine.restarts(0), 0);
}

TEST(SupervisorAdminTest, RestartThatFailsLeavesTheChildIdle) {
  TestShell shell({.intensity = {.restarts = 0}}, {kPermanentRules});
  shell.StartAll();
  shell.Terminate(0, 1);
  shell.Stopped(0);
  shell.Restart(0, 2);
  shell.Take();
  shell.NotStarted(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("report 0: leave after 0 restarts, in 0",
                          "answer 2 about 0: start_failed"));
  EXPECT_EQ(shell.machine.status(0), ChildStatus::kIdle);
  EXPECT_FALSE(shell.machine.ending());
}

// As part of its siblings' restart the next start is an ordinary one again.
TEST(SupervisorAdminTest, FailedRestartIsForgottenByTheNextStart) {
  TestShell shell({.strategy = kOneForAll, .intensity = {.restarts = 9}},
                  {kPermanentRules, kPermanentRules});
  shell.StartAll();
  shell.Terminate(0, 1);
  shell.Stopped(0);
  shell.Restart(0, 2);
  shell.NotStarted(0);
  shell.Fails(1);
  shell.Take();
  shell.NotStarted(0);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("report 0: restart_all after 1 restarts, in 0", "start 0"));
}

TEST(SupervisorAdminTest, RestartAndDeleteRefuseARunningChild) {
  TestShell shell({}, {kPermanentRules});
  shell.StartAll();
  shell.Restart(0, 1);
  shell.Delete(0, 2);
  EXPECT_THAT(shell.Take(), ElementsAre("answer 1 about 0: running",
                                        "answer 2 about 0: running"));
}

TEST(SupervisorAdminTest, RestartAndDeleteRefuseAChildThatComesBack) {
  TestShell shell({.strategy = kOneForAll},
                  {kPermanentRules, kPermanentRules, kPermanentRules});
  shell.StartAll();
  shell.Fails(2);
  shell.Take();
  for (ChildKey child : {0, 1, 2}) {  // To be stopped, stopping, waiting.
    shell.Restart(child, 10 + child);
    shell.Delete(child, 20 + child);
  }
  EXPECT_THAT(shell.Take(), ElementsAre("answer 10 about 0: restarting",
                                        "answer 20 about 0: restarting",
                                        "answer 11 about 1: restarting",
                                        "answer 21 about 1: restarting",
                                        "answer 12 about 2: restarting",
                                        "answer 22 about 2: restarting"));
}

// OTP handles one call after the other.
TEST(SupervisorAdminTest, RestartWaitsForATerminationUnderWay) {
  TestShell shell({}, {kPermanentRules});
  shell.StartAll();
  shell.Terminate(0, 1);
  shell.Restart(0, 2);
  shell.Delete(0, 3);
  EXPECT_THAT(shell.Take(), ElementsAre("stop 0"));
  shell.Stopped(0);
  EXPECT_THAT(shell.Take(), ElementsAre("answer 1 about 0: done", "start 0",
                                        "answer 3 about 0: restarting"));
  shell.Started(0);
  EXPECT_THAT(shell.Take(), ElementsAre("answer 2 about 0: done"));
}

TEST(SupervisorAdminTest, LaterTerminateTakesBackARestart) {
  TestShell shell({}, {kPermanentRules});
  shell.StartAll();
  shell.Terminate(0, 1);
  shell.Restart(0, 2);
  shell.Terminate(0, 3);
  EXPECT_THAT(shell.Take(), ElementsAre("stop 0", "answer 2 about 0: stopped"));
  shell.Stopped(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("answer 1 about 0: done", "answer 3 about 0: done"));
}

// ---- delete_child

TEST(SupervisorAdminTest, DeleteForgetsAnIdleChild) {
  TestShell shell({}, {kPermanentRules});
  shell.StartAll();
  shell.Terminate(0, 1);
  shell.Delete(0, 2);
  shell.Restart(0, 3);
  shell.Stopped(0);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("stop 0", "answer 1 about 0: done", "answer 2 about 0: done",
                  "answer 3 about 0: no_such_child", "forget 0"));
}

TEST(SupervisorAdminTest, KeyIsUsedAgainOnceForgetWasTaken) {
  TestShell shell({}, {kTemporaryRules, kTemporaryRules});
  shell.StartAll();
  shell.Stopped(0);
  EXPECT_EQ(shell.machine.Add(kPermanentRules), 2);
  shell.Take();
  EXPECT_EQ(shell.machine.Add(kPermanentRules), 0);
  EXPECT_EQ(shell.machine.next(2), 0);
  EXPECT_EQ(shell.machine.next(0), kNoChild);
}

// As OTP's {error, simple_one_for_one}.
TEST(SupervisorAdminTest, DynamicChildrenAreNeitherRestartedNorDeleted) {
  TestShell shell({.strategy = kDynamic}, {kPermanentRules});
  shell.StartAll();
  shell.Restart(0, 1);
  shell.Delete(0, 2);
  EXPECT_THAT(shell.Take(), ElementsAre("answer 1 about 0: not_dynamic",
                                        "answer 2 about 0: not_dynamic"));
}

// ---- While the supervisor ends

TEST(SupervisorAdminTest, NothingIsBegunWhileTheSupervisorEnds) {
  TestShell shell({}, {kPermanentRules});
  shell.StartAll();
  shell.machine.Shutdown(shell.now);
  shell.Take();
  shell.Terminate(0, 1);
  shell.Restart(0, 2);
  shell.Delete(0, 3);
  shell.StartChild(shell.machine.Add(kPermanentRules), 4);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("answer 1 about 0: ending", "answer 2 about 0: ending",
                  "answer 3 about 0: ending", "answer 4 about 1: ending",
                  "forget 1"));
}

TEST(SupervisorAdminTest, WhoWaitedIsAnsweredBeforeTheEnd) {
  TestShell shell({}, {kPermanentRules});
  shell.StartAll();
  shell.StartChild(shell.machine.Add(kPermanentRules), 1);
  shell.Terminate(0, 2);
  shell.Restart(0, 3);
  shell.machine.Shutdown(shell.now);
  EXPECT_THAT(shell.Take(), ElementsAre("start 1", "stop 0", "stop 1"));
  shell.NotStarted(1);
  shell.Stopped(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("answer 1 about 1: ending", "answer 2 about 0: done",
                          "answer 3 about 0: ending",
                          "finished: asked, child -1, 0 failures within 0"));
}

}  // namespace
}  // namespace troupe::internal
