// Threads that actors share, while their handles, their actors and the system
// go in any order.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/pinned_thread.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

constexpr int kSpawners = 3;
constexpr int kThreadsEach = 8;
constexpr int kActorsEach = 3;  // On one thread.

// What only the actors of one thread touch, without a lock.
struct Shared {
  int64_t touched = 0;
};
struct Touch {
  int hops;
};

class Toucher : public Actor<Touch> {
 public:
  Toucher(std::shared_ptr<Shared> shared, std::atomic<int>& living)
      : shared_(std::move(shared)), living_(living) {
    Note();
    ++living_;
  }
  ~Toucher() {
    Note();
    --living_;
  }
  void Handle(Touch m) {
    Note();
    if (m.hops > 0) self().Send<Touch>(m.hops - 1);
  }

 private:
  void Note() {
    ++shared_->touched;
    EXPECT_EQ(this_thread.worker->kind(), Worker::Kind::kDedicated);
  }

  const std::shared_ptr<Shared> shared_;
  std::atomic<int>& living_;
};

TEST(PinnedThreadStressTest, EndsWhateverGoesLast) {
  for (const uint64_t seed : testing::TestSeeds(10)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    std::atomic<int> living = 0;
    std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 2}).value();
    absl::BlockingCounter spawned(kSpawners);
    std::vector<std::thread> spawners;
    for (int s = 0; s < kSpawners; ++s) {
      spawners.emplace_back([&, s] {
        Random random(seed * kSpawners + s);
        std::vector<PinnedThread> kept;
        for (int i = 0; i < kThreadsEach; ++i) {
          const PinnedThread thread = system->StartThread("shared").value();
          const auto shared = std::make_shared<Shared>();
          for (int a = 0; a < kActorsEach; ++a) {
            const auto actor =
                system
                    ->SpawnInstant<Toucher>({.thread = thread}, shared,
                                            std::ref(living))
                    .value();
            actor.Send<Touch>(10);
            switch (random.Uniform(4)) {
              case 0:
                actor.Stop();
                break;
              case 1:
                actor.Kill();
                break;
              case 2:
                actor.Drain();
                break;
              default:
                break;  // Ends with the system.
            }
          }
          if (random.Uniform(2) == 0) kept.push_back(thread);
        }
        spawned.DecrementCount();
        // These go while the system does.
      });
    }
    spawned.Wait();
    system = nullptr;
    EXPECT_EQ(living, 0);
    for (std::thread& spawner : spawners) spawner.join();
  }
}

}  // namespace
}  // namespace troupe
