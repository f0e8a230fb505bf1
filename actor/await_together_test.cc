// WhenAll and WhenAny over what an actor can await: who loses is cancelled.
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/request.h"
#include "troupe/actor/run_blocking.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/actor/when_all.h"
#include "troupe/actor/when_any.h"
#include "troupe/base/clock.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Do;
using internal::Handed;
using internal::Runner;
using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class AwaitTogetherTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, AwaitTogetherTest,
                         internal::AllExecutors());

struct Question {
  int number;
  using Reply = int;
};

// Waits until it is opened, or its caller waits no more.
class Callee : public Actor<Question> {
 public:
  Task<absl::StatusOr<int>> Handle(Question question, Request& request) {
    EXPECT_FALSE(request.stop_token().stop_requested());
    auto [opens, open] = MakeCompletion<int>();
    opens_.Put(std::move(opens));
    const absl::StatusOr<int> answer = co_await std::move(open);
    stopped_.Put(request.stop_token().stop_requested());
    if (!answer.ok()) co_return answer.status();
    co_return question.number + *answer;
  }

  explicit Callee(Handed<Completer<int>>& opens, Handed<bool>& stopped)
      : opens_(opens), stopped_(stopped) {}

 private:
  Handed<Completer<int>>& opens_;
  Handed<bool>& stopped_;
};

struct CalleeFor {
  explicit CalleeFor(ActorSystem& system)
      : ref(system.Spawn<Callee>(opens, stopped).value()) {}

  // Waits until it knows that its caller has given up; if that was before it
  // saw the request, it never does.
  void AwaitStopped(ActorSystem& system) {
    EXPECT_THAT(ref.DrainAndWait(), IsOk());
    EXPECT_TRUE(!opens.IsPut() || stopped.Await(system));
  }

  Handed<Completer<int>> opens;
  Handed<bool> stopped;
  const Callee::Ref ref;
};

int Twice(int number) { return 2 * number; }

// §23: the callee that loses learns that nobody waits any more.
TEST_P(AwaitTogetherTest, LoserOfACallFiresItsStopToken) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  CalleeFor callee(*system);
  const auto runner = system->Spawn<Runner>().value();
  EXPECT_THAT(runner
                  .Call<Do>([&](Runner&) -> Task<absl::Status> {
                    auto first = co_await WhenAny(callee.ref.Call<Question>(1),
                                                  RunBlocking(Twice, 4));
                    EXPECT_EQ(first.index(), 1u);
                    if (first.index() != 1)
                      co_return absl::InternalError("the call");
                    co_return std::get<1>(first).status();
                  })
                  .Wait(),
              IsOk());
  callee.AwaitStopped(*system);
}

TEST_P(AwaitTogetherTest, WinningCompletionCancelsTheCall) {
  Handed<Completer<void>> wins;
  Handed<size_t> index;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  CalleeFor callee(*system);
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>([&](Runner&) -> Task<absl::Status> {
    auto [completer, completion] = MakeCompletion<void>();
    wins.Put(std::move(completer));
    const auto first =
        co_await WhenAny(callee.ref.Call<Question>(1), std::move(completion));
    index.Put(first.index());
    co_return absl::OkStatus();
  });
  callee.opens.Await(*system);
  EXPECT_FALSE(callee.stopped.IsPut());
  EXPECT_TRUE(wins.Await(*system).Complete());
  EXPECT_EQ(index.Await(*system), 1u);
  EXPECT_TRUE(callee.stopped.Await(*system));
  EXPECT_FALSE(callee.opens.Await(*system).is_wanted());
}

TEST_P(AwaitTogetherTest, WinningCallAbandonsTheCompletion) {
  Handed<Completer<void>> loses;
  Handed<absl::StatusOr<int>> answer;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  CalleeFor callee(*system);
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>([&](Runner&) -> Task<absl::Status> {
    auto [completer, completion] = MakeCompletion<void>();
    loses.Put(std::move(completer));
    auto first =
        co_await WhenAny(std::move(completion), callee.ref.Call<Question>(1));
    if (first.index() == 1) answer.Put(std::get<1>(std::move(first)));
    co_return absl::OkStatus();
  });
  EXPECT_TRUE(callee.opens.Await(*system).Complete(5));
  EXPECT_THAT(answer.Await(*system), IsOkAndHolds(6));
  EXPECT_FALSE(callee.stopped.Await(*system));
  EXPECT_FALSE(loses.Await(*system).is_wanted());
  EXPECT_FALSE(loses.Await(*system).Complete());
}

TEST_P(AwaitTogetherTest, SleepIsATimeoutForWhateverElse) {
  Handed<size_t> index;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  CalleeFor callee(*system);
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>([&](Runner&) -> Task<absl::Status> {
    const auto first = co_await WhenAny(callee.ref.Call<Question>(1),
                                        Sleep(absl::Milliseconds(2)));
    index.Put(first.index());
    co_return absl::OkStatus();
  });
  EXPECT_EQ(index.Await(*system), 1u);
  callee.AwaitStopped(*system);
}

TEST_P(AwaitTogetherTest, AllYieldTogether) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  CalleeFor callee(*system);
  const auto ends = system->Spawn<Runner>().value();
  const auto runner = system->Spawn<Runner>().value();
  Handed<absl::StatusOr<int>> answer, blocking;
  Handed<absl::StatusOr<ExitReason>> why;
  runner.Send<Do>([&](Runner&) -> Task<absl::Status> {
    auto [a, b, c] =
        co_await WhenAll(callee.ref.Call<Question>(1), RunBlocking(Twice, 2),
                         Ended(ends).Within(absl::Hours(1)));
    answer.Put(std::move(a));
    blocking.Put(std::move(b));
    why.Put(std::move(c));
    co_return absl::OkStatus();
  });
  Completer<int> opens(std::move(callee.opens.Await(*system)));
  EXPECT_THAT(ends.StopAndWait(), IsOk());
  EXPECT_TRUE(opens.Complete(1));
  EXPECT_THAT(answer.Await(*system), IsOkAndHolds(2));
  EXPECT_THAT(blocking.Await(*system), IsOkAndHolds(4));
  // It may have ended before it was asked.
  EXPECT_THAT(why.Await(*system),
              IsOkAndHolds(::testing::AnyOf(ExitReason::Normal(),
                                            ExitReason::NoActor())));
}

TEST_P(AwaitTogetherTest, CancelEndsAllThatIsAwaited) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  CalleeFor callee(*system);
  const auto other = system->Spawn<Runner>().value();
  const auto runner = system->Spawn<Runner>().value();
  const auto caller = system->Spawn<Runner>().value();
  Handed<absl::Status> call, completion, end;
  Handed<bool> over;
  Do::Work work = [&](Runner&) -> Task<absl::Status> {
    auto [completer, never] = MakeCompletion<int>();
    auto [a, b, c] = co_await WhenAll(callee.ref.Call<Question>(1),
                                      std::move(never), Ended(other));
    call.Put(a.status());
    completion.Put(b.status());
    end.Put(c.status());
    over.Put(true);
    co_return absl::OkStatus();
  };
  caller.Send<Do>([&](Runner&) -> Task<absl::Status> {
    co_return co_await runner.Call<Do>(work);
  });
  callee.opens.Await(*system);
  caller.Kill();
  EXPECT_TRUE(over.Await(*system));
  for (auto* const status : {&call, &completion, &end}) {
    EXPECT_THAT(status->Await(*system),
                StatusIs(absl::StatusCode::kCancelled, HasSubstr("")));
  }
  EXPECT_TRUE(callee.stopped.Await(*system));
}

// Starts never.
class NeverStarts : public Actor<Question> {
 public:
  explicit NeverStarts(Handed<AnyActorRef>& me) : me_(me) {}
  Task<absl::Status> PreStart() {
    auto [completer, never] = MakeCompletion<void>();
    me_.Put(self());
    co_return co_await std::move(never);
  }
  int Handle(Question) { return 0; }

 private:
  Handed<AnyActorRef>& me_;
};

TEST_P(AwaitTogetherTest, LosingSpawnEndsTheChild) {
  Handed<AnyActorRef> child;
  Handed<Completer<void>> wins;
  Handed<size_t> index;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>([&](Runner& self) -> Task<absl::Status> {
    auto [completer, completion] = MakeCompletion<void>();
    wins.Put(std::move(completer));
    const auto first = co_await WhenAny(
        self.SpawnAsync<NeverStarts>(std::ref(child)), std::move(completion));
    index.Put(first.index());
    co_return absl::OkStatus();
  });
  child.Await(*system);
  EXPECT_TRUE(wins.Await(*system).Complete());
  EXPECT_EQ(index.Await(*system), 1u);
  EXPECT_THAT(child.Await(*system).Wait(), IsOk());
  EXPECT_TRUE(
      system->executor().RunUntil([&] { return system->live_actors() == 1; },
                                  MonotonicTime::InfiniteFuture()));
}

}  // namespace
}  // namespace troupe
