// Actors that share a thread: clause 8 of docs/semantics.md, and ractor's of
// actors that are bound to one.
#include "troupe/actor/pinned_thread.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/adapted_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/call.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/name_service.h"
#include "troupe/actor/send_result.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/internal/thread_testing.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::troupe::internal::Handed;
using ::troupe::internal::SystemTest;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

// Where something ran: the worker, which a deterministic executor has too, and
// the thread. What only one thread does needs no lock.
struct Place {
  const Worker* worker = this_thread.worker;
  std::thread::id thread = std::this_thread::get_id();
  friend bool operator==(const Place&, const Place&) = default;
};
using Places = std::vector<Place>;

struct Work {};
// Waits for a while, or until what it puts there is completed.
struct Wait {
  Handed<Completer<void>>* end = nullptr;
  using Reply = int;
};
struct Throw {};

enum class Fails { kNever, kConstructor, kPreStart, kPostStart };

// Notes where its code runs.
class Pinned : public Actor<Work, Wait, Throw> {
 public:
  explicit Pinned(Places& places, Fails fails = Fails::kNever)
      : places_(places), fails_(fails) {
    Note();
    FailIn(Fails::kConstructor);
  }
  ~Pinned() { Note(); }

  Task<absl::Status> PreStart() {
    Note();
    co_await Sleep(absl::Microseconds(10));
    Note();
    FailIn(Fails::kPreStart);
    co_return absl::OkStatus();
  }
  void PostStart() {
    Note();
    FailIn(Fails::kPostStart);
  }
  void Handle(Work) { Note(); }
  Task<int> Handle(Wait m) {
    Note();
    if (m.end != nullptr) {
      auto [completer, completion] = MakeCompletion<void>();
      m.end->Put(std::move(completer));
      (void)co_await std::move(completion);
    } else {
      co_await Sleep(absl::Microseconds(10));
    }
    Note();
    co_return 1;
  }
  void Handle(Throw) { throw 1; }
  void PostStop(const ExitReason&) { Note(); }

 private:
  void Note() { places_.emplace_back(); }
  void FailIn(Fails where) const {
    if (fails_ == where) throw 1;
  }

  Places& places_;
  const Fails fails_;
};

void ExpectOnePlace(const Places& places, size_t count) {
  EXPECT_EQ(places.size(), count);
  for (const Place& place : places) EXPECT_TRUE(place == places.front());
}

class PinnedThreadTest : public SystemTest {
 protected:
  PinnedThread Start(absl::string_view name = "own") {
    return system_->StartThread(name).value();
  }

  Places places_;  // On one thread; read when its actors have ended.
  std::unique_ptr<ActorSystem> system_ = MakeSystem();
};

INSTANTIATE_TEST_SUITE_P(Executors, PinnedThreadTest, internal::AllExecutors());

// constructor, hooks, handlers that wait, and destructor, of all that
// share it.
TEST_P(PinnedThreadTest, RunsAllOfItsActorsFromBirthToDeath) {
  const PinnedThread thread = Start();
  std::vector<Pinned::Ref> actors;
  for (int i = 0; i < 3; ++i) {
    actors.push_back(
        system_->Spawn<Pinned>({.thread = thread}, std::ref(places_)).value());
  }
  for (const Pinned::Ref& actor : actors) {
    actor.Send<Work>();
    EXPECT_THAT(actor.Call<Wait>().Wait(), IsOkAndHolds(1));
  }
  actors[0].Stop();
  actors[1].Kill();  // PostStop does not run.
  actors[2].Drain();
  EXPECT_TRUE(system_->AwaitNoActors());
  ExpectOnePlace(places_, 3 * 9 - 1);
  EXPECT_NE(places_[0].thread == std::this_thread::get_id(),
            GetParam() == internal::kThreads);
  EXPECT_EQ(places_[0].worker->kind(), Worker::Kind::kDedicated);
}

TEST_P(PinnedThreadTest, TwoThreadsAreTwoPlaces) {
  Places others;
  const PinnedThread one = Start();
  const PinnedThread other = Start();
  EXPECT_FALSE(one == other);
  EXPECT_THAT(system_->Spawn<Pinned>({.thread = one}, std::ref(places_)),
              IsOk());
  EXPECT_THAT(system_->Spawn<Pinned>({.thread = other}, std::ref(others)),
              IsOk());
  EXPECT_THAT(system_->Shutdown(), IsOk());
  EXPECT_NE(places_[0].worker, others[0].worker);
}

// The thread is there until its last actor has ended, whatever becomes of the
// handle; and the handle keeps it without any actor.
TEST_P(PinnedThreadTest, EndsWithItsLastHandleAndActor) {
  std::optional<PinnedThread> thread = Start();
  const std::weak_ptr<internal::SharedThread> shared = thread->shared();
  Pinned::Ref first =
      system_->Spawn<Pinned>({.thread = *thread}, std::ref(places_)).value();
  EXPECT_THAT(first.StopAndWait(), IsOk());
  EXPECT_FALSE(shared.expired());
  Pinned::Ref second =
      system_->Spawn<Pinned>({.thread = *thread}, std::ref(places_)).value();
  thread = std::nullopt;
  EXPECT_FALSE(shared.expired());
  EXPECT_THAT(second.Call<Wait>().Wait(), IsOkAndHolds(1));
  EXPECT_THAT(second.StopAndWait(), IsOk());
  EXPECT_TRUE(system_->AwaitNoActors());
  EXPECT_TRUE(shared.expired());
  ExpectOnePlace(places_, 6 + 8);
}

// A handle that outlives its system does nothing.
TEST_P(PinnedThreadTest, HandleMayOutliveItsSystem) {
  const PinnedThread idle = Start();
  const PinnedThread used = Start();
  EXPECT_THAT(system_->Spawn<Pinned>({.thread = used}, std::ref(places_)),
              IsOk());
  system_ = nullptr;
  ExpectOnePlace(places_, 6);
  EXPECT_FALSE(idle.IsNull());
}

TEST_P(PinnedThreadTest, SystemThatEndsStartsNone) {
  const PinnedThread thread = Start();
  EXPECT_THAT(system_->Shutdown(), IsOk());
  EXPECT_THAT(system_->StartThread("late"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("'late': the system is shutting down")));
  EXPECT_THAT(
      system_->Spawn<Pinned>({.thread = thread}, std::ref(places_)).status(),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("the system is shutting down")));
}

TEST_P(PinnedThreadTest, WrongThreadIsRefused) {
  const std::unique_ptr<ActorSystem> other = MakeSystem();
  const PinnedThread foreign = other->StartThread("other").value();
  EXPECT_THAT(
      system_->Spawn<Pinned>({.thread = foreign}, std::ref(places_)).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("another")));
  EXPECT_THAT(system_
                  ->Spawn<Pinned>({.dedicated_thread = true, .thread = Start()},
                                  std::ref(places_))
                  .status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("both")));
  EXPECT_TRUE(places_.empty());
  EXPECT_TRUE(system_->AwaitNoActors());
}

// a start that fails fails the spawn, and harms no other.
TEST_P(PinnedThreadTest, FailedStartIsTheSpawnsResult) {
  const PinnedThread thread = Start();
  for (const Fails where : {Fails::kConstructor, Fails::kPreStart}) {
    EXPECT_THAT(
        system_->Spawn<Pinned>({.thread = thread}, std::ref(places_), where)
            .status(),
        StatusIs(absl::StatusCode::kUnknown, HasSubstr("starting a")));
  }
  EXPECT_TRUE(system_->AwaitNoActors());
  ExpectOnePlace(places_, 1 + 4);
  Pinned::Ref next =
      system_->Spawn<Pinned>({.thread = thread}, std::ref(places_)).value();
  EXPECT_THAT(next.Call<Wait>().Wait(), IsOkAndHolds(1));
}

//
class Names : public NameService {
 public:
  absl::Status Reserve(absl::string_view name, AnyActorRef owner) override {
    if (!owner_.IsNull()) return absl::AlreadyExistsError(name);
    owner_ = owner;
    return absl::OkStatus();
  }
  void OnActorEnd(const AnyActorRef& actor) override {
    EXPECT_EQ(actor, owner_);
    owner_ = AnyActorRef();
  }

 private:
  AnyActorRef owner_;
};

TEST_P(PinnedThreadTest, NameThatIsTakenIsRefused) {
  Names names;
  system_->SetNameService(names);
  const PinnedThread thread = Start();
  const SpawnOptions options = {.name = "a", .thread = thread};
  Pinned::Ref first =
      system_->Spawn<Pinned>(options, std::ref(places_)).value();
  EXPECT_THAT(system_->Spawn<Pinned>(options, std::ref(places_)).status(),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(first.StopAndWait(), IsOk());
  EXPECT_TRUE(system_->AwaitNoActors());
  EXPECT_THAT(system_->Spawn<Pinned>(options, std::ref(places_)), IsOk());
  EXPECT_THAT(system_->Shutdown(), IsOk());
  ExpectOnePlace(places_, 12);
}

// -- its end, which goes as that of others
// --------------------------------------

// the handler that runs ends first,
// then PostStop runs, then those who wait are told.
TEST_P(PinnedThreadTest, StopAwaitsTheHandlerAndPostStop) {
  Pinned::Ref actor =
      system_->Spawn<Pinned>({.thread = Start()}, std::ref(places_)).value();
  internal::Endings endings(*system_);
  Handed<Completer<void>> end;
  StartedCall<Wait> answer = actor.Call<Wait>(&end).Start();
  end.Await(*system_);
  actor.Send<Work>();
  actor.Stop();
  EXPECT_TRUE(end.Await(*system_).Complete());
  EXPECT_EQ(endings.Await(actor), ExitReason::Normal());
  EXPECT_THAT(actor.StopAndWait(), IsOk());
  EXPECT_THAT(std::move(answer).Wait(), IsOkAndHolds(1));
  ExpectOnePlace(places_, 6 + 2);  // Work is a dead letter.
}

//
TEST_P(PinnedThreadTest, DrainHandlesAllThatWasAdmitted) {
  Pinned::Ref actor =
      system_->Spawn<Pinned>({.thread = Start()}, std::ref(places_)).value();
  for (int i = 0; i < 100; ++i) actor.Send<Work>();
  EXPECT_THAT(actor.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  ExpectOnePlace(places_, 6 + 100);
}

// they know nothing of threads.
TEST_P(PinnedThreadTest, ReferencesAreAsAnywhere) {
  struct Other {};
  Pinned::Ref actor =
      system_->Spawn<Pinned>({.thread = Start()}, std::ref(places_)).value();
  EXPECT_THAT(AnyActorRef(actor).As<Other>(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  const AdaptedRef<int> adapted =
      actor.Adapt<int>([](const int&) { return Work{}; });
  adapted.Send(1);
  EXPECT_EQ(adapted.TrySend(2), SendResult::kSent);
  EXPECT_THAT(actor.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  ExpectOnePlace(places_, 6 + 2);
  EXPECT_EQ(actor.TrySend(Work{}), SendResult::kNoActor);
  EXPECT_EQ(adapted.TrySend(3), SendResult::kNoActor);
}

class SpawnsLate : public Actor<Work> {
 public:
  explicit SpawnsLate(absl::Status& spawned) : spawned_(spawned) {}
  void Handle(Work) {}
  void PostStop(const ExitReason&) {
    absl::Status unused;
    spawned_ = Spawn<SpawnsLate>(unused).status();
  }

 private:
  absl::Status& spawned_;
};

//
TEST_P(PinnedThreadTest, EndingParentSpawnsNothing) {
  absl::Status spawned;
  const SpawnsLate::Ref parent =
      system_->Spawn<SpawnsLate>({.thread = Start()}, std::ref(spawned))
          .value();
  EXPECT_THAT(parent.StopAndWait(), IsOk());
  EXPECT_THAT(spawned, StatusIs(absl::StatusCode::kFailedPrecondition));
}

struct Never {};

// Sleeps for ever in one of its hooks, or a handler.
class Sleepy : public Actor<Never> {
 public:
  enum class In { kPreStart, kPostStart, kHandler, kPostStop };
  Sleepy(In in, Event& asleep, Places& places)
      : in_(in), asleep_(asleep), places_(places) {
    places_.emplace_back();
  }
  ~Sleepy() { places_.emplace_back(); }
  Task<void> PreStart() { return SleepIn(In::kPreStart); }
  Task<void> PostStart() { return SleepIn(In::kPostStart); }
  Task<void> Handle(Never) { return SleepIn(In::kHandler); }
  Task<void> PostStop(const ExitReason&) { return SleepIn(In::kPostStop); }

 private:
  Task<void> SleepIn(In here) {
    if (in_ != here) co_return;
    asleep_.Set();
    co_await Sleep(absl::InfiniteDuration());
    ADD_FAILURE() << "it slept for ever";
  }

  const In in_;
  Event& asleep_;
  Places& places_;
};

// and what is suspended is destroyed on the thread, too.
TEST_P(PinnedThreadTest, KillEndsWhateverIsSuspended) {
  const PinnedThread thread = Start();
  for (const auto in : {Sleepy::In::kPreStart, Sleepy::In::kPostStart,
                        Sleepy::In::kHandler, Sleepy::In::kPostStop}) {
    SCOPED_TRACE(static_cast<int>(in));
    Event asleep;
    Places places;
    const Sleepy::Ref actor =
        system_
            ->SpawnInstant<Sleepy>({.thread = thread}, in, std::ref(asleep),
                                   std::ref(places))
            .value();
    actor.Send<Never>();
    if (in == Sleepy::In::kPostStop) actor.Drain();
    EXPECT_TRUE(
        system_->executor().WaitFor(asleep, MonotonicTime::InfiniteFuture()));
    EXPECT_THAT(actor.KillAndWait(), IsOk());
    EXPECT_THAT(actor.KillAndWait(), IsOk());
    ExpectOnePlace(places, 2);
  }
}

// -- parents and children -----------------------------------------------------

struct Raise {};

// Spawns a child that fails, pinned or not, and is told.
class Parent : public Actor<Raise> {
 public:
  Parent(const PinnedThread& thread, Fails fails, Places& child_places,
         std::vector<std::string>& log)
      : thread_(thread),
        fails_(fails),
        child_places_(child_places),
        log_(log) {}

  Task<void> Handle(Raise) {
    const SpawnOptions options = {.thread = thread_};
    absl::StatusOr<Pinned::Ref> child =
        co_await SpawnAsync<Pinned>(options, std::ref(child_places_), fails_);
    if (child.ok()) child->Send<Throw>();
  }
  void OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kFailed) {
      log_.push_back(event.reason.ToString());
      StopSelf();
    }
  }

 private:
  const PinnedThread thread_;
  const Fails fails_;
  Places& child_places_;
  std::vector<std::string>& log_;
};

// whichever of the two is pinned, or both.
TEST_P(PinnedThreadTest, FailureCrossesThreadsToTheParent) {
  for (const bool pinned_parent : {false, true}) {
    for (const bool pinned_child : {false, true}) {
      for (const Fails fails : {Fails::kNever, Fails::kPostStart}) {
        SCOPED_TRACE(::testing::Message() << pinned_parent << pinned_child);
        const PinnedThread thread = Start();
        Places places;
        std::vector<std::string> log;
        SpawnOptions options;
        if (pinned_parent) options.thread = thread;
        Parent::Ref parent =
            system_
                ->Spawn<Parent>(options, pinned_child ? thread : PinnedThread(),
                                fails, std::ref(places), std::ref(log))
                .value();
        parent.Send<Raise>();
        EXPECT_TRUE(system_->AwaitNoActors());
        EXPECT_THAT(log, ElementsAre(HasSubstr("failed")));
        if (pinned_child) ExpectOnePlace(places, 5);
      }
    }
  }
}

// -- threads only -------------------------------------------------------------

// Handlers that block hold up those that share their thread, and no others; a
// shutdown waits for them within its limits.
TEST(PinnedThreadBlockingTest, BlockedThreadDelaysOnlyItsOwn) {
  struct Block {
    Event* begun;
    Event* go_on;
  };
  struct Set {
    Event* event;
  };
  class Blocker : public Actor<Block, Set> {
   public:
    void Handle(Block m) {
      m.begun->Set();
      EXPECT_TRUE(m.go_on->WaitWithTimeout(absl::InfiniteDuration()));
    }
    void Handle(Set m) { m.event->Set(); }
  };
  const auto system = ActorSystem::Create({.workers = 1}).value();
  PinnedThread thread = system->StartThread("blocks").value();
  const auto blocked = system->Spawn<Blocker>({.thread = thread}).value();
  const auto behind = system->Spawn<Blocker>({.thread = thread}).value();
  const auto elsewhere = system->Spawn<Blocker>().value();
  Event begun, go_on, ran_behind, ran_elsewhere;
  blocked.Send<Block>(&begun, &go_on);
  EXPECT_TRUE(begun.WaitWithTimeout(absl::InfiniteDuration()));
  behind.Send<Set>(&ran_behind);
  elsewhere.Send<Set>(&ran_elsewhere);
  EXPECT_TRUE(ran_elsewhere.WaitWithTimeout(absl::InfiniteDuration()));
  EXPECT_FALSE(ran_behind.IsSet());
  thread = PinnedThread();
  EXPECT_THAT(system->Shutdown(absl::Milliseconds(1)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  go_on.Set();
  EXPECT_TRUE(system->AwaitNoActors());
}

// §34.
TEST(PinnedThreadStartTest, ThreadThatCannotBeIsAStatus) {
  internal::TestThreadFactory threads;
  const auto system = ActorSystem::CreateOn(
      ThreadExecutor::Create({.workers = 1, .threads = &threads}).value(), {});
  threads.Allow(0);
  EXPECT_THAT(system->StartThread("own"),
              StatusIs(absl::StatusCode::kResourceExhausted));
  threads.Allow(1);
  EXPECT_THAT(system->StartThread("own"), IsOk());
}

}  // namespace
}  // namespace troupe
