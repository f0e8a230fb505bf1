// References that are used long after their actors have ended, while the memory
// is given back to the system and used again.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/cell_pool.h"
#include "troupe/actor/send_result.h"
#include "troupe/base/random.h"

namespace troupe {
namespace {

struct Letter {
  int64_t to;
};

class Target : public Actor<Letter> {
 public:
  Target(int64_t number, std::atomic<int64_t>& astray)
      : number_(number), astray_(astray) {}

  void Handle(Letter letter) {
    if (letter.to != number_) astray_.fetch_add(1);
  }

 private:
  const int64_t number_;
  std::atomic<int64_t>& astray_;
};

struct Address {
  Target::Ref ref;
  int64_t number;
};

// Who lives, and who has ended.
class Town {
 public:
  void MoveIn(const std::vector<Address>& addresses) {
    absl::MutexLock lock(&mu_);
    living_ = addresses;
  }
  void MoveOut() {
    absl::MutexLock lock(&mu_);
    living_.clear();
  }
  void Bury(const std::vector<Address>& addresses) {
    absl::MutexLock lock(&mu_);
    gone_.insert(gone_.end(), addresses.begin(), addresses.end());
  }
  std::optional<Address> SomeLiving(Random& random) {
    absl::MutexLock lock(&mu_);
    return SomeOf(living_, random);
  }
  std::optional<Address> SomeGone(Random& random) {
    absl::MutexLock lock(&mu_);
    return SomeOf(gone_, random);
  }

 private:
  static std::optional<Address> SomeOf(const std::vector<Address>& addresses,
                                       Random& random) {
    if (addresses.empty()) return std::nullopt;
    return addresses[random.Uniform(addresses.size())];
  }

  absl::Mutex mu_;
  std::vector<Address> living_ ABSL_GUARDED_BY(mu_);
  std::vector<Address> gone_ ABSL_GUARDED_BY(mu_);
};

// Sends to the living, and does all that can be done with the gone.
void Correspond(Town& town, Random random, const std::atomic<bool>& done,
                std::atomic<int64_t>& letters) {
  while (!done.load()) {
    if (const std::optional<Address> living = town.SomeLiving(random)) {
      living->ref.Send<Letter>(living->number);
      letters.fetch_add(1);
    }
    if (const std::optional<Address> gone = town.SomeGone(random)) {
      EXPECT_EQ(gone->ref.TrySend(Letter{gone->number}), SendResult::kNoActor);
      EXPECT_EQ(gone->ref.status(), ActorStatus::kStopped);
      gone->ref.Kill();
      gone->ref.Drain();
    }
  }
}

// §1, §2, §18: a reference never means another actor.
TEST(CellReuseStressTest, LateSenderReachesNobodyElse) {
  constexpr int kRounds = 30;
  constexpr int kTargets = 1000;  // Some batches of cells.
  constexpr int kThreads = 2;
  constexpr int64_t kLettersPerRound = 2000;

  std::atomic<int64_t> astray{0};
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 2}).value();
  Town town;
  std::atomic<bool> done{false};
  std::atomic<int64_t> letters{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back(
        [&, t] { Correspond(town, Random(t), done, letters); });
  }
  int64_t number = 0;
  size_t released = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Address> targets;
    for (int i = 0; i < kTargets; ++i) {
      ++number;
      targets.push_back(
          {system->Spawn<Target>(number, astray).value(), number});
    }
    town.MoveIn(targets);
    const int64_t enough = letters.load() + kLettersPerRound;
    while (letters.load() < enough) std::this_thread::yield();
    town.MoveOut();
    const size_t held = internal::CellPool::HeldBytes();
    // Nobody was killed in place of another.
    EXPECT_EQ(system->live_actors(), static_cast<uint64_t>(kTargets));
    for (const Address& target : targets) target.ref.Kill();
    ASSERT_TRUE(system->AwaitNoActors());

    while (internal::CellPool::ReleaseSomeUnused()) {
    }
    released += held - internal::CellPool::HeldBytes();
    town.Bury(targets);
  }
  done.store(true);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(astray.load(), 0);
  // Threads of workers keep some cells, wherever those lie.
  EXPECT_GT(released, 0u);
}

}  // namespace
}  // namespace troupe
