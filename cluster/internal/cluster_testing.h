// Several nodes in one process, for tests: each has a system of its own, and
// they speak over one network.
#ifndef TROUPE_CLUSTER_INTERNAL_CLUSTER_TESTING_H_
#define TROUPE_CLUSTER_INTERNAL_CLUSTER_TESTING_H_

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/node_events.h"
#include "troupe/cluster/node_id.h"
#include "troupe/cluster/static_membership.h"

namespace troupe::internal {

// One node, with what it needs.
class TestNode {
 public:
  explicit TestNode(std::unique_ptr<ActorSystem> own_system)
      : system_(std::move(own_system)),
        up_(system_->Subscribe<NodeUp>([this](const NodeUp& event) {
          absl::MutexLock lock(&mu_);
          history_.push_back("up " + event.node.name);
          peers_.insert(event.node.name);
        })),
        down_(system_->Subscribe<NodeDown>([this](const NodeDown& event) {
          absl::MutexLock lock(&mu_);
          history_.push_back("down " + event.node.name);
          peers_.erase(event.node.name);
        })) {}
  ~TestNode() { node_.reset(); }

  ActorSystem& system() { return *system_; }
  Node& node() { return *node_; }
  void Join(NodeOptions options) {
    auto node = Node::Start(*system_, std::move(options));
    EXPECT_TRUE(node.ok()) << node.status();
    if (node.ok()) node_ = *std::move(node);
  }
  void Leave() { node_.reset(); }

  // Waits until there is a session with that node, or none.
  void AwaitPeer(const std::string& name, bool is_there = true) {
    absl::MutexLock lock(&mu_);
    const auto so = [&] {
      mu_.AssertReaderHeld();
      return (peers_.count(name) != 0) == is_there;
    };
    mu_.Await(absl::Condition(&so));
  }
  // What has come and gone, such as "up b".
  std::vector<std::string> history() {
    absl::MutexLock lock(&mu_);
    return history_;
  }

 private:
  absl::Mutex mu_;
  std::set<std::string> peers_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> history_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<ActorSystem> system_;
  std::unique_ptr<Node> node_;
  Subscription up_;
  Subscription down_;
};

class TestCluster {
 public:
  // All members are to be named beforehand.
  explicit TestCluster(
      const std::vector<std::string>& names,
      Authorization authorization = Authorization::Everything())
      : authorization_(std::move(authorization)) {
    for (const std::string& name : names) {
      members_.push_back({.name = name, .address = name});
    }
  }

  NodeOptions Options(const std::string& name, ActorSystem& system) {
    return {.name = name,
            .listen = name,
            .transport = std::make_unique<InProcessTransport>(
                network_, system.executor()),
            .membership =
                StaticMembership::Create(system.executor(), members_).value(),
            .authorization = authorization_};
  }

  const InProcessNetwork& network() const { return network_; }

  std::unique_ptr<TestNode> Start(const std::string& name) {
    return Start(name, [](NodeOptions&) {});
  }
  // With options that `change` changes.
  std::unique_ptr<TestNode> Start(
      const std::string& name, absl::FunctionRef<void(NodeOptions&)> change) {
    auto started =
        std::make_unique<TestNode>(ActorSystem::Create({.workers = 2}).value());
    NodeOptions options = Options(name, started->system());
    change(options);
    started->Join(std::move(options));
    return started;
  }

 private:
  InProcessNetwork network_;
  std::vector<Member> members_;
  const Authorization authorization_;
};

// What a node tells of connections that came to nothing, where one thread plays
// all.
class Refusals {
 public:
  explicit Refusals(ActorSystem& system)
      : refusals_(system.Subscribe<ConnectionRefused>(
            [this](const ConnectionRefused& event) {
              refused.push_back(event.why);
            })),
        failures_(system.Subscribe<DialFailed>([this](const DialFailed& event) {
          failed.push_back(event.why);
        })) {}
  Refusals(const Refusals&) = delete;
  Refusals& operator=(const Refusals&) = delete;

  std::vector<absl::Status> refused;
  std::vector<absl::Status> failed;  // Dialling.

 private:
  const Subscription refusals_;
  const Subscription failures_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_CLUSTER_TESTING_H_
