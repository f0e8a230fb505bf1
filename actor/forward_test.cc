// Calls whose answers go to another actor; clauses 22 to 26.
#include <atomic>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/request.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

struct Passed {
  absl::StatusOr<int> outcome;
};
struct Twice {
  int number;
};

// Keeps what it is sent.
class View : public Actor<Passed, Twice> {
 public:
  explicit View(std::vector<absl::StatusOr<int>>& seen) : seen_(seen) {}
  void Handle(Passed m) { seen_.push_back(std::move(m.outcome)); }
  void Handle(Twice m) { seen_.emplace_back(m.number); }

 private:
  std::vector<absl::StatusOr<int>>& seen_;
};

// Waits until it is told to give up.
class Waiter : public Actor<Pass> {
 public:
  explicit Waiter(int& given_up) : given_up_(given_up) {}
  Task<int> Handle(Pass) {
    const bool slept = co_await Sleep(absl::Hours(1));
    if (!slept) ++given_up_;
    co_return 0;
  }

 private:
  int& given_up_;
};

// Has an answer forwarded before it fails to start.
class FailingStart : public Actor<Pass> {
 public:
  FailingStart(ActorRef<Pass> callee, View::Ref view, std::atomic<int>& living)
      : callee_(callee), view_(view), living_(living) {}
  absl::Status PreStart() {
    callee_.Call<Pass>().Forward(
        view_, [held = Tracked(living_)](absl::StatusOr<int> passed) {
          return Passed{std::move(passed)};
        });
    return absl::UnavailableError("not today");
  }
  int Handle(Pass) { return 0; }

 private:
  const ActorRef<Pass> callee_;
  const View::Ref view_;
  std::atomic<int>& living_;
};

class ForwardTest : public CallsTest {
 protected:
  ForwardTest()
      : view_(system_->Spawn<View>(seen_).value()),
        gate_(Spawn<Gate>()),
        script_(Spawn()) {}

  // In a plain handler.
  void Run(absl::AnyInvocable<void()> body) {
    script_.Send<Do>(std::move(body));
    executor_->RunUntilIdle();
  }

  std::vector<absl::StatusOr<int>> seen_;
  View::Ref view_;
  Gate::Ref gate_;
  Script::Ref script_;
};

//
TEST_P(ForwardTest, AnswersGoToTheOtherActor) {
  Run([&] {
    gate_.Call<Pass>().Forward<Passed>(view_);
    gate_.Call<Pass>().Forward(view_, [](absl::StatusOr<int> passed) {
      return Twice{2 * passed.value()};
    });
    gate_.Call<Pass>().Within(absl::Seconds(1)).Forward<Passed>(view_);
    gate_.Call<Pass>()
        .Within(absl::Seconds(1))
        .Forward(view_, [](absl::StatusOr<int> passed) {
          return Twice{2 * passed.value()};
        });
  });
  EXPECT_THAT(seen_, IsEmpty());
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  // As messages of one actor: in the order of the answers.
  EXPECT_THAT(seen_, ElementsAre(IsOkAndHolds(1), IsOkAndHolds(2),
                                 IsOkAndHolds(1), IsOkAndHolds(2)));
}

TEST_P(ForwardTest, TimeoutIsForwarded) {
  Run([&] {
    gate_.Call<Pass>().Within(absl::Seconds(1)).Forward<Passed>(view_);
  });
  executor_->RunFor(absl::Milliseconds(1100));
  EXPECT_THAT(seen_, ElementsAre(StatusIs(absl::StatusCode::kDeadlineExceeded,
                                          HasSubstr("no answer within 1s"))));
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_, SizeIs(1));
}

TEST_P(ForwardTest, DeadlineIsThatOfTheHandledRequest) {
  const absl::StatusOr<int> answer =
      script_
          .Call<AskPlainly>([&](Request&) -> absl::StatusOr<int> {
            gate_.Call<Pass>().Within(absl::Hours(1)).Forward<Passed>(view_);
            return 1;
          })
          .Within(absl::Seconds(1))
          .Wait();
  EXPECT_THAT(answer, IsOkAndHolds(1));
  executor_->RunFor(absl::Milliseconds(1100));
  EXPECT_THAT(seen_,
              ElementsAre(StatusIs(absl::StatusCode::kDeadlineExceeded)));
}

TEST_P(ForwardTest, WhatCannotBeCalledIsForwardedAtOnce) {
  ASSERT_TRUE(gate_.KillAndWait().ok());
  Run([&] { gate_.Call<Pass>().Forward<Passed>(view_); });
  ASSERT_THAT(seen_, ElementsAre(StatusIs(absl::StatusCode::kNotFound)));
  EXPECT_EQ(Delivery(seen_[0]), DeliveryState::kNotDelivered);
}

TEST_P(ForwardTest, EndOfTheCalleeIsForwarded) {
  Run([&] { gate_.Call<Pass>().Forward<Passed>(view_); });
  gate_.Kill();
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_, ElementsAre(StatusIs(absl::StatusCode::kCancelled)));
}

TEST_P(ForwardTest, PlainThreadIsToldToWaitItself) {
  gate_.Call<Pass>().Forward<Passed>(view_);
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_,
              ElementsAre(StatusIs(absl::StatusCode::kFailedPrecondition,
                                   HasSubstr("a plain thread uses Wait()"))));
}

TEST_P(ForwardTest, ActorMayCallItself) {
  Run([&] {
    script_.Call<AskPlainly>([](Request&) { return absl::StatusOr<int>(5); })
        .Forward<Passed>(view_);
  });
  EXPECT_THAT(seen_, ElementsAre(IsOkAndHolds(5)));
}

TEST_P(ForwardTest, GoesOnWhileAHandlerIsSuspended) {
  const auto other = Spawn<Gate>();
  script_.Send<Play>([&]() -> Task<void> {
    gate_.Call<Pass>().Forward<Passed>(view_);
    absl::StatusOr<int> never = co_await other.Call<Pass>();
  });
  executor_->RunUntilIdle();
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_, ElementsAre(IsOkAndHolds(1)));
}

TEST_P(ForwardTest, EndOfTheCallerCancelsTheCall) {
  int given_up = 0;
  const auto waiter = system_->Spawn<Waiter>(given_up).value();
  for (const bool kill : {true, false}) {
    const auto caller = Spawn();
    caller.Send<Do>([&] { waiter.Call<Pass>().Forward<Passed>(view_); });
    executor_->RunUntilIdle();
    if (kill) {
      caller.Kill();
    } else {
      caller.Stop();
    }
    executor_->RunUntilIdle();
    EXPECT_EQ(given_up, kill ? 1 : 2);
  }
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_P(ForwardTest, FailedStartCancelsTheCall) {
  int given_up = 0;
  std::atomic<int> living{0};
  const auto waiter = system_->Spawn<Waiter>(given_up).value();
  const ActorRef<Pass> callee = waiter;
  EXPECT_THAT(system_->Spawn<FailingStart>(callee, view_, std::ref(living)),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(living, 0);
  executor_->RunUntilIdle();
  EXPECT_EQ(given_up, 0);  // It was dropped before its handler.
  EXPECT_EQ(expired_letters_, 1);
  EXPECT_THAT(seen_, IsEmpty());
}

// What a conversion holds goes with it, wherever the call ends.
TEST_P(ForwardTest, ConversionIsDestroyedOnce) {
  std::atomic<int> living{0};
  const auto forward = [&](absl::Duration timeout) {
    gate_.Call<Pass>().Within(timeout).Forward(
        view_, [held = Tracked(living)](absl::StatusOr<int> passed) {
          return Passed{std::move(passed)};
        });
  };
  Run([&] {
    forward(absl::ZeroDuration());
    forward(absl::Seconds(1));
    forward(absl::Seconds(2));
    forward(absl::Seconds(3));
  });
  EXPECT_EQ(living, 3);
  executor_->RunFor(absl::Milliseconds(1100));
  EXPECT_EQ(living, 2);
  script_.Kill();
  executor_->RunUntilIdle();
  EXPECT_EQ(living, 0);
  EXPECT_THAT(seen_, SizeIs(2));
}

// It is user code: a duty to answer that it held is dropped with it.
TEST_P(ForwardTest, ConversionOfAnEndedActorMaySend) {
  struct Relay : Actor<Pass> {
    explicit Relay(ActorRef<Pass> to, View::Ref view) : to(to), view(view) {}
    void Handle(Pass, ReplyTo<int> reply) {
      to.Call<Pass>().Forward(
          view, [reply = std::move(reply)](absl::StatusOr<int> passed) mutable {
            reply.Send(passed);
            return Passed{std::move(passed)};
          });
    }
    ActorRef<Pass> to;
    View::Ref view;
  };
  const auto relay = system_->Spawn<Relay>(gate_, view_).value();
  absl::StatusOr<int> answer = 0;
  script_.Send<Play>(
      [&]() -> Task<void> { answer = co_await relay.Call<Pass>(); });
  executor_->RunUntilIdle();
  relay.Stop();
  executor_->RunUntilIdle();
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kCancelled));
}

#ifdef __cpp_exceptions
TEST_P(ForwardTest, ThrowingConversionFailsTheCaller) {
  Run([&] {
    gate_.Call<Pass>().Forward(view_, [](absl::StatusOr<int>) -> Passed {
      throw std::runtime_error("no such word");
    });
  });
  absl::StatusOr<ExitReason> reason = absl::UnknownError("");
  Spawn().Send<Play>([&]() -> Task<void> { reason = co_await Ended(script_); });
  executor_->RunUntilIdle();
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  ASSERT_TRUE(reason.ok());
  EXPECT_EQ(reason->kind(), ExitReason::Kind::kFailed);
  EXPECT_THAT(reason->ToString(), HasSubstr("no such word"));
}
#endif

INSTANTIATE_TEST_SUITE_P(Seeds, ForwardTest, SomeSeeds());

}  // namespace
}  // namespace troupe::internal
