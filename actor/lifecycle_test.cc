// How actors start, stop and fail, on threads and on the deterministic
// executor.
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/send_result.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class LifecycleTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, LifecycleTest, internal::AllExecutors());

// What happened, in order; written by several actors.
class Log {
 public:
  void Add(std::string entry) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    entries_.push_back(std::move(entry));
  }
  std::vector<std::string> entries() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return entries_;
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<std::string> entries_ ABSL_GUARDED_BY(mu_);
};

struct Work {
  int value = 0;
};

// Where something goes wrong, and how.
enum class Where {
  kNowhere,
  kConstructor,
  kPreStart,
  kPostStart,
  kHandle,
  kPostStop
};
enum class How { kThrow, kThrowInt, kStatus };

// REQUIRES: a constructor does not return a status.
absl::Status GoWrong(How how) {
  if (how == How::kThrow) throw std::runtime_error("boom");
  if (how == How::kThrowInt) throw 17;
  return absl::DataLossError("lost");
}

absl::StatusCode CodeOf(How how) {
  return how == How::kStatus ? absl::StatusCode::kDataLoss
                             : absl::StatusCode::kUnknown;
}

class Child : public Actor<Work> {
 public:
  Child(Log& log, std::string name, Where where = Where::kNowhere,
        How how = How::kThrow)
      : log_(log), name_(std::move(name)), where_(where), how_(how) {
    (void)MaybeGoWrong(Where::kConstructor);
  }
  ~Child() { log_.Add(absl::StrCat(name_, " destroyed")); }
  absl::Status PreStart() { return MaybeGoWrong(Where::kPreStart); }
  absl::Status PostStart() { return MaybeGoWrong(Where::kPostStart); }
  absl::Status Handle(Work) { return MaybeGoWrong(Where::kHandle); }
  absl::Status PostStop(const ExitReason& reason) {
    log_.Add(absl::StrCat(name_, " PostStop ", reason.ToString()));
    return MaybeGoWrong(Where::kPostStop);
  }

 private:
  absl::Status MaybeGoWrong(Where where) {
    return where == where_ ? GoWrong(how_) : absl::OkStatus();
  }

  Log& log_;
  const std::string name_;
  const Where where_;
  const How how_;
};

// R-003, R-004, §6: a start that fails is the spawn's result, and leaves
// nothing.
TEST_P(LifecycleTest, FailedStartIsTheSpawnsResult) {
  for (const auto& [where, how] :
       std::vector<std::pair<Where, How>>{{Where::kConstructor, How::kThrow},
                                          {Where::kConstructor, How::kThrowInt},
                                          {Where::kPreStart, How::kThrow},
                                          {Where::kPreStart, How::kThrowInt},
                                          {Where::kPreStart, How::kStatus}}) {
    Log log;
    std::unique_ptr<ActorSystem> system = MakeSystem();
    Subscription ended = system->Subscribe<ActorEnded>(
        [&log](const ActorEnded&) { log.Add("ended"); });
    EXPECT_THAT(system->Spawn<Child>(log, "child", where, how),
                StatusIs(CodeOf(how), HasSubstr("starting a ")));
    EXPECT_EQ(system->live_actors(), 0u);
    if (where == Where::kConstructor) {
      EXPECT_THAT(log.entries(), IsEmpty());
    } else {
      EXPECT_THAT(log.entries(), ElementsAre("child destroyed"));
    }
  }
}

class FailsWithChild : public Actor<Work> {
 public:
  explicit FailsWithChild(Log& log) : log_(log) {}
  ~FailsWithChild() { log_.Add("parent destroyed"); }
  absl::Status PreStart() {
    Ref me = self();
    me.Send<Work>();
    if (absl::Status spawned = Spawn<Child>(log_, "child").status();
        !spawned.ok()) {
      return spawned;
    }
    return absl::DataLossError("lost");
  }
  void Handle(Work) { log_.Add("handled"); }

 private:
  Log& log_;
};

// §5, §6: what was queued becomes dead letters; children end.
TEST_P(LifecycleTest, FailedStartEndsChildrenAndLosesMessagesLoudly) {
  Log log;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  EXPECT_THAT(system->Spawn<FailsWithChild>(log),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("lost")));
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_EQ(system->dead_letters(), 1u);
  EXPECT_THAT(log.entries(),
              ElementsAre("child destroyed", "parent destroyed"));
}

// Watches one child, and says what it hears.
class Watcher : public Actor<Work> {
 public:
  Watcher(Log& log, Where where, How how)
      : log_(log), where_(where), how_(how) {}
  void PostStart() {
    absl::StatusOr<Child::Ref> child =
        Spawn<Child>(log_, "child", where_, how_);
    if (!child.ok()) return;
    log_.Add(absl::StrCat("linked ", children().size()));
    child->Send<Work>();
    child->Drain();
  }
  void Handle(Work) {}
  void OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kStarted) return;
    log_.Add(absl::StrCat(
        event.kind == ChildEvent::Kind::kFailed ? "failed " : "stopped ",
        absl::StatusCodeToString(event.reason.status().code()), ", ",
        children().size(), " left"));
    StopSelf();
  }

 private:
  Log& log_;
  const Where where_;
  const How how_;
};

// R-050, R-051, R-052, R-053, R-054, R-055, §7: whatever a hook or handler
// throws or returns fails the actor, and its parent hears of that.
TEST_P(LifecycleTest, ParentHearsOfEveryFailure) {
  for (Where where : {Where::kPostStart, Where::kHandle, Where::kPostStop}) {
    for (How how : {How::kThrow, How::kThrowInt, How::kStatus}) {
      Log log;
      std::unique_ptr<ActorSystem> system = MakeSystem();
      internal::Endings endings(*system);
      Watcher::Ref watcher = system->Spawn<Watcher>(log, where, how).value();
      EXPECT_EQ(endings.Await(watcher), ExitReason::Normal());
      std::vector<std::string> entries = log.entries();
      // A child may fail in PostStart before its parent goes on.
      EXPECT_EQ(std::erase(entries, "linked 1"), 1u);
      std::vector<std::string> expected;
      if (where == Where::kPostStop) {
        expected.push_back("child PostStop drained");
      }
      expected.push_back("child destroyed");
      expected.push_back(absl::StrCat(
          "failed ", absl::StatusCodeToString(CodeOf(how)), ", 0 left"));
      EXPECT_EQ(entries, expected);
    }
  }
}

class Escalates : public Actor<Work> {
 public:
  Escalates(Log& log, How how) : log_(log), how_(how) {}
  void Handle(Work) {
    Spawn<Child>(log_, "leaf", Where::kHandle, How::kStatus)
        .value()
        .Send<Work>();
  }
  absl::Status OnChild(const ChildEvent& event) {
    return event.kind == ChildEvent::Kind::kFailed ? GoWrong(how_)
                                                   : absl::OkStatus();
  }

 private:
  Log& log_;
  const How how_;
};

// R-056, R-057: what a parent's event hook throws or returns fails the parent.
TEST_P(LifecycleTest, FailingChildHookEscalates) {
  for (How how : {How::kThrow, How::kThrowInt, How::kStatus}) {
    Log log;
    std::unique_ptr<ActorSystem> system = MakeSystem();
    internal::Endings endings(*system);
    Escalates::Ref parent = system->Spawn<Escalates>(log, how).value();
    parent.Send<Work>();
    const ExitReason reason = endings.Await(parent);
    EXPECT_EQ(reason.kind(), ExitReason::Kind::kFailed);
    EXPECT_EQ(reason.status().code(), CodeOf(how));
  }
}

struct Begin {};

// Has children, and no hook for their events.
class Parent : public Actor<Begin, Work> {
 public:
  Parent(Log& log, Where where = Where::kNowhere) : log_(log), where_(where) {}
  void PreStart() {
    for (const char* name : {"a", "b", "c"}) {
      Spawn<Child>(log_, name, where_, How::kStatus).value();
    }
  }
  void Handle(Begin) { children().front().As<Work>().value().Send<Work>(); }
  void Handle(Work) { throw std::runtime_error("boom"); }
  void PostStop(const ExitReason&) { log_.Add("parent PostStop"); }

 private:
  Log& log_;
  const Where where_;
};

// §14, R-058: after a graceful end children stop in reverse order of start.
TEST_P(LifecycleTest, ChildrenStopInReverseOrder) {
  Log log;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Parent::Ref parent = system->Spawn<Parent>(log).value();
  EXPECT_THAT(parent.StopAndWait(), IsOkAndHolds(ExitReason::Normal()));
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_THAT(log.entries(),
              ElementsAre("parent PostStop", "c PostStop shutdown",
                          "c destroyed", "b PostStop shutdown", "b destroyed",
                          "a PostStop shutdown", "a destroyed"));
}

// R-065, §14: a failed or killed parent's children are killed: no PostStop.
TEST_P(LifecycleTest, ChildrenOfAFailedOrKilledParentAreKilled) {
  for (bool kill : {false, true}) {
    Log log;
    std::unique_ptr<ActorSystem> system = MakeSystem();
    internal::Endings endings(*system);
    Parent::Ref parent = system->Spawn<Parent>(log).value();
    if (kill) {
      parent.Kill();
    } else {
      parent.Send<Work>();
    }
    EXPECT_EQ(endings.Await(parent).kind(),
              kill ? ExitReason::Kind::kKilled : ExitReason::Kind::kFailed);
    EXPECT_THAT(log.entries(),
                ::testing::UnorderedElementsAre("a destroyed", "b destroyed",
                                                "c destroyed"));
  }
}

// R-274, §27: without a hook, a child's failure fails the parent, which says
// whose.
TEST_P(LifecycleTest, ChildsFailureFailsTheParentByDefault) {
  Log log;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  internal::Endings endings(*system);
  Parent::Ref parent = system->Spawn<Parent>(log, Where::kHandle).value();
  parent.Send<Begin>();
  EXPECT_THAT(endings.Await(parent).status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("child #")));
}

class StopsChildren : public Actor<Work> {
 public:
  StopsChildren(Log& log, bool drain) : log_(log), drain_(drain) {}
  void PreStart() {
    for (const char* name : {"a", "b"}) {
      Spawn<Child>(log_, name).value().Send<Work>();
    }
  }
  void Handle(Work) {
    for (const AnyActorRef& child : children()) {
      drain_ ? child.Drain() : child.Stop();
    }
  }

 private:
  Log& log_;
  const bool drain_;
};

// R-067, R-069 as §27 decides: children that are stopped or drained run their
// PostStop, and a parent without a hook lives on.
TEST_P(LifecycleTest, ParentOutlivesChildrenThatEndNormally) {
  for (bool drain : {false, true}) {
    Log log;
    std::unique_ptr<ActorSystem> system = MakeSystem();
    StopsChildren::Ref parent =
        system->Spawn<StopsChildren>(log, drain).value();
    parent.Send<Work>();
    ASSERT_TRUE(system->executor().RunUntil(
        [&] { return log.entries().size() == 4; },
        system->executor().clock().Now() + absl::Minutes(1)));
    EXPECT_EQ(parent.status(), ActorStatus::kRunning);
    EXPECT_THAT(log.entries(),
                ::testing::IsSupersetOf(
                    {drain ? "a PostStop drained" : "a PostStop normal",
                     drain ? "b PostStop drained" : "b PostStop normal"}));
    EXPECT_THAT(parent.StopAndWait(), IsOkAndHolds(ExitReason::Normal()));
  }
}

class Counter : public Actor<Work> {
 public:
  explicit Counter(std::vector<int>& seen) : seen_(seen) {}
  void Handle(Work m) {
    seen_.push_back(m.value);
    if (m.value == -1) StopSelf(ExitReason::Normal("enough"));
    if (m.value == -2) self().Drain();
    if (m.value == -3) self().Kill();
    if (m.value == -4) Fail(absl::DataLossError("lost"));
  }
  void PostStop(const ExitReason&) { seen_.push_back(1000); }

 private:
  std::vector<int>& seen_;
};

// R-005, R-008, §11: the handler that runs finishes, and is the last.
TEST_P(LifecycleTest, StopLetsOnlyTheRunningHandlerFinish) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  internal::Endings endings(*system);
  Counter::Ref counter = system->Spawn<Counter>(seen).value();
  counter.Send<Work>(-1);
  for (int i = 0; i < 10; ++i) counter.Send<Work>(i);
  EXPECT_EQ(endings.Await(counter), ExitReason::Normal("enough"));
  EXPECT_THAT(seen, ElementsAre(-1, 1000));
  EXPECT_EQ(system->dead_letters(), 10u);
}

// §12: so it is with a kill, but PostStop does not run; §7: nor after Fail().
TEST_P(LifecycleTest, KilledAndFailedActorsRunNoPostStop) {
  for (int what : {-3, -4}) {
    std::vector<int> seen;
    std::unique_ptr<ActorSystem> system = MakeSystem();
    internal::Endings endings(*system);
    Counter::Ref counter = system->Spawn<Counter>(seen).value();
    counter.Send<Work>(what);
    counter.Send<Work>(1);
    EXPECT_EQ(endings.Await(counter),
              what == -3 ? ExitReason::Killed()
                         : ExitReason::Failed(absl::DataLossError("lost")));
    EXPECT_THAT(seen, ElementsAre(what));
    EXPECT_EQ(system->dead_letters(), 1u);
  }
}

// R-030, R-031, §13: all that was admitted is handled, also if the drain is
// asked for in a handler, and twice.
TEST_P(LifecycleTest, DrainHandlesAllThatWasAdmitted) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  internal::Endings endings(*system);
  Counter::Ref counter = system->Spawn<Counter>(seen).value();
  for (int i = 0; i < 999; ++i) counter.Send<Work>(i);
  counter.Drain();
  counter.Drain();
  EXPECT_NE(counter.TrySend(Work{1}), SendResult::kSent);
  EXPECT_EQ(endings.Await(counter), ExitReason::Drained());
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(system->dead_letters(), 0u);
}

// §13: stop overtakes drain, kill overtakes both. §11: the first stop wins.
TEST(LifecycleOrderTest, StrongerRequestsOvertake) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = ActorSystem::CreateOn(
      std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options{}),
      {});
  Counter::Ref stopped = system->Spawn<Counter>(seen).value();
  stopped.Send<Work>(1);
  stopped.Drain();
  stopped.Stop(ExitReason::Normal("first"));
  stopped.Stop(ExitReason::Normal("second"));
  EXPECT_THAT(stopped.Wait(), IsOkAndHolds(ExitReason::Normal("first")));
  EXPECT_THAT(seen, ElementsAre(1000));

  seen.clear();
  Counter::Ref killed = system->Spawn<Counter>(seen).value();
  killed.Stop();
  killed.Drain();
  killed.Kill();
  EXPECT_THAT(killed.Wait(), IsOkAndHolds(ExitReason::Killed()));
  EXPECT_THAT(seen, IsEmpty());
}

// R-001, R-002 as ours: a request that comes late takes no status back.
TEST_P(LifecycleTest, StatusOnlyMovesForward) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Counter::Ref counter = system->Spawn<Counter>(seen).value();
  ActorStatus last = ActorStatus::kStarting;
  const auto moves_forward = [&] {
    const ActorStatus now = counter.status();
    EXPECT_GE(now, last);
    last = now;
    return now == ActorStatus::kStopped;
  };
  counter.Send<Work>(-2);
  counter.Send<Work>(1);
  counter.Stop();
  counter.Drain();
  EXPECT_TRUE(system->executor().RunUntil(
      moves_forward, system->executor().clock().Now() + absl::Minutes(1)));
  counter.Drain();
  counter.Stop();
  EXPECT_TRUE(moves_forward());
}

// R-018, R-019, R-034, §15: waits on the dead return at once, and repeat.
TEST_P(LifecycleTest, WaitingOnTheDeadReturnsAtOnce) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Counter::Ref counter = system->Spawn<Counter>(seen).value();
  EXPECT_THAT(counter.Wait(absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(counter.KillAndWait(), IsOkAndHolds(ExitReason::Killed()));
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(counter.KillAndWait(), IsOkAndHolds(ExitReason::NoActor()));
    EXPECT_THAT(counter.StopAndWait(), IsOkAndHolds(ExitReason::NoActor()));
    EXPECT_THAT(counter.DrainAndWait(), IsOkAndHolds(ExitReason::NoActor()));
    EXPECT_THAT(counter.Wait(), IsOkAndHolds(ExitReason::NoActor()));
  }
  // R-011.
  EXPECT_EQ(counter.TrySend(Work{1}), SendResult::kNoActor);
}

// R-029: StopAndWait() returns when PostStop has ended.
TEST_P(LifecycleTest, StopAndWaitAwaitsPostStop) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Counter::Ref counter = system->Spawn<Counter>(seen).value();
  EXPECT_THAT(counter.StopAndWait(), IsOkAndHolds(ExitReason::Normal()));
  EXPECT_THAT(seen, ElementsAre(1000));
}

// R-017, R-059, §8: what is sent to an actor that has not started waits.
TEST_P(LifecycleTest, SpawnInstantQueuesUntilStarted) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Counter::Ref counter = system->SpawnInstant<Counter>(std::ref(seen)).value();
  for (int i = 0; i < 10; ++i) counter.Send<Work>(i);
  EXPECT_THAT(counter.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  EXPECT_EQ(seen.size(), 11u);
}

// §5, §8: an instant start that fails makes dead letters of what waited, and
// no event.
TEST_P(LifecycleTest, FailedInstantStartLosesMessagesLoudly) {
  Log log;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Subscription ended = system->Subscribe<ActorEnded>(
      [&log](const ActorEnded&) { log.Add("ended"); });
  Child::Ref child = system
                         ->SpawnInstant<Child>(std::ref(log), "child",
                                               Where::kPreStart, How::kThrow)
                         .value();
  child.Send<Work>();
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_EQ(system->dead_letters(), 1u);
  EXPECT_THAT(log.entries(), ElementsAre("child destroyed"));
}

// An actor on a thread of its own starts, handles and ends as others do.
TEST_P(LifecycleTest, DedicatedThreadRunsTheActor) {
  Log log;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  EXPECT_THAT(system->Spawn<Child>({.dedicated_thread = true}, std::ref(log),
                                   "bad", Where::kPreStart, How::kStatus),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("lost")));
  Child::Ref child =
      system->Spawn<Child>({.dedicated_thread = true}, std::ref(log), "child")
          .value();
  child.Send<Work>();
  EXPECT_THAT(child.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  EXPECT_THAT(log.entries(),
              ElementsAre("bad destroyed", "child PostStop drained",
                          "child destroyed"));
}

class SpawnsLate : public Actor<Work> {
 public:
  SpawnsLate(Log& log) : log_(log) {}
  void Handle(Work) {}
  void PostStop(const ExitReason&) {
    log_.Add(
        absl::StatusCodeToString(Spawn<Child>(log_, "late").status().code()));
    log_.Add(absl::StrCat(children().size()));
  }

 private:
  Log& log_;
};

// R-063 as ours: a parent that is ending gets no more children.
TEST_P(LifecycleTest, EndingParentSpawnsNothing) {
  Log log;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  SpawnsLate::Ref parent = system->Spawn<SpawnsLate>(log).value();
  EXPECT_THAT(parent.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  EXPECT_THAT(log.entries(), ElementsAre("FAILED_PRECONDITION", "0"));
}

// §16: a shutdown ends all, can be repeated, and nothing is spawned after it.
TEST_P(LifecycleTest, ShutdownEndsAllActorsAndIsIdempotent) {
  Log log;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  system->Spawn<Child>(log, "a").value();
  system->Spawn<Parent>(log).value();
  EXPECT_TRUE(system->Shutdown().ok());
  EXPECT_EQ(system->live_actors(), 0u);
  EXPECT_TRUE(system->Shutdown().ok());
  EXPECT_THAT(system->Spawn<Child>(log, "late"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("")));
}

class ShutsDown : public Actor<Work> {
 public:
  void Handle(Work) { EXPECT_TRUE(system().Shutdown().ok()); }
};

// §16: a handler may begin the shutdown.
TEST_P(LifecycleTest, HandlerMayShutTheSystemDown) {
  Log log;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  system->Spawn<Child>(log, "a").value();
  system->Spawn<ShutsDown>().value().Send<Work>();
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_THAT(log.entries(), ElementsAre("a PostStop shutdown", "a destroyed"));
}

// §3, §16: the destructor of the system leaves no object behind.
TEST_P(LifecycleTest, DestructorOfTheSystemEndsAllActors) {
  Log log;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Child::Ref child = system->Spawn<Child>(log, "a").value();
  system.reset();
  EXPECT_THAT(log.entries(), ElementsAre("a PostStop shutdown", "a destroyed"));
  EXPECT_EQ(child.status(), ActorStatus::kStopped);
}

}  // namespace
}  // namespace troupe
