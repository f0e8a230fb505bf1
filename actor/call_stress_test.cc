// Calls between threads: answers that race with deaths, cancels and deadlines,
// handlers that lose their seats, and shutdowns with much under way. Checked:
// each call has one outcome or dies with its caller, and nothing lives on.
#include <atomic>
#include <cstdint>
#include <functional>
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
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/request.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::AnyOf;
using ::troupe::internal::AskPlainly;
using ::troupe::internal::Do;
using ::troupe::internal::Gate;
using ::troupe::internal::InterleavedScript;
using ::troupe::internal::Pass;
using ::troupe::internal::Play;
using ::troupe::internal::Script;
using ::troupe::internal::Tracked;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

struct Tally {
  std::atomic<int> living{0};  // Frames, messages and answers.
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  std::atomic<int> answered{0};
  std::atomic<int> abandoned{0};
};

// A call in the frame that makes it.
class Pending {
 public:
  explicit Pending(Tally& tally) : tally_(tally), tracked_(tally.living) {
    ++tally_.begun;
  }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  ~Pending() {
    if (!ended_) ++tally_.abandoned;
  }
  void End(const absl::Status& outcome) {
    EXPECT_FALSE(std::exchange(ended_, true));
    ++tally_.ended;
    if (outcome.ok()) ++tally_.answered;
  }

 private:
  Tally& tally_;
  Tracked tracked_;
  bool ended_ = false;
};

struct Answer {
  explicit Answer(Tally& tally) : tracked(tally.living) {}
  Tracked tracked;
};
struct Echo {
  explicit Echo(Tally& its_tally) : tally(&its_tally), tracked(tally->living) {}
  Tally* tally;
  Tracked tracked;
  using Reply = Answer;
};
class Echoing : public Actor<Echo> {
 public:
  Answer Handle(const Echo& m) { return Answer(*m.tally); }
};

struct Go {};

// Calls for as long as it lives and is answered.
class Caller : public Actor<Go> {
 public:
  Caller(ActorRef<Echo> callee, Tally& tally)
      : callee_(callee), tally_(tally) {}
  Task<void> Handle(Go) {
    absl::Status status;
    while (status.ok()) {
      Pending pending(tally_);
      status = (co_await callee_.Call<Echo>(tally_)).status();
      pending.End(status);
    }
  }

 private:
  const ActorRef<Echo> callee_;
  Tally& tally_;
};

// §23: the answer meets its caller, or nobody.
TEST(CallStressTest, DeathOfTheCallerRacesTheAnswer) {
  constexpr int kRounds = 100000;
  Tally tally;
  auto system = ActorSystem::Create({.workers = 2}).value();
  const auto callee = system->Spawn<Echoing>().value();
  // Until there was either outcome, too: on a loaded machine all of so many
  // callers may have been killed before their first turn.
  for (int round = 0;
       round < kRounds || tally.answered == 0 || tally.abandoned == 0;
       ++round) {
    const auto caller =
        system->SpawnInstant<Caller>(ActorRef<Echo>(callee), std::ref(tally))
            .value();
    caller.Send<Go>();
    // Sometimes at once, sometimes in the midst of its calls.
    for (int i = round % 16; i > 0; --i) (void)caller.status();
    caller.Kill();
    if (round % 64 == 0) {
      EXPECT_THAT(caller.Wait(), IsOk());
    }
  }
  EXPECT_THAT(callee.DrainAndWait(), IsOk());
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_EQ(tally.begun, tally.ended + tally.abandoned);
  system.reset();
  EXPECT_EQ(tally.living, 0);
}

// Passes each call on, within a time that may be too short.
class Relay : public Actor<Echo> {
 public:
  Relay(ActorRef<Echo> next, Tally& tally, uint64_t seed)
      : next_(next), tally_(tally), random_(seed) {}
  Task<absl::StatusOr<Answer>> Handle(const Echo&, Request& request) {
    // Its first call makes what it keeps of suspensions, seat or not.
    if (random_.Uniform(8) == 0) system().executor().GiveUpSeat();
    Pending pending(tally_);
    auto call = next_.Call<Echo>(tally_).Within(
        random_.Uniform(4) == 0 ? absl::Milliseconds(1) : absl::Seconds(5));
    const absl::StatusOr<Answer> answer = co_await std::move(call);
    pending.End(answer.status());
    if (request.stop_token().stop_requested()) {
      co_return absl::CancelledError("given up");
    }
    co_return answer;
  }

 private:
  const ActorRef<Echo> next_;
  Tally& tally_;
  Random random_;
};

// §22 to §24, with short-lived actors in every place of a chain.
TEST(CallStressTest, ChainsEndAnywhere) {
  constexpr int kRounds = 400;
  constexpr int kThreads = 2;
  constexpr int kCalls = 20;
  const uint64_t seed = testing::TestSeeds(1)[0];
  SCOPED_TRACE(testing::SeedTrace(seed));
  Random random(seed);
  Tally tally;
  auto system = ActorSystem::Create({.workers = 2}).value();
  for (int round = 0; round < kRounds; ++round) {
    const auto last = system->Spawn<Echoing>().value();
    const auto middle =
        system->Spawn<Relay>(last, tally, random.Uniform(1000)).value();
    const auto first =
        system->Spawn<Relay>(middle, tally, random.Uniform(1000)).value();
    const auto caller = system->Spawn<Caller>(first, tally).value();
    caller.Send<Go>();
    // On a loaded machine every end below may come before the first answer.
    if (round % 16 == 0) {
      Pending pending(tally);
      pending.End(first.Call<Echo>(tally).Wait().status());
    }
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&tally, first] {
        for (int i = 0; i < kCalls; ++i) {
          Pending pending(tally);
          pending.End(first.Call<Echo>(tally).Wait().status());
        }
      });
    }
    const AnyActorRef ends[] = {last, middle, first};
    const AnyActorRef& end = ends[random.Uniform(3)];
    switch (random.Uniform(3)) {
      case 0:
        end.Kill();
        break;
      case 1:
        end.Stop();
        break;
      default:
        end.Drain();
    }
    for (std::thread& thread : threads) thread.join();
    for (const AnyActorRef& actor : {AnyActorRef(caller), AnyActorRef(last),
                                     AnyActorRef(middle), AnyActorRef(first)}) {
      actor.Kill();
    }
    EXPECT_TRUE(system->AwaitNoActors());
    EXPECT_EQ(tally.begun, tally.ended + tally.abandoned);
  }
  EXPECT_GT(tally.answered, 0);
  EXPECT_GT(tally.ended, tally.answered);
  system.reset();
  EXPECT_EQ(tally.living, 0);
}

// §11: a stop fails what waits at once, also what is still on its way.
TEST(CallStressTest, StopOfASuspendedActorFailsItsCallersAtOnce) {
  constexpr int kRounds = 300;
  constexpr int kThreads = 3;
  auto system = ActorSystem::Create({.workers = 2}).value();
  const auto gate = system->Spawn<Gate>().value();
  for (int round = 0; round < kRounds; ++round) {
    const auto target = system->Spawn<Script>().value();
    const auto stopper = system->Spawn<Script>().value();
    Event suspended;
    target.Send<Play>([&]() -> Task<void> {
      suspended.Set();
      (void)co_await gate.Call<Pass>().Within(absl::InfiniteDuration());
    });
    EXPECT_TRUE(suspended.WaitWithTimeout(absl::InfiniteDuration()));
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&target] {
        const auto outcome = target.Call<AskPlainly>([](Request&) { return 1; })
                                 .Within(absl::Minutes(10))
                                 .Wait();
        EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kAborted));
      });
    }
    stopper.Send<Do>([target] { target.Stop(); });
    for (std::thread& thread : threads) thread.join();
    target.Kill();
    stopper.Kill();
    EXPECT_THAT(target.Wait(), IsOk());
    EXPECT_THAT(stopper.Wait(), IsOk());
  }
}

// A wake finds an actor whose handler has lost the seat and makes its first
// call meanwhile.
TEST(CallStressTest, WakeRacesTheFirstSuspension) {
  constexpr int kRounds = 200;
  auto system = ActorSystem::Create({.workers = 1}).value();
  const auto gate = system->Spawn<Gate>().value();
  const auto helper = system->Spawn<Script>().value();
  for (int round = 0; round < kRounds; ++round) {
    const auto actor = system->Spawn<Script>().value();
    EXPECT_THAT(actor.Call<AskPlainly>([](Request&) { return 1; }).Wait(),
                IsOk());
    Event begun;
    // From its own worker, so that the next message from here wakes it.
    helper.Send<Do>([&] {
      actor.Send<Play>([&]() -> Task<void> {
        system->executor().GiveUpSeat();
        begun.Set();
        (void)co_await gate.Call<Pass>();
      });
    });
    EXPECT_TRUE(begun.WaitWithTimeout(absl::InfiniteDuration()));
    actor.Send<Do>([] {});
    EXPECT_THAT(actor.KillAndWait(), IsOk());
  }
}

// §16: with 100,000 calls that wait, in as many suspended coroutines.
TEST(CallStressTest, ShutdownEndsWhateverIsPending) {
  constexpr int kActors = 100;
  constexpr int kCallsOfEach = 1000;
  for (const bool kill : {false, true}) {
    SCOPED_TRACE(kill);
    Tally tally;
    auto system = ActorSystem::Create(
                      {.workers = 2,
                       .shutdown_timeout = kill ? absl::ZeroDuration()
                                                : absl::InfiniteDuration()})
                      .value();
    // The youngest ends first: the answers fail while their callers wait.
    std::vector<InterleavedScript::Ref> callers;
    for (int i = 0; i < kActors; ++i) {
      callers.push_back(system->Spawn<InterleavedScript>().value());
    }
    const auto gate = system->Spawn<Gate>().value();
    for (const auto& caller : callers) {
      for (int i = 0; i < kCallsOfEach; ++i) {
        caller.Send<Play>([&tally, gate]() -> Task<void> {
          Pending pending(tally);
          pending.End(
              (co_await gate.Call<Pass>().Within(absl::InfiniteDuration()))
                  .status());
        });
      }
    }
    EXPECT_TRUE(system->executor().RunUntil(
        [&] { return tally.begun == kActors * kCallsOfEach; },
        MonotonicTime::InfiniteFuture()));
    system.reset();
    EXPECT_EQ(tally.answered, 0);
    EXPECT_EQ(tally.ended + tally.abandoned, kActors * kCallsOfEach);
    EXPECT_TRUE(kill || tally.abandoned == 0);
    EXPECT_EQ(tally.living, 0);
  }
}

// §16: plain threads that wait meanwhile hear of it.
TEST(CallStressTest, DestroyedSystemWakesPlainThreads) {
  constexpr int kRounds = 50;
  for (int round = 0; round < kRounds; ++round) {
    auto system = ActorSystem::Create({.workers = 2}).value();
    const auto gate = system->Spawn<Gate>().value();
    const auto busy = system->Spawn<Script>().value();
    busy.Send<Play>([gate]() -> Task<void> {
      (void)co_await gate.Call<Pass>().Within(absl::InfiniteDuration());
    });
    std::vector<std::thread> threads;
    Event called;
    threads.emplace_back([&called, gate] {
      auto call = gate.Call<Pass>().Within(absl::InfiniteDuration());
      called.Set();
      EXPECT_THAT(std::move(call).Wait(),
                  AnyOf(StatusIs(absl::StatusCode::kCancelled),
                        StatusIs(absl::StatusCode::kAborted),
                        StatusIs(absl::StatusCode::kNotFound)));
    });
    threads.emplace_back([busy] {
      EXPECT_THAT(busy.Call<AskPlainly>([](Request&) { return 1; })
                      .Within(absl::InfiniteDuration())
                      .Wait(),
                  AnyOf(IsOk(), StatusIs(absl::StatusCode::kAborted),
                        StatusIs(absl::StatusCode::kNotFound)));
    });
    EXPECT_TRUE(called.WaitWithTimeout(absl::InfiniteDuration()));
    system.reset();
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace troupe
