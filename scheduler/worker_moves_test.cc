// Claims and sharing: how runnables move between workers.
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/ownership.h"
#include "troupe/scheduler/internal/test_cell.h"
#include "troupe/scheduler/internal/worker_testing.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

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
    void TimerDue(TimerNode&) override {}
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

}  // namespace
}  // namespace troupe::internal
