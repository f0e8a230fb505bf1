#include "troupe/cluster/internal/exports.h"

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using testing::IsOk;
using testing::StatusIs;

struct Nothing {};
struct Idle : Actor<Nothing> {
  void Handle(Nothing) {}
};

class ExportsTest : public ::testing::Test {
 protected:
  AnyActorRef Spawn() { return system_->Spawn<Idle>().value(); }

  const std::unique_ptr<ActorSystem> system_ =
      ActorSystem::Create({.workers = 1}).value();
  Exports exports_{*system_};
};

TEST_F(ExportsTest, OnlyWhatWasExportedIsFound) {
  const AnyActorRef exported = Spawn();
  const AnyActorRef other = Spawn();
  EXPECT_THAT(exports_.Add(exported), IsOk());
  const Exports::Entry found = exports_.Find(exported.id().value());
  EXPECT_EQ(found.actor, exported);
  EXPECT_EQ(found.messages.size(), 1u);
  EXPECT_TRUE(exports_.Find(other.id().value()).actor.IsNull());
  EXPECT_EQ(exports_.size(), 1u);
}

// §35
TEST_F(ExportsTest, ActorThatHasEndedIsFoundNoMore) {
  const AnyActorRef actor = Spawn();
  EXPECT_THAT(exports_.Add(actor), IsOk());
  EXPECT_THAT(actor.StopAndWait(), IsOk());
  EXPECT_TRUE(exports_.Find(actor.id().value()).actor.IsNull());
  EXPECT_EQ(exports_.size(), 0u);
  EXPECT_THAT(exports_.Add(actor), IsOk());
  EXPECT_EQ(exports_.kept(), 0u);
}

TEST_F(ExportsTest, ThoseThatHaveEndedAreNotKeptForEver) {
  constexpr size_t kLive = 100;
  std::vector<AnyActorRef> live;
  for (size_t i = 0; i < kLive; ++i) {
    live.push_back(Spawn());
    EXPECT_THAT(exports_.Add(live.back()), IsOk());
  }
  for (int i = 0; i < 5000; ++i) {
    const AnyActorRef actor = Spawn();
    EXPECT_THAT(exports_.Add(actor), IsOk());
    EXPECT_THAT(actor.StopAndWait(), IsOk());
    ASSERT_LE(exports_.kept(), 257u);
  }
  EXPECT_EQ(exports_.size(), kLive);
  for (const AnyActorRef& actor : live) {
    EXPECT_EQ(exports_.Find(actor.id().value()).actor, actor);
  }
}

TEST_F(ExportsTest, ActorOfAnotherSystemIsNone) {
  const auto other = ActorSystem::Create({.workers = 1}).value();
  const AnyActorRef stranger = other->Spawn<Idle>().value();
  EXPECT_THAT(exports_.Add(stranger),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace troupe::internal
