#include "troupe/cluster/node_report.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::TestCluster;
using internal::TestNode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

struct Poke {
  static constexpr absl::string_view kWireName = "test.Poke";
};
class Poked : public Actor<Poke> {
 public:
  void Handle(Poke) {}
};
struct Look {
  using Reply = absl::StatusOr<NodeReport>;
};
class Looker : public Actor<Look> {
 public:
  explicit Looker(Node& node) : node_(node) {}
  Task<absl::StatusOr<NodeReport>> Handle(Look) { return ReportOf(node_, "b"); }

 private:
  Node& node_;
};

class NodeReportTest : public ::testing::Test {
 protected:
  void Start(Authorization rules) {
    cluster_ = std::make_unique<TestCluster>(std::vector<std::string>{"a", "b"},
                                             std::move(rules));
    a_ = cluster_->Start("a");
    b_ = cluster_->Start("b");
    a_->AwaitPeer("b");
    b_->AwaitPeer("a");
  }

  std::unique_ptr<TestCluster> cluster_;
  std::unique_ptr<TestNode> a_;
  std::unique_ptr<TestNode> b_;
};

TEST_F(NodeReportTest, SaysWhatIsThere) {
  Start(Authorization::Everything());
  const auto before = ReportOfAndWait(a_->node(), "b");
  ASSERT_THAT(before, IsOk());
  const Poked::Ref poked = b_->system().Spawn<Poked>().value();
  const Poked::Ref gone = b_->system().Spawn<Poked>().value();
  ASSERT_THAT(b_->node().Export("poked", poked), IsOk());
  ASSERT_THAT(b_->node().Export("gone", gone), IsOk());
  ASSERT_THAT(gone.StopAndWait(), IsOk());
  gone.Send<Poke>();
  const Looker::Ref looker =
      a_->system().Spawn<Looker>(std::ref(a_->node())).value();
  const absl::StatusOr<NodeReport> report = looker.Call<Look>().Wait();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->name, "b");
  EXPECT_EQ(report->incarnation, b_->node().id().incarnation);
  EXPECT_THAT(report->peers, ElementsAre("a"));
  EXPECT_THAT(report->names, ElementsAre("poked"));
  EXPECT_EQ(report->actors, before->actors + 1);
  EXPECT_EQ(report->exposed, before->exposed + 1);
  EXPECT_EQ(report->dead_letters, before->dead_letters + 1);
  EXPECT_THAT(report->ToString(),
              AllOf(HasSubstr("1 dead letters"), HasSubstr("names: poked")));
}

TEST_F(NodeReportTest, NobodyIsToldUnlessARuleAllowsIt) {
  Start(Authorization());
  EXPECT_THAT(ReportOfAndWait(a_->node(), "b").status(),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       AllOf(HasSubstr("may not introspect the node of 'b'"),
                             HasSubstr("{Verb::kIntrospect}"))));
  EXPECT_THAT(ReportOfAndWait(a_->node(), "a"), IsOk());  // Its own.
  EXPECT_THAT(ReportOfAndWait(a_->node(), "c").status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace troupe
