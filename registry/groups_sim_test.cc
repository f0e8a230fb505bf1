// Groups against a naive model (§32), on the deterministic executor: any calls
// by a plain thread and by actors, while members and monitors end.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/events.h"
#include "troupe/base/random.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_changed.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_range.h"
#include "troupe/registry/groups.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

constexpr uint64_t kRooms = 4;

class World;

struct Act {};
struct Number {
  int64_t number;
  ActorId sender;  // Null: the world outside.
};
// Calls groups from its handler; counts what its groups are told.
class Member : public Actor<Act, Number> {
 public:
  explicit Member(World& world) : world_(world) {}
  void Handle(Act);
  void Handle(Number m);

 private:
  World& world_;
  std::map<ActorId, int64_t> last_;
};

// The members of each group by what somebody was told.
using Tally = std::map<GroupName, std::vector<AnyActorRef>>;

bool Covers(const GroupRange& range, const GroupName& group) {
  switch (range.kind()) {
    case GroupRange::Kind::kGroup:
      return range.name() == group;
    case GroupRange::Kind::kScope:
      return range.scope() == group.scope;
    case GroupRange::Kind::kAll:
      break;
  }
  return true;
}

// Applies what it is told, and agrees with the model when nothing is under way.
class Watcher : public Actor<GroupChanged> {
 public:
  explicit Watcher(Tally& tally) : tally_(tally) {}
  void Handle(const GroupChanged& change) {
    // Of one group: what is there at first is told by names.
    EXPECT_GT(change.version, last_[change.group]);
    last_[change.group] = change.version;
    std::vector<AnyActorRef>& members = tally_[change.group];
    members.insert(members.end(), change.joined.begin(), change.joined.end());
    for (const AnyActorRef& ref : change.left) {
      const auto youngest = std::find(members.rbegin(), members.rend(), ref);
      if (youngest == members.rend()) {
        ADD_FAILURE() << ref << " leaves " << change.group << " too often";
        continue;
      }
      members.erase(std::next(youngest).base());
    }
    if (members.empty()) tally_.erase(change.group);
  }

 private:
  Tally& tally_;
  std::map<GroupName, uint64_t> last_;
};

class World {
 public:
  World(ActorSystem& system, uint64_t seed)
      : system_(system),
        groups_(system.Get<Groups>()),
        random_(seed),
        ended_(system.Subscribe<ActorEnded>(
            [this](const ActorEnded& event) { Forget(event.actor); })) {
    for (uint64_t room = 0; room < kRooms; ++room) {
      rooms_.push_back(Group<Number>(GroupName{
          .scope = room % 2 == 0 ? "" : "s",
          .name = std::string(1, static_cast<char>('a' + room / 2))}));
    }
  }

  // One call, by `caller`; null: by the world outside.
  void Call(ActorId caller) {
    const Group<Number>& room = rooms_[random_.Uniform(kRooms)];
    if (members_.empty()) return;
    const Member::Ref member = members_[random_.Uniform(members_.size())];
    std::vector<AnyActorRef>& model = model_[room.name()];
    switch (random_.Uniform(8)) {
      case 0:
      case 1:
      case 2: {
        const absl::Status status = groups_.Join(room, {member, member});
        if (status.ok()) model.insert(model.end(), {member, member});
        ++(status.ok() ? joined : refused);
        break;
      }
      case 3:
        if (groups_.Join(room, member).ok()) model.push_back(member);
        break;
      case 4:
      case 5: {
        const auto youngest =
            std::find(model.rbegin(), model.rend(), AnyActorRef(member));
        EXPECT_EQ(groups_.Leave(room, member),
                  youngest == model.rend() ? 0u : 1u);
        if (youngest != model.rend()) model.erase(std::next(youngest).base());
        break;
      }
      case 6:
        // Its end has begun if it does not take it.
        EXPECT_LE(groups_.Send<Number>(room, ++sent_, caller), model.size());
        break;
      default:
        EXPECT_EQ(groups_.PickFor(room, 7).ok(), !model.empty());
        EXPECT_EQ(groups_.Pick(room, GroupPick::kRoundRobin).ok(),
                  !model.empty());
    }
    if (model_[room.name()].empty()) model_.erase(room.name());
    Check();
  }

  // One step of the world outside.
  void Step() {
    switch (random_.Uniform(10)) {
      case 0:
      case 1:
        members_.push_back(system_.Spawn<Member>(*this).value());
        return;
      case 2:
        return EndSomebody();
      case 3:
        return BeginWatching();
      case 4:
        return EndWatching();
      case 5:
      case 6:
        if (!members_.empty()) {
          members_[random_.Uniform(members_.size())].Send<Act>();
        }
        return;
      default:
        return Call(ActorId());
    }
  }

  // Whether the table is what it should be.
  void Check() {
    for (const Group<Number>& room : rooms_) {
      const auto members = groups_.Members(room).value();
      const auto found = model_.find(room.name());
      const std::vector<AnyActorRef> expected =
          found != model_.end() ? found->second : std::vector<AnyActorRef>();
      EXPECT_EQ(std::vector<AnyActorRef>(members.begin(), members.end()),
                expected);
    }
  }
  // Whether those who watch know that. When nothing is under way.
  void CheckWatchers() {
    for (const auto& [id, watch] : watches_) {
      Tally expected;
      for (const auto& [group, members] : model_) {
        if (Covers(watch->range, group)) expected[group] = members;
      }
      // Order within a group: of joining.
      EXPECT_EQ(watch->tally, expected);
      ++checked;
    }
  }

  int64_t joined = 0;
  int64_t refused = 0;
  int64_t heard = 0;
  int64_t checked = 0;

 private:
  struct Watch {
    GroupRange range;
    ActorRef<GroupChanged> watcher;
    Tally tally;
  };

  // Nobody was told yet: it must be gone everywhere.
  void Forget(ActorId actor) {
    for (auto it = model_.begin(); it != model_.end();) {
      std::erase_if(it->second,
                    [&](const AnyActorRef& ref) { return ref.id() == actor; });
      it = it->second.empty() ? model_.erase(it) : std::next(it);
    }
    std::erase_if(members_,
                  [&](const Member::Ref& ref) { return ref.id() == actor; });
    if (const auto watch = watches_.find(actor); watch != watches_.end()) {
      EXPECT_FALSE(
          groups_.Demonitor(watch->second->range, watch->second->watcher));
      watches_.erase(watch);
    }
    Check();
  }
  void End(const AnyActorRef& actor) {
    switch (random_.Uniform(3)) {
      case 0:
        return actor.Stop();
      case 1:
        return actor.Kill();
      default:
        return actor.Drain();
    }
  }
  void EndSomebody() {
    if (random_.Bernoulli(0.3) && !watches_.empty()) {
      return End(watches_.begin()->second->watcher);
    }
    if (!members_.empty()) End(members_[random_.Uniform(members_.size())]);
  }
  void BeginWatching() {
    const uint64_t which = random_.Uniform(kRooms + 2);
    auto watch =
        std::make_unique<Watch>(Watch{which < kRooms ? GroupRange(rooms_[which])
                                      : which == kRooms ? GroupRange::Scope("s")
                                                        : GroupRange::All(),
                                      {},
                                      {}});
    watch->watcher = system_.Spawn<Watcher>(watch->tally).value();
    EXPECT_TRUE(groups_.Monitor(watch->range, watch->watcher).ok());
    EXPECT_TRUE(groups_.Monitor(watch->range, watch->watcher).ok());
    const ActorId id = watch->watcher.id();
    watches_.emplace(id, std::move(watch));
  }
  void EndWatching() {
    if (watches_.empty()) return;
    const Watch& watch = *watches_.begin()->second;
    (void)groups_.Demonitor(watch.range, watch.watcher);
    watch.watcher.Kill();
  }

  ActorSystem& system_;
  Groups& groups_;
  Random random_;
  std::vector<Group<Number>> rooms_;
  Tally model_;
  std::vector<Member::Ref> members_;
  std::map<ActorId, std::unique_ptr<Watch>> watches_;
  int64_t sent_ = 0;
  Subscription ended_;
};

void Member::Handle(Act) { world_.Call(self().id()); }
void Member::Handle(Number m) {
  // Those of one sender are in order; a member may be one more than once.
  EXPECT_GE(m.number, last_[m.sender]);
  last_[m.sender] = m.number;
  ++world_.heard;
}

TEST(GroupsSimTest, AgreeWithANaiveModelWhateverHappens) {
  int64_t joined = 0;
  int64_t refused = 0;
  int64_t heard = 0;
  int64_t checked = 0;
  const std::vector<uint64_t> seeds = testing::TestSeeds(30);
  for (const uint64_t seed : seeds) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    Random random(seed);
    auto* const executor =
        new DeterministicExecutor({.seed = random.NextUint64(), .workers = 3});
    std::unique_ptr<ActorSystem> system =
        ActorSystem::CreateOn(std::unique_ptr<Executor>(executor), {});
    auto world = std::make_unique<World>(*system, random.NextUint64());
    for (int i = 0; i < 400; ++i) {
      world->Step();
      for (uint64_t steps = random.Uniform(4); steps > 0; --steps) {
        (void)executor->Step();
      }
      if (random.Uniform(50) == 0) {
        executor->RunUntilIdle();
        world->CheckWatchers();
      }
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_TRUE(system->Shutdown().ok());
    world->Check();
    EXPECT_TRUE(system->Get<Groups>().ListScopes().empty());
    joined += world->joined;
    refused += world->refused;
    heard += world->heard;
    checked += world->checked;
    world = nullptr;
    if (::testing::Test::HasFailure()) return;
  }
  const auto runs = static_cast<int64_t>(seeds.size());
  EXPECT_GT(joined, 20 * runs);
  EXPECT_GT(refused, runs / 8);
  EXPECT_GT(heard, 20 * runs);
  EXPECT_GT(checked, 5 * runs);
}

// Although the ids of the actors differ from run to run.
std::string PicksOf(uint64_t seed) {
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::CreateOn(std::make_unique<DeterministicExecutor>(
                                DeterministicExecutor::Options{.seed = seed}),
                            {});
  Groups& groups = system->Get<Groups>();
  World world(*system, seed);
  const Group<Number> room("room");
  std::map<ActorId, char> letters;
  for (char letter = 'a'; letter <= 'h'; ++letter) {
    const auto member = system->Spawn<Member>(world).value();
    letters[member.id()] = letter;
    EXPECT_TRUE(groups.Join(room, member).ok());
  }
  std::string picks;
  for (int i = 0; i < 20; ++i) {
    picks += letters[groups.Pick(room, GroupPick::kRandom)->id()];
    picks += letters[groups.PickFor(room, i)->id()];
  }
  return picks;
}

TEST(GroupsSimTest, SeedReplaysThePicks) {
  EXPECT_EQ(PicksOf(1), PicksOf(1));
  EXPECT_NE(PicksOf(1), PicksOf(2));
}

}  // namespace
}  // namespace troupe
