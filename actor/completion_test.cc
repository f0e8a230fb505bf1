// Answers from outside of all actors, on threads and without.
#include "troupe/actor/completion.h"

#include <atomic>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/task.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Counted;
using internal::Do;
using internal::Handed;
using internal::InterleavedRunner;
using internal::Runner;
using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class CompletionTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, CompletionTest, internal::AllExecutors());

// Has a Runner await a completion of a T that the test completes.
template <typename T>
struct Awaited {
  Handed<Completer<T>> completer;
  Handed<typename Completer<T>::Outcome> outcome;

  Do::Work Work(absl::Duration timeout = absl::InfiniteDuration()) {
    return [this, timeout](Runner&) -> Task<absl::Status> {
      auto [completes, completion] = MakeCompletion<T>();
      completer.Put(std::move(completes));
      auto yielded = co_await std::move(completion).Within(timeout);
      const absl::Status status = yielded.status();
      outcome.Put(std::move(yielded));
      co_return status;
    };
  }
};

TEST_P(CompletionTest, YieldsWhatAnotherThreadCompletes) {
  Awaited<std::string> awaited;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(awaited.Work());
  Completer<std::string> completer =
      std::move(awaited.completer.Await(*system));
  std::thread([&] { EXPECT_TRUE(completer.Complete("found")); }).join();
  EXPECT_THAT(awaited.outcome.Await(*system), IsOkAndHolds("found"));
}

TEST_P(CompletionTest, YieldsAtOnceWhatIsThereAlready) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  EXPECT_THAT(
      runner
          .Call<Do>([](Runner&) -> Task<absl::Status> {
            auto [completer, completion] = MakeCompletion<int>();
            EXPECT_TRUE(completer.is_wanted());
            EXPECT_TRUE(completer.Complete(17));
            EXPECT_FALSE(completer.is_wanted());
            EXPECT_FALSE(completer.Complete(18));
            // Whatever the time.
            EXPECT_THAT(
                co_await std::move(completion).Within(absl::ZeroDuration()),
                IsOkAndHolds(17));
            co_return absl::OkStatus();
          })
          .Wait(),
      IsOk());
}

// Throws when it is moved once too often.
struct Heavy {
  explicit Heavy(int moves) : moves_left(moves) {}
  Heavy(Heavy&& other) : moves_left(other.moves_left - 1) {
    if (moves_left < 0) throw std::runtime_error("too heavy");
  }
  int moves_left;
};

// Has a Runner await a Heavy one.
Do::Work AwaitHeavy(Handed<Completer<Heavy>>& completer,
                    Handed<absl::Status>& yielded) {
  return [&](Runner&) -> Task<absl::Status> {
    auto [completes, completion] = MakeCompletion<Heavy>();
    completer.Put(std::move(completes));
    yielded.Put((co_await std::move(completion)).status());
    co_return absl::OkStatus();
  };
}

// Then nothing was completed, and who waits is not forgotten.
TEST_P(CompletionTest, IsCancelledIfWhatItIsCompletedWithThrows) {
  Handed<Completer<Heavy>> handed;
  Handed<absl::Status> yielded;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(AwaitHeavy(handed, yielded));
  {
    Completer<Heavy> completer = std::move(handed.Await(*system));
    EXPECT_THROW(completer.Complete(Heavy(0)), std::runtime_error);
    ASSERT_TRUE(completer.is_wanted());
  }
  EXPECT_THAT(yielded.Await(*system),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("was dropped")));
}

TEST_P(CompletionTest, CanBeCompletedAfterAThrow) {
  Handed<Completer<Heavy>> handed;
  Handed<absl::Status> yielded;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(AwaitHeavy(handed, yielded));
  Completer<Heavy> completer = std::move(handed.Await(*system));
  EXPECT_THROW(completer.Complete(Heavy(0)), std::runtime_error);
  ASSERT_TRUE(completer.Complete(Heavy(100)));
  EXPECT_THAT(yielded.Await(*system), IsOk());
}

TEST_P(CompletionTest, FlattensStatusesAndAcknowledgesVoid) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  EXPECT_THAT(
      runner
          .Call<Do>([](Runner&) -> Task<absl::Status> {
            auto nothing = MakeCompletion<void>();
            EXPECT_TRUE(nothing.completer.Complete());
            const absl::Status done = co_await std::move(nothing.completion);
            EXPECT_THAT(done, IsOk());

            auto status = MakeCompletion<absl::Status>();
            EXPECT_TRUE(status.completer.Complete(absl::DataLossError("lost")));
            const absl::Status lost = co_await std::move(status.completion);
            EXPECT_EQ(lost, absl::DataLossError("lost"));

            auto number = MakeCompletion<absl::StatusOr<int>>();
            EXPECT_TRUE(number.completer.Complete(absl::DataLossError("lost")));
            const absl::StatusOr<int> none =
                co_await std::move(number.completion);
            EXPECT_EQ(none.status(), absl::DataLossError("lost"));
            co_return absl::OkStatus();
          })
          .Wait(),
      IsOk());
}

TEST_P(CompletionTest, DroppedCompleterCancels) {
  Awaited<int> awaited;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(awaited.Work());
  { const Completer<int> dropped(std::move(awaited.completer.Await(*system))); }
  EXPECT_THAT(awaited.outcome.Await(*system),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("dropped")));
}

TEST_P(CompletionTest, AssignedOverCompleterCancels) {
  Awaited<int> awaited;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(awaited.Work());
  Completer<int> completer(std::move(awaited.completer.Await(*system)));
  completer = Completer<int>();
  EXPECT_THAT(awaited.outcome.Await(*system),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("dropped")));
}

TEST(CompletionLifetimeTest, DroppedCompletionIsAbandoned) {
  std::atomic<int> alive{0};
  auto pair = MakeCompletion<Counted>();
  {
    const Completion<Counted> dropped(std::move(pair.completion));
    EXPECT_TRUE(pair.completer.is_wanted());
  }
  EXPECT_FALSE(pair.completer.is_wanted());
  EXPECT_FALSE(pair.completer.Complete(Counted(alive)));
  EXPECT_EQ(alive, 0);
}

TEST(CompletionLifetimeTest, UnusedOutcomeGoesWithTheCompletion) {
  std::atomic<int> alive{0};
  {
    auto [completer, completion] = MakeCompletion<Counted>();
    EXPECT_TRUE(completer.Complete(Counted(alive)));
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

TEST(CompletionLifetimeTest, AwaitedOutsideOfAnActorIsRefused) {
  auto [completer, completion] = MakeCompletion<int>();
  const auto await = [](Completion<int> awaited) -> Task<absl::StatusOr<int>> {
    co_return co_await std::move(awaited);
  };
  EXPECT_THAT(internal::RunOutside(await(std::move(completion))),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("completion of a int")));
  EXPECT_FALSE(completer.is_wanted());
}

TEST_P(CompletionTest, GivesUpInTime) {
  Awaited<int> awaited;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(awaited.Work(absl::Milliseconds(2)));
  EXPECT_THAT(
      awaited.outcome.Await(*system),
      StatusIs(
          absl::StatusCode::kDeadlineExceeded,
          HasSubstr("waiting for the completion of a int: nothing within")));
  EXPECT_FALSE(awaited.completer.Await(*system).is_wanted());
  EXPECT_FALSE(awaited.completer.Await(*system).Complete(1));

  Awaited<int> late;
  runner.Send<Do>(late.Work(absl::ZeroDuration()));
  EXPECT_THAT(late.outcome.Await(*system),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       HasSubstr("had passed when the wait began")));
}

// §22
TEST_P(CompletionTest, GivesUpAtTheDeadlineOfTheRequest) {
  std::deque<Awaited<int>> attempts;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  // A request whose deadline passes before its handler begins has none.
  do {
    EXPECT_THAT(runner.Call<Do>(attempts.emplace_back().Work())
                    .Within(absl::Milliseconds(2))
                    .Wait(),
                StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("")));
  } while (!attempts.back().completer.IsPut());
  EXPECT_THAT(attempts.back().outcome.Await(*system),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("int")));
}

// §12
TEST_P(CompletionTest, KillDestroysTheWait) {
  Awaited<int> awaited;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(awaited.Work());
  Completer<int> completer(std::move(awaited.completer.Await(*system)));
  EXPECT_THAT(runner.KillAndWait(), IsOk());
  EXPECT_FALSE(completer.is_wanted());
  EXPECT_FALSE(completer.Complete(1));
  EXPECT_FALSE(awaited.outcome.IsPut());
}

// The same where several handlers of one actor wait.
TEST_P(CompletionTest, KillDestroysAllWaits) {
  Awaited<int> awaited[3];
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<InterleavedRunner>().value();
  for (Awaited<int>& one : awaited) {
    runner.Send<Do>(one.Work());
    one.completer.Await(*system);
  }
  EXPECT_THAT(runner.KillAndWait(), IsOk());
  for (Awaited<int>& one : awaited) {
    EXPECT_FALSE(one.completer.Await(*system).is_wanted());
    EXPECT_FALSE(one.outcome.IsPut());
  }
}

// §23: whoever called waits no more.
TEST_P(CompletionTest, GivesUpWithTheCaller) {
  Awaited<int> awaited;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  const auto caller = system->Spawn<Runner>().value();
  Do::Work work = awaited.Work();
  caller.Send<Do>([runner, work](Runner&) -> Task<absl::Status> {
    co_return co_await runner.Call<Do>(work);
  });
  Completer<int> completer(std::move(awaited.completer.Await(*system)));
  caller.Kill();
  EXPECT_THAT(awaited.outcome.Await(*system),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("int")));
  EXPECT_FALSE(completer.is_wanted());
}

// §11: a graceful stop lets the handler end.
TEST_P(CompletionTest, StopWaitsForTheHandler) {
  Awaited<int> awaited;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(awaited.Work());
  Completer<int> completer(std::move(awaited.completer.Await(*system)));
  runner.Stop();
  EXPECT_TRUE(completer.Complete(3));
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_THAT(awaited.outcome.Await(*system), IsOkAndHolds(3));
}

TEST_P(CompletionTest, OutlivesTheSystem) {
  Awaited<int> awaited;
  CompletionPair<int> unused = MakeCompletion<int>();
  {
    std::unique_ptr<ActorSystem> system = MakeSystem();
    const auto runner = system->Spawn<Runner>().value();
    runner.Send<Do>(awaited.Work());
    awaited.completer.Await(*system);
    runner.Kill();
    EXPECT_TRUE(system->AwaitNoActors());
    EXPECT_FALSE(awaited.completer.Await(*system).Complete(1));
  }
  EXPECT_TRUE(unused.completer.Complete(1));
}

}  // namespace
}  // namespace troupe
