// Links between nodes that are refused, or lost, while others are made.
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/node.h"
#include "troupe/testing/run_simulation.h"
#include "troupe/testing/simulated_cluster.h"
#include "troupe/testing/simulated_node.h"
#include "troupe/testing/simulation.h"

namespace troupe {
namespace {

using testing::ForEachSeed;
using testing::SimulatedCluster;
using testing::SimulatedHost;
using testing::Simulation;

struct Wave {
  static constexpr absl::string_view kWireName = "test.Wave";
  std::string text;
};
struct KinApi : Protocol<Wave> {};

struct Tie {
  ActorRef<KinApi> to;
  int waves = 0;
};
// Links to whom it is told to, behind so much of what it has to say, and lives
// on.
class Kin : public Actor<KinApi, Tie> {
 public:
  explicit Kin(int& ends) : ends_(ends) {}
  void Handle(const Wave&) {}
  void Handle(const Tie& m) {
    for (int i = 0; i < m.waves; ++i) m.to.Send<Wave>(std::string(8000, 'x'));
    Link(m.to);
  }
  void OnExit(const Exit& exit) {
    if (exit.reason.kind() != ExitReason::Kind::kFailed) ++ends_;
  }

 private:
  int& ends_;  // Of others, that it has heard of; a refusal is none.
};

// Two actors link to each other at the same time, and the node of one refuses
// the other's request: the link of that one holds for both (clause 28).
TEST(LinksSimTest, RefusalEndsNoLinkOfTheOtherSide) {
  ForEachSeed(100, [](Simulation& sim) {
    auto& cluster = sim.Make<SimulatedCluster>(sim);
    int& ends_at_a = sim.Make<int>(0);
    int& ends_at_b = sim.Make<int>(0);
    Node* a = nullptr;
    Node* b = nullptr;
    Kin::Ref at_a, at_b;
    cluster.Add("a", [&](SimulatedHost& host) {
      a = &testing::StartNode(host, {"a", "b"});
      at_a = host.system().Spawn<Kin>(std::ref(ends_at_a)).value();
      EXPECT_EQ(a->Export("kin", ActorRef<KinApi>(at_a)), absl::OkStatus());
    });
    cluster.Add("b", [&](SimulatedHost& host) {
      Authorization rules = Authorization::Everything();
      rules.Assign("a", "guest").Deny("guest", {Verb::kWatch});
      b = &testing::StartNode(host, {"a", "b"},
                              {.authorization = std::move(rules)});
      at_b = host.system().Spawn<Kin>(std::ref(ends_at_b)).value();
      EXPECT_EQ(b->Export("kin", ActorRef<KinApi>(at_b)), absl::OkStatus());
    });
    sim.Check("they meet", [&] {
      return sim.PlayUntil(
          [&] { return a->Peers().size() == 1 && b->Peers().size() == 1; },
          absl::Seconds(10));
    });
    const auto b_from_a = a->ResolveAndWait<KinApi>("kin@b").value();
    const auto a_from_b = b->ResolveAndWait<KinApi>("kin@a").value();
    at_a.Send<Tie>(b_from_a);
    sim.PlayFor(absl::Microseconds(100) * sim.random().Uniform(20));
    // More than may be under way: the request may wait at home.
    at_b.Send<Tie>(a_from_b, sim.random().Uniform(2) == 0 ? 0 : 800);
    sim.PlayFor(absl::Seconds(1));
    const bool ends_a = sim.random().Uniform(2) == 0;
    (ends_a ? at_a : at_b).Stop();
    sim.PlayFor(absl::Seconds(1));
    sim.Check("the other one hears of the end",
              [&] { return (ends_a ? ends_at_b : ends_at_a) == 1; });
  });
}

// Links, and takes its time with what it is sent: notices wait behind that.
class SlowKin : public Actor<KinApi, Tie> {
 public:
  explicit SlowKin(int& ends) : ends_(ends) {}
  Task<void> Handle(Wave) { (void)co_await Sleep(absl::Seconds(2)); }
  void Handle(const Tie& m) { Link(m.to); }
  void OnExit(const Exit&) { ++ends_; }

 private:
  int& ends_;
};

// A link is lost with its connection, and made anew before the one that it was
// made to has heard of the loss: the new one holds (clause 28).
TEST(LinksSimTest, LossOfALinkEndsNoNewerOne) {
  ForEachSeed(20, [](Simulation& sim) {
    auto& cluster = sim.Make<SimulatedCluster>(sim);
    int& heard_by_a = sim.Make<int>(0);
    int& heard_by_b = sim.Make<int>(0);
    Node* a = nullptr;
    SlowKin::Ref at_a, at_b;
    cluster.Add("a", [&](SimulatedHost& host) {
      a = &testing::StartNode(host, {"a", "b"});
      at_a = host.system().Spawn<SlowKin>(std::ref(heard_by_a)).value();
    });
    cluster.Add("b", [&](SimulatedHost& host) {
      Node& b = testing::StartNode(host, {"a", "b"});
      at_b = host.system().Spawn<SlowKin>(std::ref(heard_by_b)).value();
      EXPECT_EQ(b.Export("kin", ActorRef<KinApi>(at_b)), absl::OkStatus());
    });
    const auto meet = [&] {
      sim.Check("they meet", [&] {
        return sim.PlayUntil([&] { return a->Peers().size() == 1; },
                             absl::Seconds(10));
      });
    };
    meet();
    const auto b_from_a = a->ResolveAndWait<KinApi>("kin@b").value();
    at_a.Send<Tie>(b_from_a);
    sim.PlayFor(absl::Milliseconds(100));
    at_b.Send<Wave>("");
    sim.PlayFor(absl::Milliseconds(1));
    EXPECT_TRUE(cluster.network().ResetAny());
    sim.Check("the loss is heard of", [&] {
      return sim.PlayUntil([&] { return heard_by_a == 1; }, absl::Seconds(1));
    });
    meet();
    at_a.Send<Tie>(b_from_a);
    sim.PlayFor(absl::Milliseconds(100));
    sim.Check("the other one is busy", [&] { return heard_by_b == 0; });
    sim.PlayFor(absl::Seconds(5));
    sim.Check("and hears of the loss", [&] { return heard_by_b == 1; });
    at_b.Stop();
    sim.PlayFor(absl::Seconds(1));
    sim.Check("the end is heard of", [&] { return heard_by_a == 2; });
  });
}

}  // namespace
}  // namespace troupe
