#include "troupe/scheduler/worker.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/ownership.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/internal/test_cell.h"
#include "troupe/scheduler/runnable.h"

namespace troupe {
namespace {

using internal::TestCell;
using internal::TestMessage;
using internal::TestOutbox;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Drives nothing: the tests drive its workers.
class IdleExecutor final : public Executor {
 public:
  int shared_workers() const override { return 0; }
  Worker& shared_worker(int) override { std::abort(); }
  void SetLocals(
      absl::AnyInvocable<std::unique_ptr<WorkerLocal>(Worker&)>) override {}
  absl::StatusOr<Worker*> StartDedicatedWorker(absl::string_view) override {
    return absl::UnimplementedError("no threads");
  }
  void ReleaseDedicatedWorker(Worker&) override {}
  void Inject(Runnable&) override {}
  const Clock& clock() const override { return RealClock(); }
  void SetAlarm(Alarm&, MonotonicTime) override {}
  bool CancelAlarm(Alarm&) override { return false; }
  bool WaitFor(Event&, MonotonicTime) override { return false; }
  bool RunUntil(absl::FunctionRef<bool()>, MonotonicTime) override {
    return false;
  }
  absl::Status Shutdown() override { return absl::OkStatus(); }
  void Unpark(Worker& worker) override { unparked.push_back(&worker); }
  void AwaitSettledSeat() override {}
  void GiveUpSeat() override {}

  std::vector<Worker*> unparked;
};

std::unique_ptr<Worker> MakeWorker(Executor& executor,
                                   Worker::Kind kind = Worker::Kind::kShared) {
  return *Worker::Create(executor, kind, /*index=*/0);
}

// Seats the calling thread on a worker.
class Seated {
 public:
  explicit Seated(Worker& worker) : worker_(worker) {
    (void)this_thread.seat.Enter();
    worker_.SeatThread();
  }
  ~Seated() {
    worker_.UnseatThread();
    this_thread.worker = nullptr;
    this_thread.seat.Leave();
  }

 private:
  Worker& worker_;
};

// Receives what was delivered, and runs all that is ready.
void RunAll(Worker& worker) {
  const Seated seated(worker);
  do {
    worker.Poll();
    while (Runnable* const runnable = worker.Next()) {
      ASSERT_TRUE(worker.Run(*runnable));
    }
    worker.FlushLocal();
  } while (worker.ready() > 0 || worker.HasDeliveries());
}

void Sleep(Worker& worker) {
  ASSERT_TRUE(worker.Rest());
  ASSERT_TRUE(worker.FallAsleep());
}

// Notes its name in each turn.
struct Noter : Runnable {
  Noter(std::string given_name, std::vector<std::string>& notes_of_all)
      : name(std::move(given_name)), notes(notes_of_all) {
    type = &kType;
  }

  static bool Run(Runnable& runnable, Worker& worker) {
    Noter& noter = static_cast<Noter&>(runnable);
    noter.notes.push_back(noter.name);
    if (noter.during_turn != nullptr) noter.during_turn();
    if (--noter.turns_wanted > 0) {
      worker.Yield(noter);
    } else {
      noter.queue_next = nullptr;
    }
    return true;
  }
  static const RunnableType kType;

  std::string name;
  std::vector<std::string>& notes;
  int turns_wanted = 1;
  bool wants_turn = true;
  bool can_be_given = true;
  std::function<void()> during_turn;
};

const RunnableType Noter::kType = {
    .run = Run,
    .woken = [](Runnable& runnable,
                Worker&) { return static_cast<Noter&>(runnable).wants_turn; },
    .returned =
        [](Runnable& runnable, Worker&) {
          return static_cast<Noter&>(runnable).wants_turn;
        },
    .release =
        [](Runnable& runnable, Worker&) {
          return static_cast<Noter&>(runnable).can_be_given;
        },
    .name =
        [](const Runnable& runnable) {
          return static_cast<const Noter&>(runnable).name;
        },
};

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

// ---- claims

TEST(WorkerClaimTest, BringsAnIdleRunnableFromAQuietWorker) {
  IdleExecutor executor;
  const auto quiet = MakeWorker(executor);
  const auto claimer = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes);
  quiet->AdoptNew(noter, /*reached=*/false);
  Sleep(*quiet);
  const uint64_t before = claimer->tag();
  {
    const Seated seated(*claimer);
    EXPECT_TRUE(claimer->Claim(noter));
  }
  EXPECT_EQ(claimer->tag(), OwnerTag::NextEpoch(before));
  EXPECT_EQ(noter.owner.load(), OwnerTag::Stale(before));
  EXPECT_TRUE(quiet->LooksAsleep());
  RunAll(*claimer);
  EXPECT_THAT(notes, ElementsAre("noter"));
  EXPECT_THAT(executor.unparked, IsEmpty());
}

TEST(WorkerClaimTest, LeavesABusyWorkerAlone) {
  IdleExecutor executor;
  const auto busy = MakeWorker(executor);
  const auto claimer = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes);
  busy->AdoptNew(noter, /*reached=*/false);
  const uint64_t tag = noter.owner.load();
  EXPECT_FALSE(claimer->Claim(noter));
  EXPECT_EQ(noter.owner.load(), tag);
}

TEST(WorkerClaimTest, LeavesAWorkerWithDeliveriesAlone) {
  IdleExecutor executor;
  const auto owner = MakeWorker(executor);
  const auto claimer = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes), other("other", notes);
  owner->AdoptNew(noter, /*reached=*/false);
  Sleep(*owner);
  owner->Deliver(other);
  EXPECT_FALSE(claimer->Claim(noter));
  RunAll(*owner);
}

TEST(WorkerClaimTest, LeavesARunnableInALostTurnAlone) {
  IdleExecutor executor;
  const auto owner = MakeWorker(executor);
  const auto claimer = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes);
  owner->AdoptNew(noter, /*reached=*/false);
  owner->Schedule(noter);
  ASSERT_EQ(owner->Next(), &noter);  // As at the beginning of a turn.
  Sleep(*owner);
  EXPECT_FALSE(claimer->Claim(noter));
  EXPECT_EQ(noter.owner.load(), owner->tag());
  // The claimer has let go of the lock.
  EXPECT_TRUE(owner->LooksQuiet());
}

TEST(WorkerClaimTest, StaysWithinOneKindAndExecutor) {
  IdleExecutor executor, other_executor;
  const auto shared = MakeWorker(executor);
  const auto dedicated = MakeWorker(executor, Worker::Kind::kDedicated);
  const auto foreign = MakeWorker(other_executor);
  std::vector<std::string> notes;
  Noter in_shared("in shared", notes), in_dedicated("in dedicated", notes);
  shared->AdoptNew(in_shared, /*reached=*/false);
  dedicated->AdoptNew(in_dedicated, /*reached=*/false);
  Sleep(*shared);
  Sleep(*dedicated);
  EXPECT_FALSE(shared->Claim(in_dedicated));
  EXPECT_FALSE(dedicated->Claim(in_shared));
  EXPECT_FALSE(foreign->Claim(in_shared));
  EXPECT_FALSE(shared->Claim(in_shared));
}

// ---- sharing

TEST(WorkerShareTest, GivesTheOlderHalf) {
  IdleExecutor executor;
  const auto loaded = MakeWorker(executor);
  const auto receiver = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter a("a", notes), b("b", notes), c("c", notes), d("d", notes);
  for (Noter* noter : {&a, &b, &c, &d}) loaded->Deliver(*noter);
  {
    const Seated seated(*loaded);
    loaded->Poll();
    EXPECT_EQ(loaded->ShareWith(*receiver), 2u);
  }
  EXPECT_EQ(loaded->ready(), 2u);
  RunAll(*receiver);
  EXPECT_THAT(notes, ElementsAre("a", "b"));
  EXPECT_TRUE(OwnerTag::SameOwner(a.owner.load(), receiver->tag()));
  notes.clear();
  RunAll(*loaded);
  EXPECT_THAT(notes, ElementsAre("c", "d"));
}

TEST(WorkerShareTest, KeepsWhatCannotBeGiven) {
  IdleExecutor executor;
  const auto loaded = MakeWorker(executor);
  const auto receiver = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter a("a", notes), b("b", notes), c("c", notes), d("d", notes);
  for (Noter* noter : {&a, &b, &c, &d}) {
    noter->can_be_given = noter == &c;
    loaded->Yield(*noter);
  }
  {
    const Seated seated(*loaded);
    EXPECT_EQ(loaded->ShareWith(*receiver), 1u);
  }
  EXPECT_EQ(loaded->ready(), 3u);
  RunAll(*receiver);
  EXPECT_THAT(notes, ElementsAre("c"));
  notes.clear();
  RunAll(*loaded);
  EXPECT_THAT(notes, ElementsAre("a", "b", "d"));
}

// Flushing may bring runnables here: they take part like all others.
TEST(WorkerShareTest, FlushesFirst) {
  struct ClaimingLocal : WorkerLocal {
    ClaimingLocal(Worker& its_worker, Runnable& runnable_to_claim)
        : worker(its_worker), runnable(runnable_to_claim) {}
    void Flush() override {
      if (!claimed) claimed = worker.Claim(runnable);
    }
    Worker& worker;
    Runnable& runnable;
    bool claimed = false;
  };
  IdleExecutor executor;
  const auto loaded = MakeWorker(executor);
  const auto receiver = MakeWorker(executor);
  const auto quiet = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter a("a", notes), b("b", notes), claimed("claimed", notes);
  a.can_be_given = b.can_be_given = false;
  quiet->AdoptNew(claimed, /*reached=*/false);
  Sleep(*quiet);
  loaded->set_local(std::make_unique<ClaimingLocal>(*loaded, claimed));
  {
    const Seated seated(*loaded);
    loaded->Yield(a);
    loaded->Yield(b);
    EXPECT_EQ(loaded->ShareWith(*receiver), 1u);
  }
  RunAll(*receiver);
  EXPECT_THAT(notes, ElementsAre("claimed"));
  RunAll(*loaded);
  EXPECT_THAT(notes, ElementsAre("claimed", "a", "b"));
}

TEST(WorkerShareTest, GivesOneAway) {
  IdleExecutor executor;
  const auto giver = MakeWorker(executor);
  const auto receiver = MakeWorker(executor);
  std::vector<std::string> notes;
  Noter noter("noter", notes);
  giver->AdoptNew(noter, /*reached=*/false);
  giver->GiveTo(*receiver, noter);
  EXPECT_EQ(noter.owner.load(), OwnerTag::kUnowned);
  RunAll(*receiver);
  EXPECT_THAT(notes, ElementsAre("noter"));
  EXPECT_TRUE(OwnerTag::SameOwner(noter.owner.load(), receiver->tag()));
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
}  // namespace troupe
