// Groups on three nodes while members come and go and everything fails: at rest
// all nodes know the same, and each monitor has been told just that.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/base/random.h"
#include "troupe/cluster/internal/group_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/registry/group_changed.h"
#include "troupe/registry/groups.h"
#include "troupe/testing/run_simulation.h"
#include "troupe/testing/simulated_cluster.h"
#include "troupe/testing/simulated_node.h"
#include "troupe/testing/simulation.h"

namespace troupe {
namespace {

using internal::FarCell;
using internal::TalkApi;
using internal::Talker;
using testing::ForEachSeed;
using testing::SimulatedCluster;
using testing::SimulatedHost;
using testing::Simulation;

const Group<TalkApi> kLobby("lobby");
Group<TalkApi> Room(uint64_t number) {
  return Group<TalkApi>({.scope = "rooms", .name = std::to_string(number)});
}

struct Again {};

// Lets members come and go.
class Host : public Actor<Again> {
 public:
  Host(bool& stops, uint64_t seed) : stops_(stops), random_(seed) {}

  void PostStart() { SendAfter<Again>(absl::Milliseconds(10)); }
  void Handle(Again) {
    if (stops_) return;
    Groups& groups = system().Get<Groups>();
    const auto group =
        random_.Bernoulli(0.5) ? kLobby : Room(random_.Uniform(3));
    switch (random_.Uniform(4)) {
      case 0:
      case 1:
        if (guests_.size() < 6) {
          guests_.push_back(system().Spawn<Talker>().value());
        }
        (void)groups.Join(group, guests_[random_.Uniform(guests_.size())]);
        break;
      case 2:
        if (!guests_.empty()) {
          (void)groups.Leave(group, guests_[random_.Uniform(guests_.size())]);
        }
        break;
      default:
        if (!guests_.empty()) {
          guests_.back().Stop();
          guests_.pop_back();
        }
    }
    (void)groups.Send<internal::Whisper>(group, 1);
    SendAfter<Again>(absl::Milliseconds(1 + random_.Uniform(20)));
  }

 private:
  bool& stops_;
  Random random_;
  std::vector<Talker::Ref> guests_;
};

// A membership: group, node, id there. How often.
using Table = std::map<std::tuple<std::string, std::string, uint64_t>, int>;

struct Trio {
  explicit Trio(Simulation& sim)
      : told(sim.Make<std::map<std::string, Table>>()),
        stops(sim.Make<bool>(false)),
        cluster(sim.Make<SimulatedCluster>(sim)) {
    const std::vector<std::string> names = {"a", "b", "c"};
    for (const std::string& name : names) {
      cluster.Add(name, [this, names, &sim](SimulatedHost& host) {
        Table& table = told[host.name()];
        table.clear();
        host.Make<Subscription>(host.system().Subscribe<GroupChanged>(
            [&table, name = host.name()](const GroupChanged& change) {
              for (const AnyActorRef& one : change.joined) {
                ++table[Key(change.group, name, one)];
              }
              for (const AnyActorRef& one : change.left) {
                const auto key = Key(change.group, name, one);
                if (--table[key] == 0) table.erase(key);
              }
            }));
        Node& node = testing::StartNode(host, names,
                                        {.heartbeat = absl::Milliseconds(200),
                                         .silence = absl::Milliseconds(800)});
        EXPECT_EQ(node.Share(kLobby), absl::OkStatus());
        EXPECT_EQ(node.ShareScope<TalkApi>("rooms"), absl::OkStatus());
        (void)host.system()
            .Spawn<Host>(std::ref(stops), sim.random().Uniform(1 << 30))
            .value();
      });
    }
    sim.Always("nobody leaves who has not joined", [this] {
      for (const auto& [name, table] : told) {
        for (const auto& [key, count] : table) {
          if (count < 0) {
            return absl::InternalError(
                absl::StrCat(name, ": ", std::get<1>(key)));
          }
        }
      }
      return absl::OkStatus();
    });
  }

  static std::tuple<std::string, std::string, uint64_t> Key(
      const GroupName& group, const std::string& here, const AnyActorRef& ref) {
    const FarCell* const far = FarCell::Of(ref.cell());
    return {group.ToString(), far != nullptr ? far->node() : here,
            ref.id().value() & FarCell::kIdMask};
  }
  Table Look(const std::string& name) {
    Groups& groups = cluster.host(name).system().Get<Groups>();
    Table table;
    for (const std::string& scope : groups.ListScopes()) {
      for (const std::string& group : groups.ListGroups(scope)) {
        const GroupName full{.scope = scope, .name = group};
        const auto members = groups.Members(Group<TalkApi>(full)).value();
        for (const auto& member : members) ++table[Key(full, name, member)];
      }
    }
    return table;
  }
  bool Agree() {
    for (const std::string& name : cluster.names()) {
      if (!cluster.IsUp(name) || Look(name) != Look("a")) return false;
    }
    return true;
  }

  std::map<std::string, Table>& told;
  bool& stops;
  SimulatedCluster& cluster;
};

void Settle(Simulation& sim, Trio& trio) {
  trio.stops = true;
  // Sessions that are about to be given up are, in this time.
  sim.PlayFor(absl::Seconds(2));
  sim.Check("all nodes know the same", [&] {
    return sim.PlayUntil([&] { return trio.Agree(); }, absl::Seconds(30));
  });
  // And it stays so.
  sim.PlayFor(absl::Seconds(2));
  sim.Check("they know the same at rest", [&] { return trio.Agree(); });
  for (const std::string& name : trio.cluster.names()) {
    sim.Check("what was told is what there is",
              [&] { return trio.told[name] == trio.Look(name); });
  }
}

TEST(GroupsSimTest, AllNodesKnowTheSameAtRest) {
  int members_elsewhere = 0;
  ForEachSeed(6, [&](Simulation& sim) {
    Trio trio(sim);
    sim.PlayFor(absl::Seconds(3));
    Settle(sim, trio);
    members_elsewhere += static_cast<int>(trio.Look("b").size());
  });
  EXPECT_GT(members_elsewhere, 12);
}

TEST(GroupsSimTest, AllNodesKnowTheSameAfterWhateverFails) {
  ForEachSeed(25, [](Simulation& sim) {
    Trio trio(sim);
    SimulatedCluster& cluster = trio.cluster;
    for (const std::string& name : cluster.names()) {
      cluster.MayCrash(name, absl::Seconds(2),
                       {.probability = 0.001, .at_most_times = 2});
      cluster.MayPause(name, absl::Seconds(2),
                       {.probability = 0.001, .at_most_times = 2});
    }
    cluster.MayPartition(absl::Seconds(2),
                         {.probability = 0.001, .at_most_times = 3});
    cluster.MayReset({.probability = 0.002, .at_most_times = 8});
    sim.PlayFor(absl::Seconds(5));
    cluster.Heal();
    Settle(sim, trio);
  });
}

}  // namespace
}  // namespace troupe
