// Whom a node dials, where and when, in virtual time. The others are the test.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/other_end_testing.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/static_membership.h"
#include "troupe/cluster/transport.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;

// Longer than a greeting may take.
constexpr absl::Duration kUntilGivenUp = absl::Seconds(6);

// Node a, whose list of members the test changes. At each address somebody
// listens, who says nothing by himself; nobody dials a.
class DiallerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    NodeOptions options = cluster_.Options("a", a_.system());
    auto members = StaticMembership::Create(a_.system().executor(), {}).value();
    members_ = members.get();
    options.membership = std::move(members);
    a_.Join(std::move(options));
    for (const char* const address : {"old", "new"}) {
      houses_.push_back(std::make_shared<House>());
      listeners_.push_back(transport_.Listen(address, houses_.back()).value());
    }
  }

  void PlayFor(absl::Duration how_long) {
    Executor& executor = a_.system().executor();
    (void)executor.RunUntil([] { return false; },
                            executor.clock().Now() + how_long);
  }
  // From now on b is a member there.
  void SetAddress(const std::string& address) {
    EXPECT_THAT(members_->SetMembers({{.name = "b", .address = address}}),
                IsOk());
    PlayFor(absl::Milliseconds(1));
  }

  House& old_house() { return *houses_[0]; }
  House& new_house() { return *houses_[1]; }

  TestCluster cluster_{{"a"}};
  TestNode a_{
      ActorSystem::CreateOn(std::make_unique<DeterministicExecutor>(
                                DeterministicExecutor::Options{.seed = 1}),
                            {})};
  InProcessTransport transport_{cluster_.network(), a_.system().executor()};
  StaticMembership* members_ = nullptr;
  std::vector<std::shared_ptr<House>> houses_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

//
TEST_F(DiallerTest, MemberThatMovesWhileItIsDialledIsDialledThere) {
  SetAddress("old");
  ASSERT_EQ(old_house().size(), 1u);
  PlayFor(absl::Seconds(1));
  SetAddress("new");
  PlayFor(kUntilGivenUp);
  ASSERT_GE(new_house().size(), 1u);
  EXPECT_EQ(old_house().size(), 1u);
  new_house().line(new_house().size() - 1).Say(OtherEnd::Hello());
  PlayFor(absl::Milliseconds(1));
  EXPECT_THAT(a_.history(), ElementsAre("up b"));
}

//
TEST_F(DiallerTest, MemberThatReturnsWhileItIsDialledIsDialledAgain) {
  SetAddress("old");
  ASSERT_EQ(old_house().size(), 1u);
  EXPECT_THAT(members_->SetMembers({}), IsOk());
  PlayFor(absl::Seconds(1));
  SetAddress("old");
  PlayFor(absl::Seconds(1));
  ASSERT_EQ(old_house().size(), 1u) << "one at a time";
  PlayFor(kUntilGivenUp);
  ASSERT_GE(old_house().size(), 2u);
  old_house().line(old_house().size() - 1).Say(OtherEnd::Hello());
  PlayFor(absl::Milliseconds(1));
  EXPECT_THAT(a_.history(), ElementsAre("up b"));
}

TEST_F(DiallerTest, MemberThatHasLeftIsDialledNoMore) {
  SetAddress("old");
  EXPECT_THAT(members_->SetMembers({}), IsOk());
  PlayFor(absl::Minutes(1));
  EXPECT_EQ(old_house().size(), 1u);
  EXPECT_THAT(a_.history(), IsEmpty());
}

// However long the pause was that had begun.
TEST_F(DiallerTest, MemberThatMovesBetweenDialsIsDialledAtOnce) {
  SetAddress("nowhere");
  PlayFor(absl::Minutes(1));
  SetAddress("new");
  EXPECT_EQ(new_house().size(), 1u);
}

//
TEST_F(DiallerTest, PeerThatIsDownIsDialledWhereItIsByThen) {
  SetAddress("old");
  old_house().line(0).Say(OtherEnd::Hello());
  PlayFor(absl::Milliseconds(1));
  SetAddress("new");
  EXPECT_EQ(new_house().size(), 0u) << "there is a session";
  old_house().line(0).connection->Close(absl::OkStatus());
  PlayFor(absl::Seconds(1));
  EXPECT_EQ(new_house().size(), 1u);
  EXPECT_EQ(old_house().size(), 1u);
  EXPECT_THAT(a_.history(), ElementsAre("up b", "down b"));
}

}  // namespace
}  // namespace troupe::internal
