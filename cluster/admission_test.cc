// Which nodes may be peers at all, and what is told of those that may not, in
// virtual time. The other end is the test.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/base/log.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/introduction.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/other_end_testing.h"
#include "troupe/cluster/internal/secret_testing.h"
#include "troupe/cluster/node_events.h"
#include "troupe/cluster/transport.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Not;
using testing::StatusIs;

constexpr TransportLane kControl = TransportLane::kControl;

class Exported : public Actor<> {};

// What is logged of connections that are refused.
class RefusalLog final : public LogSink {
 public:
  void Send(const LogEntry& entry) override {
    const std::string line(entry.text_message());
    if (line.find("a connection from") != std::string::npos) {
      lines.push_back(line);
    }
  }
  std::vector<std::string> lines;
};

// The node "a", which admits "b" and those that begin with "worker-".
class AdmissionTest : public ::testing::Test {
 protected:
  explicit AdmissionTest(std::vector<std::string> members = {"a"})
      : cluster_(members, Authorization().Admit("b").Admit("worker-*")) {}

  void SetUp() override { a_.Join(Options()); }
  NodeOptions Options() { return cluster_.Options("a", a_.system()); }
  void PlayFor(absl::Duration how_long) {
    Executor& executor = a_.system().executor();
    (void)executor.RunUntil([] { return false; },
                            executor.clock().Now() + how_long);
  }
  // Says that as the first item of a connection.
  template <typename Item>
  Line Knock(const Item& item) {
    Line line;
    line.connection = transport_.Dial("a", line.heard).value();
    line.Say(item);
    PlayFor(absl::Milliseconds(1));
    return line;
  }
  Line KnockAs(const std::string& name) {
    HelloItem hello = OtherEnd::Hello();
    hello.name = name;
    return Knock(hello);
  }

  TestCluster cluster_;
  RefusalLog log_;
  TestNode a_{ActorSystem::CreateOn(
      std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options{}),
      {.logger = Logger(&log_)})};
  InProcessTransport transport_{cluster_.network(), a_.system().executor()};
  Refusals heard_{a_.system()};
};

TEST_F(AdmissionTest, AdmittedNodesArePeers) {
  const Line b = KnockAs("b");
  const Line worker = KnockAs("worker-1");
  EXPECT_THAT(a_.history(), ElementsAre("up b", "up worker-1"));
  EXPECT_THAT(heard_.refused, IsEmpty());
  EXPECT_THAT(log_.lines, IsEmpty());
}

TEST_F(AdmissionTest, OthersAreRefusedWithWords) {
  const Line line = KnockAs("worker");
  EXPECT_THAT(line.heard->Kinds(kControl), ElementsAre(ItemKind::kRefusal));
  EXPECT_THAT(
      line.heard->why(),
      StatusIs(absl::StatusCode::kPermissionDenied,
               AllOf(HasSubstr("'worker' is not among the nodes that 'a'"),
                     HasSubstr("Authorization::Admit(\"worker\")"))));
  EXPECT_THAT(heard_.refused, ElementsAre(line.heard->why()));
  EXPECT_THAT(a_.history(), IsEmpty());
}

// The answer goes to the wait that came with the request, and to no other.
TEST_F(AdmissionTest, RefusedKillIsToldToWhoWaitsForIt) {
  const Exported::Ref exported = a_.system().Spawn<Exported>().value();
  ASSERT_THAT(a_.node().Export("exported", exported), IsOk());
  Line line = KnockAs("b");
  const uint64_t to = exported.id().value();
  line.Say(AwaitEndItem{to, 1, 0});
  line.Say(AwaitEndItem{to, 2, static_cast<uint8_t>(Ending::kKill)});
  line.Say(
      EndItem{to, static_cast<uint8_t>(Ending::kKill), ExitReason::Killed()});
  PlayFor(absl::Milliseconds(1));
  auto ended = line.heard->All<EndedItem>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].number, 2u);
  EXPECT_THAT(ended[0].refused, StatusIs(absl::StatusCode::kPermissionDenied,
                                         HasSubstr("may not kill 'exported'")));
  EXPECT_EQ(line.heard->Count(ItemKind::kRefused, TransportLane::kData), 1u);
  exported.Kill();
  PlayFor(absl::Milliseconds(1));
  ended = line.heard->All<EndedItem>();
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[1].number, 1u);
  EXPECT_THAT(ended[1].refused, IsOk());
  EXPECT_EQ(ended[1].reason, ExitReason::Killed());
  // Of what has ended that is told, whoever asks.
  line.Say(AwaitEndItem{to, 3, static_cast<uint8_t>(Ending::kKill)});
  PlayFor(absl::Milliseconds(1));
  ended = line.heard->All<EndedItem>();
  ASSERT_EQ(ended.size(), 3u);
  EXPECT_THAT(ended[2].refused, IsOk());
  EXPECT_EQ(ended[2].reason, ExitReason::NoActor());
}

// One line for each ten seconds, which says how many were left out.
TEST_F(AdmissionTest, RefusalsDoNotFillTheLog) {
  for (int i = 0; i < 5; ++i) (void)KnockAs("c");
  EXPECT_THAT(log_.lines,
              ElementsAre(AllOf(HasSubstr("PERMISSION_DENIED: 'c' is not"),
                                Not(HasSubstr("before it")))));
  PlayFor(absl::Seconds(10));
  (void)KnockAs("d");
  ASSERT_EQ(log_.lines.size(), 2u);
  EXPECT_THAT(log_.lines[1],
              AllOf(HasSubstr("'d' is not"), HasSubstr("(and 4 before it)")));
  PlayFor(absl::Seconds(10));
  (void)KnockAs("e");
  ASSERT_EQ(log_.lines.size(), 3u);
  EXPECT_THAT(log_.lines[2], Not(HasSubstr("before it")));
  EXPECT_EQ(heard_.refused.size(), 7u) << "each is an event";
}

class SecretAdmissionTest : public AdmissionTest {
 protected:
  void SetUp() override {
    NodeOptions options = Options();
    options.cookie =
        std::make_shared<PlainSecret>("a", std::vector<std::string>{"word"});
    a_.Join(std::move(options));
  }
};

// He has proven nothing, and hears nothing of who is admitted.
TEST_F(SecretAdmissionTest, OthersAreRefusedBeforeTheyProveAnything) {
  const Line line = Knock(ChallengeItem{.name = "c",
                                        .incarnation = 5,
                                        .to = "a",
                                        .nonce = PlainSecret::Nonce("c", 1)});
  EXPECT_THAT(line.heard->Kinds(kControl), ElementsAre(ItemKind::kRefusal));
  EXPECT_EQ(line.heard->why(),
            Introduction::ForStrangers(absl::PermissionDeniedError("not c")));
  EXPECT_THAT(heard_.refused,
              ElementsAre(StatusIs(absl::StatusCode::kPermissionDenied,
                                   HasSubstr("Authorization::Admit(\"c\")"))));
}

TEST_F(SecretAdmissionTest, WhatIsNoNameIsNotToldAsOne) {
  const Line line = Knock(ChallengeItem{.name = "c\n\x1b[2J",
                                        .incarnation = 5,
                                        .to = "a",
                                        .nonce = PlainSecret::Nonce("c", 1)});
  EXPECT_TRUE(line.heard->closed());
  EXPECT_THAT(heard_.refused,
              ElementsAre(StatusIs(absl::StatusCode::kInvalidArgument,
                                   HasSubstr("\"c\\n\\x1b[2J\""))));
}

class DiallingAdmissionTest : public AdmissionTest {
 protected:
  DiallingAdmissionTest() : AdmissionTest({"a", "c"}) {}
};

TEST_F(DiallingAdmissionTest, MemberThatIsNotAdmittedIsNotDialled) {
  const auto house = std::make_shared<House>();
  const auto listener = transport_.Listen("c", house).value();
  PlayFor(absl::Seconds(10));
  EXPECT_EQ(house->size(), 0u);
  ASSERT_THAT(heard_.failed, Not(IsEmpty()));
  EXPECT_THAT(heard_.failed,
              Each(StatusIs(absl::StatusCode::kPermissionDenied,
                            HasSubstr("'c' is not among the nodes"))));
}

}  // namespace
}  // namespace troupe::internal
