// Several calls at once, by plain threads and by actors, while answers, ends
// and deadlines race; clauses 22 to 26.
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call_all.h"
#include "troupe/actor/call_any.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/task.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::SizeIs;
using ::troupe::testing::IsOk;

struct Counted {
  Tracked tracked;
  int number;
};
struct Get {
  Tracked tracked;
  using Reply = Counted;
};

class Source : public Actor<Get> {
 public:
  explicit Source(int number) : number_(number) {}
  Counted Handle(Get m) { return {std::move(m.tracked), number_}; }

 private:
  const int number_;
};

struct Gather {
  int rounds;
  using Reply = int;
};

// Asks from within a coroutine; answers how often it got all that it asked for.
class Gatherer : public Actor<Gather> {
 public:
  Gatherer(std::vector<ActorRef<Get>> sources, std::atomic<int>& living)
      : sources_(std::move(sources)), living_(living) {}
  Task<int> Handle(Gather m) {
    int good = 0;
    for (int i = 0; i < m.rounds; ++i) {
      const Tracked tracked(living_);
      const auto all = co_await CallAll<Get>(sources_, tracked);
      const auto any = co_await CallAny<Get>(sources_, tracked);
      bool all_ok = any.ok();
      for (const auto& one : all) all_ok = all_ok && one.ok();
      if (all_ok) ++good;
    }
    co_return good;
  }

 private:
  const std::vector<ActorRef<Get>> sources_;
  std::atomic<int>& living_;
};

std::vector<ActorRef<Get>> SpawnSources(ActorSystem& system, int count) {
  std::vector<ActorRef<Get>> sources;
  for (int i = 0; i < count; ++i) {
    sources.push_back(system.Spawn<Source>(i).value());
  }
  return sources;
}

// §26: nobody's answer is lost or had twice.
TEST(CallGroupStressTest, ThreadsAndActorsGetAllThatTheyAskFor) {
  constexpr int kRounds = 500;
  std::atomic<int> living{0};
  auto system = ActorSystem::Create({.workers = 2}).value();
  const auto sources = SpawnSources(*system, 4);
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        const auto all = CallAll<Get>(sources, Tracked(living)).Wait();
        ASSERT_THAT(all, SizeIs(4));
        for (int s = 0; s < 4; ++s) {
          ASSERT_THAT(all[s].status(), IsOk());
          EXPECT_EQ(all[s]->number, s);
        }
        EXPECT_THAT(CallAny<Get>(sources, Tracked(living)).Wait().status(),
                    IsOk());
      }
    });
  }
  const auto gatherer =
      system->Spawn<Gatherer>(sources, std::ref(living)).value();
  const absl::StatusOr<int> good =
      gatherer.Call<Gather>(kRounds).Within(absl::InfiniteDuration()).Wait();
  for (std::thread& thread : threads) thread.join();
  ASSERT_THAT(good.status(), IsOk());
  EXPECT_EQ(*good, kRounds);
  system.reset();
  EXPECT_EQ(living, 0);
}

// §23, §24: whatever becomes of those who are asked, and of who asks.
TEST(CallGroupStressTest, EndsAndDeadlinesLeaveNothingBehind) {
  constexpr int kRounds = 300;
  std::atomic<int> living{0};
  auto system = ActorSystem::Create({.workers = 2}).value();
  for (int round = 0; round < kRounds; ++round) {
    const auto sources = SpawnSources(*system, 3);
    const auto gatherer =
        system->Spawn<Gatherer>(sources, std::ref(living)).value();
    gatherer.Send<Gather>(1000000);
    std::thread thread([&] {
      for (int i = 0; i < 20; ++i) {
        const absl::Duration timeout =
            i % 2 == 0 ? absl::Microseconds(20) : absl::Seconds(5);
        const auto all =
            CallAll<Get>(sources, Tracked(living)).Within(timeout).Wait();
        EXPECT_THAT(all, SizeIs(3));
        (void)CallAny<Get>(sources, Tracked(living)).Within(timeout).Wait();
      }
    });
    sources[round % 3].Kill();
    if (round % 2 == 0) sources[0].Stop();
    gatherer.Kill();
    thread.join();
    for (const auto& source : sources) source.Stop();
    EXPECT_TRUE(system->AwaitNoActors());
  }
  system.reset();
  EXPECT_EQ(living, 0);
}

}  // namespace
}  // namespace troupe::internal
