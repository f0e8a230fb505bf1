// Asking to hear of ends that begin meanwhile (§14, R-171): whoever was
// accepted hears of it, once and before those who wait; whoever was refused
// never does.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/end_observer.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

// What a service does: an entry and the request to hear of its end are one step
// for everybody else, and what is refused is taken out again.
class Directory : public EndObserver {
 public:
  explicit Directory(ActorSystem& system) : system_(system) {}

  bool Add(const AnyActorRef& actor) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    if (!system_.ObserveEnd(actor, *this).ok()) return false;
    ++entries_[actor].added;
    return true;
  }
  void OnActorEnd(const AnyActorRef& actor) override ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    ++entries_[actor].ended;
  }
  // Whether `actor`, whose end has been told, was observed if and only if it
  // was added, and how often.
  void Check(const AnyActorRef& actor) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    const Entry entry = entries_[actor];
    EXPECT_EQ(entry.ended, entry.added > 0 ? 1 : 0) << actor;
    ++(entry.added > 0 ? accepted_ : refused_);
    entries_.erase(actor);
  }
  // Whether both outcomes were seen, often enough to mean something.
  bool HasSeenAll() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return accepted_ >= 50 && refused_ >= 50;
  }
  size_t entries() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return entries_.size();
  }

 private:
  struct Entry {
    int added = 0;
    int ended = 0;
  };

  ActorSystem& system_;
  mutable absl::Mutex mu_;
  absl::flat_hash_map<AnyActorRef, Entry> entries_ ABSL_GUARDED_BY(mu_);
  int accepted_ ABSL_GUARDED_BY(mu_) = 0;
  int refused_ ABSL_GUARDED_BY(mu_) = 0;
};

struct Stop {};

class Mortal : public Actor<Stop> {
 public:
  void Handle(Stop) { StopSelf(); }
};

constexpr int kActors = 32;

TEST(EndObserverStressTest, AcceptedHearAndRefusedDoNot) {
  for (const uint64_t seed : testing::TestSeeds(2)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    Random random(seed);
    // The system's clock is real: the deadline only ends what would hang.
    std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 2}).value();
    Directory first(*system);
    Directory second(*system);
    const MonotonicTime deadline =
        system->executor().clock().Now() + absl::Minutes(3);
    for (int round = 0;
         round < 100 || !first.HasSeenAll() || !second.HasSeenAll(); ++round) {
      ASSERT_LT(system->executor().clock().Now(), deadline);
      std::vector<Mortal::Ref> actors;
      for (int i = 0; i < kActors; ++i) {
        actors.push_back(system->Spawn<Mortal>().value());
      }
      const int way = static_cast<int>(random.Uniform(4));
      const auto add_all = [&actors](Directory& directory) {
        for (const Mortal::Ref& actor : actors) directory.Add(actor);
      };
      std::thread one([&] { add_all(first); });
      std::thread two([&] { add_all(second); });
      for (const Mortal::Ref& actor : actors) {
        if (way == 0) actor.Stop();
        if (way == 1) actor.Kill();
        if (way == 2) actor.Drain();
        if (way == 3) actor.Send<Stop>();
      }
      for (const Mortal::Ref& actor : actors) EXPECT_TRUE(actor.Wait().ok());
      // What is added from here on is refused; what was, has been told.
      one.join();
      two.join();
      for (const Mortal::Ref& actor : actors) {
        first.Check(actor);
        second.Check(actor);
      }
    }
    system = nullptr;
    EXPECT_EQ(first.entries(), 0u);
    EXPECT_EQ(second.entries(), 0u);
  }
}

// Shows itself, and fails to start.
class StillBorn : public Actor<Stop> {
 public:
  StillBorn(std::atomic<bool>& shown, AnyActorRef& where)
      : shown_(shown), where_(where) {}
  absl::Status PreStart() {
    where_ = self();
    // Release pairs with the acquire of who is shown.
    shown_.store(true, std::memory_order_release);
    std::this_thread::yield();
    return absl::DataLossError("lost");
  }
  void Handle(Stop) {}

 private:
  std::atomic<bool>& shown_;
  AnyActorRef& where_;
};

TEST(EndObserverStressTest, StartThatFailsIsAnEndForThem) {
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 2}).value();
  Directory directory(*system);
  const MonotonicTime deadline =
      system->executor().clock().Now() + absl::Minutes(3);
  for (int round = 0; round < 500 || !directory.HasSeenAll(); ++round) {
    ASSERT_LT(system->executor().clock().Now(), deadline);
    std::atomic<bool> shown{false};
    AnyActorRef actor;
    std::thread adder([&] {
      // Acquire pairs with the release of who shows itself.
      while (!shown.load(std::memory_order_acquire)) {
        std::this_thread::yield();
      }
      directory.Add(actor);
    });
    EXPECT_FALSE(system->Spawn<StillBorn>(shown, actor).ok());
    adder.join();
    EXPECT_TRUE(system->AwaitNoActors());
    directory.Check(actor);
  }
  EXPECT_EQ(directory.entries(), 0u);
}

}  // namespace
}  // namespace troupe
