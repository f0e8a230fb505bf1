// The snippets of testing.md: a cache, tested with the source of its data and
// its user in the hands of the test.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/task.h"
#include "troupe/testing/probe.h"
#include "troupe/testing/simulation.h"
#include "troupe/testing/status_matchers.h"

namespace {

using ::testing::Field;
using troupe::testing::IsOk;
using troupe::testing::IsOkAndHolds;
using troupe::testing::Probe;
using troupe::testing::ReceivedRequest;
using troupe::testing::Simulation;

struct Fetch {
  std::string key;
  using Reply = int;
};
struct Found {
  int value;
};
struct Find {
  std::string key;
  troupe::ActorRef<Found> user;
};
struct Forget {
  std::string key;
};

// Keeps for an hour what it has fetched.
class Cache : public troupe::Actor<Find, Forget> {
 public:
  explicit Cache(troupe::ActorRef<Fetch> source) : source_(source) {}

  troupe::Task<void> Handle(Find m) {
    const auto kept = values_.find(m.key);
    if (kept != values_.end()) {
      m.user.Send<Found>(kept->second);
      co_return;
    }
    const absl::StatusOr<int> value = co_await source_.Call<Fetch>(m.key);
    if (!value.ok()) co_return;
    values_[m.key] = *value;
    SendAfter<Forget>(absl::Hours(1), m.key);
    m.user.Send<Found>(*value);
  }
  void Handle(Forget m) { values_.erase(m.key); }

 private:
  const troupe::ActorRef<Fetch> source_;
  std::map<std::string, int> values_;
};

TEST(CacheTest, FetchesOnce) {
  const auto system = troupe::ActorSystem::Create().value();
  Probe<Fetch> source(*system);
  Probe<Found> user(*system);
  const auto cache = system->Spawn<Cache>(source.ref()).value();

  cache.Send<Find>("troupe", user.ref());
  absl::StatusOr<ReceivedRequest<Fetch>> asked = source.Expect<Fetch>();
  ASSERT_THAT(asked, IsOk());
  EXPECT_EQ(asked->message.key, "troupe");
  asked->reply.Send(42);
  EXPECT_THAT(user.Expect<Found>(), IsOkAndHolds(Field(&Found::value, 42)));

  cache.Send<Find>("troupe", user.ref());
  EXPECT_THAT(user.Expect<Found>(), IsOkAndHolds(Field(&Found::value, 42)));
  EXPECT_THAT(source.ExpectNothing(absl::ZeroDuration()), IsOk());
}

TEST(CacheTest, ForgetsAfterAnHour) {
  Simulation sim(/*seed=*/1);
  Probe<Fetch> source(sim.system());
  Probe<Found> user(sim.system());
  const auto cache = sim.system().Spawn<Cache>(source.ref()).value();

  cache.Send<Find>("troupe", user.ref());
  source.Expect<Fetch>()->reply.Send(42);
  EXPECT_THAT(user.Expect<Found>(), IsOk());
  sim.PlayFor(absl::Minutes(61));  // Takes microseconds.

  cache.Send<Find>("troupe", user.ref());
  EXPECT_THAT(source.Expect<Fetch>(), IsOk());
}

TEST(CacheTest, ForgetsLateWhereTimersAreLate) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Simulation sim(seed);
    sim.MayDelayTimers(absl::Minutes(10), {.probability = 0.5});
    Probe<Fetch> source(sim.system());
    Probe<Found> user(sim.system());
    const auto cache = sim.system().Spawn<Cache>(source.ref()).value();

    cache.Send<Find>("troupe", user.ref());
    source.Expect<Fetch>()->reply.Send(42);
    sim.PlayFor(absl::Minutes(59));
    cache.Send<Find>("troupe", user.ref());
    EXPECT_THAT(source.ExpectNothing(absl::ZeroDuration()), IsOk());
    sim.PlayFor(absl::Minutes(12));
    cache.Send<Find>("troupe", user.ref());
    EXPECT_THAT(source.Expect<Fetch>(), IsOk());
  }
}

// Asks again later if there is no memory for the question.
class Patient : public troupe::Actor<Found> {
 public:
  Patient(Simulation& sim, troupe::ActorRef<Find> cache)
      : sim_(sim), cache_(cache) {}

  void PostStart() { Ask(); }
  void Handle(Found m) {
    if (m.value == 0) Ask();
  }

 private:
  void Ask() {
    try {
      const auto shortage = sim_.MayLackMemory("the question");
      cache_.Send<Find>("troupe", self());
    } catch (const std::bad_alloc&) {
      SendAfter<Found>(absl::Seconds(1), 0);
    }
  }

  Simulation& sim_;
  const troupe::ActorRef<Find> cache_;
};

TEST(CacheTest, IsAskedAgainWhenThereIsMemory) {
  int refused = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Simulation sim(seed);
    Probe<Fetch> source(sim.system());
    const auto cache = sim.system().Spawn<Cache>(source.ref()).value();
    const auto patient =
        sim.system().Spawn<Patient>(std::ref(sim), cache).value();
    EXPECT_THAT(source.Expect<Fetch>(), IsOk());
    EXPECT_NE(patient.status(), troupe::ActorStatus::kStopped);
    if (!sim.trace().faults.empty()) ++refused;
  }
  EXPECT_GT(refused, 0);
}

// Fails where the simulation says so.
class Fragile : public troupe::Actor<Found> {
 public:
  explicit Fragile(Simulation& sim) : sim_(sim) {}

  void Handle(Found) { sim_.MayThrow("receipt", {.probability = 0.5}); }

 private:
  Simulation& sim_;
};

TEST(CacheTest, LivesLongerThanItsUsers) {
  int failed_users = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Simulation sim(seed);
    Probe<Fetch> source(sim.system());
    const auto cache = sim.system().Spawn<Cache>(source.ref()).value();
    const auto user = sim.system().Spawn<Fragile>(std::ref(sim)).value();
    cache.Send<Find>("troupe", user);
    source.Expect<Fetch>()->reply.Send(42);
    sim.Play();
    EXPECT_EQ(cache.status(), troupe::ActorStatus::kRunning);
    if (user.status() == troupe::ActorStatus::kStopped) ++failed_users;
  }
  EXPECT_GT(failed_users, 0);
  EXPECT_LT(failed_users, 20);
}

}  // namespace
