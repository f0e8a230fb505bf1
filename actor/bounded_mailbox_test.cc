// Actors whose mailboxes are bounded (§21), on threads and on the deterministic
// executor.
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/send_result.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class BoundedMailboxTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, BoundedMailboxTest,
                         internal::AllExecutors());

// What a Reader has read.
class Pages {
 public:
  void Add(int page) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    pages_.push_back(page);
  }
  std::vector<int> all() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return pages_;
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<int> pages_ ABSL_GUARDED_BY(mu_);
};

struct Page {
  int number;
};
struct Book {
  std::array<char, 1000> text;
};
// While one of these is handled, nothing else is.
struct Sleep {
  absl::Notification* began;
  absl::Notification* until;
};

class Reader : public Actor<Page, Book, Sleep> {
 public:
  explicit Reader(Pages& pages) : pages_(pages) {}
  void Handle(Page page) { pages_.Add(page.number); }
  void Handle(const Book&) { pages_.Add(1000); }
  void Handle(Sleep sleep) {
    sleep.began->Notify();
    sleep.until->WaitForNotification();
  }

 private:
  Pages& pages_;
};

// On threads, a reader that handles nothing until woken. Without threads nobody
// runs unless somebody waits, and it need not sleep.
class SleepyReader {
 public:
  SleepyReader(ActorSystem& system, Capacity capacity, bool on_threads)
      : ref_(system.Spawn<Reader>({.mailbox = capacity}, pages_).value()) {
    if (on_threads) {
      ref_.Send<Sleep>(&began_, &until_);
      began_.WaitForNotification();
    } else {
      until_.Notify();
    }
  }
  ~SleepyReader() { Wake(); }

  void Wake() {
    if (!until_.HasBeenNotified()) until_.Notify();
  }
  // Handles all that was admitted, and ends.
  void Finish() {
    Wake();
    EXPECT_THAT(ref_.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  }
  const Reader::Ref& ref() const { return ref_; }
  std::vector<int> pages() const { return pages_.all(); }

 private:
  Pages pages_;
  absl::Notification began_;
  absl::Notification until_;
  const Reader::Ref ref_;
};

MATCHER(IsSorted, "is sorted") {
  return std::is_sorted(arg.begin(), arg.end());
}

bool OnThreads(int parameter) { return parameter == internal::kThreads; }

TEST_P(BoundedMailboxTest, FullMailboxRejectsAndTheSenderKeepsTheMessage) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  SleepyReader reader(*system,
                      {.messages = 2, .policy = OverflowPolicy::kReject},
                      OnThreads(GetParam()));
  EXPECT_EQ(reader.ref().TrySend(Page{1}), SendResult::kSent);
  EXPECT_EQ(reader.ref().TrySend(Page{2}), SendResult::kSent);
  Page refused{3};
  EXPECT_EQ(reader.ref().TrySend(std::move(refused)), SendResult::kMailboxFull);
  EXPECT_EQ(refused.number, 3);
  EXPECT_EQ(system->dead_letters(), 0u);

  reader.Finish();
  EXPECT_THAT(reader.pages(), ElementsAre(1, 2));
}

// §18: what is sent and forgotten, and refused, is a dead letter.
TEST_P(BoundedMailboxTest, RefusedSendIsADeadLetter) {
  std::vector<DeadLetter::Reason> dead;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Subscription subscription = system->Subscribe<DeadLetter>(
      [&dead](const DeadLetter& letter) { dead.push_back(letter.reason); });
  SleepyReader reader(*system,
                      {.messages = 1, .policy = OverflowPolicy::kReject},
                      OnThreads(GetParam()));
  reader.ref().Send<Page>(1);
  reader.ref().Send<Page>(2);
  EXPECT_THAT(dead, ElementsAre(DeadLetter::Reason::kMailboxFull));
  reader.Finish();
  EXPECT_THAT(reader.pages(), ElementsAre(1));
}

TEST_P(BoundedMailboxTest, DropsTheNewestLoudly) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  SleepyReader reader(*system,
                      {.messages = 2, .policy = OverflowPolicy::kDropNewest},
                      OnThreads(GetParam()));
  for (int i = 1; i <= 3; ++i) reader.ref().Send<Page>(i);
  EXPECT_EQ(reader.ref().TrySend(Page{4}), SendResult::kDropped);
  EXPECT_EQ(system->dead_letters(), 2u);
  reader.Finish();
  EXPECT_THAT(reader.pages(), ElementsAre(1, 2));
}

TEST_P(BoundedMailboxTest, DropsTheOldestLoudly) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  SleepyReader reader(*system,
                      {.messages = 2, .policy = OverflowPolicy::kDropOldest},
                      OnThreads(GetParam()));
  for (int i = 1; i <= 4; ++i) {
    EXPECT_EQ(reader.ref().TrySend(Page{i}), SendResult::kSent);
  }
  EXPECT_EQ(system->dead_letters(), 2u);
  reader.Finish();
  EXPECT_THAT(reader.pages(), ElementsAre(3, 4));
}

// A page takes 64 bytes, a book 1,024 or more.
TEST_P(BoundedMailboxTest, BoundsBytesAndRefusesWhatNeverFits) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  SleepyReader reader(*system,
                      {.bytes = 1000, .policy = OverflowPolicy::kDropOldest},
                      OnThreads(GetParam()));
  EXPECT_EQ(reader.ref().TrySend(Page{1}), SendResult::kSent);
  EXPECT_EQ(reader.ref().TrySend(Book{}), SendResult::kMailboxFull);
  for (int i = 2; i <= 16; ++i) reader.ref().Send<Page>(i);
  EXPECT_EQ(system->dead_letters(), 1u);
  reader.Finish();
  EXPECT_EQ(reader.pages().front(), 2);
  EXPECT_EQ(reader.pages().size(), 15u);
}

TEST_P(BoundedMailboxTest, UrgentMessagesAndStopsAreNeverBounded) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  SleepyReader reader(*system,
                      {.messages = 1, .policy = OverflowPolicy::kReject},
                      OnThreads(GetParam()));
  reader.ref().Send<Page>(1);
  reader.ref().SendUrgent<Page>(2);
  reader.ref().SendUrgent<Page>(3);
  EXPECT_EQ(system->dead_letters(), 0u);
  reader.Finish();
  EXPECT_THAT(reader.pages(), ElementsAre(2, 3, 1));
}

// §11: what waits in a bounded mailbox is lost as loudly as elsewhere.
TEST_P(BoundedMailboxTest, StopMakesDeadLettersOfWhatWaits) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  SleepyReader reader(*system, {.messages = 10}, OnThreads(GetParam()));
  for (int i = 0; i < 5; ++i) reader.ref().Send<Page>(i);
  reader.ref().Stop();
  EXPECT_EQ(reader.ref().TrySend(Page{6}), SendResult::kStopped);
  reader.Wake();
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_EQ(reader.ref().TrySend(Page{7}), SendResult::kNoActor);
  EXPECT_EQ(system->dead_letters(), 5u);
  EXPECT_THAT(reader.pages(), IsEmpty());
}

TEST_P(BoundedMailboxTest, DrainHandlesAllThatWasAdmitted) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  SleepyReader reader(*system, {.messages = 500}, OnThreads(GetParam()));
  for (int i = 0; i < 500; ++i) reader.ref().Send<Page>(i);
  reader.Finish();
  EXPECT_EQ(reader.pages().size(), 500u);
  EXPECT_EQ(system->dead_letters(), 0u);
}

TEST_P(BoundedMailboxTest, SenderOutsideWaitsForSpace) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  SleepyReader reader(*system, {.messages = 1}, false);
  for (int i = 1; i <= 100; ++i) {
    EXPECT_THAT(reader.ref().SendWhenReady<Page>(i).Wait(), IsOk());
  }
  reader.Finish();
  EXPECT_THAT(reader.pages(), SizeIs(100));
  EXPECT_THAT(reader.pages(), IsSorted());
}

TEST_P(BoundedMailboxTest, WaitForSpaceEndsAtItsDeadline) {
  if (!OnThreads(GetParam())) {
    GTEST_SKIP() << "without threads, who waits lets the reader run";
  }
  std::unique_ptr<ActorSystem> system = MakeSystem();
  SleepyReader reader(*system, {.messages = 1}, true);
  reader.ref().Send<Page>(1);
  EXPECT_THAT(
      reader.ref().SendWhenReady<Page>(2).Within(absl::Milliseconds(1)).Wait(),
      StatusIs(absl::StatusCode::kDeadlineExceeded,
               HasSubstr("no space for a")));
  EXPECT_EQ(system->dead_letters(), 0u);
  reader.Finish();
  EXPECT_THAT(reader.pages(), ElementsAre(1));
}

TEST_P(BoundedMailboxTest, WaitForSpaceEndsWithTheActor) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  SleepyReader reader(*system, {.messages = 1}, OnThreads(GetParam()));
  reader.ref().Send<Page>(1);
  reader.ref().Stop();
  EXPECT_THAT(reader.ref().SendWhenReady<Page>(2).Wait(),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("actor #")));
  reader.Wake();
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_THAT(reader.ref().SendWhenReady<Page>(3).Wait(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("actor #")));
  EXPECT_THAT(Reader::Ref().SendWhenReady<Page>(4).Wait(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no actor")));
}

struct Try {
  Reader::Ref to;
};

// Sends without looking whether there is space.
class Impatient : public Actor<Try> {
 public:
  void Handle(Try m) {
    EXPECT_THAT(m.to.SendWhenReady<Page>(1).Wait(),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         HasSubstr("inside a handler")));
    while (m.to.TrySend(Page{2}) == SendResult::kSent) {
    }
    EXPECT_EQ(m.to.TrySend(Page{3}), SendResult::kMailboxFull);
  }
};

// A handler never waits: to it, a mailbox that would let it wait is full.
TEST_P(BoundedMailboxTest, HandlerIsRefusedInsteadOfWaiting) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  SleepyReader reader(*system, {.messages = 2}, OnThreads(GetParam()));
  Impatient::Ref impatient = system->Spawn<Impatient>().value();
  impatient.Send<Try>(reader.ref());
  EXPECT_THAT(impatient.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  reader.Finish();
  EXPECT_THAT(reader.pages(), ::testing::Each(2));
}

TEST_P(BoundedMailboxTest, SpawnRefusesBoundsThatMakeNoSense) {
  Pages pages;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  EXPECT_THAT(
      system->Spawn<Reader>({.mailbox = {.messages = 0}}, pages),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("starting a ")));
  EXPECT_THAT(
      system->SpawnInstant<Reader>({.mailbox = {.bytes = 1}}, std::ref(pages)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bytes")));
  EXPECT_EQ(system->live_actors(), 0u);
}

class FailsToStart : public Actor<Page> {
 public:
  absl::Status PreStart() {
    self().Send<Page>(1);
    return absl::DataLossError("lost");
  }
  void Handle(Page) {}
};

// §5: also what waits for a bounded actor that never starts.
TEST_P(BoundedMailboxTest, FailedStartMakesDeadLettersOfWhatWaits) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  EXPECT_THAT(system->Spawn<FailsToStart>({.mailbox = {.messages = 5}}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("lost")));
  EXPECT_EQ(system->dead_letters(), 1u);
  EXPECT_THAT(system->SpawnInstant<FailsToStart>({.mailbox = {.messages = 5}}),
              IsOk());
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_EQ(system->dead_letters(), 2u);
}

TEST_P(BoundedMailboxTest, InstantAndDedicatedActorsAreBoundedToo) {
  Pages pages;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Reader::Ref reader = system
                           ->SpawnInstant<Reader>({.dedicated_thread = true,
                                                   .mailbox = {.messages = 3}},
                                                  std::ref(pages))
                           .value();
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(reader.SendWhenReady<Page>(i).Wait(), IsOk());
  }
  EXPECT_THAT(reader.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  EXPECT_EQ(pages.all().size(), 50u);
}

// Cells and queues are used again: the next actor has its own bounds, or none.
TEST_P(BoundedMailboxTest, NextActorInTheSameMemoryIsNotBounded) {
  Pages pages;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  for (int round = 0; round < 10; ++round) {
    SleepyReader bounded(*system,
                         {.messages = 1, .policy = OverflowPolicy::kReject},
                         OnThreads(GetParam()));
    EXPECT_EQ(bounded.ref().TrySend(Page{1}), SendResult::kSent);
    EXPECT_EQ(bounded.ref().TrySend(Page{2}), SendResult::kMailboxFull);
    bounded.Finish();
    Reader::Ref free = system->Spawn<Reader>(pages).value();
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(free.TrySend(Page{i}), SendResult::kSent);
    }
    EXPECT_THAT(free.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  }
  EXPECT_EQ(pages.all().size(), 1000u);
}

// Passes pages on to a bounded child, which is drained after the last one.
class Parent : public Actor<Page> {
 public:
  explicit Parent(Pages& pages) : pages_(pages) {}
  void PreStart() {
    reader_ = Spawn<Reader>({.mailbox = {.messages = 100}}, pages_).value();
  }
  void Handle(Page page) {
    if (page.number < 0) {
      reader_.Drain();
    } else {
      reader_.Send<Page>(page.number);
    }
  }
  void OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kStopped) StopSelf();
  }

 private:
  Pages& pages_;
  Reader::Ref reader_;
};

TEST_P(BoundedMailboxTest, BoundedChildOnTheSameWorkerKeepsTheOrder) {
  Pages pages;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Parent::Ref parent = system->Spawn<Parent>(pages).value();
  for (int i = 0; i < 100; ++i) parent.Send<Page>(i);
  parent.Send<Page>(-1);
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_THAT(pages.all(), SizeIs(100));
  EXPECT_THAT(pages.all(), IsSorted());
}

}  // namespace
}  // namespace troupe
