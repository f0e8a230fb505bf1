// What is published of a system, and to whom.
#include "troupe/actor/events.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/base/log.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/scheduler/deterministic_executor.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

class EventsTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, EventsTest, internal::AllExecutors());

std::unique_ptr<ActorSystem> DeterministicSystem(
    ActorSystem::Options options = {}) {
  return ActorSystem::CreateOn(std::make_unique<DeterministicExecutor>(
                                   DeterministicExecutor::Options{.seed = 1}),
                               options);
}

// Plays until nothing is ready.
void PlayAll(ActorSystem& system) {
  system.executor().RunUntil([] { return false; },
                             system.executor().clock().Now());
}

// What happened, in order; written by several threads.
class Log : public LogSink {
 public:
  void Add(std::string entry) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    entries_.push_back(std::move(entry));
  }
  void Send(const LogEntry& entry) override {
    Add(std::string(entry.text_message()));
  }
  std::vector<std::string> entries() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return entries_;
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<std::string> entries_ ABSL_GUARDED_BY(mu_);
};

absl::string_view View(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

struct Ask {};
struct Tell {
  int count = 0;
};

// Does what it is told, and spawns and fails as it is made to.
class Clerk : public Actor<Ask, Tell> {
 public:
  explicit Clerk(bool has_child = false, absl::Status start = absl::OkStatus())
      : has_child_(has_child), start_(std::move(start)) {}
  absl::Status PreStart() {
    if (has_child_) Spawn<Clerk>().value();
    return start_;
  }
  void Handle(Ask) {}
  absl::Status Handle(Tell m) {
    for (int i = 0; i < m.count; ++i) self().Send<Ask>();
    return m.count < 0 ? absl::DataLossError("lost") : absl::OkStatus();
  }

 private:
  const bool has_child_;
  const absl::Status start_;
};

std::string Name(DeadLetter::Reason reason) {
  return std::string(DeadLetterReasonName(reason));
}

// §18: what waits when its receiver stops, what is sent to one that stops, and
// to one that is gone: one dead letter each, in the order of the queue.
TEST(DeadLetterTest, EachMessageIsOneWithItsReason) {
  std::unique_ptr<ActorSystem> system = DeterministicSystem();
  std::vector<DeadLetter> letters;
  Subscription subscription = system->Subscribe<DeadLetter>(
      [&](const DeadLetter& letter) { letters.push_back(letter); });
  Clerk::Ref worker = system->Spawn<Clerk>().value();
  const auto letter = [&](DeadLetter::Reason reason, std::string_view type) {
    return AllOf(Field(&DeadLetter::target, worker.id()),
                 Field(&DeadLetter::reason, reason),
                 Field(&DeadLetter::message_type, type));
  };
  const std::string_view ask = kMessageType<Ask>.name;
  const std::string_view tell = kMessageType<Tell>.name;

  worker.Send<Ask>();
  worker.Send<Tell>(1);
  worker.SendUrgent<Tell>(2);
  EXPECT_TRUE(worker.StopAndWait().ok());
  EXPECT_THAT(letters, ElementsAre(letter(DeadLetter::Reason::kStopped, tell),
                                   letter(DeadLetter::Reason::kStopped, ask),
                                   letter(DeadLetter::Reason::kStopped, tell)));
  letters.clear();
  worker.Send<Ask>();
  worker.SendUrgent<Tell>(1);
  EXPECT_THAT(letters, ElementsAre(letter(DeadLetter::Reason::kNoActor, ask),
                                   letter(DeadLetter::Reason::kNoActor, tell)));
  EXPECT_EQ(system->dead_letters(), 5u);
}

TEST(DeadLetterTest, MessageToOneThatDrainsIsStopped) {
  std::unique_ptr<ActorSystem> system = DeterministicSystem();
  std::vector<DeadLetter::Reason> reasons;
  Subscription subscription = system->Subscribe<DeadLetter>(
      [&](const DeadLetter& letter) { reasons.push_back(letter.reason); });
  Clerk::Ref worker = system->Spawn<Clerk>().value();
  worker.Send<Ask>();
  worker.Drain();
  worker.Send<Ask>();
  EXPECT_TRUE(worker.Wait().ok());
  EXPECT_THAT(reasons, ElementsAre(DeadLetter::Reason::kStopped));
}

TEST(DeadLetterTest, EveryReasonHasAName) {
  EXPECT_EQ(Name(DeadLetter::Reason::kNoActor), "no such actor");
  EXPECT_EQ(Name(DeadLetter::Reason::kStopped), "stopped");
  EXPECT_EQ(Name(DeadLetter::Reason::kMailboxFull), "mailbox full");
  EXPECT_EQ(Name(DeadLetter::Reason::kExpired), "expired");
  EXPECT_EQ(Name(DeadLetter::Reason::kUndecodable), "undecodable");
  EXPECT_EQ(Name(DeadLetter::Reason::kRefused), "refused");
}

// Writes down when actors start and end.
class Chronicle {
 public:
  explicit Chronicle(ActorSystem& system)
      : started_(system.Subscribe<ActorStarted>([this](const ActorStarted& e) {
          log_.Add(absl::StrCat("+", e.actor.value(), " of ", e.parent.value(),
                                " ", View(e.class_name), e.name));
        })),
        ended_(system.Subscribe<ActorEnded>([this](const ActorEnded& e) {
          log_.Add(absl::StrCat("-", e.actor.value(), " ", View(e.class_name),
                                e.name, " ", e.reason.ToString()));
        })) {}

  std::vector<std::string> entries() const { return log_.entries(); }

  static std::string Start(AnyActorRef actor, AnyActorRef parent = {}) {
    return absl::StrCat("+", actor.id().value(), " of ", parent.id().value(),
                        " ", View(internal::TypeName<Clerk>()));
  }
  static std::string End(AnyActorRef actor, absl::string_view reason) {
    return absl::StrCat("-", actor.id().value(), " ",
                        View(internal::TypeName<Clerk>()), " ", reason);
  }

 private:
  Log log_;
  Subscription started_;
  Subscription ended_;
};

// R-027, R-146, §5, §9, §14: every actor's start and end is published once,
// with why it ended, whichever way that was.
TEST_P(EventsTest, StartAndEndArePublishedOnce) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Chronicle chronicle(*system);
  std::vector<std::string> expected;
  const auto run = [&](const std::function<void(const Clerk::Ref&)>& end,
                       absl::string_view reason) {
    Clerk::Ref worker = system->Spawn<Clerk>().value();
    end(worker);
    ASSERT_TRUE(system->AwaitNoActors());
    expected.push_back(Chronicle::Start(worker));
    expected.push_back(Chronicle::End(worker, reason));
    EXPECT_EQ(chronicle.entries(), expected);
  };
  run([](const auto& w) { w.Stop(); }, "normal");
  run([](const auto& w) { w.Stop(ExitReason::Shutdown("maintenance")); },
      "shutdown (maintenance)");
  run([](const auto& w) { w.Drain(); }, "drained");
  run([](const auto& w) { w.template Send<Tell>(-1); },
      "failed: DATA_LOSS: lost");
  run([](const auto& w) { w.Stop(), w.Drain(), w.Stop(); }, "normal");
}

// §12: one that was killed in time has not started.
TEST_P(EventsTest, EndOfTheKilledIsPublishedOnce) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Chronicle chronicle(*system);
  Clerk::Ref worker = system->Spawn<Clerk>().value();
  worker.Kill();
  worker.Kill();
  ASSERT_TRUE(system->AwaitNoActors());
  std::vector<std::string> entries = chronicle.entries();
  ASSERT_FALSE(entries.empty());
  EXPECT_EQ(entries.back(), Chronicle::End(worker, "killed"));
  entries.pop_back();
  if (!entries.empty()) {
    EXPECT_THAT(entries, ElementsAre(Chronicle::Start(worker)));
  }
}

// §6: a start that fails publishes nothing.
TEST_P(EventsTest, FailedStartPublishesNothing) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Chronicle chronicle(*system);
  EXPECT_FALSE(system->Spawn<Clerk>(false, absl::DataLossError("lost")).ok());
  EXPECT_TRUE(
      system->SpawnInstant<Clerk>(false, absl::DataLossError("lost")).ok());
  ASSERT_TRUE(system->AwaitNoActors());
  EXPECT_THAT(chronicle.entries(), IsEmpty());
}

// §14: a child's end is published before its parent's.
TEST_P(EventsTest, ChildsEndComesBeforeItsParents) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Chronicle chronicle(*system);
  Clerk::Ref parent = system->Spawn<Clerk>(/*has_child=*/true).value();
  EXPECT_TRUE(parent.DrainAndWait().ok());
  const std::vector<std::string> entries = chronicle.entries();
  ASSERT_THAT(entries, SizeIs(4));
  EXPECT_THAT(entries, IsSupersetOf({Chronicle::Start(parent),
                                     Chronicle::End(parent, "drained")}));
  EXPECT_EQ(entries.back(), Chronicle::End(parent, "drained"));
  EXPECT_THAT(entries[2], HasSubstr(" shutdown"));
  EXPECT_THAT(
      entries,
      Contains(HasSubstr(absl::StrCat(" of ", parent.id().value(), " "))));
}

// §27: a subscriber that was dropped goes when the next event is published, and
// may publish one itself.
TEST(DeadLetterTest, SubscriberThatGoesMayMakeAnother) {
  std::unique_ptr<ActorSystem> system = DeterministicSystem();
  const Clerk::Ref dead = system->Spawn<Clerk>().value();
  dead.Kill();
  PlayAll(*system);
  int letters = 0;
  Subscription counting =
      system->Subscribe<DeadLetter>([&](const DeadLetter&) { ++letters; });
  auto last_words =
      std::shared_ptr<void>(nullptr, [&](std::nullptr_t) { dead.Send<Ask>(); });
  Subscription dropped = system->Subscribe<DeadLetter>(
      [kept = std::move(last_words)](const DeadLetter&) {
        ADD_FAILURE() << "it was dropped";
      });
  dropped.Drop();
  EXPECT_EQ(letters, 0);
  dead.Send<Ask>();
  EXPECT_EQ(letters, 2);
}

// §4, §5: who hears that an actor has started finds it running, or further.
TEST(ActorStartedTest, IsPublishedWhenTheActorRuns) {
  std::unique_ptr<ActorSystem> system = DeterministicSystem();
  Clerk::Ref clerk;
  std::vector<ActorStatus> seen;
  Subscription subscription = system->Subscribe<ActorStarted>(
      [&](const ActorStarted&) { seen.push_back(clerk.status()); });
  clerk = system->Spawn<Clerk>().value();
  EXPECT_TRUE(clerk.StopAndWait().ok());
  clerk = system->Spawn<Clerk>().value();
  EXPECT_TRUE(clerk.DrainAndWait().ok());
  EXPECT_THAT(seen, ElementsAre(ActorStatus::kRunning, ActorStatus::kDraining));
}

class FailsAtOnce : public Actor<Ask> {
 public:
  void PostStart() { Fail(absl::DataLossError("lost")); }
  void Handle(Ask) {}
};

// §7: an actor that fails in PostStart, by a call too, has never run.
TEST(ActorStartedTest, IsNotPublishedOfOneThatFailsInPostStart) {
  std::unique_ptr<ActorSystem> system = DeterministicSystem();
  Chronicle chronicle(*system);
  FailsAtOnce::Ref actor = system->Spawn<FailsAtOnce>().value();
  EXPECT_EQ(actor.Wait()->status(), absl::DataLossError("lost"));
  EXPECT_THAT(chronicle.entries(), ElementsAre(HasSubstr("failed")));
}

// §21: a mailbox beyond the mark is reported once for each actor, by an event
// and in the log; one at the mark is not.
TEST(HighWaterTest, IsPublishedOncePerActor) {
  Log log;
  std::unique_ptr<ActorSystem> system =
      DeterministicSystem({.logger = Logger(&log), .high_water_messages = 10});
  std::vector<HighWater> events;
  Subscription subscription = system->Subscribe<HighWater>(
      [&](const HighWater& event) { events.push_back(event); });
  const auto event_of = [](AnyActorRef actor, uint64_t queued) {
    return AllOf(Field(&HighWater::actor, actor.id()),
                 Field(&HighWater::class_name, internal::TypeName<Clerk>()),
                 Field(&HighWater::queued_messages, queued));
  };
  Clerk::Ref a = system->Spawn<Clerk>().value();
  Clerk::Ref b = system->Spawn<Clerk>().value();
  Clerk::Ref c = system->Spawn<Clerk>().value();
  a.Send<Tell>(10);
  b.Send<Tell>(11);
  PlayAll(*system);
  b.Send<Tell>(30);
  PlayAll(*system);
  c.Send<Tell>(12);
  PlayAll(*system);
  EXPECT_THAT(events, ElementsAre(event_of(b, 11), event_of(c, 12)));
  EXPECT_THAT(log.entries(),
              ElementsAre(HasSubstr("11 messages"), HasSubstr("12 messages")));
}

// §27: the failure of a top-level actor is logged too, a child's is not.
TEST(ActorEndedTest, FailureAtTheTopIsLogged) {
  Log log;
  std::unique_ptr<ActorSystem> system =
      DeterministicSystem({.logger = Logger(&log)});
  Clerk::Ref clerk = system->Spawn<Clerk>(/*has_child=*/true).value();
  clerk.Send<Tell>(-1);
  EXPECT_EQ(clerk.Wait()->kind(), ExitReason::Kind::kFailed);
  EXPECT_TRUE(system->Spawn<Clerk>().value().StopAndWait().ok());
  EXPECT_THAT(log.entries(), ElementsAre(AllOf(HasSubstr("Clerk #"),
                                               HasSubstr("DATA_LOSS: lost"))));
}

struct Block {};

class Blocker : public Actor<Block> {
 public:
  explicit Blocker(absl::Notification& released) : released_(released) {}
  void Handle(Block) { released_.WaitForNotification(); }

 private:
  absl::Notification& released_;
};

// A turn that takes long is reported while it lasts, once, by an event and in
// the log.
TEST(LongTurnTest, IsPublishedWhileItLasts) {
  Log log;
  absl::Notification released;
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 2,
                           .logger = Logger(&log),
                           .long_turn_after = absl::Milliseconds(5)})
          .value();
  absl::Mutex mu;
  std::vector<LongTurn> turns;
  Subscription subscription =
      system->Subscribe<LongTurn>([&](const LongTurn& turn) {
        absl::MutexLock lock(&mu);
        turns.push_back(turn);
        if (turns.size() == 1) released.Notify();
      });
  Blocker::Ref blocker = system->Spawn<Blocker>(released).value();
  blocker.Send<Block>();
  EXPECT_TRUE(blocker.DrainAndWait().ok());
  EXPECT_TRUE(system->Shutdown().ok());
  absl::MutexLock lock(&mu);
  ASSERT_THAT(turns, SizeIs(1));
  EXPECT_THAT(turns[0].actor,
              AllOf(HasSubstr("Blocker"), HasSubstr(blocker.id().ToString())));
  EXPECT_GE(turns[0].so_far, absl::Milliseconds(5));
  EXPECT_THAT(log.entries(),
              ElementsAre(AllOf(HasSubstr(blocker.id().ToString()),
                                HasSubstr("has taken longer than 5ms"))));
}

}  // namespace
}  // namespace troupe
