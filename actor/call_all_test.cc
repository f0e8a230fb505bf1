// Calls of several actors at once; clauses 22 to 26.
#include "troupe/actor/call_all.h"

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/request.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

using Outcomes = std::vector<absl::StatusOr<int>>;

struct Work {
  std::string what;
  using Reply = int;
};

// Answers with the length of what it is given, after some time.
class Worker : public Actor<Work> {
 public:
  Worker(absl::Duration takes, int& given_up)
      : takes_(takes), given_up_(given_up) {}
  Task<absl::StatusOr<int>> Handle(Work m) {
    if (m.what.empty()) co_return absl::InvalidArgumentError("nothing to do");
    const bool slept = co_await Sleep(takes_);
    if (!slept) ++given_up_;
    co_return static_cast<int>(m.what.size());
  }

 private:
  const absl::Duration takes_;
  int& given_up_;
};

// Never answers: one whose handler waited would, at the deadline.
class Mute : public Actor<Work> {
 public:
  void Handle(Work, ReplyTo<int> reply) { kept_.push_back(std::move(reply)); }

 private:
  std::vector<ReplyTo<int>> kept_;
};

struct Hold {
  Tracked held;
  using Reply = int;
};

// Keeps what it is given, and never answers.
class Holder : public Actor<Hold> {
 public:
  void Handle(Hold&& m, ReplyTo<int> reply) {
    kept_.emplace_back(std::move(m), std::move(reply));
  }

 private:
  std::vector<std::pair<Hold, ReplyTo<int>>> kept_;
};

// Calls another one and itself.
class Both : public Actor<Pass, Do> {
 public:
  Both(ActorRef<Pass> other, Outcomes& outcomes)
      : other_(other), outcomes_(outcomes) {}
  int Handle(Pass) { return 0; }
  Task<void> Handle(Do) {
    std::vector<ActorRef<Pass>> refs;
    refs.push_back(other_);
    refs.push_back(self());
    outcomes_ = co_await CallAll<Pass>(refs);
  }

 private:
  const ActorRef<Pass> other_;
  Outcomes& outcomes_;
};

class CallAllTest : public CallsTest {
 protected:
  ActorRef<Work> SpawnWorker(absl::Duration takes) {
    return system_->Spawn<Worker>(takes, given_up_).value();
  }
  std::vector<ActorRef<Work>> SpawnWorkers(int count, absl::Duration takes) {
    std::vector<ActorRef<Work>> workers;
    for (int i = 0; i < count; ++i) workers.push_back(SpawnWorker(takes));
    return workers;
  }
  std::vector<ActorRef<Work>> SpawnMutes(int count) {
    std::vector<ActorRef<Work>> mutes;
    for (int i = 0; i < count; ++i) mutes.push_back(Spawn<Mute>());
    return mutes;
  }
  // What a Task of `script_`, and a plain thread, get.
  std::array<Outcomes, 2> BothWays(const std::vector<ActorRef<Work>>& workers,
                                   const std::string& what,
                                   absl::Duration timeout) {
    Outcomes in_task;
    script_.Send<Play>([&]() -> Task<void> {
      in_task = co_await CallAll<Work>(workers, what).Within(timeout);
    });
    executor_->RunFor(absl::Hours(1));
    return {std::move(in_task),
            CallAll<Work>(workers, what).Within(timeout).Wait()};
  }

  int given_up_ = 0;
  Script::Ref script_ = Spawn();
};

//
TEST_P(CallAllTest, AllAnswersComeInOrder) {
  std::vector<ActorRef<Work>> workers;
  for (int i = 9; i > 0; --i) {
    workers.push_back(SpawnWorker(absl::Milliseconds(i)));
  }
  for (const Outcomes& outcomes : BothWays(workers, "wash", absl::Seconds(1))) {
    EXPECT_THAT(outcomes, SizeIs(9));
    EXPECT_THAT(outcomes, Each(IsOkAndHolds(4)));
  }
}

//
TEST_P(CallAllTest, EachOneTimesOut) {
  const auto workers = SpawnMutes(3);
  for (const Outcomes& outcomes :
       BothWays(workers, "wash", absl::Milliseconds(10))) {
    EXPECT_THAT(outcomes, SizeIs(3));
    EXPECT_THAT(outcomes, Each(StatusIs(absl::StatusCode::kDeadlineExceeded,
                                        HasSubstr("no answer within 10ms"))));
  }
}

//
TEST_P(CallAllTest, DeadOneFailsAloneAndTheOrderIsKept) {
  std::vector<ActorRef<Work>> workers = SpawnWorkers(3, absl::Milliseconds(1));
  ASSERT_TRUE(workers[1].StopAndWait().ok());
  workers.emplace_back();  // No actor.
  for (const Outcomes& outcomes : BothWays(workers, "wash", absl::Seconds(1))) {
    ASSERT_THAT(
        outcomes,
        ElementsAre(IsOkAndHolds(4), StatusIs(absl::StatusCode::kNotFound),
                    IsOkAndHolds(4), StatusIs(absl::StatusCode::kNotFound)));
    EXPECT_EQ(Delivery(outcomes[1]), DeliveryState::kNotDelivered);
  }
}

TEST_P(CallAllTest, AnswersOfHandlersComeUnchanged) {
  const auto workers = SpawnWorkers(2, absl::Milliseconds(1));
  for (const Outcomes& outcomes : BothWays(workers, "", absl::Seconds(1))) {
    ASSERT_THAT(outcomes, SizeIs(2));
    EXPECT_THAT(outcomes, Each(StatusIs(absl::StatusCode::kInvalidArgument,
                                        "nothing to do")));
    EXPECT_EQ(Delivery(outcomes[0]), DeliveryState::kAnswered);
  }
}

TEST_P(CallAllTest, SomeAnswerAndSomeTimeOut) {
  std::vector<ActorRef<Work>> workers = SpawnMutes(1);
  workers.push_back(SpawnWorker(absl::Milliseconds(1)));
  for (const Outcomes& outcomes : BothWays(workers, "wash", absl::Seconds(1))) {
    EXPECT_THAT(outcomes,
                ElementsAre(StatusIs(absl::StatusCode::kDeadlineExceeded),
                            IsOkAndHolds(4)));
  }
}

TEST_P(CallAllTest, OfNoActorsEndsAtOnce) {
  for (const Outcomes& outcomes : BothWays({}, "wash", absl::Seconds(1))) {
    EXPECT_THAT(outcomes, IsEmpty());
  }
}

TEST_P(CallAllTest, NoTimeIsTooLate) {
  const auto workers = SpawnWorkers(2, absl::ZeroDuration());
  for (const Outcomes& outcomes :
       BothWays(workers, "wash", absl::ZeroDuration())) {
    ASSERT_THAT(outcomes, SizeIs(2));
    EXPECT_THAT(outcomes, Each(StatusIs(absl::StatusCode::kDeadlineExceeded)));
    EXPECT_EQ(Delivery(outcomes[0]), DeliveryState::kNotDelivered);
  }
}

TEST_P(CallAllTest, OneselfFailsAlone) {
  Outcomes outcomes;
  const auto gate = Spawn<Gate>();
  const auto both = system_->Spawn<Both>(gate, std::ref(outcomes)).value();
  both.Send<Do>([] {});
  executor_->RunUntilIdle();
  gate.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(outcomes,
              ElementsAre(IsOkAndHolds(1),
                          StatusIs(absl::StatusCode::kFailedPrecondition,
                                   HasSubstr("calls itself"))));
}

TEST_P(CallAllTest, DeathOfTheCallerCancelsAll) {
  const auto workers = SpawnWorkers(3, absl::Hours(1));
  script_.Send<Play>([&]() -> Task<void> {
    (void)co_await CallAll<Work>(workers, "wash");
    ADD_FAILURE() << "the caller is dead";
  });
  executor_->RunUntilIdle();
  script_.Kill();
  executor_->RunUntilIdle();
  EXPECT_EQ(given_up_, 3);
}

TEST_P(CallAllTest, GivenUpRequestGivesUpAll) {
  const auto workers = SpawnWorkers(3, absl::Hours(1));
  const auto caller = Spawn();
  Outcomes outcomes;
  caller.Send<Play>([&]() -> Task<void> {
    auto ask = [&](Request&) -> Task<absl::StatusOr<int>> {
      outcomes = co_await CallAll<Work>(workers, "wash");
      const Outcomes again = co_await CallAll<Work>(workers, "wash");
      EXPECT_THAT(again, Each(StatusIs(absl::StatusCode::kCancelled)));
      EXPECT_EQ(Delivery(again.at(0)), DeliveryState::kNotDelivered);
      co_return 1;
    };
    (void)co_await script_.Call<Ask>(ask);
  });
  executor_->RunUntilIdle();
  caller.Kill();
  executor_->RunUntilIdle();
  EXPECT_EQ(given_up_, 3);
  ASSERT_THAT(outcomes, SizeIs(3));
  EXPECT_THAT(outcomes, Each(StatusIs(absl::StatusCode::kCancelled)));
  EXPECT_EQ(Delivery(outcomes[0]), DeliveryState::kUnknown);
}

TEST_P(CallAllTest, DeadlineIsThatOfTheHandledRequest) {
  const auto workers = SpawnMutes(2);
  Outcomes outcomes;
  const auto ask = [&](Request&) -> Task<absl::StatusOr<int>> {
    outcomes = co_await CallAll<Work>(workers, "wash").Within(absl::Hours(1));
    co_return 1;
  };
  (void)script_.Call<Ask>(ask).Within(absl::Seconds(1)).Wait();
  executor_->RunUntilIdle();
  EXPECT_THAT(outcomes, SizeIs(2));
  EXPECT_THAT(outcomes, Each(StatusIs(absl::StatusCode::kDeadlineExceeded,
                                      HasSubstr("its caller handles"))));
}

TEST_P(CallAllTest, WaitInAHandlerIsRefused) {
  const auto workers = SpawnWorkers(2, absl::ZeroDuration());
  Outcomes outcomes;
  script_.Send<Do>([&] { outcomes = CallAll<Work>(workers, "wash").Wait(); });
  executor_->RunUntilIdle();
  EXPECT_THAT(outcomes, SizeIs(2));
  EXPECT_THAT(outcomes, Each(StatusIs(absl::StatusCode::kFailedPrecondition,
                                      HasSubstr("block its worker"))));
}

TEST_P(CallAllTest, PlainThreadWaitsForOneSystem) {
  const auto other = ActorSystem::CreateOn(
      std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options()),
      {});
  std::vector<ActorRef<Work>> workers = SpawnWorkers(1, absl::ZeroDuration());
  workers.push_back(
      other->Spawn<Worker>(absl::ZeroDuration(), given_up_).value());
  EXPECT_THAT(CallAll<Work>(workers, "wash").Wait(),
              ElementsAre(IsOkAndHolds(4),
                          StatusIs(absl::StatusCode::kFailedPrecondition,
                                   HasSubstr("one system"))));
}

// §25: waiting for the last of several is waiting for one.
TEST_P(CallAllTest, CycleThroughTheLastOneIsFound) {
  const auto other = Spawn();
  const std::vector<ActorRef<Ask>> others = {other};
  const auto nothing = [](Request&) -> Task<absl::StatusOr<int>> {
    co_return 0;
  };
  const auto call_back = [&](Request&) -> Task<absl::StatusOr<int>> {
    co_return co_await script_.Call<Ask>(nothing);
  };
  Outcomes outcomes;
  script_.Send<Play>([&]() -> Task<void> {
    outcomes = co_await CallAll<Ask>(others, call_back);
  });
  executor_->RunFor(absl::Milliseconds(1100));
  EXPECT_THAT(outcomes,
              ElementsAre(StatusIs(absl::StatusCode::kFailedPrecondition,
                                   HasSubstr("wait for each other"))));
}

// Requests, answers and calls that nobody waits for any more.
TEST_P(CallAllTest, LeavesNothingBehind) {
  std::atomic<int> living{0};
  {
    const auto refs = std::vector<ActorRef<Hold>>{
        system_->Spawn<Holder>().value(), system_->Spawn<Holder>().value()};
    { const auto dropped = CallAll<Hold>(refs, Tracked(living)); }
    EXPECT_EQ(living, 0);
    script_.Send<Play>([&]() -> Task<void> {
      const Tracked tracked(living);
      (void)co_await CallAll<Hold>(refs, tracked);
    });
    executor_->RunUntilIdle();
    EXPECT_EQ(living, 3);
    script_.Kill();
    executor_->RunUntilIdle();
    (void)CallAll<Hold>(refs, Tracked(living)).Within(absl::Seconds(1)).Wait();
  }
  system_.reset();
  EXPECT_EQ(living, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, CallAllTest, SomeSeeds());

}  // namespace
}  // namespace troupe::internal
