// Calls: clauses 22 to 26 of docs/semantics.md.
#include "troupe/actor/call.h"

#include <cstdint>
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
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

struct Deposit {
  int64_t cents;
};
struct Withdraw {
  int64_t cents;
  using Reply = absl::Status;
};
struct Balance {
  using Reply = int64_t;
};

class Account : public Actor<Deposit, Withdraw, Balance> {
 public:
  explicit Account(int64_t opening_cents) : cents_(opening_cents) {}
  void Handle(Deposit m) { cents_ += m.cents; }
  absl::Status Handle(Withdraw m) {
    if (m.cents > cents_) return absl::FailedPreconditionError("overdrawn");
    cents_ -= m.cents;
    return absl::OkStatus();
  }
  int64_t Handle(Balance) { return cents_; }

 private:
  int64_t cents_;
};

struct Transfer {
  ActorRef<Deposit> to;
  int64_t cents;
  using Reply = absl::Status;
};

class Teller : public Actor<Transfer> {
 public:
  explicit Teller(ActorRef<Withdraw> from) : from_(from) {}
  Task<absl::Status> Handle(Transfer t) {
    absl::Status paid = co_await from_.Call<Withdraw>(t.cents);
    if (paid.ok()) t.to.Send<Deposit>(t.cents);
    co_return paid;
  }

 private:
  ActorRef<Withdraw> from_;
};

class CallTest : public ::testing::Test {
 protected:
  CallTest()
      : executor_(new DeterministicExecutor({.seed = 7})),
        system_(
            ActorSystem::CreateOn(std::unique_ptr<Executor>(executor_), {})) {}

  DeterministicExecutor* executor_;
  std::unique_ptr<ActorSystem> system_;
};

//
TEST_F(CallTest, YieldsWhatTheHandlerReturns) {
  const auto account = system_->Spawn<Account>(100).value();
  EXPECT_THAT(account.Call<Balance>().Wait(), IsOkAndHolds(100));
  EXPECT_THAT(account.Call<Withdraw>(30).Wait(), IsOk());
  EXPECT_THAT(account.Call<Balance>().Wait(), IsOkAndHolds(70));
  const absl::Status overdrawn = account.Call<Withdraw>(71).Wait();
  EXPECT_EQ(overdrawn, absl::FailedPreconditionError("overdrawn"));
  EXPECT_EQ(Delivery(overdrawn), DeliveryState::kAnswered);
}

//
TEST_F(CallTest, AwaitsAnotherActorInATask) {
  const auto from = system_->Spawn<Account>(100).value();
  const auto to = system_->Spawn<Account>(0).value();
  const auto teller = system_->Spawn<Teller>(from).value();
  EXPECT_THAT(teller.Call<Transfer>(to, 60).Wait(), IsOk());
  EXPECT_EQ(teller.Call<Transfer>(to, 60).Wait(),
            absl::FailedPreconditionError("overdrawn"));
  EXPECT_THAT(from.Call<Balance>().Wait(), IsOkAndHolds(40));
  EXPECT_THAT(to.Call<Balance>().Wait(), IsOkAndHolds(60));
}

//
TEST_F(CallTest, OfAnEndedActorIsNotFound) {
  const auto account = system_->Spawn<Account>(100).value();
  EXPECT_THAT(account.StopAndWait(), IsOk());
  const auto balance = account.Call<Balance>().Wait();
  EXPECT_EQ(balance.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Delivery(balance), DeliveryState::kNotDelivered);
}

struct Ask {
  using Reply = void;
};
struct Answer {};
struct Urgent {
  int number;
};

// Answers when it is told to, and sends something urgent right behind.
class LateAnswerer : public Actor<Ask, Answer> {
 public:
  void Handle(Ask, ReplyTo<void> reply) { reply_ = std::move(reply); }
  void Handle(Answer) {
    asker.SendUrgent<Urgent>(1);
    reply_.Send();
    asker.SendUrgent<Urgent>(2);
  }

  inline static ActorRef<Urgent> asker;

 private:
  ReplyTo<void> reply_;
};

class Asker : public Actor<Answer, Urgent> {
 public:
  Asker(ActorRef<Ask> whom, std::vector<int>& seen)
      : whom_(whom), seen_(seen) {}
  Task<void> Handle(Answer) {
    const absl::Status answered = co_await whom_.Call<Ask>();
    if (answered.ok()) seen_.push_back(0);
  }
  void Handle(Urgent m) { seen_.push_back(m.number); }

 private:
  const ActorRef<Ask> whom_;
  std::vector<int>& seen_;
};

// Clause 17.
TEST_F(CallTest, UrgentMessagesKeepTheirOrderBehindAnAnswer) {
  std::vector<int> seen;
  const auto answerer = system_->Spawn<LateAnswerer>().value();
  const auto asker = system_->Spawn<Asker>(answerer, seen).value();
  LateAnswerer::asker = asker;
  asker.Send<Answer>();
  executor_->RunUntilIdle();
  answerer.Send<Answer>();
  executor_->RunUntilIdle();
  EXPECT_THAT(seen, ::testing::ElementsAre(0, 1, 2));
}

struct Say {
  std::string greeting;
  std::string name;
  int times;
  using Reply = std::string;
};
struct Never {
  using Reply = void;
};

class Speaker : public Actor<Say, Never> {
 public:
  std::string Handle(const Say& m) {
    std::string said = m.greeting;
    for (int i = 0; i < m.times; ++i) said += " " + m.name;
    return said;
  }
  void Handle(Never, ReplyTo<void> reply) { kept_.push_back(std::move(reply)); }

 private:
  std::vector<ReplyTo<void>> kept_;
};

// arguments build the message in place, with and without a time.
TEST_F(CallTest, BuildsTheRequestFromItsArguments) {
  const auto speaker = system_->Spawn<Speaker>().value();
  EXPECT_THAT(speaker.Call<Say>("hello", "you", 2).Wait(),
              IsOkAndHolds("hello you you"));
  EXPECT_THAT(speaker.Call<Say>(std::string(100, 'x'), "", 0)
                  .Within(absl::Seconds(1))
                  .Wait(),
              IsOkAndHolds(std::string(100, 'x')));
  EXPECT_THAT(speaker.StopAndWait(), IsOkAndHolds(ExitReason::Normal()));
}

// a message that is sent is delivered, as is a request.
TEST_F(CallTest, SendsAreDeliveredBesideCalls) {
  const auto account = system_->Spawn<Account>(0).value();
  account.Send<Deposit>(1);
  account.Send(Deposit{2});
  account.Send<Withdraw>(1);
  EXPECT_THAT(account.Call<Balance>().Wait(), IsOkAndHolds(2));
}

// an answer that takes longer than its caller waits.
TEST_F(CallTest, TimesOutBeforeTheAnswer) {
  const auto speaker = system_->Spawn<Speaker>().value();
  const auto outcome =
      speaker.Call<Never>().Within(absl::Milliseconds(10)).Wait();
  EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kDeadlineExceeded,
                                HasSubstr("no answer within 10ms")));
  EXPECT_EQ(Delivery(outcome), DeliveryState::kUnknown);
}

}  // namespace
}  // namespace troupe
