// Nodes that reach each other over gRPC.
#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/grpc/grpc_transport.h"
#include "troupe/cluster/grpc/internal/grpc_testing.h"
#include "troupe/cluster/grpc/tls.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/node_events.h"
#include "troupe/cluster/security/cookie.h"
#include "troupe/cluster/static_membership.h"
#include "troupe/scheduler/event.h"
#include "troupe/testing/status_matchers.h"
#include "troupe/tools/certificates/authority.h"

namespace troupe {
namespace {

using internal::TestNode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOkAndHolds;
using testing::StatusIs;
using testing::TlsFolder;
using testing::WaitUntil;

struct Double {
  static constexpr absl::string_view kWireName = "test.Double";
  using Reply = int64_t;
  int64_t number = 0;
};
class Doubler : public Actor<Double> {
 public:
  int64_t Handle(Double m) { return 2 * m.number; }
};

struct Block {
  static constexpr absl::string_view kWireName = "test.Block";
};
// Tells that it has begun, and returns when it is released.
class Blocker : public Actor<Block> {
 public:
  Blocker(absl::BlockingCounter* begun, absl::Notification* release)
      : begun_(begun), release_(release) {}
  void Handle(Block) {
    begun_->DecrementCount();
    release_->WaitForNotification();
  }

 private:
  absl::BlockingCounter* const begun_;
  absl::Notification* const release_;
};

// Nodes a, b and c, which know of each other's addresses.
class GrpcNodeTest : public ::testing::Test {
 protected:
  NodeOptions Options(const std::string& name, ActorSystem& system,
                      const std::optional<TlsFiles>& tls) {
    std::string address;
    for (const Member& member : members_) {
      if (member.name == name) address = member.address;
    }
    return {.name = name,
            .listen = address,
            .transport = GrpcTransport::Create({.tls = tls}).value(),
            .membership =
                StaticMembership::Create(system.executor(), members_).value(),
            .authorization = Authorization::Everything(),
            .cookie = cookie_};
  }
  // From now on nodes have that cookie.
  void UseCookie(const std::string& content) {
    const std::string path = folder_.FileOf("cookie");
    testing::WriteFile(path, content);
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    cookie_ = Cookie::FromFile(path).value();
  }
  std::unique_ptr<TestNode> Start(const std::string& name,
                                  const std::optional<TlsFiles>& tls = {}) {
    auto started =
        std::make_unique<TestNode>(ActorSystem::Create({.workers = 1}).value());
    started->Join(Options(name, started->system(), tls));
    return started;
  }

  void ExpectCallsGoBothWays(TestNode& a, TestNode& b) {
    a.AwaitPeer("b");
    b.AwaitPeer("a");
    EXPECT_THAT(a.node().Export("doubler", *a.system().Spawn<Doubler>()),
                testing::IsOk());
    EXPECT_THAT(b.node().Export("doubler", *b.system().Spawn<Doubler>()),
                testing::IsOk());
    const auto there = a.node().ResolveAndWait<Double>("doubler@b");
    ASSERT_THAT(there, testing::IsOk());
    EXPECT_THAT(there->Call<Double>(21).Wait(), IsOkAndHolds(42));
    const auto here = b.node().ResolveAndWait<Double>("doubler@a");
    ASSERT_THAT(here, testing::IsOk());
    EXPECT_THAT(here->Call<Double>(4).Wait(), IsOkAndHolds(8));
  }

  std::shared_ptr<Cookie> cookie_;
  std::vector<Member> members_ = {
      {.name = "a", .address = testing::FreeAddress()},
      {.name = "b", .address = testing::FreeAddress()},
      {.name = "c", .address = testing::FreeAddress()}};
  TlsFolder folder_;
};

// §19, of the thread that reads what comes, too: it runs the handlers.
TEST_F(GrpcNodeTest, HandlersThatBlockHoldUpNothingElseThatComes) {
  constexpr int kBlockers = 3;
  // Outlive the nodes, whose handlers use them.
  absl::BlockingCounter blocked(kBlockers);
  absl::Notification release;
  const auto a = Start("a");
  const auto b = Start("b");
  ExpectCallsGoBothWays(*a, *b);
  const auto doubler = a->node().ResolveAndWait<Double>("doubler@b").value();
  for (int i = 0; i < kBlockers; ++i) {
    const std::string name = absl::StrCat("blocker ", i);
    EXPECT_THAT(
        b->node().Export(name, *b->system().Spawn<Blocker>(&blocked, &release)),
        testing::IsOk());
    a->node().ResolveAndWait<Block>(absl::StrCat(name, "@b"))->Send<Block>();
    EXPECT_THAT(doubler.Call<Double>(i).Wait(), IsOkAndHolds(2 * i));
  }
  blocked.Wait();
  EXPECT_THAT(doubler.Call<Double>(21).Wait(), IsOkAndHolds(42));
  release.Notify();
}

//
TEST_F(GrpcNodeTest, TwoNodesJoinOverANetwork) {
  const auto a = Start("a");
  const auto b = Start("b");
  EXPECT_EQ(b->node().address(), members_[1].address);
  ExpectCallsGoBothWays(*a, *b);
}

//
TEST_F(GrpcNodeTest, TwoNodesJoinOverTls) {
  const auto a = Start("a", folder_.Issue({.names = {"a"}}));
  const auto b = Start("b", folder_.Issue({.names = {"b"}}));
  ExpectCallsGoBothWays(*a, *b);
}

TEST_F(GrpcNodeTest, TwoNodesJoinWithACookie) {
  UseCookie(std::string(32, 'o'));
  const auto a = Start("a");
  UseCookie(std::string(32, 'n') + "\n" + std::string(32, 'o'));
  const auto b = Start("b");
  ExpectCallsGoBothWays(*a, *b);
}

TEST_F(GrpcNodeTest, TwoNodesJoinWithACookieOverASocketOfUnix) {
  for (Member& member : members_) {
    member.address = "unix:" + folder_.FileOf(member.name);
  }
  UseCookie(std::string(32, 'o'));
  const auto a = Start("a");
  const auto b = Start("b");
  ExpectCallsGoBothWays(*a, *b);
}

// A certificate says who it is, and is not enough where a cookie is wanted.
TEST_F(GrpcNodeTest, CookieIsAskedForInsideTls) {
  UseCookie(std::string(32, 'o'));
  const auto a = Start("a", folder_.Issue({.names = {"a"}}));
  const auto b = Start("b", folder_.Issue({.names = {"b"}}));
  ExpectCallsGoBothWays(*a, *b);
  absl::Mutex mu;
  std::vector<absl::Status> failures;
  TestNode c(ActorSystem::Create({.workers = 1}).value());
  const Subscription subscription =
      c.system().Subscribe<DialFailed>([&](const DialFailed& event) {
        absl::MutexLock lock(&mu);
        if (absl::IsUnauthenticated(event.why)) failures.push_back(event.why);
      });
  UseCookie(std::string(32, 'x'));
  c.Join(Options("c", c.system(), folder_.Issue({.names = {"c"}})));
  ASSERT_TRUE(WaitUntil([&] {
    absl::MutexLock lock(&mu);
    return !failures.empty();
  }));
  absl::MutexLock lock(&mu);
  EXPECT_THAT(failures.front().message(), HasSubstr("NodeOptions::cookie"));
  EXPECT_THAT(a->history(), ElementsAre("up b"));
}

TEST_F(GrpcNodeTest, NodeThatLeavesIsMissedAtOnce) {
  const auto a = Start("a");
  auto b = Start("b");
  a->AwaitPeer("b");
  b->AwaitPeer("a");
  b->Leave();
  a->AwaitPeer("b", false);
  EXPECT_THAT(a->history(), ElementsAre("up b", "down b"));
}

// the name comes from the certificate. Who claims another one is
// refused before anything is known of him, and throws nobody out.
TEST_F(GrpcNodeTest, WhoOnlyClaimsANameEvictsNobody) {
  const auto a = Start("a", folder_.Issue({.names = {"a"}}));
  const auto b = Start("b", folder_.Issue({.names = {"b"}}));
  a->AwaitPeer("b");
  b->AwaitPeer("a");
  Event refused;
  const Subscription subscription = a->system().Subscribe<ConnectionRefused>(
      [&](const ConnectionRefused& event) {
        // Others come and go, such as connections that cross.
        if (!absl::IsUnauthenticated(event.why)) return;
        EXPECT_THAT(event.why.message(),
                    HasSubstr("claims to be 'b', and has proven to be 'c'"));
        refused.Set();
      });
  // The impostor has the name of b, and what proves that he is c.
  TestNode impostor(ActorSystem::Create({.workers = 1}).value());
  NodeOptions options =
      Options("b", impostor.system(), folder_.Issue({.names = {"c"}}));
  options.listen = members_[2].address;
  impostor.Join(std::move(options));
  EXPECT_TRUE(refused.WaitWithTimeout(absl::InfiniteDuration()));
  ExpectCallsGoBothWays(*a, *b);
  EXPECT_THAT(a->history(), ElementsAre("up b"));
  EXPECT_THAT(b->history(), ElementsAre("up a"));
}

// told once for each reason, not at each attempt.
TEST_F(GrpcNodeTest, DialThatFailsSaysWhy) {
  absl::Mutex mu;
  std::vector<absl::Status> failures;
  TestNode a(ActorSystem::Create({.workers = 1}).value());
  const Subscription subscription =
      a.system().Subscribe<DialFailed>([&](const DialFailed& event) {
        absl::MutexLock lock(&mu);
        if (event.node == "b") failures.push_back(event.why);
      });
  a.Join(Options("a", a.system(), std::nullopt));
  ASSERT_TRUE(WaitUntil([&] {
    absl::MutexLock lock(&mu);
    return failures.size() >= 2;
  }));
  absl::MutexLock lock(&mu);
  EXPECT_THAT(failures.front(), StatusIs(absl::StatusCode::kUnavailable,
                                         HasSubstr(members_[1].address)));
}

// nothing of the network is open by itself.
TEST_F(GrpcNodeTest, NodeIsNotOpenToOtherMachinesByDefault) {
  const auto system = ActorSystem::Create({.workers = 1}).value();
  NodeOptions options = Options("a", *system, std::nullopt);
  options.listen = "0.0.0.0:0";
  EXPECT_THAT(
      Node::Start(*system, std::move(options)),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("TLS")));
}

// A cookie hides nothing, and does not tie what follows to its proof.
TEST_F(GrpcNodeTest, CookieOpensNoNodeToOtherMachines) {
  UseCookie(std::string(32, 'o'));
  const auto system = ActorSystem::Create({.workers = 1}).value();
  NodeOptions options = Options("a", *system, std::nullopt);
  options.listen = "[::]:0";
  EXPECT_THAT(Node::Start(*system, std::move(options)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("set GrpcTransportOptions::tls")));
}

TEST_F(GrpcNodeTest, MemberOnAnotherMachineIsNotDialledWithoutTls) {
  members_[1].address = "192.0.2.1:4000";
  TestNode a(ActorSystem::Create({.workers = 1}).value());
  absl::Mutex mu;
  std::vector<absl::Status> failures;
  const Subscription subscription =
      a.system().Subscribe<DialFailed>([&](const DialFailed& event) {
        absl::MutexLock lock(&mu);
        if (event.node == "b") failures.push_back(event.why);
      });
  a.Join(Options("a", a.system(), std::nullopt));
  ASSERT_TRUE(WaitUntil([&] {
    absl::MutexLock lock(&mu);
    return !failures.empty();
  }));
  absl::MutexLock lock(&mu);
  EXPECT_THAT(failures.front(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("set GrpcTransportOptions::tls")));
}

}  // namespace
}  // namespace troupe
