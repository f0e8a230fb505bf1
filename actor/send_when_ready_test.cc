// Waiting in a Task for space in a bounded mailbox (§21), on threads and
// without.
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/pending_send.h"
#include "troupe/actor/send_result.h"
#include "troupe/actor/task.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Do;
using internal::Handed;
using internal::InterleavedRunner;
using internal::Runner;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class SendWhenReadyTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, SendWhenReadyTest,
                         internal::AllExecutors());

struct Page {
  int number;
};
struct Sleep {
  Handed<Completer<void>>* until;
};

// Reads pages, and sleeps until it is woken.
class Reader : public Actor<Page, Sleep> {
 public:
  void Handle(Page page) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    pages_.push_back(page.number);
  }
  Task<void> Handle(Sleep sleep) {
    auto [woken, wait] = MakeCompletion<void>();
    sleep.until->Put(std::move(woken));
    const absl::Status awake = co_await std::move(wait);
    EXPECT_THAT(awake, IsOk());
  }
  static std::vector<int> TakePages() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return std::exchange(pages_, {});
  }

 private:
  static inline absl::Mutex mu_;
  static inline std::vector<int> pages_ ABSL_GUARDED_BY(mu_);
};

// A reader with space for so many pages, which are taken.
class FullReader {
 public:
  FullReader(ActorSystem& system, uint64_t pages,
             OverflowPolicy policy = OverflowPolicy::kAwait)
      : system_(system),
        ref_(system
                 .Spawn<Reader>(
                     {.mailbox = {.messages = pages, .policy = policy}})
                 .value()) {
    EXPECT_THAT(Reader::TakePages(), IsEmpty());
    ref_.Send<Sleep>(&until_);
    until_.Await(system);
    for (uint64_t i = 0; i < pages; ++i) {
      EXPECT_EQ(ref_.TrySend(Page{0}), SendResult::kSent);
    }
    EXPECT_EQ(ref_.TrySend(Page{0}), SendResult::kMailboxFull);
  }

  const Reader::Ref& ref() const { return ref_; }
  void Wake() { EXPECT_TRUE(until_.Await(system_).Complete()); }
  std::vector<int> Finish() {
    EXPECT_THAT(ref_.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
    return Reader::TakePages();
  }

 private:
  ActorSystem& system_;
  Handed<Completer<void>> until_;
  const Reader::Ref ref_;
};

// Has a Runner send a page, and say when it begins.
struct Sending {
  Handed<bool> begun;
  Handed<absl::Status> sent;

  Do::Work Work(Reader::Ref to, int page,
                absl::Duration timeout = PendingSend::kDefaultTimeout) {
    return [=, this](Runner&) -> Task<absl::Status> {
      begun.Put(true);
      const absl::Status status =
          co_await to.SendWhenReady<Page>(page).Within(timeout);
      sent.Put(status);
      co_return status;
    };
  }
};

TEST_P(SendWhenReadyTest, SendsAtOnceWhereThereIsSpace) {
  Sending first, unbounded;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  const auto reader =
      system->Spawn<Reader>({.mailbox = {.messages = 3}}).value();
  // Also when there is no time to wait.
  runner.Send<Do>(first.Work(reader, 1, absl::ZeroDuration()));
  EXPECT_THAT(first.sent.Await(*system), IsOk());
  EXPECT_THAT(reader.DrainAndWait(), IsOk());
  EXPECT_THAT(Reader::TakePages(), ElementsAre(1));

  const auto other = system->Spawn<Reader>().value();
  runner.Send<Do>(unbounded.Work(other, 2));
  EXPECT_THAT(unbounded.sent.Await(*system), IsOk());
  EXPECT_THAT(other.DrainAndWait(), IsOk());
  EXPECT_THAT(Reader::TakePages(), ElementsAre(2));
}

TEST_P(SendWhenReadyTest, WaitsForSpaceInTheOrderOfAsking) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  FullReader reader(*system, 2);
  Sending sending[3];
  const auto runner = system->Spawn<InterleavedRunner>().value();
  for (int i = 0; i < 3; ++i) {
    runner.Send<Do>(sending[i].Work(reader.ref(), i + 1));
  }
  for (Sending& one : sending) one.begun.Await(*system);
  for (Sending& one : sending) EXPECT_FALSE(one.sent.IsPut());
  reader.Wake();
  for (Sending& one : sending) EXPECT_THAT(one.sent.Await(*system), IsOk());
  EXPECT_THAT(reader.Finish(), ElementsAre(0, 0, 1, 2, 3));
}

TEST_P(SendWhenReadyTest, GivesUpInTime) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  FullReader reader(*system, 1);
  Sending sending, late;
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(sending.Work(reader.ref(), 1, absl::Milliseconds(2)));
  EXPECT_THAT(
      sending.sent.Await(*system),
      StatusIs(absl::StatusCode::kDeadlineExceeded,
               HasSubstr("waiting for space in the mailbox of actor #")));
  runner.Send<Do>(late.Work(reader.ref(), 2, absl::ZeroDuration()));
  EXPECT_THAT(late.sent.Await(*system),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("Page")));
  EXPECT_EQ(system->dead_letters(), 0u);
  reader.Wake();
  EXPECT_THAT(reader.Finish(), ElementsAre(0));
}

// §22
TEST_P(SendWhenReadyTest, GivesUpAtTheDeadlineOfTheRequest) {
  std::deque<Sending> attempts;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  FullReader reader(*system, 1);
  const auto runner = system->Spawn<Runner>().value();
  // A request whose deadline passes before its handler begins has none.
  do {
    EXPECT_THAT(runner.Call<Do>(attempts.emplace_back().Work(reader.ref(), 1))
                    .Within(absl::Milliseconds(2))
                    .Wait(),
                StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("")));
  } while (!attempts.back().begun.IsPut());
  EXPECT_THAT(
      attempts.back().sent.Await(*system),
      StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("space")));
  reader.Wake();
  EXPECT_THAT(reader.Finish(), ElementsAre(0));
}

TEST_P(SendWhenReadyTest, EndsWithTheReceiver) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  FullReader reader(*system, 1);
  Sending sending, late, nobody;
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(sending.Work(reader.ref(), 1));
  sending.begun.Await(*system);
  reader.ref().Stop();
  EXPECT_THAT(sending.sent.Await(*system),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("actor #")));
  reader.Wake();
  EXPECT_THAT(reader.ref().Wait(), IsOk());
  runner.Send<Do>(late.Work(reader.ref(), 2));
  EXPECT_THAT(late.sent.Await(*system),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("actor #")));
  runner.Send<Do>(nobody.Work(Reader::Ref(), 3));
  EXPECT_THAT(nobody.sent.Await(*system),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no actor")));
  EXPECT_THAT(Reader::TakePages(), IsEmpty());
}

TEST_P(SendWhenReadyTest, OtherPoliciesDecideAtOnce) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  FullReader reader(*system, 1, OverflowPolicy::kReject);
  Sending sending;
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(sending.Work(reader.ref(), 1));
  EXPECT_THAT(
      sending.sent.Await(*system),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("full")));
  reader.Wake();
  EXPECT_THAT(reader.Finish(), ElementsAre(0));
}

// Who is killed leaves the line: who stands behind is served.
TEST_P(SendWhenReadyTest, KillLeavesTheLine) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  FullReader reader(*system, 1);
  Sending killed, behind;
  const auto first = system->Spawn<Runner>().value();
  const auto second = system->Spawn<Runner>().value();
  first.Send<Do>(killed.Work(reader.ref(), 1));
  killed.begun.Await(*system);
  second.Send<Do>(behind.Work(reader.ref(), 2));
  behind.begun.Await(*system);
  EXPECT_THAT(first.KillAndWait(), IsOk());
  reader.Wake();
  EXPECT_THAT(behind.sent.Await(*system), IsOk());
  EXPECT_FALSE(killed.sent.IsPut());
  EXPECT_THAT(reader.Finish(), ElementsAre(0, 2));
  EXPECT_EQ(system->dead_letters(), 0u);
}

// Fills its own mailbox, and waits for space in it.
class Narcissus : public Actor<Page> {
 public:
  explicit Narcissus(Handed<absl::Status>& sent) : sent_(sent) {}
  Task<void> Handle(Page page) {
    if (page.number != 1) co_return;
    EXPECT_EQ(self().TrySend(Page{2}), SendResult::kSent);
    sent_.Put(co_await self().SendWhenReady<Page>(3));
  }

 private:
  Handed<absl::Status>& sent_;
};

TEST_P(SendWhenReadyTest, RefusesTheActorsOwnFullMailbox) {
  Handed<absl::Status> sent;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto narcissus =
      system->Spawn<Narcissus>({.mailbox = {.messages = 1}}, sent).value();
  narcissus.Send<Page>(1);
  EXPECT_THAT(sent.Await(*system),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the actor's own")));
  EXPECT_THAT(narcissus.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  EXPECT_EQ(system->dead_letters(), 0u);
}

TEST(SendWhenReadyOutsideTest, AwaitedOutsideOfAnActorIsRefused) {
  const auto send = []() -> Task<absl::Status> {
    co_return co_await Reader::Ref().SendWhenReady<Page>(1);
  };
  EXPECT_THAT(internal::RunOutside(send()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("only the coroutine")));
}

}  // namespace
}  // namespace troupe
