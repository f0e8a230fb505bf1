// The line of those that publish when there is room, step by step: clause 37 of
// docs/semantics.md.
#include "troupe/stream/internal/port_core.h"

#include <cstdint>
#include <memory>
#include <optional>

#include "gtest/gtest.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/shared_message.h"
#include "troupe/stream/internal/subscription_core.h"
#include "troupe/stream/subscribe_options.h"

namespace troupe::internal {
namespace {

class Waiter final : public PublishWaiter {
 public:
  // What it was told, if it was.
  std::optional<bool> told;

 private:
  void OnTurn(bool granted) override { told = granted; }
};

class PortCoreTest : public ::testing::Test {
 protected:
  ~PortCoreTest() override { port_->Close(); }

  const std::shared_ptr<PortCore> port_ =
      std::make_shared<PortCore>(PortOptions());
  Waiter first_;
  Waiter second_;
};

// Also if there is room again before the first has published.
TEST_F(PortCoreTest, TurnsAreGivenOneByOne) {
  port_->AddFull();
  EXPECT_EQ(port_->BeginTurn(&first_), PortCore::Turn::kWaits);
  EXPECT_EQ(port_->BeginTurn(&second_), PortCore::Turn::kWaits);
  port_->TakeFull();
  EXPECT_EQ(first_.told, true);
  port_->AddFull();
  port_->TakeFull();
  EXPECT_EQ(second_.told, std::nullopt);
  EXPECT_EQ(port_->BeginTurn(nullptr), PortCore::Turn::kRefused);
  port_->EndTurn();
  EXPECT_EQ(second_.told, true);
  port_->EndTurn();
}

TEST_F(PortCoreTest, TurnWaitsForTheLastThatIsFull) {
  port_->AddFull();
  port_->AddFull();
  EXPECT_EQ(port_->BeginTurn(&first_), PortCore::Turn::kWaits);
  port_->TakeFull();
  EXPECT_EQ(first_.told, std::nullopt);
  port_->TakeFull();
  EXPECT_EQ(first_.told, true);
  EXPECT_FALSE(port_->Withdraw(first_));
  port_->EndTurn();
}

// Nobody overtakes those that wait, not even where there is room.
TEST_F(PortCoreTest, WhoLeavesTheLineIsNotTold) {
  port_->AddFull();
  EXPECT_EQ(port_->BeginTurn(&first_), PortCore::Turn::kWaits);
  EXPECT_EQ(port_->BeginTurn(&second_), PortCore::Turn::kWaits);
  EXPECT_TRUE(port_->Withdraw(first_));
  port_->TakeFull();
  EXPECT_EQ(first_.told, std::nullopt);
  EXPECT_EQ(second_.told, true);
  port_->EndTurn();
  EXPECT_EQ(port_->BeginTurn(nullptr), PortCore::Turn::kGranted);
  port_->EndTurn();
}

TEST_F(PortCoreTest, CloseTellsThoseThatWait) {
  port_->AddFull();
  EXPECT_EQ(port_->BeginTurn(&first_), PortCore::Turn::kWaits);
  port_->Close();
  EXPECT_EQ(first_.told, false);
  EXPECT_EQ(port_->BeginTurn(&second_), PortCore::Turn::kClosed);
}

struct Price {
  int64_t cents = 0;
};

// Its node may be lost while the request waits for the port.
TEST_F(PortCoreTest, SubscriberThatHasEndedBeforeBeginsNothing) {
  const auto core = std::make_shared<SubscriptionCore>(
      AnyActorRef(), kSharedMessageType<Price>, SubscribeOptions());
  core->OnActorEnded();
  EXPECT_FALSE(core->stats().active);
  EXPECT_FALSE(core->Begin(port_));
}

}  // namespace
}  // namespace troupe::internal
