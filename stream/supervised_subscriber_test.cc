// Subscribers that are restarted: what comes by the address of a supervised
// child reaches its instances in turn. Clauses 29 and 37 of docs/semantics.md.
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/stream/internal/stream_testing.h"
#include "troupe/stream/output_port.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_ref.h"
#include "troupe/supervision/supervisor.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::troupe::internal::Price;

struct Crash {};

class Listener : public Actor<Price, Crash> {
 public:
  explicit Listener(std::vector<int>& got) : got_(got) {}
  void Handle(const Price& m) { got_.push_back(m.cents); }
  absl::Status Handle(Crash) { return absl::DataLossError("crash"); }

 private:
  std::vector<int>& got_;
};

class SupervisedSubscriberTest : public internal::CallsTest {};

INSTANTIATE_TEST_SUITE_P(Seeds, SupervisedSubscriberTest,
                         internal::SomeSeeds());

TEST_P(SupervisedSubscriberTest, SubscriptionOutlivesTheInstance) {
  for (const Lag lag : {Lag::kLossless, Lag::kDropOldest}) {
    SCOPED_TRACE(static_cast<int>(lag));
    std::vector<int> got;
    Supervisor::Spec spec;
    const ChildRef<Price, Crash> listener = spec.Add<Listener>(
        {.id = "listener",
         .restart = kPermanent,
         .backoff = RestartBackoff{.initial = absl::Seconds(1),
                                   .max = absl::Seconds(1),
                                   .jitter = 0}},
        std::ref(got));
    const SupervisorRef supervisor =
        Supervisor::Start(*system_, std::move(spec)).value();
    OutputPort<Price> port;
    const PortSubscription subscription =
        port.Subscribe(listener.address(), {.lag = lag});
    port.Publish(1);
    executor_->RunUntilIdle();
    EXPECT_THAT(got, ElementsAre(1));
    listener.Send<Crash>();
    executor_->RunUntilIdle();
    // Between two instances.
    port.Publish(2);
    port.Publish(3);
    executor_->RunUntilIdle();
    EXPECT_THAT(got, ElementsAre(1));
    executor_->RunFor(absl::Seconds(2));
    EXPECT_THAT(got, ElementsAre(1, 2, 3));
    port.Publish(4);
    executor_->RunUntilIdle();
    EXPECT_THAT(got, ElementsAre(1, 2, 3, 4));
    EXPECT_TRUE(subscription.is_active());
    EXPECT_TRUE(supervisor.StopAndWait().ok());
    executor_->RunUntilIdle();
    EXPECT_FALSE(subscription.is_active());
    EXPECT_EQ(port.subscriptions(), 0u);
  }
}

}  // namespace
}  // namespace troupe
