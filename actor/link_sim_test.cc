// Two actors that link and unlink each other at the same time, again and again
// (§28): at rest both are linked or none is, and then end together or apart.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

struct Meet {
  AnyActorRef other;
};
// Links or unlinks so many times.
struct Waver {
  uint64_t times;
};

class Partner : public Actor<Meet, Waver> {
 public:
  explicit Partner(uint64_t seed) : random_(seed) {}
  void Handle(Meet meet) { other_ = meet.other; }
  void Handle(Waver waver) {
    for (uint64_t i = 0; i < waver.times; ++i) {
      const bool was_linked = IsLinked();
      if (random_.Uniform(2) == 0) {
        Link(other_);
        EXPECT_TRUE(IsLinked());
      } else {
        EXPECT_EQ(Unlink(other_), was_linked);
        EXPECT_FALSE(IsLinked());
      }
      changes += IsLinked() != was_linked ? 1 : 0;
    }
  }
  void OnExit(const Exit& exit) {
    EXPECT_EQ(exit.actor, other_);
    ++exits;
  }
  bool IsLinked() const {
    const internal::HandlerState* const state = cell().handler;
    return state != nullptr && state->watches() != nullptr &&
           !state->watches()->links().empty();
  }

  int64_t changes = 0;
  int exits = 0;

 private:
  Random random_;
  AnyActorRef other_;
};

TEST(LinkSimTest, BothAreLinkedAtRestOrNone) {
  int64_t changes = 0;
  int64_t linked = 0;
  const std::vector<uint64_t> seeds = testing::TestSeeds(1000);
  for (const uint64_t seed : seeds) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    Random random(seed);
    auto* const executor =
        new DeterministicExecutor({.seed = random.NextUint64(), .workers = 2});
    std::unique_ptr<ActorSystem> system =
        ActorSystem::CreateOn(std::unique_ptr<Executor>(executor), {});
    Partner::Ref refs[2];
    const Partner* partners[2];
    for (int i = 0; i < 2; ++i) {
      refs[i] = system->Spawn<Partner>(random.NextUint64()).value();
      partners[i] = &internal::ObjectOf<Partner>(*refs[i].cell());
    }
    refs[0].Send<Meet>(refs[1]);
    refs[1].Send<Meet>(refs[0]);
    for (int i = 0; i < 100; ++i) {
      refs[random.Uniform(2)].Send<Waver>(1 + random.Uniform(3));
      for (uint64_t steps = random.Uniform(4); steps > 0; --steps) {
        (void)executor->Step();
      }
      if (random.Uniform(10) == 0) {
        executor->RunUntilIdle();
        ASSERT_EQ(partners[0]->IsLinked(), partners[1]->IsLinked());
      }
    }
    executor->RunUntilIdle();
    ASSERT_EQ(partners[0]->IsLinked(), partners[1]->IsLinked());
    const bool is_linked = partners[0]->IsLinked();
    linked += is_linked ? 1 : 0;
    changes += partners[0]->changes + partners[1]->changes;
    const size_t ends = random.Uniform(2);
    refs[ends].Kill();
    executor->RunUntilIdle();
    EXPECT_EQ(partners[1 - ends]->exits, is_linked ? 1 : 0);
    EXPECT_TRUE(system->Shutdown().ok());
  }
  // On average some 90, and in half of the runs.
  EXPECT_GT(changes, static_cast<int64_t>(50 * seeds.size()));
  EXPECT_GT(linked, static_cast<int64_t>(seeds.size() / 4));
  EXPECT_LT(linked, static_cast<int64_t>(seeds.size() * 3 / 4));
}

}  // namespace
}  // namespace troupe
