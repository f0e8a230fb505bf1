// Monitors (§28, R-070): who is told of an end, when, and how often.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/down.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/internal/watch_testing.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Act;
using internal::AwaitHandled;
using internal::Endings;
using internal::Have;
using internal::Journal;
using internal::Note;
using internal::Person;
using internal::Watcher;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

static_assert(std::is_trivially_copyable_v<MonitorHandle>);

class MonitorTest : public internal::SystemTest {
 protected:
  // Declared before the system, which they outlive.
  Journal journal_;
  std::unique_ptr<ActorSystem> system_ = MakeSystem();

  Watcher::Ref NewWatcher(const SpawnOptions& options = {}) {
    return system_->Spawn<Watcher>(options, journal_).value();
  }
  Person::Ref NewPerson() { return system_->Spawn<Person>(journal_).value(); }

  static MonitorHandle MonitorBy(const Person::Ref& watcher,
                                 const AnyActorRef& actor) {
    MonitorHandle monitor;
    Have(watcher, [&](Person& me) { monitor = me.Monitor(actor); });
    return monitor;
  }
  static std::vector<Down> DownsOf(const Watcher::Ref& watcher) {
    std::vector<Down> downs;
    Have(watcher, [&](Person& me) { downs = static_cast<Watcher&>(me).downs; });
    return downs;
  }
  // How many watchers an actor thinks it has.
  static size_t WatchersOf(const Person::Ref& actor) {
    std::optional<size_t> watchers;
    while (!watchers.has_value()) {
      Have(actor,
           [&](Person& me) { watchers = internal::WatchersOf(me.cell()); });
    }
    return *watchers;
  }
};

INSTANTIATE_TEST_SUITE_P(Executors, MonitorTest, internal::AllExecutors());

TEST_P(MonitorTest, DownTellsTheTrueReason) {
  const std::vector<std::pair<ExitReason, std::function<void(Person::Ref)>>>
      ends = {
          {ExitReason::Normal("done"),
           [](Person::Ref actor) { actor.Stop(ExitReason::Normal("done")); }},
          {ExitReason::Shutdown(),
           [](Person::Ref actor) { actor.Stop(ExitReason::Shutdown()); }},
          {ExitReason::Drained(), [](Person::Ref actor) { actor.Drain(); }},
          {ExitReason::Killed(), [](Person::Ref actor) { actor.Kill(); }},
          {ExitReason::Failed(absl::DataLossError("no disk")),
           [](Person::Ref actor) {
             Have(actor,
                  [](Person& me) { me.Fail(absl::DataLossError("no disk")); });
           }},
      };
  for (const auto& [reason, end] : ends) {
    const Watcher::Ref watcher = NewWatcher();
    const Person::Ref actor = NewPerson();
    const MonitorHandle monitor = MonitorBy(watcher, actor);
    end(actor);
    EXPECT_THAT(actor.Wait(), IsOk());
    const std::vector<Down> downs = DownsOf(watcher);
    ASSERT_THAT(downs, SizeIs(1));
    EXPECT_EQ(downs[0].monitor, monitor);
    EXPECT_EQ(downs[0].actor, actor);
    EXPECT_EQ(downs[0].reason, reason);
  }
}

TEST_P(MonitorTest, TheDeadAreDownAtOnce) {
  const Watcher::Ref watcher = NewWatcher();
  const Person::Ref dead = NewPerson();
  EXPECT_THAT(dead.KillAndWait(), IsOk());
  const MonitorHandle first = MonitorBy(watcher, dead);
  const MonitorHandle second = MonitorBy(watcher, AnyActorRef());
  const std::vector<Down> downs = DownsOf(watcher);
  ASSERT_THAT(downs, SizeIs(2));
  EXPECT_EQ(downs[0].monitor, first);
  EXPECT_EQ(downs[0].actor, dead);
  EXPECT_EQ(downs[0].reason, ExitReason::NoActor());
  EXPECT_EQ(downs[1].monitor, second);
  EXPECT_TRUE(downs[1].actor.IsNull());
  EXPECT_EQ(downs[1].reason, ExitReason::NoActor());
}

TEST_P(MonitorTest, EachMonitorGetsItsOwnDown) {
  const Watcher::Ref watcher = NewWatcher();
  const Person::Ref actor = NewPerson();
  const MonitorHandle first = MonitorBy(watcher, actor);
  const MonitorHandle second = MonitorBy(watcher, actor);
  const MonitorHandle third = MonitorBy(watcher, actor);
  EXPECT_NE(first, second);
  EXPECT_EQ(WatchersOf(actor), 3u);
  Have(watcher, [&](Person& me) { EXPECT_TRUE(me.Demonitor(second)); });
  EXPECT_EQ(WatchersOf(actor), 2u);
  EXPECT_THAT(actor.StopAndWait(), IsOk());
  const std::vector<Down> downs = DownsOf(watcher);
  ASSERT_THAT(downs, SizeIs(2));
  EXPECT_EQ(downs[0].monitor, first);
  EXPECT_EQ(downs[1].monitor, third);
}

TEST_P(MonitorTest, DemonitorSilencesADownThatWaits) {
  const Watcher::Ref watcher = NewWatcher();
  const Person::Ref actor = NewPerson();
  EXPECT_THAT(watcher
                  .Call<Act>([&](Person& me) -> Task<absl::Status> {
                    const MonitorHandle monitor = me.Monitor(actor);
                    actor.Stop();
                    // Told after the monitors are: the Down waits.
                    (void)co_await Ended(actor);
                    EXPECT_TRUE(me.Demonitor(monitor));
                    EXPECT_FALSE(me.Demonitor(monitor));
                    co_return absl::OkStatus();
                  })
                  .Wait(),
              IsOk());
  EXPECT_THAT(DownsOf(watcher), IsEmpty());
}

TEST_P(MonitorTest, DemonitorSaysWhetherItWasOn) {
  const Watcher::Ref watcher = NewWatcher();
  const Person::Ref actor = NewPerson();
  const MonitorHandle ended = MonitorBy(watcher, actor);
  EXPECT_THAT(actor.StopAndWait(), IsOk());
  AwaitHandled(watcher);
  Have(watcher, [&](Person& me) {
    EXPECT_FALSE(me.Demonitor(ended));
    EXPECT_FALSE(me.Demonitor(MonitorHandle()));
    // Takes the memory of the one that is over.
    const MonitorHandle next = me.Monitor(actor);
    EXPECT_FALSE(me.Demonitor(ended));
    EXPECT_TRUE(me.Demonitor(next));
  });
}

TEST_P(MonitorTest, DownComesBehindTheActorsMessages) {
  constexpr int kNotes = 100;
  const Watcher::Ref watcher = NewWatcher();
  const Person::Ref actor = NewPerson();
  (void)MonitorBy(watcher, actor);
  Have(actor, [&](Person& me) {
    for (int i = 0; i < kNotes; ++i) watcher.Send<Note>(i);
    me.StopSelf();
  });
  EXPECT_THAT(actor.Wait(), IsOk());
  AwaitHandled(watcher);
  std::vector<std::string> expected;
  for (int i = 0; i < kNotes; ++i) expected.push_back(absl::StrCat("note ", i));
  expected.push_back("down normal");
  EXPECT_EQ(journal_.lines(), expected);
}

// §17, §21: in the order of messages, counted by no limit.
TEST_P(MonitorTest, BoundedMailboxRefusesNoDown) {
  constexpr size_t kActors = 20;
  for (const OverflowPolicy policy :
       {OverflowPolicy::kReject, OverflowPolicy::kDropOldest}) {
    Journal journal;
    const Watcher::Ref watcher =
        system_
            ->Spawn<Watcher>(
                {.mailbox = {.messages = uint64_t{2}, .policy = policy}},
                journal)
            .value();
    std::vector<Person::Ref> actors;
    for (size_t i = 0; i < kActors; ++i) {
      actors.push_back(NewPerson());
      (void)MonitorBy(watcher, actors.back());
    }
    // Handles nothing until all have sent a note and ended.
    const absl::Status waited =
        watcher
            .Call<Act>([&](Person&) -> Task<absl::Status> {
              for (size_t i = 0; i < kActors; ++i) {
                const Act::Work end = [&watcher,
                                       i](Person& me) -> Task<absl::Status> {
                  watcher.Send<Note>(static_cast<int>(i));
                  me.StopSelf();
                  co_return absl::OkStatus();
                };
                EXPECT_THAT(co_await actors[i].Call<Act>(end), IsOk());
                (void)co_await Ended(actors[i]);
              }
              co_return absl::OkStatus();
            })
            .Wait();
    EXPECT_THAT(waited, IsOk());
    const size_t lines = kActors + 2;
    EXPECT_TRUE(system_->executor().RunUntil(
        [&] { return journal.lines().size() == lines; },
        MonotonicTime::InfiniteFuture()));
    // What fits, or stays: each note before the Down of its actor.
    std::vector<std::string> expected(lines, "down normal");
    if (policy == OverflowPolicy::kReject) {
      expected[0] = "note 0";
      expected[2] = "note 1";
    } else {
      expected[lines - 4] = "note 18";
      expected[lines - 2] = "note 19";
    }
    EXPECT_EQ(journal.lines(), expected);
    EXPECT_THAT(watcher.KillAndWait(), IsOk());
  }
}

TEST_P(MonitorTest, DownWaitsForASuspendedHandler) {
  const Watcher::Ref watcher = NewWatcher();
  const Person::Ref actor = NewPerson();
  EXPECT_THAT(watcher
                  .Call<Act>([&](Person& me) -> Task<absl::Status> {
                    (void)me.Monitor(actor);
                    actor.Stop();
                    (void)co_await Ended(actor);
                    me.journal.Add("goes on");
                    co_return absl::OkStatus();
                  })
                  .Wait(),
              IsOk());
  AwaitHandled(watcher);
  EXPECT_THAT(journal_.lines(), ElementsAre("goes on", "down normal"));
}

TEST_P(MonitorTest, StopOvertakesADown) {
  const Watcher::Ref watcher = NewWatcher();
  const Person::Ref actor = NewPerson();
  (void)watcher
      .Call<Act>([&](Person& me) -> Task<absl::Status> {
        (void)me.Monitor(actor);
        actor.Stop();
        (void)co_await Ended(actor);
        me.StopSelf();
        co_return absl::OkStatus();
      })
      .Wait();
  EXPECT_THAT(watcher.Wait(), IsOk());
  EXPECT_THAT(journal_.lines(), IsEmpty());
  // No handler sees it, and it is no message.
  EXPECT_EQ(system_->dead_letters(), 0u);
}

TEST_P(MonitorTest, DrainHandlesTheDownsThatWait) {
  const Watcher::Ref watcher = NewWatcher();
  const Person::Ref actor = NewPerson();
  (void)watcher
      .Call<Act>([&](Person& me) -> Task<absl::Status> {
        (void)me.Monitor(actor);
        actor.Stop();
        (void)co_await Ended(actor);
        me.self().Drain();
        co_return absl::OkStatus();
      })
      .Wait();
  EXPECT_THAT(watcher.Wait(), IsOk());
  EXPECT_THAT(journal_.lines(), ElementsAre("down normal"));
}

TEST_P(MonitorTest, AnActorHearsNothingOfItself) {
  const Watcher::Ref watcher = NewWatcher();
  const MonitorHandle none = MonitorBy(watcher, watcher);
  EXPECT_EQ(none, MonitorHandle());
  Have(watcher, [&](Person& me) { EXPECT_FALSE(me.Demonitor(none)); });
  EXPECT_THAT(watcher.StopAndWait(), IsOk());
  EXPECT_THAT(journal_.lines(), IsEmpty());
}

TEST_P(MonitorTest, WithoutTheHookMonitorFailsTheActor) {
  Endings endings(*system_);
  const Person::Ref deaf = NewPerson();
  const Person::Ref actor = NewPerson();
  Have(deaf,
       [&](Person& me) { EXPECT_EQ(me.Monitor(actor), MonitorHandle()); });
  EXPECT_THAT(endings.Await(deaf).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("Person, which has no OnDown")));
  EXPECT_EQ(WatchersOf(actor), 0u);
}

// §14: the object is gone before anybody is told.
class Guarded : public Actor<Note> {
 public:
  Guarded(Journal& journal, ExitReason::Kind end)
      : journal_(journal), end_(end) {}
  ~Guarded() { journal_.Add("destroyed"); }
  void Handle(Note) {
    if (end_ == ExitReason::Kind::kFailed) Fail(absl::InternalError("x"));
    StopSelf();
  }
  void PostStop(const ExitReason&) { journal_.Add("PostStop"); }

 private:
  Journal& journal_;
  const ExitReason::Kind end_;
};

TEST_P(MonitorTest, DownComesBehindTheCleanUp) {
  for (const auto end :
       {ExitReason::Kind::kNormal, ExitReason::Kind::kFailed}) {
    const size_t before = journal_.lines().size();
    const Watcher::Ref watcher = NewWatcher();
    const Guarded::Ref actor = system_->Spawn<Guarded>(journal_, end).value();
    (void)MonitorBy(watcher, actor);
    actor.Send<Note>(1);
    EXPECT_THAT(actor.Wait(), IsOk());
    AwaitHandled(watcher);
    std::vector<std::string> lines = journal_.lines();
    lines.erase(lines.begin(), lines.begin() + before);
    if (end == ExitReason::Kind::kNormal) {
      EXPECT_THAT(lines, ElementsAre("PostStop", "destroyed", "down normal"));
    } else {
      EXPECT_THAT(lines, ElementsAre("destroyed", "down failed: INTERNAL: x"));
    }
  }
}

// Notes what an actor's status is when its end is heard of.
class Coroner : public Person {
 public:
  using Person::Person;
  void OnDown(const Down& down) {
    journal.Add(std::string(ActorStatusName(down.actor.status())));
  }
};

// More than are told in one turn: some hear of it before the last are told.
TEST_P(MonitorTest, WhoIsDownHasStoppedForAllWhoHear) {
  constexpr size_t kCoroners = 400;
  const Person::Ref actor = NewPerson();
  std::vector<Coroner::Ref> coroners;
  for (size_t i = 0; i < kCoroners; ++i) {
    coroners.push_back(system_->Spawn<Coroner>(journal_).value());
    (void)MonitorBy(coroners.back(), actor);
  }
  actor.Stop();
  EXPECT_THAT(actor.Wait(), IsOk());
  for (const Coroner::Ref& coroner : coroners) AwaitHandled(coroner);
  EXPECT_THAT(journal_.lines(), AllOf(SizeIs(kCoroners), Each("stopped")));
}

TEST_P(MonitorTest, WatcherThatEndsTakesItsMonitorsOff) {
  const Person::Ref actor = NewPerson();
  for (int i = 0; i < 5; ++i) {
    const Watcher::Ref watcher = NewWatcher();
    for (int j = 0; j < 3; ++j) (void)MonitorBy(watcher, actor);
    EXPECT_EQ(WatchersOf(actor), 3u);
    EXPECT_THAT(i % 2 == 0 ? watcher.StopAndWait() : watcher.KillAndWait(),
                IsOk());
    EXPECT_EQ(WatchersOf(actor), 0u);
  }
}

// Monitors from its first hook on, and waits in the other.
class Early : public Actor<Note> {
 public:
  Early(Journal& journal, AnyActorRef actor, absl::Status start)
      : journal_(journal), actor_(actor), start_(std::move(start)) {}
  absl::Status PreStart() {
    (void)Monitor(actor_);
    return start_;
  }
  void Handle(Note) {}
  Task<absl::Status> OnDown(Down down) {
    (void)co_await Ended(down.actor);
    journal_.Add(absl::StrCat("early ", down.reason.ToString()));
    // Where all ends already.
    co_return absl::AbortedError("enough");
  }
  void PostStop(const ExitReason&) {
    EXPECT_EQ(Monitor(actor_), MonitorHandle());
  }

 private:
  Journal& journal_;
  const AnyActorRef actor_;
  const absl::Status start_;
};

TEST_P(MonitorTest, HooksMonitorAndMayBeTasks) {
  Endings endings(*system_);
  const Person::Ref actor = NewPerson();
  const Early::Ref early =
      system_->Spawn<Early>(journal_, actor, absl::OkStatus()).value();
  EXPECT_EQ(WatchersOf(actor), 1u);
  EXPECT_THAT(actor.StopAndWait(), IsOk());
  // A status of the hook fails the actor.
  EXPECT_EQ(endings.Await(early),
            ExitReason::Failed(absl::AbortedError("enough")));
  EXPECT_THAT(journal_.lines(), ElementsAre("early normal"));
}

TEST_P(MonitorTest, FailedStartLeavesNoMonitor) {
  const Person::Ref actor = NewPerson();
  EXPECT_THAT(system_->Spawn<Early>(journal_, actor, absl::DataLossError("no")),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no")));
  EXPECT_EQ(WatchersOf(actor), 0u);
  const Early::Ref early =
      system_->Spawn<Early>(journal_, actor, absl::OkStatus()).value();
  EXPECT_THAT(early.StopAndWait(), IsOk());
  EXPECT_EQ(WatchersOf(actor), 0u);
}

// Is looked at while it ends.
class Lingering : public Actor<Note> {
 public:
  Lingering(absl::Notification& ends, absl::Notification& may_end)
      : ends_(ends), may_end_(may_end) {}
  ~Lingering() {
    ends_.Notify();
    may_end_.WaitForNotification();
  }
  void Handle(Note) {}

 private:
  absl::Notification& ends_;
  absl::Notification& may_end_;
};

// A monitor that finds the actor at its end is told how it ends.
TEST_P(MonitorTest, LastMonitorHearsTheReason) {
  if (GetParam() != internal::kThreads) return;  // Only a thread can wait.
  absl::Notification ends, may_end;
  const Watcher::Ref watcher = NewWatcher({.dedicated_thread = true});
  const Lingering::Ref actor =
      system_->Spawn<Lingering>(std::ref(ends), std::ref(may_end)).value();
  actor.Stop(ExitReason::Shutdown());
  ends.WaitForNotification();
  (void)MonitorBy(watcher, actor);
  may_end.Notify();
  EXPECT_THAT(actor.Wait(), IsOk());
  AwaitHandled(watcher);
  EXPECT_THAT(journal_.lines(), ElementsAre("down shutdown"));
}

// Two systems in one process: an actor of one may watch one of the other.
TEST_P(MonitorTest, WatchesActorsOfOtherSystems) {
  if (GetParam() != internal::kThreads)
    return;  // They need threads of their own.
  std::unique_ptr<ActorSystem> other =
      ActorSystem::Create({.workers = 1}).value();
  const Watcher::Ref watcher = NewWatcher();
  const Person::Ref actor = other->Spawn<Person>(journal_).value();
  (void)MonitorBy(watcher, actor);
  EXPECT_THAT(other->Shutdown(), IsOk());
  other = nullptr;
  AwaitHandled(watcher);
  EXPECT_THAT(journal_.lines(), ElementsAre("down shutdown"));
}

}  // namespace
}  // namespace troupe
