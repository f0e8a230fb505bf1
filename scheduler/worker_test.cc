#include "troupe/scheduler/worker.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/ownership.h"
#include "troupe/scheduler/internal/test_cell.h"
#include "troupe/scheduler/internal/worker_testing.h"
#include "troupe/scheduler/runnable.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// ---- order

TEST(WorkerTest, RunsWhatWasScheduledLastInFirstOut) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter a("a", notes), b("b", notes), c("c", notes);
  for (Noter* noter : {&a, &b, &c}) worker->Schedule(*noter);
  EXPECT_EQ(worker->ready(), 3u);
  RunAll(*worker);
  EXPECT_THAT(notes, ElementsAre("c", "b", "a"));
  EXPECT_EQ(worker->ready(), 0u);
  EXPECT_EQ(worker->turns(), 3u);
}

TEST(WorkerTest, RunsWhatYieldedFirstInFirstOutBehindTheRest) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter a("a", notes), b("b", notes), fresh("fresh", notes);
  a.turns_wanted = 2;
  worker->Yield(a);
  worker->Yield(b);
  worker->Schedule(fresh);
  RunAll(*worker);
  EXPECT_THAT(notes, ElementsAre("fresh", "a", "b", "a"));
}

TEST(WorkerTest, TellsTheOneInItsTurnFromTheReadyOnes) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter running("running", notes), ready("ready", notes);
  bool in_turn = false;
  bool ready_in_turn = true;
  running.during_turn = [&] {
    in_turn = Worker::IsInTurn(running);
    // Alone in the queue, where its link is that of a last one.
    ready_in_turn = Worker::IsInTurn(ready);
  };
  worker->Yield(running);
  worker->Yield(ready);
  EXPECT_FALSE(Worker::IsInTurn(running));
  RunAll(*worker);
  EXPECT_TRUE(in_turn);
  EXPECT_FALSE(ready_in_turn);
  EXPECT_FALSE(Worker::IsInTurn(running));
}

TEST(WorkerTest, ARunningRunnableCountsAsScheduled) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes);
  bool scheduled = false;
  noter.during_turn = [&] { scheduled = noter.IsScheduled(); };
  worker->Schedule(noter);
  RunAll(*worker);
  EXPECT_TRUE(scheduled);
  EXPECT_FALSE(noter.IsScheduled());
}

// Two that keep waking each other must not keep a third one waiting for ever.
TEST(WorkerTest, RunsTheOldestInTheQueueAfterABoundedNumberOfFreshTurns) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter ping("ping", notes), pong("pong", notes), patient("patient", notes);
  uint32_t turns_before = 0;
  patient.during_turn = [&] { turns_before = worker->turns() - 1; };
  ping.during_turn = [&] {
    if (turns_before == 0) worker->Schedule(pong);
  };
  pong.during_turn = [&] {
    if (turns_before == 0) worker->Schedule(ping);
  };
  worker->Yield(patient);
  worker->Schedule(ping);
  RunAll(*worker);
  EXPECT_EQ(turns_before, Worker::kMaxFreshTurns);
}

// One at the bottom of the stack, whose top is busy all the time.
TEST(WorkerTest, AFreshRunnableRunsAfterABoundedNumberOfTurnsToo) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter ping("ping", notes), pong("pong", notes), patient("patient", notes);
  uint32_t turns_before = 0;
  patient.during_turn = [&] { turns_before = worker->turns() - 1; };
  ping.during_turn = [&] {
    if (turns_before == 0) worker->Schedule(pong);
  };
  pong.during_turn = [&] {
    if (turns_before == 0) worker->Schedule(ping);
  };
  worker->Schedule(patient);
  worker->Schedule(ping);
  RunAll(*worker);
  // Twice, because the top of the stack moved to the queue in front of it.
  EXPECT_EQ(turns_before, 2 * Worker::kMaxFreshTurns + 1);
}

// Who makes much ready and yields comes again when all that has run: what it
// makes does not grow without end.
TEST(WorkerTest, AYielderGoesBehindMuchThatItMadeReady) {
  for (const bool much : {false, true}) {
    const int count = static_cast<int>(Worker::kMaxFreshTurns) + (much ? 1 : 0);
    IdleExecutor executor;
    const auto worker = MakeWorker(executor);
    std::vector<std::string> notes;
    std::vector<std::unique_ptr<Noter>> made;
    for (int i = 0; i < count; ++i) {
      made.push_back(std::make_unique<Noter>("made", notes));
      worker->Schedule(*made.back());
    }
    Noter yielder("yielder", notes), fresh("fresh", notes);
    worker->Yield(yielder);
    worker->Schedule(fresh);
    RunAll(*worker);
    EXPECT_EQ(notes.front(), "fresh");
    // The 128th turn from the stack is the last one before the queue's.
    EXPECT_EQ(notes[much ? count + 1 : count], "yielder");
    EXPECT_EQ(notes.size(), static_cast<size_t>(count) + 2);
  }
}

TEST(WorkerTest, TakesAnyOfTheReadyOnes) {
  // All ways to take 3 of 4, of which some are fresh and some are queued.
  for (int choice = 0; choice < 4 * 3 * 2; ++choice) {
    IdleExecutor executor;
    const auto worker = MakeWorker(executor);
    std::vector<std::string> notes;
    Noter a("a", notes), b("b", notes), c("c", notes), d("d", notes);
    worker->Yield(a);
    worker->Yield(b);
    worker->Schedule(d);
    worker->Schedule(c);
    std::vector<std::string> expected = {"a", "b", "c", "d"};
    std::vector<std::string> taken;
    int rest = choice;
    for (uint32_t ready = 4; ready > 1; --ready) {
      EXPECT_EQ(worker->ready(), ready);
      const uint32_t i = rest % ready;
      rest /= ready;
      Runnable& chosen = *worker->TakeReady(i);
      EXPECT_EQ(static_cast<Noter&>(chosen).name, expected[i]);
      expected.erase(expected.begin() + i);
      chosen.queue_next = nullptr;
    }
    RunAll(*worker);
    EXPECT_EQ(notes, expected);
  }
}

// ---- deliveries

TEST(WorkerTest, RunsWhatWasDeliveredInOrder) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter a("a", notes), b("b", notes), c("c", notes);
  for (Noter* noter : {&a, &b, &c}) worker->Deliver(*noter);
  EXPECT_TRUE(worker->HasDeliveries());
  RunAll(*worker);
  EXPECT_THAT(notes, ElementsAre("a", "b", "c"));
}

TEST(WorkerTest, WhatWantsNoTurnIsOnlyReceived) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes);
  noter.wants_turn = false;
  worker->Deliver(noter);
  RunAll(*worker);
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_TRUE(OwnerTag::SameOwner(noter.owner.load(), worker->tag()));
}

TEST(WorkerTest, ArrivalRaisesTheEpochAndLeavesAStaleTag) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes);
  const uint64_t before = worker->tag();
  worker->Deliver(noter);
  RunAll(*worker);
  EXPECT_EQ(worker->tag(), OwnerTag::NextEpoch(before));
  EXPECT_EQ(noter.owner.load(), OwnerTag::Stale(before));
}

// Who returns to its seat sees by one comparison that it has not lost it.
TEST(WorkerTest, TagIsAboveThoseWithoutAWorker) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  EXPECT_TRUE(OwnerTag::IsOfWorker(worker->tag()));
  EXPECT_FALSE(OwnerTag::IsOfWorker(OwnerTag::kUnowned));
  EXPECT_FALSE(OwnerTag::IsOfWorker(OwnerTag::kNoSeat));
  EXPECT_FALSE(OwnerTag::IsOfWorker(OwnerTag::kSeatBeingRevoked));
}

TEST(WorkerTest, AWakeOfAnOwnRunnableRaisesNoEpoch) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes);
  worker->AdoptNew(noter, /*reached=*/false);
  const uint64_t before = worker->tag();
  WakeOwner(noter);
  RunAll(*worker);
  EXPECT_THAT(notes, ElementsAre("noter"));
  EXPECT_EQ(worker->tag(), before);
  EXPECT_EQ(noter.owner.load(), before);
}

TEST(WorkerTest, AdoptionRaisesTheEpoch) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes);
  const uint64_t before = worker->tag();
  {
    const Seated seated(*worker);
    worker->Adopt(noter);
    EXPECT_EQ(this_thread.seat.tag(), OwnerTag::NextEpoch(before));
  }
  EXPECT_EQ(worker->tag(), OwnerTag::NextEpoch(before));
  EXPECT_EQ(noter.owner.load(), OwnerTag::Stale(before));
  RunAll(*worker);
  EXPECT_THAT(notes, ElementsAre("noter"));
}

TEST(WorkerTest, OnlyTheFirstDeliveryUnparksASleeper) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter a("a", notes), b("b", notes);
  Sleep(*worker);
  EXPECT_TRUE(worker->LooksAsleep());
  worker->Deliver(a);
  EXPECT_FALSE(worker->LooksAsleep());
  worker->Deliver(b);
  EXPECT_THAT(executor.unparked, ElementsAre(worker.get()));
  RunAll(*worker);
}

TEST(WorkerTest, DoesNotFallAsleepOverADelivery) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes);
  ASSERT_TRUE(worker->Rest());
  EXPECT_TRUE(worker->LooksQuiet());
  worker->Deliver(noter);
  EXPECT_FALSE(worker->LooksQuiet());
  EXPECT_FALSE(worker->FallAsleep());
  EXPECT_FALSE(worker->Rest());
  EXPECT_THAT(executor.unparked, IsEmpty());
  RunAll(*worker);
}

TEST(WorkerTest, CountsEveryAttemptToSleepBeforeItSleeps) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  EXPECT_EQ(worker->naps(), 0u);
  Sleep(*worker);
  EXPECT_EQ(worker->naps(), 1u);
  EXPECT_TRUE(worker->Rise());
  EXPECT_FALSE(worker->LooksAsleep());
  Sleep(*worker);
  EXPECT_EQ(worker->naps(), 2u);
}

// ---- order per pair over a move

// A message from outside lies in the word when the first local one is sent.
TEST(WorkerTest, LocalMessageGoesBehindWhatStrangersSentBefore) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<uint64_t> got;
  TestCell receiver("receiver", [&](TestCell&, const TestMessage& message) {
    got.push_back(message.sequence);
  });
  TestCell sender("sender", [&](TestCell&, const TestMessage& message) {
    // As if this cell had sent the first one from another worker.
    receiver.Send(message);
  });
  receiver.StartOn(*worker);
  RunAll(*worker);
  {
    // The receiver's tag becomes the present one, then the sender arrives.
    sender.StartOn(*worker);
    sender.Send({.sequence = 0});
    RunAll(*worker);
  }
  receiver.Send({.sequence = 1});
  TestCell newcomer("newcomer", [&](TestCell&, const TestMessage& message) {
    receiver.Send(message);
  });
  newcomer.Send({.sequence = 2});
  newcomer.StartOn(*worker);
  RunAll(*worker);
  EXPECT_THAT(got, ElementsAre(0, 1, 2));
}

// ---- lost seats

TEST(WorkerLostSeatTest, AReturningRunnableThatWantsATurnGetsOne) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes);
  worker->AdoptNew(noter, /*reached=*/false);
  worker->Schedule(noter);
  ASSERT_EQ(worker->Next(), &noter);
  const uint64_t before = worker->tag();
  worker->GiveBack(noter);
  EXPECT_TRUE(noter.IsScheduled());
  RunAll(*worker);
  EXPECT_THAT(notes, ElementsAre("noter"));
  EXPECT_FALSE(noter.IsScheduled());
  // What its handler sent meanwhile went the stranger's way.
  EXPECT_GT(worker->tag(), before);
  EXPECT_EQ(noter.owner.load(), OwnerTag::Stale(before));
}

TEST(WorkerLostSeatTest, AReturningRunnableWithoutWorkIsIdle) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes);
  noter.wants_turn = false;
  worker->AdoptNew(noter, /*reached=*/false);
  worker->Schedule(noter);
  ASSERT_EQ(worker->Next(), &noter);
  worker->GiveBack(noter);
  RunAll(*worker);
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_FALSE(noter.IsScheduled());
}

TEST(WorkerLostSeatTest, AWakeInALostTurnSchedulesNothing) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes);
  worker->AdoptNew(noter, /*reached=*/false);
  worker->Schedule(noter);
  ASSERT_EQ(worker->Next(), &noter);
  WakeOwner(noter);
  RunAll(*worker);
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_TRUE(noter.IsScheduled());
}

// ---- threads

TEST(WorkerSeatTest, AThreadWithoutAWorkerHasNoSeat) {
  EXPECT_EQ(EnterSeat(), OwnerTag::kNoSeat);
  LeaveSeat();
}

TEST(WorkerSeatTest, ASeatedThreadActsUnderTheWorkersTag) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  {
    const Seated seated(*worker);
    LeaveForUserCode();
    EXPECT_EQ(EnterSeat(), worker->tag());
    LeaveSeat();
    EXPECT_TRUE(ReturnFromUserCode());
  }
  EXPECT_EQ(this_thread.seat.tag(), OwnerTag::kNoSeat);
}

TEST(WorkerSeatTest, AThreadWhoseSeatWasTakenDoesNotReturn) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  (void)this_thread.seat.Enter();
  worker->SeatThread();
  LeaveForUserCode();
  worker->TakeSeat().Settle(OwnerTag::kNoSeat);
  EXPECT_FALSE(ReturnFromUserCode());
  LeaveSeat();
}

TEST(WorkerSeatTest, ARestoredSeatIsAsBefore) {
  IdleExecutor executor;
  const auto worker = MakeWorker(executor);
  {
    const Seated seated(*worker);
    LeaveForUserCode();
    this_thread.seat.Settle(OwnerTag::kSeatBeingRevoked);
    worker->RestoreSeat();
    EXPECT_TRUE(ReturnFromUserCode());
  }
}

TEST(WorkerSeatDeathTest, StepsDoNotNest) {
  EXPECT_DEBUG_DEATH(
      {
        (void)EnterSeat();
        (void)EnterSeat();
        // Where nothing is checked, the test goes on.
        LeaveSeat();
      },
      "do not nest");
}

}  // namespace
}  // namespace troupe::internal
