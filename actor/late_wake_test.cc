// Actors that end while somebody who sent to them has yet to wake their owner:
// they are over but for that wake, and whatever is meant for them meanwhile
// must not run them again.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/build.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/task.h"
#include "troupe/base/ownership.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/runnable.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::troupe::internal::Do;
using ::troupe::internal::Play;
using ::troupe::internal::Script;

// Hands the duty to answer to the test.
struct Lend {
  using Reply = int;
};
class Lender : public Actor<Lend, Do> {
 public:
  explicit Lender(std::vector<ReplyTo<int>>& lent) : lent_(lent) {}
  void Handle(Lend, ReplyTo<int> reply) { lent_.push_back(std::move(reply)); }
  void Handle(Do&& m) { m.body(); }

 private:
  std::vector<ReplyTo<int>>& lent_;
};

class LateWakeTest : public ::testing::TestWithParam<int> {
 protected:
  LateWakeTest()
      : executor_(new DeterministicExecutor({.seed = Seed(),
                                             .workers = 1,
                                             .hand_over_probability = 0,
                                             .lost_seat_probability = 0})),
        system_(
            ActorSystem::CreateOn(std::unique_ptr<Executor>(executor_), {})),
        helper_(system_->Spawn<Script>().value()),
        other_(system_->Spawn<Script>().value()) {}

  static uint64_t Seed() { return static_cast<uint64_t>(GetParam()); }

  // Lets `victim` end with its wake on the way.
  template <typename Ref>
  void EndUnwoken(const Ref& victim, bool kill) {
    executor_->RunUntilIdle();
    internal::Cell& cell = *victim.cell();
    Envelope* const envelope = internal::MakeMessage<Do>([] {});
    envelope->target = cell.target();
    EXPECT_EQ(cell.Push(cell.Load(), envelope), PushResult::kMustWake);
    helper_.Send<Do>([&] { kill ? victim.Kill() : victim.Stop(); });
    executor_->RunUntilIdle();
    EXPECT_NE(victim.status(), ActorStatus::kRunning);
    EXPECT_EQ(cell.phase, internal::Phase::kZombie);
  }

  // Runs `late` on the worker of `victim`; then comes the wake.
  void WakeAfter(const AnyActorRef& victim, const std::function<void()>& late) {
    helper_.Send<Do>([&] {
      SendToOther("before");
      late();
      WakeOwner(*victim.cell());
      SendToOther("after");
    });
    executor_->RunUntilIdle();
    EXPECT_EQ(victim.status(), ActorStatus::kStopped);
    EXPECT_THAT(log_, ElementsAre("before", "after"));
  }
  void SendToOther(const std::string& text) {
    other_.Send<Do>([this, text] { log_.push_back(text); });
  }

  DeterministicExecutor* executor_;
  std::unique_ptr<ActorSystem> system_;
  Script::Ref helper_;
  Script::Ref other_;
  std::vector<std::string> log_;
  std::vector<ReplyTo<int>> lent_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, LateWakeTest, ::testing::Range(1, 9));

TEST_P(LateWakeTest, RequestsToEndComeTooLate) {
  const auto victim = system_->Spawn<Script>().value();
  EndUnwoken(victim, /*kill=*/false);
  WakeAfter(victim, [&] {
    victim.Stop();
    victim.Kill();
  });
}

TEST_P(LateWakeTest, AnswerComesTooLate) {
  const auto lender = system_->Spawn<Lender>(lent_).value();
  const auto victim = system_->Spawn<Script>().value();
  victim.Send<Play>(
      [lender]() -> Task<void> { (void)co_await lender.Call<Lend>(); });
  EndUnwoken(victim, /*kill=*/true);
  WakeAfter(victim, [&] { EXPECT_TRUE(lent_[0].Send(1)); });
}

TEST_P(LateWakeTest, CancelComesTooLate) {
  const auto victim = system_->Spawn<Lender>(lent_).value();
  const auto caller = system_->Spawn<Script>().value();
  caller.Send<Play>(
      [victim]() -> Task<void> { (void)co_await victim.Call<Lend>(); });
  EndUnwoken(victim, /*kill=*/true);
  // The caller's turn follows: its frame goes, and cancels the call.
  caller.Kill();
  ASSERT_TRUE(executor_->Step());
  WakeAfter(victim, [] {});
}

class Parent : public Actor<Do> {
 public:
  explicit Parent(Script::Ref& child) : child_(child) {}
  void PreStart() { child_ = Spawn<Script>().value(); }
  void Handle(Do&& m) { m.body(); }

 private:
  Script::Ref& child_;
};

TEST_P(LateWakeTest, ParentsEndComesTooLate) {
  Script::Ref child;
  const auto parent = system_->Spawn<Parent>(child).value();
  EndUnwoken(child, /*kill=*/false);
  SendToOther("before");
  parent.Kill();
  ASSERT_TRUE(executor_->Step());
  ASSERT_TRUE(executor_->Step());
  WakeOwner(*child.cell());
  SendToOther("after");
  executor_->RunUntilIdle();
  EXPECT_EQ(parent.status(), ActorStatus::kStopped);
  EXPECT_EQ(child.status(), ActorStatus::kStopped);
  EXPECT_THAT(log_, ElementsAre("before", "after"));
}

}  // namespace
}  // namespace troupe
