// What a system has one of each (ActorSystem::Get()).
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/barrier.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/contain.h"
#include "troupe/scheduler/deterministic_executor.h"

namespace troupe {
namespace {

std::unique_ptr<ActorSystem> MakeSystem() {
  return ActorSystem::CreateOn(
      std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options{}),
      {});
}

// Counts itself.
struct Counted {
  explicit Counted(ActorSystem&) { ++made; }
  ~Counted() { ++destroyed; }
  static inline std::atomic<int> made{0};
  static inline std::atomic<int> destroyed{0};
};

TEST(ExtensionTest, EachSystemHasOneOfEach) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  std::unique_ptr<ActorSystem> other = MakeSystem();
  Counted& one = system->Get<Counted>();
  EXPECT_EQ(&system->Get<Counted>(), &one);
  EXPECT_NE(&other->Get<Counted>(), &one);
}

// An extension may have told others where it is: none is made and thrown away.
TEST(ExtensionTest, WhoeverAsksItIsMadeOnce) {
  for (int round = 0; round < 50; ++round) {
    Counted::made = 0;
    Counted::destroyed = 0;
    std::unique_ptr<ActorSystem> system = MakeSystem();
    constexpr int kThreads = 4;
    std::vector<Counted*> found(kThreads);
    std::vector<std::thread> threads;
    auto* const start = new absl::Barrier(kThreads);
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        if (start->Block()) delete start;
        found[i] = &system->Get<Counted>();
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const Counted* one : found) EXPECT_EQ(one, found[0]);
    EXPECT_EQ(Counted::made, 1);
    EXPECT_EQ(Counted::destroyed, 0);
    system = nullptr;
    EXPECT_EQ(Counted::destroyed, 1);
  }
}

struct Base {
  explicit Base(ActorSystem&) {}
};
struct Upper {
  explicit Upper(ActorSystem& system) : base(system.Get<Base>()) {}
  Base& base;
};

TEST(ExtensionTest, OneMayAskForAnother) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  EXPECT_EQ(&system->Get<Upper>().base, &system->Get<Base>());
}

struct Moody {
  explicit Moody(ActorSystem&) {
    if (++attempts == 1) throw 17;
  }
  static inline int attempts = 0;
};

TEST(ExtensionTest, OneThatThrowsIsMadeAgain) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  EXPECT_FALSE(internal::Contain([&] { system->Get<Moody>(); }).ok());
  EXPECT_TRUE(internal::Contain([&] { system->Get<Moody>(); }).ok());
  EXPECT_EQ(Moody::attempts, 2);
}

}  // namespace
}  // namespace troupe
