// Names on threads (§31, R-141, R-168, R-171): registering races against ending
// and against registering; no lookup finds an actor whose end has been told;
// watchers miss nothing. Under TSan: who finds an actor may use it.
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/registry/name_event.h"
#include "troupe/registry/names.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

struct Rest {};

class Idle : public Actor<Rest> {
 public:
  void Handle(Rest) {}
};

std::unique_ptr<ActorSystem> TwoWorkers() {
  return ActorSystem::Create({.workers = 2}).value();
}

TEST(NamesStressTest, OneOfEightGetsTheName) {
  std::unique_ptr<ActorSystem> system = TwoWorkers();
  Names& names = system->Get<Names>();
  constexpr int kActors = 8;
  std::array<Idle::Ref, kActors> actors;
  for (Idle::Ref& actor : actors) actor = system->Spawn<Idle>().value();
  for (int round = 0; round < 100; ++round) {
    std::array<absl::Status, kActors> told;
    std::vector<std::thread> threads;
    for (int i = 0; i < kActors; ++i) {
      threads.emplace_back(
          [&, i] { told[i] = names.Register("prize", actors[i]); });
    }
    for (std::thread& thread : threads) thread.join();
    const absl::StatusOr<AnyActorRef> winner = names.FindAny("prize");
    ASSERT_TRUE(winner.ok());
    int winners = 0;
    for (int i = 0; i < kActors; ++i) {
      if (told[i].ok()) {
        ++winners;
        EXPECT_EQ(*winner, actors[i]);
      } else {
        EXPECT_EQ(told[i].code(), absl::StatusCode::kAlreadyExists);
      }
    }
    EXPECT_EQ(winners, 1);
    EXPECT_TRUE(names.Unregister("prize", *winner).ok());
  }
}

TEST(NamesStressTest, RegisteringTheDyingLeavesNothing) {
  std::unique_ptr<ActorSystem> system = TwoWorkers();
  Names& names = system->Get<Names>();
  int accepted = 0;
  int refused = 0;
  const MonotonicTime deadline =
      system->executor().clock().Now() + absl::Minutes(3);
  for (int round = 0; round < 200 || accepted < 20 || refused < 20; ++round) {
    ASSERT_LT(system->executor().clock().Now(), deadline);
    const Idle::Ref actor =
        system->Spawn<Idle>({.name = absl::StrCat("actor/", round)}).value();
    std::atomic<bool> told{false};
    std::thread registrar([&] {
      for (int i = 0; i < 50; ++i) {
        const std::string name = absl::StrCat("more/", i);
        const bool was_told = told.load();
        const absl::Status status = names.Register(name, actor);
        ++(status.ok() ? accepted : refused);
        // Nobody gets a name once its end was told.
        EXPECT_FALSE(was_told && status.ok());
      }
    });
    actor.Kill();
    EXPECT_TRUE(actor.Wait().ok());
    told = true;
    EXPECT_TRUE(names.NamesOf(actor).empty());
    registrar.join();
    EXPECT_TRUE(names.ListAll().empty());
  }
}

// What readers share with those who end actors: which of them were told to have
// ended.
class Obituary {
 public:
  void Add(const AnyActorRef& actor) {
    // Seq_cst, as all that follows from it: readers look here first.
    last_.store(actor.id().value());
  }
  uint64_t last() const { return last_.load(); }

 private:
  std::atomic<uint64_t> last_{0};
};

// Actors take one name, one after the other, so that ids grow: whoever is found
// is younger than those whose end was told before the lookup began.
TEST(NamesStressTest, NobodyFindsTheDead) {
  std::unique_ptr<ActorSystem> system = TwoWorkers();
  Names& names = system->Get<Names>();
  Obituary told;
  std::atomic<bool> done{false};
  std::atomic<int> found{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!done.load()) {
        const uint64_t dead = told.last();
        const absl::StatusOr<ActorRef<Rest>> actor =
            names.Find<Rest>("phoenix");
        if (!actor.ok()) continue;
        EXPECT_GT(actor->id().value(), dead);
        actor->Send<Rest>();
        ++found;
      }
    });
  }
  const MonotonicTime deadline =
      system->executor().clock().Now() + absl::Minutes(3);
  for (int round = 0; round < 1000 || found.load() < 100; ++round) {
    ASSERT_LT(system->executor().clock().Now(), deadline);
    const Idle::Ref actor = system->Spawn<Idle>({.name = "phoenix"}).value();
    if (round % 2 == 0) {
      actor.Kill();
    } else {
      actor.Stop();
    }
    EXPECT_TRUE(actor.Wait().ok());
    told.Add(actor);
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

// Follows the names by events alone.
class Follower {
 public:
  void Add(const NameEvent& event) ABSL_LOCKS_EXCLUDED(mu_) {
    std::this_thread::yield();  // Here another thread would overtake.
    absl::MutexLock lock(&mu_);
    const auto found = owners_.find(event.name);
    switch (event.kind) {
      case NameEvent::Kind::kAppeared:
        EXPECT_EQ(found, owners_.end()) << event.name;
        owners_[event.name] = event.actor;
        return;
      case NameEvent::Kind::kMoved:
        ASSERT_NE(found, owners_.end()) << event.name;
        EXPECT_EQ(found->second, event.former);
        found->second = event.actor;
        return;
      case NameEvent::Kind::kGone:
        ASSERT_NE(found, owners_.end()) << event.name;
        EXPECT_EQ(found->second, event.actor);
        owners_.erase(found);
        return;
    }
  }
  std::vector<Names::Entry> List() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    std::vector<Names::Entry> entries;
    for (const auto& [name, actor] : owners_) entries.push_back({name, actor});
    return entries;
  }

 private:
  mutable absl::Mutex mu_;
  std::map<std::string, AnyActorRef> owners_ ABSL_GUARDED_BY(mu_);
};

TEST(NamesStressTest, WatchersFollowWithoutGapOrDuplicate) {
  for (const uint64_t seed : testing::TestSeeds(2)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    std::vector<std::unique_ptr<Follower>> followers;
    std::unique_ptr<ActorSystem> system = TwoWorkers();
    Names& names = system->Get<Names>();
    std::vector<Subscription> subscriptions;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back([&, thread] {
        Random random(seed * 100 + thread);
        std::optional<Idle::Ref> actor;
        for (int step = 0; step < 500; ++step) {
          const std::string name = absl::StrCat("name ", random.Uniform(5));
          if (!actor.has_value() || random.Uniform(4) == 0) {
            if (actor.has_value()) actor->Kill();
            actor = system->Spawn<Idle>().value();
          }
          switch (random.Uniform(3)) {
            case 0:
              (void)names.Unregister(name, *actor);  // It may not be its own.
              break;
            case 1: {
              const absl::StatusOr<AnyActorRef> owner = names.FindAny(name);
              if (owner.ok()) {
                (void)names.Move(name, *owner, *actor);  // Or it was quicker.
              }
              break;
            }
            default:
              (void)names.Register(name, *actor);  // If it is free.
          }
        }
      });
    }
    // They come while all that goes on.
    for (int i = 0; i < 20; ++i) {
      followers.push_back(std::make_unique<Follower>());
      subscriptions.push_back(
          names
              .WatchPrefix("", [follower = followers.back().get()](
                                   const NameEvent& e) { follower->Add(e); })
              .value());
      std::this_thread::yield();
    }
    for (std::thread& thread : threads) thread.join();
    // Actors that were killed still give back their names.
    EXPECT_TRUE(system->executor().RunUntil(
        [&] {
          const std::vector<Names::Entry> all = names.ListAll();
          for (const auto& follower : followers) {
            if (follower->List() != all) return false;
          }
          return true;
        },
        system->executor().clock().Now() + absl::Minutes(3)));
    // Each yield above may take long on a machine that is busy.
    EXPECT_TRUE(system->Shutdown(absl::InfiniteDuration()).ok());
    EXPECT_TRUE(names.ListAll().empty());
    for (const auto& follower : followers) {
      EXPECT_TRUE(follower->List().empty());
    }
  }
}

}  // namespace
}  // namespace troupe
