// §25: calling oneself, and circles of calls, are found and reported.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

constexpr absl::StatusCode kFailedPrecondition =
    absl::StatusCode::kFailedPrecondition;

struct Ring;
struct Chain : Protocol<Ring> {};

// Each actor on the way calls the next one; the last one answers.
struct Ring {
  std::vector<ActorRef<Chain>> way;  // The next one last.
  bool started = false;              // Calls are started, and awaited then.
  using Reply = absl::Status;
};

class Member : public Actor<Chain> {
 public:
  Task<absl::Status> Handle(Ring m) {
    if (m.way.empty()) co_return absl::OkStatus();
    const ActorRef<Chain> next = m.way.back();
    m.way.pop_back();
    std::vector<ActorRef<Chain>> rest = std::move(m.way);
    if (!m.started) co_return co_await next.Call<Ring>(std::move(rest));
    StartedCall<Ring> call = next.Call<Ring>(std::move(rest), true).Start();
    co_return co_await std::move(call);
  }
};

// The same, after a call that is answered.
class SecondCaller : public Actor<Chain> {
 public:
  explicit SecondCaller(ActorRef<Chain> first) : first_(first) {}
  Task<absl::Status> Handle(Ring m) {
    const absl::Status answered = co_await first_.Call<Ring>();
    if (!answered.ok() || m.way.empty()) co_return answered;
    const ActorRef<Chain> next = m.way.back();
    m.way.pop_back();
    std::vector<ActorRef<Chain>> rest = std::move(m.way);
    co_return co_await next.Call<Ring>(std::move(rest));
  }

 private:
  const ActorRef<Chain> first_;
};

// Goes round between an actor that starts its calls and one that awaits them.
struct Round;
struct Rounds : Protocol<Round> {};
struct Round {
  ActorRef<Rounds> starter;
  ActorRef<Rounds> awaiter;
  using Reply = absl::Status;
};
class Starter : public Actor<Rounds> {
 public:
  Task<absl::Status> Handle(Round m) {
    StartedCall<Round> call =
        m.awaiter.Call<Round>(m.starter, m.awaiter).Start();
    co_return co_await std::move(call);
  }
};
class Awaiter : public Actor<Rounds> {
 public:
  Task<absl::Status> Handle(Round m) {
    co_return co_await m.starter.Call<Round>(m.starter, m.awaiter);
  }
};

// Calls the awaiter once; then it answers.
class Asker : public Actor<Rounds> {
 public:
  Task<absl::Status> Handle(Round m) {
    if (asked_) co_return absl::OkStatus();
    asked_ = true;
    co_return co_await m.awaiter.Call<Round>(m.starter, m.awaiter);
  }

 private:
  bool asked_ = false;
};
struct Duty {
  ReplyTo<absl::Status> reply;
};
class Helper : public Actor<Duty> {
 public:
  Task<void> Handle(Duty m) {
    const bool slept = co_await Sleep(absl::Seconds(3));
    EXPECT_TRUE(slept);
    m.reply.Send(absl::OkStatus());
  }
};
// Has the helper answer, and calls back meanwhile.
class Delegator : public Actor<Rounds> {
 public:
  Delegator(ActorRef<Duty> helper, absl::Status& seen)
      : helper_(helper), seen_(seen) {}
  Task<void> Handle(Round m, ReplyTo<absl::Status> reply) {
    helper_.Send<Duty>(std::move(reply));
    seen_ = co_await m.starter.Call<Round>(m.starter, self());
  }

 private:
  const ActorRef<Duty> helper_;
  absl::Status& seen_;
};

class DeadlockTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  DeadlockTest()
      : executor_(new DeterministicExecutor({.seed = GetParam()})),
        system_(ActorSystem::CreateOn(std::unique_ptr<Executor>(executor_),
                                      {.call_timeout = absl::Hours(1)})) {
    for (int i = 0; i < 4; ++i) {
      members_.push_back(system_->Spawn<Member>().value());
    }
  }

  MonotonicTime Now() const { return executor_->clock().Now(); }
  // Starts a chain of calls at the first of `members`.
  absl::Status Call(std::vector<int> members, bool started = false) {
    std::vector<ActorRef<Chain>> way;
    for (size_t i = members.size(); i-- > 1;) {
      way.push_back(members_[members[i]]);
    }
    return members_[members[0]].Call<Ring>(std::move(way), started).Wait();
  }

  DeterministicExecutor* executor_;
  std::unique_ptr<ActorSystem> system_;
  std::vector<ActorRef<Chain>> members_;
};

TEST_P(DeadlockTest, OfOneActorIsFoundAtOnce) {
  const MonotonicTime before = Now();
  const absl::Status status = Call({0, 0});
  EXPECT_THAT(status, StatusIs(kFailedPrecondition,
                               HasSubstr("an actor that calls itself")));
  EXPECT_EQ(Now(), before);
}

TEST_P(DeadlockTest, OfTwoIsFoundAndNamesBothAndTheirRequests) {
  const MonotonicTime before = Now();
  const absl::Status status = Call({0, 1, 0});
  EXPECT_THAT(status, StatusIs(kFailedPrecondition,
                               AllOf(HasSubstr("wait for each other"),
                                     HasSubstr(members_[0].id().ToString()),
                                     HasSubstr(members_[1].id().ToString()),
                                     HasSubstr("Ring"), HasSubstr("Member"))));
  EXPECT_EQ(Delivery(status), DeliveryState::kAnswered);
  EXPECT_LE(Now() - before, absl::Milliseconds(1100));
  // They are free again.
  EXPECT_THAT(Call({0, 1}), IsOk());
}

TEST_P(DeadlockTest, OfFourIsFound) {
  EXPECT_THAT(Call({0, 1, 2, 3, 0}),
              StatusIs(kFailedPrecondition, HasSubstr("wait for each other")));
  EXPECT_THAT(Call({3, 2, 1, 0}), IsOk());
}

TEST_P(DeadlockTest, BehindALeadInIsFoundByItsMembers) {
  EXPECT_THAT(Call({0, 1, 2, 3, 1}),
              StatusIs(kFailedPrecondition, HasSubstr("wait for each other")));
}

TEST_P(DeadlockTest, OfStartedCallsIsFound) {
  const MonotonicTime before = Now();
  const absl::Status status = Call({0, 1, 2, 0}, /*started=*/true);
  EXPECT_THAT(status, StatusIs(kFailedPrecondition,
                               AllOf(HasSubstr("wait for each other"),
                                     HasSubstr(members_[0].id().ToString()),
                                     HasSubstr(members_[1].id().ToString()),
                                     HasSubstr(members_[2].id().ToString()))));
  EXPECT_LE(Now() - before, absl::Milliseconds(1100));
  EXPECT_THAT(Call({0, 1, 2}, /*started=*/true), IsOk());
}

// One started call in a cycle of awaited ones.
TEST_P(DeadlockTest, ThroughAStartedCallIsFound) {
  const auto starter = system_->Spawn<Starter>().value();
  const auto awaiter = system_->Spawn<Awaiter>().value();
  const absl::Status status = starter.Call<Round>(starter, awaiter).Wait();
  EXPECT_THAT(status,
              StatusIs(kFailedPrecondition,
                       AllOf(HasSubstr("Starter"), HasSubstr("Awaiter"))));
}

TEST_P(DeadlockTest, OfSecondCallsIsFound) {
  const ActorRef<Chain> a = system_->Spawn<SecondCaller>(members_[0]).value();
  const ActorRef<Chain> b = system_->Spawn<SecondCaller>(members_[0]).value();
  const MonotonicTime before = Now();
  EXPECT_THAT(a.Call<Ring>(std::vector<ActorRef<Chain>>{a, b}).Wait(),
              StatusIs(kFailedPrecondition, HasSubstr("wait for each other")));
  EXPECT_LE(Now() - before, absl::Milliseconds(1100));
}

TEST_P(DeadlockTest, LongChainsThatEndAreNone) {
  EXPECT_THAT(Call({0, 1, 2, 3}), IsOk());
}

TEST_P(DeadlockTest, WhoseDutyIsElsewhereIsNone) {
  absl::Status seen = absl::UnknownError("not over");
  const auto asker = system_->Spawn<Asker>().value();
  const auto delegator =
      system_
          ->Spawn<Delegator>(system_->Spawn<Helper>().value(), std::ref(seen))
          .value();
  EXPECT_THAT(asker.Call<Round>(asker, delegator).Wait(), IsOk());
  executor_->RunUntilIdle();
  EXPECT_THAT(seen, IsOk());
}

INSTANTIATE_TEST_SUITE_P(Seeds, DeadlockTest, ::testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace troupe
