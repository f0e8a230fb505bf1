// What an actor with eight bytes of state takes of the machine's memory while
// its handler sleeps: the actor (192 bytes), its message (64), the coroutine's
// frame (192), and what the runtime keeps of them (128). A process of its own,
// as in idle_memory_test.
#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/benchmarks/resident_memory.h"
#include "troupe/benchmarks/sanitized.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/worker.h"

namespace troupe::benchmarks {
namespace {

using ::testing::Ge;
using ::testing::Le;

struct Doze {
  absl::Duration duration;
};

class Dozer : public Actor<Doze> {
 public:
  explicit Dozer(int64_t& dozing) : dozing_(dozing) {}
  Task<void> Handle(const Doze& doze) {
    ++dozing_;
    co_await Sleep(doze.duration);
    --dozing_;
    StopSelf();
  }

 private:
  int64_t& dozing_;
};

TEST(SleepingMemoryTest, SleepingActorTakesAtMost600Bytes) {
  constexpr int64_t kActors = 100'000;
  auto owned = std::make_unique<DeterministicExecutor>(
      DeterministicExecutor::Options{.workers = 1});
  DeterministicExecutor& executor = *owned;
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::CreateOn(std::move(owned), {});
  int64_t dozing = 0;
  const int64_t before = ExactResidentBytes();
  for (int64_t i = 0; i < kActors; ++i) {
    // They wake one after the other: the executor takes long to choose among
    // many.
    system->Spawn<Dozer>(dozing).value().Send<Doze>(absl::Hours(1) +
                                                    i * absl::Milliseconds(1));
    executor.RunUntilIdle();
  }
  // As the workers of an idle system do: what huge pages brought and nobody has
  // touched goes back.
  while (executor.shared_worker(0).local()->TidyUp()) {
  }
  const int64_t bytes_per_actor = (ExactResidentBytes() - before) / kActors;

  ASSERT_EQ(dozing, kActors);
  RecordProperty("bytes_per_actor", static_cast<int>(bytes_per_actor));
  // With less than a cell and a frame, something else would have been measured.
  EXPECT_THAT(bytes_per_actor, Ge(320));
#ifndef TROUPE_SANITIZED
  EXPECT_THAT(bytes_per_actor, Le(600));
#endif
  executor.RunFor(absl::Hours(2));
  EXPECT_EQ(dozing, 0);
}

}  // namespace
}  // namespace troupe::benchmarks
