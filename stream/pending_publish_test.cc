// Publishers that wait for their lossless subscribers: clause 37 of
// docs/semantics.md.
#include "troupe/stream/pending_publish.h"

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/request.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/stream/internal/stream_testing.h"
#include "troupe/stream/output_port.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::troupe::internal::Ask;
using ::troupe::internal::Do;
using ::troupe::internal::Gate;
using ::troupe::internal::Listener;
using ::troupe::internal::Open;
using ::troupe::internal::Price;
using ::troupe::internal::Script;
using ::troupe::internal::SlowListener;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

class PendingPublishTest : public internal::CallsTest {
 protected:
  ~PendingPublishTest() override { EXPECT_TRUE(system_->Shutdown().ok()); }

  void RunIdle() { executor_->RunUntilIdle(); }
  // Lets the slow one end the handler that it is in.
  void LetOnePass() {
    RunIdle();
    gate_.Send<Open>();
    RunIdle();
  }
  PortSubscription SubscribeSlow(uint32_t limit) {
    slow_ = system_->Spawn<SlowListener>(got_, gate_).value();
    return port_->Subscribe(slow_, {.limit = limit});
  }
  // Has an actor publish `count` prices, each when there is room.
  Script::Ref PublishAll(int first, int count) {
    const Script::Ref publisher = Spawn<Script>();
    publisher.Send<internal::Play>(
        [this, ref = port_->ref(), first, count]() -> Task<void> {
          for (int cents = first; cents < first + count; ++cents) {
            outcomes_.push_back(co_await ref.PublishWhenReady(cents));
            if (outcomes_.back().ok()) published_.push_back(cents);
          }
        });
    RunIdle();
    return publisher;
  }

  std::vector<int> got_;
  std::vector<int> published_;
  std::vector<absl::Status> outcomes_;
  Gate::Ref gate_ = Spawn<Gate>();
  SlowListener::Ref slow_;
  std::unique_ptr<OutputPort<Price>> port_ =
      std::make_unique<OutputPort<Price>>();
};

INSTANTIATE_TEST_SUITE_P(Seeds, PendingPublishTest, internal::SomeSeeds());

// One is being handled, two wait: the fourth publish is suspended.
TEST_P(PendingPublishTest, WaitsForTheSlowestLosslessSubscriber) {
  const PortSubscription slow = SubscribeSlow(2);
  std::vector<int> quick;
  const PortSubscription other =
      port_->Subscribe(system_->Spawn<Listener>(quick).value(), {.limit = 2});
  PublishAll(1, 6);
  EXPECT_THAT(published_, ElementsAre(1, 2, 3));
  EXPECT_EQ(slow.stats().waiting, 2u);
  LetOnePass();
  EXPECT_THAT(published_, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(slow.stats().waiting, 2u);
  for (int i = 0; i < 5; ++i) LetOnePass();
  EXPECT_THAT(got_, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(quick, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_P(PendingPublishTest, LossySubscribersHoldUpNobody) {
  slow_ = system_->Spawn<SlowListener>(got_, gate_).value();
  const PortSubscription slow =
      port_->Subscribe(slow_, {.lag = Lag::kDropNewest, .limit = 1});
  PublishAll(1, 6);
  EXPECT_THAT(published_, SizeIs(6));
}

// First come, first served; and never more than fits.
TEST_P(PendingPublishTest, PublishersTakeTurns) {
  const PortSubscription slow = SubscribeSlow(1);
  PublishAll(10, 2);  // The first is handled, the second waits.
  PublishAll(20, 2);
  PublishAll(30, 1);
  EXPECT_THAT(published_, ElementsAre(10, 11));
  for (int i = 0; i < 5; ++i) {
    EXPECT_LE(slow.stats().waiting, 1u);
    LetOnePass();
  }
  EXPECT_THAT(got_, ElementsAre(10, 11, 20, 30, 21));
}

// Publish() does not wait; it is for those that do to make up for it.
TEST_P(PendingPublishTest, WaitsForWhatOthersBrought) {
  const PortSubscription slow = SubscribeSlow(2);
  for (int cents = 0; cents < 5; ++cents) port_->Publish(cents);
  RunIdle();
  EXPECT_EQ(slow.stats().waiting, 4u);
  EXPECT_FALSE(port_->TryPublish(50));
  PublishAll(5, 1);
  LetOnePass();
  LetOnePass();
  EXPECT_THAT(published_, IsEmpty());
  LetOnePass();
  EXPECT_THAT(published_, ElementsAre(5));
  for (int i = 0; i < 3; ++i) LetOnePass();
  EXPECT_TRUE(port_->TryPublish(6));
  LetOnePass();
  EXPECT_THAT(got_, ElementsAre(0, 1, 2, 3, 4, 5, 6));
}

// Otherwise nobody would ever have the next one.
TEST_P(PendingPublishTest, WhoDoesNotWaitEndsItsTurnToo) {
  const PortSubscription slow = SubscribeSlow(2);
  EXPECT_TRUE(port_->TryPublish(1));
  EXPECT_TRUE(port_->TryPublish(2));
  PublishAll(3, 1);
  for (int i = 0; i < 3; ++i) LetOnePass();
  EXPECT_THAT(got_, ElementsAre(1, 2, 3));
}

TEST_P(PendingPublishTest, EndsWhereTheSubscriberHas) {
  const PortSubscription slow = SubscribeSlow(1);
  PublishAll(1, 4);
  EXPECT_THAT(published_, ElementsAre(1, 2));
  slow_.Kill();
  RunIdle();
  EXPECT_THAT(published_, ElementsAre(1, 2, 3, 4));
}

TEST_P(PendingPublishTest, EndsWhereTheSubscriptionDoes) {
  PortSubscription slow = SubscribeSlow(1);
  PublishAll(1, 4);
  EXPECT_THAT(published_, ElementsAre(1, 2));
  slow.Unsubscribe();
  RunIdle();
  EXPECT_THAT(published_, ElementsAre(1, 2, 3, 4));
}

TEST_P(PendingPublishTest, EndsWithThePort) {
  const PortSubscription slow = SubscribeSlow(1);
  PublishAll(1, 3);
  PublishAll(9, 1);
  port_.reset();
  RunIdle();
  EXPECT_THAT(outcomes_, ElementsAre(IsOk(), IsOk(),
                                     StatusIs(absl::StatusCode::kAborted,
                                              HasSubstr("the port is gone")),
                                     StatusIs(absl::StatusCode::kAborted)));
  LetOnePass();
  LetOnePass();
  EXPECT_THAT(got_, ElementsAre(1, 2));
}

TEST_P(PendingPublishTest, GivesUpInTime) {
  const PortSubscription slow = SubscribeSlow(1);
  PublishAll(1, 2);
  const Script::Ref publisher = Spawn<Script>();
  absl::Status late;
  absl::Status later;
  publisher.Send<internal::Play>([&]() -> Task<void> {
    late = co_await port_->PublishWhenReady(3).Within(absl::Seconds(1));
    later = co_await port_->PublishWhenReady(4).Within(absl::ZeroDuration());
  });
  executor_->RunFor(absl::Milliseconds(999));
  EXPECT_THAT(late, IsOk());
  executor_->RunFor(absl::Milliseconds(2));
  EXPECT_THAT(late,
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       HasSubstr("room for the subscribers of a port of")));
  EXPECT_THAT(later, StatusIs(absl::StatusCode::kDeadlineExceeded));
  // They left the line.
  LetOnePass();
  LetOnePass();
  EXPECT_TRUE(port_->TryPublish(5));
  LetOnePass();
  EXPECT_THAT(got_, ElementsAre(1, 2, 5));
}

// §12: also one whose turn has come and who did not get to it.
TEST_P(PendingPublishTest, KilledPublisherPassesItsTurnOn) {
  const PortSubscription slow = SubscribeSlow(1);
  PublishAll(1, 2);
  const Script::Ref waits = PublishAll(3, 1);
  const Script::Ref told = PublishAll(4, 1);
  PublishAll(5, 1);
  waits.Kill();
  RunIdle();
  gate_.Send<Open>();
  // Steps, until the turn of `told` has come: it is killed before it runs.
  EXPECT_TRUE(executor_->RunUntil([&] { return slow.stats().waiting == 0; },
                                  MonotonicTime::InfiniteFuture()));
  told.Kill();
  RunIdle();
  for (int i = 0; i < 4; ++i) LetOnePass();
  EXPECT_EQ(got_.back(), 5);
  EXPECT_TRUE(port_->TryPublish(6));
}

// §23.
TEST_P(PendingPublishTest, CallerThatGivesUpEndsTheWait) {
  const PortSubscription slow = SubscribeSlow(1);
  PublishAll(1, 2);
  const Script::Ref publisher = Spawn<Script>();
  absl::Status outcome;
  const Script::Ref caller = Spawn<Script>();
  caller.Send<internal::Play>([&]() -> Task<void> {
    (void)co_await publisher.Call<Ask>(
        [&](Request&) -> Task<absl::StatusOr<int>> {
          outcome = co_await port_->PublishWhenReady(3);
          co_return 1;
        });
  });
  RunIdle();
  caller.Kill();
  RunIdle();
  EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kCancelled));
}

// It would wait for ever.
TEST_P(PendingPublishTest, PublisherDoesNotWaitForItself) {
  class Echo : public Actor<Price, internal::Play> {
   public:
    void Handle(const Price&) {}
    Task<void> Handle(internal::Play&& m) { return m.body(); }
  };
  const auto echo = system_->Spawn<Echo>().value();
  const PortSubscription own = port_->Subscribe(echo, {.limit = 1});
  absl::Status first;
  absl::Status second;
  echo.Send<internal::Play>([&]() -> Task<void> {
    first = co_await port_->PublishWhenReady(1);
    second = co_await port_->PublishWhenReady(2);
  });
  RunIdle();
  EXPECT_THAT(first, IsOk());
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("one is the actor itself")));
  EXPECT_TRUE(port_->TryPublish(3));
}

TEST_P(PendingPublishTest, PlainThreadsWaitToo) {
  const PortSubscription slow = SubscribeSlow(1);
  EXPECT_THAT(port_->PublishWhenReady(1).Wait(), IsOk());
  RunIdle();
  EXPECT_THAT(port_->PublishWhenReady(2).Wait(), IsOk());
  EXPECT_THAT(port_->PublishWhenReady(3).Within(absl::Seconds(1)).Wait(),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  gate_.Send<Open>();
  EXPECT_THAT(port_->PublishWhenReady(4).Wait(), IsOk());
  const PortRef<Price> ref = port_->ref();
  port_.reset();
  EXPECT_THAT(ref.PublishWhenReady(5).Wait(),
              StatusIs(absl::StatusCode::kAborted));
  for (int i = 0; i < 3; ++i) LetOnePass();
  EXPECT_THAT(got_, ElementsAre(1, 2, 4));
}

TEST_P(PendingPublishTest, HandlersDoNotBlock) {
  const Script::Ref publisher = Spawn<Script>();
  absl::Status outcome;
  publisher.Send<Do>([&] { outcome = port_->PublishWhenReady(1).Wait(); });
  RunIdle();
  EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace troupe
