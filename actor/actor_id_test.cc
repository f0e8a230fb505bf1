#include "troupe/actor/actor_id.h"

#include <memory>
#include <set>
#include <sstream>
#include <vector>

#include "absl/hash/hash.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/system_testing.h"

namespace troupe {
namespace {

// R-038, for actors of this process.
TEST(ActorIdTest, IsAValue) {
  constexpr ActorId id(17);
  EXPECT_EQ(id.value(), 17u);
  EXPECT_FALSE(id.IsNull());
  EXPECT_EQ(id, ActorId(17));
  EXPECT_LT(id, ActorId(18));
  EXPECT_EQ(absl::Hash<ActorId>()(id), absl::Hash<ActorId>()(ActorId(17)));
  EXPECT_EQ(id.ToString(), "#17");
  std::ostringstream text;
  text << id;
  EXPECT_EQ(text.str(), "#17");
}

TEST(ActorIdTest, DefaultIsNobodys) {
  EXPECT_TRUE(ActorId().IsNull());
  EXPECT_NE(ActorId(), ActorId(17));
}

struct Work {
  int spawns;
};

class Spawner : public Actor<Work> {
 public:
  explicit Spawner(std::vector<ActorId>& ids) : ids_(ids) {
    EXPECT_TRUE(ids_.empty());
  }
  void Handle(Work m) {
    ids_.push_back(self().id());
    for (int i = 0; i < m.spawns; ++i) {
      ids_.push_back(Spawn<Spawner>(none_).value().id());
    }
  }

 private:
  std::vector<ActorId>& ids_;
  std::vector<ActorId> none_;
};

class ActorIdsTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, ActorIdsTest, internal::AllExecutors());

// §1: no two actors of the process have the same id, whoever spawned them, in
// one system or two, at one time or one after the other.
TEST_P(ActorIdsTest, NoIdIsEverReused) {
  std::set<ActorId> seen = {ActorId()};
  size_t actors = 0;
  for (int round = 0; round < 3; ++round) {
    std::unique_ptr<ActorSystem> systems[] = {MakeSystem(), MakeSystem()};
    for (int i = 0; i < 10; ++i) {
      for (const std::unique_ptr<ActorSystem>& system : systems) {
        std::vector<ActorId> ids;
        Spawner::Ref spawner = system->Spawn<Spawner>(ids).value();
        spawner.Send<Work>(20);
        EXPECT_TRUE(spawner.DrainAndWait().ok());
        seen.insert(ids.begin(), ids.end());
        actors += ids.size();
      }
    }
  }
  EXPECT_EQ(actors, 3u * 10 * 2 * 21);
  EXPECT_EQ(seen.size(), actors + 1);
}

}  // namespace
}  // namespace troupe
