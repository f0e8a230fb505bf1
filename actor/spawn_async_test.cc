// Starts that take their time, awaited in a Task or on a plain thread (§8).
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/name_service.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Counted;
using internal::Do;
using internal::Handed;
using internal::Runner;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class SpawnAsyncTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, SpawnAsyncTest, internal::AllExecutors());

class Names : public NameService {
 public:
  absl::Status Reserve(absl::string_view name, AnyActorRef owner) override
      ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    if (!owners_.emplace(name, owner).second) {
      return absl::AlreadyExistsError(absl::StrCat("'", name, "' is taken"));
    }
    return absl::OkStatus();
  }
  void OnActorEnd(const AnyActorRef& actor) override ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    std::erase_if(owners_,
                  [&](const auto& entry) { return entry.second == actor; });
  }
  bool IsFree(const std::string& name) const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return owners_.count(name) == 0;
  }

 private:
  mutable absl::Mutex mu_;
  std::map<std::string, AnyActorRef> owners_ ABSL_GUARDED_BY(mu_);
};

struct Number {
  using Reply = int;
};

class Plain : public Actor<Number> {
 public:
  explicit Plain(std::unique_ptr<int> number) : number_(std::move(number)) {}
  int Handle(Number) { return *number_; }

 private:
  std::unique_ptr<int> number_;
};

// What a Slow actor waits for in its PreStart.
struct Gate {
  Handed<AnyActorRef> began;
  Handed<Completer<void>> opens;
};

// Starts when its gate opens, or fails to.
class Slow : public Actor<Number> {
 public:
  Slow(std::atomic<int>& alive, Gate& gate) : counted_(alive), gate_(gate) {}
  Task<absl::Status> PreStart() {
    auto [opens, open] = MakeCompletion<void>();
    gate_.opens.Put(std::move(opens));
    gate_.began.Put(self());
    co_return co_await std::move(open);
  }
  int Handle(Number) { return 7; }

 private:
  Counted counted_;
  Gate& gate_;
};

using SlowResult = absl::StatusOr<Slow::Ref>;

// Has a Runner spawn a Slow.
struct Spawning {
  std::atomic<int> alive{0};
  Gate gate;
  Handed<SlowResult> slow;

  Do::Work Work(SpawnOptions options = {},
                absl::Duration timeout = absl::InfiniteDuration()) {
    return [this, options, timeout](Runner& self) -> Task<absl::Status> {
      slow.Put(co_await self
                   .SpawnAsync<Slow>(options, std::ref(alive), std::ref(gate))
                   .Within(timeout));
      co_return absl::OkStatus();
    };
  }
  AnyActorRef AwaitBegin(ActorSystem& system) {
    return gate.began.Await(system);
  }
  void Open(ActorSystem& system, absl::Status status = absl::OkStatus()) {
    EXPECT_TRUE(gate.opens.Await(system).Complete(std::move(status)));
  }
};

TEST_P(SpawnAsyncTest, StartsAPlainChildThatOutlivesTheHandler) {
  Handed<Plain::Ref> plain;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>([&](Runner& self) -> Task<absl::Status> {
    const absl::StatusOr<Plain::Ref> child =
        co_await self.SpawnAsync<Plain>(std::make_unique<int>(5));
    if (!child.ok()) co_return child.status();
    plain.Put(*child);
    const absl::StatusOr<int> number = co_await child->Call<Number>();
    EXPECT_THAT(number, IsOkAndHolds(5));
    co_return absl::OkStatus();
  });
  EXPECT_THAT(plain.Await(*system).Call<Number>().Wait(), IsOkAndHolds(5));
  EXPECT_THAT(runner.StopAndWait(), IsOk());
  EXPECT_EQ(plain.Await(*system).status(), ActorStatus::kStopped);
}

TEST_P(SpawnAsyncTest, WaitsForThePreStartOfTheChild) {
  Spawning spawning;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(spawning.Work());
  const AnyActorRef child = spawning.AwaitBegin(*system);
  EXPECT_EQ(child.status(), ActorStatus::kStarting);
  EXPECT_FALSE(spawning.slow.IsPut());
  spawning.Open(*system);
  const SlowResult slow = spawning.slow.Await(*system);
  ASSERT_THAT(slow, IsOk());
  EXPECT_EQ(*slow, child);
  EXPECT_THAT(slow->Call<Number>().Wait(), IsOkAndHolds(7));
}

// §5, §6
TEST_P(SpawnAsyncTest, FailedStartIsTheResultAndFreesTheName) {
  Names names;
  Spawning spawning, again;
  const SpawnOptions options{.name = "bob"};
  std::unique_ptr<ActorSystem> system = MakeSystem();
  system->SetNameService(names);
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(spawning.Work(options));
  const AnyActorRef child = spawning.AwaitBegin(*system);
  EXPECT_FALSE(names.IsFree("bob"));
  EXPECT_THAT(system->Spawn<Runner>(options),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("bob")));
  spawning.Open(*system, absl::DataLossError("no state"));
  EXPECT_THAT(spawning.slow.Await(*system),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("starting a "), HasSubstr("Slow 'bob'"),
                             HasSubstr("no state"))));
  EXPECT_TRUE(names.IsFree("bob"));
  EXPECT_EQ(spawning.alive, 0);
  EXPECT_EQ(child.status(), ActorStatus::kStopped);
  // The parent lives on, and the name can be had.
  runner.Send<Do>(again.Work(options));
  again.AwaitBegin(*system);
  again.Open(*system);
  EXPECT_THAT(again.slow.Await(*system), IsOk());
}

TEST_P(SpawnAsyncTest, SaysAtOnceWhatCannotBeSpawned) {
  Names names;
  Spawning spawning;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(spawning.Work({.name = "bob"}));
  EXPECT_THAT(spawning.slow.Await(*system),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("no name service")));
}

// who is killed before it has started says so.
TEST_P(SpawnAsyncTest, KillEndsAPreStartThatWaits) {
  Names names;
  Spawning spawning;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  system->SetNameService(names);
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(spawning.Work({.name = "bob"}));
  spawning.AwaitBegin(*system).Kill();
  EXPECT_THAT(spawning.slow.Await(*system),
              StatusIs(absl::StatusCode::kAborted,
                       HasSubstr("ended before it had started: killed")));
  EXPECT_TRUE(names.IsFree("bob"));
  EXPECT_EQ(spawning.alive, 0);
}

// a spawn that is given up frees the name, also where the start
// is to run on another thread.
TEST_P(SpawnAsyncTest, GivenUpItEndsTheChild) {
  for (const bool dedicated : {false, true}) {
    SCOPED_TRACE(dedicated);
    const SpawnOptions options = {.name = "bob", .dedicated_thread = dedicated};
    Names names;
    Spawning spawning, late;
    std::unique_ptr<ActorSystem> system = MakeSystem();
    system->SetNameService(names);
    const auto runner = system->Spawn<Runner>().value();
    runner.Send<Do>(spawning.Work(options, absl::Milliseconds(2)));
    EXPECT_THAT(spawning.slow.Await(*system),
                StatusIs(absl::StatusCode::kDeadlineExceeded,
                         AllOf(HasSubstr("waiting for the start of a "),
                               HasSubstr("Slow"))));
    // It may not even have begun.
    EXPECT_TRUE(
        system->executor().RunUntil([&] { return system->live_actors() == 1; },
                                    MonotonicTime::InfiniteFuture()));
    EXPECT_TRUE(names.IsFree("bob"));
    EXPECT_EQ(spawning.alive, 0);

    runner.Send<Do>(late.Work(options, absl::ZeroDuration()));
    EXPECT_THAT(
        late.slow.Await(*system),
        StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("had passed")));
    EXPECT_TRUE(names.IsFree("bob"));
    EXPECT_EQ(system->live_actors(), 1u);
  }
}

// so does one that is not even awaited.
TEST_P(SpawnAsyncTest, DroppedItSpawnsNothing) {
  std::atomic<int> alive{0};
  Gate gate;
  Names names;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  system->SetNameService(names);
  const auto runner = system->Spawn<Runner>().value();
  const SpawnOptions options = {.name = "bob"};
  EXPECT_THAT(runner
                  .Call<Do>([&](Runner& self) -> Task<absl::Status> {
                    auto spawn = self.SpawnAsync<Slow>(options, std::ref(alive),
                                                       std::ref(gate));
                    co_return absl::OkStatus();
                  })
                  .Wait(),
              IsOk());
  EXPECT_TRUE(names.IsFree("bob"));
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(system->live_actors(), 1u);
}

TEST_P(SpawnAsyncTest, KilledParentTakesTheChildAlong) {
  Names names;
  Spawning spawning;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  system->SetNameService(names);
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(spawning.Work({.name = "bob"}));
  const AnyActorRef child = spawning.AwaitBegin(*system);
  EXPECT_THAT(runner.KillAndWait(), IsOk());
  EXPECT_EQ(child.status(), ActorStatus::kStopped);
  EXPECT_TRUE(names.IsFree("bob"));
  EXPECT_EQ(spawning.alive, 0);
  EXPECT_FALSE(spawning.slow.IsPut());
}

// §11: the handler that spawns is finished first.
TEST_P(SpawnAsyncTest, StoppedParentAwaitsTheStart) {
  Spawning spawning;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(spawning.Work());
  spawning.AwaitBegin(*system);
  runner.Stop();
  spawning.Open(*system);
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_THAT(spawning.slow.Await(*system), IsOk());
  EXPECT_EQ(spawning.alive, 0);
}

// §8: a pinned child starts on its own thread.
TEST_P(SpawnAsyncTest, StartsAPinnedChildInAHandler) {
  Spawning spawning;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(spawning.Work({.dedicated_thread = true}));
  spawning.AwaitBegin(*system);
  spawning.Open(*system);
  const SlowResult slow = spawning.slow.Await(*system);
  ASSERT_THAT(slow, IsOk());
  EXPECT_THAT(slow->Call<Number>().Wait(), IsOkAndHolds(7));
  EXPECT_THAT(slow->StopAndWait(), IsOk());
}

// -- on a plain thread

// Starts after it has heard of somebody else.
class Patient : public Actor<Number> {
 public:
  explicit Patient(Plain::Ref other) : other_(other) {}
  Task<absl::Status> PreStart() {
    const absl::StatusOr<int> number = co_await other_.Call<Number>();
    if (!number.ok()) co_return number.status();
    number_ = *number;
    co_return absl::OkStatus();
  }
  int Handle(Number) { return number_; }

 private:
  Plain::Ref other_;
  int number_ = 0;
};

TEST_P(SpawnAsyncTest, PlainThreadWaitsForThePreStart) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto plain = system->Spawn<Plain>(std::make_unique<int>(9)).value();
  const auto patient = system->Spawn<Patient>(plain);
  ASSERT_THAT(patient, IsOk());
  EXPECT_THAT(patient->Call<Number>().Wait(), IsOkAndHolds(9));
  EXPECT_THAT(plain.StopAndWait(), IsOk());
  EXPECT_THAT(system->Spawn<Patient>(plain),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("starting a "), HasSubstr("Patient"))));
}

TEST_P(SpawnAsyncTest, HandlerMustNotBlockForAPreStart) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto plain = system->Spawn<Plain>(std::make_unique<int>(9)).value();
  const auto runner = system->Spawn<Runner>().value();
  EXPECT_THAT(runner
                  .Call<Do>([plain](Runner& self) -> Task<absl::Status> {
                    co_return self.system().Spawn<Patient>(plain).status();
                  })
                  .Wait(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("await SpawnAsync()")));
}

// Nothing is left to play that could end the start.
TEST_P(SpawnAsyncTest, StartThatNeverEndsIsGivenUpWithoutThreads) {
  if (GetParam() == internal::kThreads) {
    GTEST_SKIP() << "threads may do anything yet";
  }
  std::atomic<int> alive{0};
  Gate gate;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  EXPECT_THAT(system->Spawn<Slow>(alive, gate),
              StatusIs(absl::StatusCode::kAborted,
                       HasSubstr("waits for what never comes")));
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace troupe
