#include "troupe/cluster/internal/node_core.h"

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/node_id.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

class NodeCoreTest : public ::testing::Test {
 protected:
  // A node, as `peer` speaks of it.
  FarCell* Third(uint64_t incarnation, const char* peer) {
    return node_.CellOfThird(NodeId{"third", incarnation}, peer).value();
  }
  bool IsNowhere(uint64_t incarnation, const char* peer) {
    return node_.IsNowhere(*Third(incarnation, peer));
  }

  const std::unique_ptr<ActorSystem> system_ =
      ActorSystem::Create({.workers = 1}).value();
  NodeCore node_{*system_,
                 {"a", 1},
                 Authorization(),
                 {.of_all = 5, .of_one_peer = 3, .of_one_name = 10}};
};

// Clause 35
TEST_F(NodeCoreTest, NodesThatWereOnlyHeardOfAreLimited) {
  for (uint64_t i = 1; i <= 3; ++i) EXPECT_FALSE(IsNowhere(i, "b"));
  EXPECT_TRUE(IsNowhere(4, "b"));
  EXPECT_TRUE(IsNowhere(5, "b"));
  EXPECT_FALSE(IsNowhere(3, "b")) << "it is known";
  EXPECT_FALSE(IsNowhere(3, "c"));
  // What others speak of, until there are too many in all.
  EXPECT_FALSE(IsNowhere(4, "c"));
  EXPECT_FALSE(IsNowhere(5, "c"));
  EXPECT_TRUE(IsNowhere(6, "c"));
  EXPECT_TRUE(IsNowhere(6, "d"));
  // All that is given to peers is apart.
  for (uint64_t i = 1; i <= 10; ++i) {
    EXPECT_FALSE(node_.IsNowhere(*node_.CellOf(NodeId{"peer", i}).value()));
  }
}

TEST_F(NodeCoreTest, WhoBecomesAPeerIsNotOnlyHeardOf) {
  for (uint64_t i = 1; i <= 3; ++i) EXPECT_FALSE(IsNowhere(i, "b"));
  FarCell* const known = Third(2, "b");
  EXPECT_EQ(node_.CellOf(NodeId{"third", 2}).value(), known);
  EXPECT_EQ(node_.CellOf(NodeId{"third", 2}).value(), known);
  EXPECT_FALSE(IsNowhere(4, "b"));
  EXPECT_TRUE(IsNowhere(5, "b"));
  EXPECT_EQ(Third(2, "b"), known);
  EXPECT_NE(node_.CellOf(NodeId{"third", 5}).value(), Third(6, "b"))
      << "one too many that joins is known";
}

// Clause 35
TEST_F(NodeCoreTest, IncarnationsOfOneNameAreLimited) {
  // One that was heard of counts when it joins.
  (void)Third(1, "b");
  for (uint64_t i = 1; i <= 10; ++i) {
    EXPECT_THAT(node_.CellOf(NodeId{"third", i}), IsOk());
  }
  EXPECT_THAT(node_.CellOf(NodeId{"third", 11}),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("10 incarnations of 'third'")));
  EXPECT_THAT(node_.CellOf(NodeId{"third", 10}), IsOk()) << "it is known";
  EXPECT_THAT(node_.CellOf(NodeId{"other", 11}), IsOk());
  // Nor does speaking of itself first let a node have more, or give back what
  // it has spoken of.
  for (uint64_t i = 11; i <= 13; ++i) EXPECT_FALSE(IsNowhere(i, "b"));
  EXPECT_THAT(node_.CellOf(NodeId{"third", 12}),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_TRUE(IsNowhere(14, "b"));
}

}  // namespace
}  // namespace troupe::internal
