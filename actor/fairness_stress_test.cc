// How long an actor that is ready waits for its turn beside others that never
// rest.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

constexpr int kRunners = 6;
constexpr int kTokens = 3;
constexpr int kHops = 60'000;

struct Poke {
  uint64_t turn;
};
struct Token {
  int hops;
};
struct Meet {
  std::vector<ActorRef<Token>> runners;
};

// Says how many turns its worker has run since it was poked.
class Patient : public Actor<Poke> {
 public:
  Patient(const Worker& worker, std::vector<uint64_t>& waits)
      : worker_(worker), waits_(waits) {}
  void Handle(Poke m) { waits_.push_back(worker_.turns() - m.turn); }

 private:
  const Worker& worker_;
  std::vector<uint64_t>& waits_;
};

// Passes tokens on, and now and then pokes the patient before it does.
class Runner : public Actor<Token, Meet> {
 public:
  Runner(int index, const Worker& worker, ActorRef<Poke> patient, uint64_t seed,
         absl::BlockingCounter& finished)
      : index_(index),
        worker_(worker),
        patient_(patient),
        random_(seed + index),
        finished_(finished) {}
  void Handle(Meet&& m) { runners_ = std::move(m.runners); }
  void Handle(Token m) {
    if (m.hops == 0) {
      finished_.DecrementCount();
      return;
    }
    if (random_.Uniform(500) == 0) patient_.Send<Poke>(worker_.turns());
    // To another: whoever sends to itself goes behind all that are ready.
    const uint64_t next = index_ + 1 + random_.Uniform(kRunners - 1);
    runners_[next % kRunners].Send<Token>(m.hops - 1);
  }

 private:
  const int index_;
  const Worker& worker_;
  const ActorRef<Poke> patient_;
  Random random_;
  absl::BlockingCounter& finished_;
  std::vector<ActorRef<Token>> runners_;
};

// §19: with r others on its worker, an actor runs fewer than 129 (r + 1) turns
// after it has become ready, whatever they do.
TEST(FairnessStressTest, ReadyActorRunsWithinTheBound) {
  constexpr uint64_t kBound = (Worker::kMaxFreshTurns + 1) * (kRunners + 1);
  for (const uint64_t seed : testing::TestSeeds(5)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    std::vector<uint64_t> waits;
    absl::BlockingCounter finished(kTokens);
    absl::StatusOr<std::unique_ptr<ThreadExecutor>> executor =
        ThreadExecutor::Create({.workers = 1,
                                .take_over_after = absl::InfiniteDuration(),
                                .long_turn_after = absl::InfiniteDuration()});
    ASSERT_TRUE(executor.ok());
    const Worker& worker = (*executor)->shared_worker(0);
    std::unique_ptr<ActorSystem> system =
        ActorSystem::CreateOn(*std::move(executor), {});
    ActorRef<Poke> patient = system->Spawn<Patient>(worker, waits).value();
    std::vector<Runner::Ref> runners;
    for (int i = 0; i < kRunners; ++i) {
      runners.push_back(
          system->Spawn<Runner>(i, worker, patient, seed, finished).value());
    }
    for (const Runner::Ref& runner : runners) {
      runner.Send<Meet>(
          std::vector<ActorRef<Token>>(runners.begin(), runners.end()));
    }
    for (int i = 0; i < kTokens; ++i) runners[i].Send<Token>(kHops);
    finished.Wait();
    EXPECT_TRUE(system->Shutdown().ok());
    ASSERT_FALSE(waits.empty());
    const uint64_t longest = *std::max_element(waits.begin(), waits.end());
    EXPECT_LT(longest, kBound);
    // The runners do keep it waiting.
    EXPECT_GT(longest, Worker::kMaxFreshTurns / 2);
  }
}

}  // namespace
}  // namespace troupe
