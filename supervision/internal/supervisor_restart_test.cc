// How often and when children are restarted, what happens to a restart that is
// under way, and when the supervisor gives up.
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
const Intensity kMany = {.restarts = 100};
const Intensity kOneInTenSeconds = {.restarts = 1, .within = absl::Seconds(10)};

std::vector<ChildRules> Three() {
  return {kPermanentRules, kPermanentRules, kPermanentRules};
}

ChildRules WithBackoff() {
  return {.restart = kPermanent,
          .backoff = RestartBackoff{.initial = absl::Seconds(1),
                                    .max = absl::Seconds(3),
                                    .factor = 2,
                                    .jitter = 0,
                                    .reset_after = absl::Seconds(60)}};
}

// ---- Clause 29: intensity, in a sliding window, then escalation

TEST(SupervisorRestartTest, OneRestartTooManyGivesUp) {
  TestShell shell({.intensity = kOneInTenSeconds}, Three());
  shell.StartAll();
  shell.Fails(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0"));
  shell.Started(0);
  shell.Pass(absl::Seconds(10));
  // Failures of all children count together.
  shell.Fails(1);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("report 1: give_up after 0 restarts, in 0", "stop 2"));
  EXPECT_TRUE(shell.machine.ending());
  shell.Stopped(2);
  shell.Stopped(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("stop 0",
                          "finished: gave_up, child 1, 2 failures within 10s"));
}

TEST(SupervisorRestartTest, RestartsOfLongAgoDoNotCount) {
  TestShell shell({.intensity = kOneInTenSeconds}, {kPermanentRules});
  shell.StartAll();
  for (int i = 0; i < 5; ++i) {
    shell.Fails(0);
    EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0"));
    shell.Started(0);
    shell.Pass(absl::Seconds(10) + absl::Nanoseconds(1));
  }
}

TEST(SupervisorRestartTest, GroupRestartCountsOnce) {
  TestShell shell({.strategy = kOneForAll, .intensity = kOneInTenSeconds},
                  Three());
  shell.StartAll();
  shell.Fails(1);
  shell.Stopped(2);
  shell.Stopped(0);
  for (ChildKey child : {0, 1, 2}) shell.Started(child);
  EXPECT_FALSE(shell.machine.ending());
  shell.Fails(1);
  EXPECT_TRUE(shell.machine.ending());
}

TEST(SupervisorRestartTest, FailedRestartsCount) {
  TestShell shell({.intensity = {.restarts = 2}}, {kPermanentRules});
  shell.StartAll();
  shell.Fails(0);
  shell.NotStarted(0);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("report 0: restart after 0 restarts, in 0", "start 0",
                  "report 0: restart after 1 restarts, in 0", "start 0"));
  shell.NotStarted(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("report 0: give_up after 2 restarts, in 0",
                          "finished: gave_up, child 0, 3 failures within 0"));
}

TEST(SupervisorRestartTest, NewIntensityIsForTheNextFailure) {
  TestShell shell({.intensity = kOneInTenSeconds}, {kPermanentRules});
  shell.StartAll();
  shell.Fails(0);
  shell.Started(0);
  shell.machine.SetIntensity({.restarts = 2, .within = absl::Seconds(10)});
  shell.Fails(0);
  EXPECT_FALSE(shell.machine.ending());
  shell.Started(0);
  shell.Fails(0);
  EXPECT_TRUE(shell.machine.ending());
}

TEST(SupervisorRestartTest, ClockThatJumpsIsBelieved) {
  TestShell shell({.intensity = kOneInTenSeconds}, {kPermanentRules});
  shell.StartAll();
  shell.Fails(0);
  shell.Started(0);
  shell.Pass(absl::Hours(1000));
  shell.Fails(0);
  EXPECT_FALSE(shell.machine.ending());
}

TEST(SupervisorRestartTest, ClockThatRunsBackIsNot) {
  TestShell shell({}, {{.shutdown = Shutdown::Within(absl::Seconds(1))}});
  shell.StartAll();
  shell.Pass(absl::Hours(1));
  const MonotonicTime latest = shell.now;
  shell.now = MonotonicTime();
  shell.Terminate(0, 1);
  EXPECT_EQ(shell.machine.next_wake(), latest + absl::Seconds(1));
}

TEST(SupervisorRestartTest, GivingUpKeepsItsCauseWhenAskedToEnd) {
  TestShell shell({.intensity = {.restarts = 0}}, Three());
  shell.StartAll();
  shell.Fails(2);
  shell.machine.Shutdown(shell.now);
  shell.Stopped(1);
  shell.Stopped(0);
  EXPECT_THAT(shell.TakeActions(),
              ElementsAre("stop 1", "stop 0",
                          "finished: gave_up, child 2, 1 failures within 0"));
}

// ---- Clause 29: exponential backoff; intensity counts failures in a row

TEST(SupervisorRestartTest, BackoffDelaysTheStart) {
  TestShell shell({.intensity = kMany}, {WithBackoff()});
  shell.StartAll();
  shell.Fails(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("report 0: restart after 0 restarts, in 1s"));
  EXPECT_EQ(shell.machine.status(0), ChildStatus::kWaiting);
  EXPECT_EQ(shell.machine.next_wake(), shell.now + absl::Seconds(1));
  shell.Pass(absl::Seconds(1));
  EXPECT_THAT(shell.Take(), ElementsAre("start 0"));
  shell.NotStarted(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("report 0: restart after 1 restarts, in 2s"));
  shell.Pass(absl::Seconds(2));
  shell.NotStarted(0);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("start 0", "report 0: restart after 2 restarts, in 3s"));
}

TEST(SupervisorRestartTest, FailuresInARowGiveUpHoweverLongTheyTake) {
  TestShell shell({.intensity = kOneInTenSeconds},
                  {WithBackoff(), WithBackoff()});
  shell.StartAll();
  shell.Fails(0);
  shell.Fails(1);  // Has a count of its own.
  shell.Pass(absl::Seconds(3));
  shell.Started(0);
  shell.Pass(absl::Seconds(59));
  EXPECT_FALSE(shell.machine.ending());
  shell.Take();
  shell.Fails(0);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("report 0: give_up after 1 restarts, in 0", "stop 1"));
  shell.NotStarted(1);
  EXPECT_THAT(shell.Take(),
              ElementsAre("finished: gave_up, child 0, 2 failures within inf"));
}

TEST(SupervisorRestartTest, LongRunBeginsANewRowOfFailures) {
  TestShell shell({.intensity = kOneInTenSeconds}, {WithBackoff()});
  shell.StartAll();
  for (int i = 0; i < 3; ++i) {
    shell.Fails(0);
    EXPECT_EQ(shell.machine.next_wake(), shell.now + absl::Seconds(1));
    shell.Pass(absl::Seconds(1));
    shell.Started(0);
    shell.Pass(absl::Seconds(60));
  }
  EXPECT_FALSE(shell.machine.ending());
}

TEST(SupervisorRestartTest, BackoffDoesNotUseUpTheIntensityOfOthers) {
  TestShell shell({.intensity = kOneInTenSeconds},
                  {WithBackoff(), kPermanentRules});
  shell.StartAll();
  shell.Fails(0);
  shell.Fails(1);
  EXPECT_FALSE(shell.machine.ending());
}

TEST(SupervisorRestartTest, GroupWaitsForTheDelayInItsPlace) {
  TestShell shell({.strategy = kOneForAll},
                  {kPermanentRules, WithBackoff(), kPermanentRules});
  shell.StartAll();
  shell.Fails(1);
  shell.Stopped(2);
  shell.Stopped(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 2", "stop 0", "start 0"));
  shell.Started(0);
  EXPECT_THAT(shell.Take(), IsEmpty());
  shell.Pass(absl::Seconds(1));
  EXPECT_THAT(shell.Take(), ElementsAre("start 1"));
  shell.Started(1);
  EXPECT_THAT(shell.Take(), ElementsAre("start 2"));
}

TEST(SupervisorRestartTest, ShutdownDoesNotWaitForADelay) {
  TestShell shell({}, {WithBackoff()});
  shell.StartAll();
  shell.Fails(0);
  shell.machine.Shutdown(shell.now);
  EXPECT_THAT(shell.TakeActions(),
              ElementsAre("finished: asked, child -1, 0 failures within 0"));
  EXPECT_EQ(shell.machine.next_wake(), MonotonicTime::InfiniteFuture());
}

// ---- What happens during a restart of many

TEST(SupervisorRestartTest, EndOfAChildThatIsToStopIsNoNewFailure) {
  TestShell shell({.strategy = kOneForAll}, Three());
  shell.StartAll();
  shell.Fails(2);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 1"));
  // Before it was asked to.
  shell.Fails(0);
  EXPECT_THAT(shell.Take(),
              ElementsAre("report 0: none after 0 restarts, in 0"));
  shell.Stopped(1);
  EXPECT_THAT(shell.Take(), ElementsAre("start 0"));
  EXPECT_FALSE(shell.machine.ending());
}

TEST(SupervisorRestartTest, FailureBeforeTheRestExtendsIt) {
  TestShell shell({.strategy = kRestForOne, .intensity = kMany}, Three());
  shell.StartAll();
  shell.Fails(1);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 2"));
  shell.Fails(0);
  EXPECT_THAT(shell.TakeActions(), IsEmpty());
  shell.Stopped(2);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0"));
  shell.Started(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 1"));
}

TEST(SupervisorRestartTest, StartedChildThatFailsTakesTheRestDownAgain) {
  TestShell shell({.strategy = kRestForOne, .intensity = kMany}, Three());
  shell.StartAll();
  shell.Fails(0);
  shell.Stopped(2);
  shell.Stopped(1);
  shell.Started(0);
  EXPECT_THAT(shell.TakeActions(),
              ElementsAre("stop 2", "stop 1", "start 0", "start 1"));
  shell.Fails(0);
  // The start that is under way is cut short.
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 1"));
  shell.NotStarted(1);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0"));
}

// OTP tries again from the child that could not be started.
TEST(SupervisorRestartTest, FailedStartInTheRestIsTriedFromThere) {
  TestShell shell({.strategy = kRestForOne, .intensity = kMany}, Three());
  shell.StartAll();
  shell.Fails(0);
  shell.Stopped(2);
  shell.Stopped(1);
  shell.Started(0);
  shell.Take();
  shell.NotStarted(1);
  EXPECT_THAT(
      shell.Take(),
      ElementsAre("report 1: restart_rest after 1 restarts, in 0", "start 1"));
}

// OTP stops those that it had started already, and tries again with all.
TEST(SupervisorRestartTest, FailedStartInOneForAllBeginsAnew) {
  TestShell shell({.strategy = kOneForAll, .intensity = kMany}, Three());
  shell.StartAll();
  shell.Fails(0);
  shell.Stopped(2);
  shell.Stopped(1);
  shell.Started(0);
  shell.Take();
  shell.NotStarted(1);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 0"));
  shell.Stopped(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0"));
}

TEST(SupervisorRestartTest, ShutdownDuringARestartStartsNobodyElse) {
  TestShell shell({.strategy = kOneForAll}, Three());
  shell.StartAll();
  shell.Fails(1);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 2"));
  shell.machine.Shutdown(shell.now);
  EXPECT_THAT(shell.TakeActions(), IsEmpty());
  shell.Stopped(2);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 0"));
  shell.Stopped(0);
  EXPECT_THAT(shell.TakeActions(),
              ElementsAre("finished: asked, child -1, 0 failures within 0"));
}

TEST(SupervisorRestartTest, FailureDuringTheFirstStartIsARestart) {
  TestShell shell({.strategy = kOneForAll}, Three());
  shell.machine.Start(shell.now);
  shell.Started(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0", "start 1"));
  shell.Fails(0);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("stop 1"));
  shell.NotStarted(1);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0"));
  shell.Started(0);
  shell.Started(1);
  shell.Started(2);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 1", "start 2", "ready"));
}

TEST(SupervisorRestartTest, SlowStartOfOneBlocksNoOtherRestart) {
  TestShell shell({.strategy = kOneForOne, .intensity = kMany}, Three());
  shell.StartAll();
  shell.Fails(0);
  shell.Fails(2);
  EXPECT_THAT(shell.TakeActions(), ElementsAre("start 0", "start 2"));
}

}  // namespace
}  // namespace troupe::internal
