// Messages that are set aside: clause 36 of docs/semantics.md.
#include "troupe/actor/stash.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/task.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using ::troupe::internal::Do;
using ::troupe::internal::Play;
using ::troupe::internal::Script;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

// A message that can only be moved.
struct Note {
  std::unique_ptr<std::string> text;
};
struct Get {
  int number;
  using Reply = int;
};
struct OpenDoor {
  bool calls_out = false;  // Sends an urgent message.
};
struct CloseDoor {};
struct Late {
  using Reply = int;
  bool lingers = false;  // After it has set the request aside.
};

struct Hold {
  using Reply = int;
};

using DoorMessages = Protocol<Note, Get, OpenDoor, CloseDoor, Late, Hold, Do>;

// Sets aside what comes while it is closed.
class Door : public Actor<DoorMessages> {
 public:
  explicit Door(std::vector<std::string>& log, size_t capacity = 10)
      : log_(log), stash_(this, capacity) {}

  void Handle(Note&& m) {
    if (open_) return log_.push_back(*m.text);
    const absl::Status kept = stash_.Put(std::move(m));
    if (!kept.ok()) log_.push_back(absl::StrCat("full: ", *m.text));
  }
  void Handle(Get m, ReplyTo<int> reply) {
    if (open_) {
      log_.push_back(absl::StrCat("get ", m.number));
      reply.Send(m.number);
      return;
    }
    const absl::Status kept = stash_.Put(std::move(m), std::move(reply));
    if (!kept.ok()) reply.Send(kept);
  }
  // Waits first.
  Task<void> Handle(Late m, ReplyTo<int> reply) {
    if (open_) {
      log_.push_back("late");
      reply.Send(5);
      co_return;
    }
    const bool slept = co_await Sleep(absl::Milliseconds(1));
    log_.push_back(slept ? "slept" : "told to give up");
    const bool lingers = m.lingers;
    EXPECT_THAT(stash_.Put(std::move(m), std::move(reply)), IsOk());
    if (!lingers) co_return;
    const bool stayed = co_await Sleep(absl::Milliseconds(1));
    log_.push_back(stayed ? "lingered" : "told to give up");
  }
  // Neither answers nor sets aside.
  void Handle(Hold, ReplyTo<int> reply) { held_.push_back(std::move(reply)); }
  void Handle(OpenDoor m) {
    if (m.calls_out) {
      self().SendUrgent<Note>(std::make_unique<std::string>("way is free"));
    }
    open_ = true;
    log_.push_back("open");
    stash_.Unstash();
    EXPECT_TRUE(stash_.empty());
  }
  void Handle(CloseDoor) { open_ = false; }
  void Handle(Do&& m) { m.body(); }

  void PostStop(const ExitReason&) {
    late_put_ = stash_.Put(Note{std::make_unique<std::string>("late")});
    log_.push_back(std::string(late_put_.message()));
  }

 private:
  std::vector<std::string>& log_;
  Stash<DoorMessages> stash_;
  std::vector<ReplyTo<int>> held_;
  absl::Status late_put_;
  bool open_ = false;
};

class StashTest : public internal::CallsTest {
 protected:
  // Actors write to the log to their end.
  ~StashTest() override { EXPECT_THAT(system_->Shutdown(), IsOk()); }

  Door::Ref SpawnDoor(size_t capacity = 10) {
    return system_->Spawn<Door>(log_, capacity).value();
  }
  static void SendNote(const Door::Ref& door, const char* text) {
    door.Send<Note>(std::make_unique<std::string>(text));
  }
  // Has an actor of its own call for `number`; the outcome goes to outcomes_.
  Script::Ref Ask(const Door::Ref& door, int number,
                  absl::Duration timeout = absl::Seconds(5)) {
    const Script::Ref caller = Spawn<Script>();
    caller.Send<Play>([this, door, number, timeout]() -> Task<void> {
      outcomes_.push_back(co_await door.Call<Get>(number).Within(timeout));
    });
    executor_->RunUntilIdle();
    return caller;
  }

  std::vector<std::string> log_;
  std::vector<absl::StatusOr<int>> outcomes_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, StashTest, internal::SomeSeeds());

// §36, also for an actor with a bounded mailbox.
TEST_P(StashTest, GivesBackInOrderBeforeWhatWaits) {
  for (const bool bounded : {false, true}) {
    SCOPED_TRACE(bounded);
    SpawnOptions options;
    if (bounded) options.mailbox.messages = 10;
    log_.clear();
    const auto door = system_->Spawn<Door>(options, log_).value();
    for (const char* text : {"a", "b", "c"}) SendNote(door, text);
    door.Send<OpenDoor>();
    for (const char* text : {"d", "e"}) SendNote(door, text);
    executor_->RunUntilIdle();
    EXPECT_THAT(log_, ElementsAre("open", "a", "b", "c", "d", "e"));
    door.Send<CloseDoor>();
    SendNote(door, "f");
    door.Send<OpenDoor>();
    executor_->RunUntilIdle();
    EXPECT_EQ(log_.back(), "f");
  }
}

// §36: an urgent message overtakes what came back, as it does any other.
TEST_P(StashTest, UrgentMessagesOvertakeWhatCameBack) {
  const auto door = SpawnDoor();
  SendNote(door, "a");
  door.Send<OpenDoor>(/*calls_out=*/true);
  SendNote(door, "b");
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("open", "way is free", "a", "b"));
}

TEST_P(StashTest, FullStashLeavesTheMessageWithTheHandler) {
  const auto door = SpawnDoor(2);
  for (const char* text : {"a", "b", "c"}) SendNote(door, text);
  door.Send<OpenDoor>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("full: c", "open", "a", "b"));
}

TEST_P(StashTest, FullStashLeavesTheDutyWithTheHandler) {
  const auto door = SpawnDoor(1);
  Ask(door, 1);
  Ask(door, 2);
  EXPECT_THAT(outcomes_, ElementsAre(StatusIs(
                             absl::StatusCode::kResourceExhausted,
                             HasSubstr("the stash is full: it holds 1"))));
}

// §36: the caller waits on, and is answered as if nothing had been.
TEST_P(StashTest, RequestIsAnsweredAfterItHasComeBack) {
  const auto door = SpawnDoor();
  Ask(door, 1);
  Ask(door, 2);
  EXPECT_THAT(outcomes_, IsEmpty());
  door.Send<OpenDoor>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("open", "get 1", "get 2"));
  EXPECT_THAT(outcomes_,
              UnorderedElementsAre(IsOkAndHolds(1), IsOkAndHolds(2)));
}

TEST_P(StashTest, RequestKeepsItsDeadline) {
  std::vector<MonotonicTime> deadlines;
  class Reader : public Actor<Get, OpenDoor> {
   public:
    explicit Reader(std::vector<MonotonicTime>& deadlines)
        : deadlines_(deadlines) {}
    void Handle(Get m, ReplyTo<int> reply) {
      deadlines_.push_back(reply.deadline());
      if (deadlines_.size() == 2) return void(reply.Send(1));
      EXPECT_THAT(stash_.Put(std::move(m), std::move(reply)), IsOk());
    }
    void Handle(OpenDoor) { stash_.Unstash(); }

   private:
    std::vector<MonotonicTime>& deadlines_;
    Stash<Get> stash_{this, 1};
  };
  const auto reader = system_->Spawn<Reader>(deadlines).value();
  const MonotonicTime before = executor_->clock().Now();
  const auto caller = Spawn<Script>();
  caller.Send<Play>([&]() -> Task<void> {
    outcomes_.push_back(co_await reader.Call<Get>(1).Within(absl::Seconds(2)));
  });
  executor_->RunFor(absl::Seconds(1));
  reader.Send<OpenDoor>();
  executor_->RunUntilIdle();
  EXPECT_THAT(outcomes_, ElementsAre(IsOkAndHolds(1)));
  ASSERT_EQ(deadlines.size(), 2u);
  EXPECT_EQ(deadlines[0], deadlines[1]);
  EXPECT_GE(deadlines[0], before + absl::Seconds(2));
  EXPECT_LT(deadlines[0], before + absl::Seconds(3));
}

// §36, §18.
TEST_P(StashTest, ExpiredRequestIsDroppedWhenItComesBack) {
  const auto door = SpawnDoor();
  Ask(door, 1, absl::Milliseconds(10));
  executor_->RunFor(absl::Milliseconds(20));
  EXPECT_THAT(outcomes_,
              ElementsAre(StatusIs(absl::StatusCode::kDeadlineExceeded)));
  EXPECT_EQ(expired_letters_, 0);
  door.Send<OpenDoor>();
  executor_->RunUntilIdle();
  EXPECT_EQ(expired_letters_, 1);
  EXPECT_THAT(log_, ElementsAre("open"));
}

// §36, §23: however many are given up, with as little memory as is set aside.
TEST_P(StashTest, GivenUpRequestIsDroppedWhenItComesBack) {
  const auto door = SpawnDoor();
  Ask(door, 1);
  const Script::Ref dies = Ask(door, 2);
  dies.Kill();
  executor_->RunUntilIdle();
  EXPECT_EQ(expired_letters_, 0);
  for (int i = 0; i < 40; ++i) {
    const Script::Ref caller = Spawn<Script>();
    caller.Send<Play>(
        [&]() -> Task<void> { (void)co_await door.Call<Hold>(); });
    executor_->RunUntilIdle();
    caller.Kill();
    executor_->RunUntilIdle();
    EXPECT_LE(door.cell()->handler->cancelled(), 5u);
  }
  door.Send<OpenDoor>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("open", "get 1"));
  EXPECT_THAT(outcomes_.back(), IsOkAndHolds(1));
}

// §36: an end tells the callers, who cannot know what a handler did before.
TEST_P(StashTest, EndFailsWhatIsSetAside) {
  enum class How { kStop, kKill, kFail, kDrain };
  for (const How how : {How::kStop, How::kKill, How::kFail, How::kDrain}) {
    SCOPED_TRACE(static_cast<int>(how));
    const auto door = SpawnDoor();
    SendNote(door, "a");
    outcomes_.clear();
    Ask(door, 1);
    const uint64_t before = system_->dead_letters();
    switch (how) {
      case How::kStop:
        door.Stop();
        break;
      case How::kKill:
        door.Kill();
        break;
      case How::kFail:
        door.Send<Do>([] { throw 1; });
        break;
      case How::kDrain:
        door.Drain();
        break;
    }
    executor_->RunUntilIdle();
    EXPECT_EQ(door.status(), ActorStatus::kStopped);
    EXPECT_EQ(system_->dead_letters(), before + 2);
    ASSERT_THAT(outcomes_, ElementsAre(StatusIs(absl::StatusCode::kAborted)));
    EXPECT_EQ(Delivery(outcomes_[0]), DeliveryState::kUnknown);
  }
}

// §36, §13: what is back when the rest is handled is handled too.
TEST_P(StashTest, DrainHandlesWhatHasComeBack) {
  const auto door = SpawnDoor();
  SendNote(door, "a");
  door.Send<OpenDoor>();
  SendNote(door, "b");
  door.Drain();
  executor_->RunUntilIdle();
  ASSERT_GE(log_.size(), 3u);
  EXPECT_THAT(std::vector<std::string>(log_.begin(), log_.begin() + 3),
              ElementsAre("open", "a", "b"));
  EXPECT_EQ(door.status(), ActorStatus::kStopped);
}

TEST_P(StashTest, EndingActorSetsNothingAside) {
  const auto door = SpawnDoor();
  EXPECT_THAT(door.StopAndWait(), IsOk());
  EXPECT_THAT(log_, ElementsAre(HasSubstr("ending sets nothing aside")));
  EXPECT_EQ(system_->dead_letters(), 0u);
}

// §36: as every other actor in the same memory.
TEST_P(StashTest, NextActorBeginsWithNothingSetAside) {
  const auto first = SpawnDoor();
  SendNote(first, "a");
  executor_->RunUntilIdle();
  first.Kill();
  executor_->RunUntilIdle();
  const auto second = SpawnDoor();
  EXPECT_EQ(second.cell(), first.cell());
  second.Send<OpenDoor>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("open"));
}

// §36: an actor that never gets on lets others run, and itself be stopped.
TEST_P(StashTest, SettingAsideForEverStarvesNobody) {
  class Restless : public Actor<Get> {
   public:
    explicit Restless(int& turns) : turns_(turns) {}
    void Handle(Get m, ReplyTo<int> reply) {
      ++turns_;
      EXPECT_THAT(stash_.Put(std::move(m), std::move(reply)), IsOk());
      stash_.Unstash();
    }

   private:
    int& turns_;
    Stash<Get> stash_{this, 1};
  };
  int turns = 0;
  const auto restless = system_->Spawn<Restless>(turns).value();
  const auto other = Spawn<Script>();
  // The second waits behind the first for ever; the turn must not.
  restless.Send<Get>(1);
  restless.Send<Get>(2);
  for (int i = 0; i < 100; ++i) (void)executor_->Step();
  EXPECT_GT(turns, 10);
  bool ran = false;
  other.Send<Do>([&] { ran = true; });
  for (int i = 0; i < 1000 && !ran; ++i) (void)executor_->Step();
  EXPECT_TRUE(ran);
  restless.Stop();
  executor_->RunUntilIdle();
  EXPECT_EQ(system_->dead_letters(), 2u);
}

TEST_P(StashTest, CoroutineSetsItsRequestAside) {
  const auto door = SpawnDoor();
  const auto caller = Spawn<Script>();
  caller.Send<Play>(
      [&]() -> Task<void> { outcomes_.push_back(co_await door.Call<Late>()); });
  executor_->RunFor(absl::Milliseconds(5));
  EXPECT_THAT(outcomes_, IsEmpty());
  door.Send<OpenDoor>();
  executor_->RunUntilIdle();
  EXPECT_THAT(outcomes_, ElementsAre(IsOkAndHolds(5)));
  EXPECT_THAT(log_, ElementsAre("slept", "open", "late"));
}

// §36, §23: that its handler was told is not all.
TEST_P(StashTest, RequestThatWasGivenUpBeforeIsDroppedWhenItComesBack) {
  const auto door = SpawnDoor();
  const auto caller = Spawn<Script>();
  std::optional<StartedCall<Late>> call;
  caller.Send<Do>([&] { call = door.Call<Late>().Start(); });
  executor_->RunUntilIdle();
  caller.Send<Do>([&] { call.reset(); });
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("told to give up"));
  EXPECT_EQ(expired_letters_, 0);
  door.Send<OpenDoor>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("told to give up", "open"));
  EXPECT_EQ(expired_letters_, 1);
}

// §36, §23
TEST_P(StashTest, RequestThatIsGivenUpBesideItsHandlerIsDropped) {
  const auto door = SpawnDoor();
  const auto caller = Spawn<Script>();
  std::optional<StartedCall<Late>> call;
  caller.Send<Do>([&] { call = door.Call<Late>(true).Start(); });
  executor_->RunFor(absl::Microseconds(1500));
  EXPECT_THAT(log_, ElementsAre("slept"));
  caller.Send<Do>([&] { call.reset(); });
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("slept", "told to give up"));
  door.Send<OpenDoor>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("slept", "told to give up", "open"));
  EXPECT_EQ(expired_letters_, 1);
}

// §36, §23: its handler has got it back, and goes on.
TEST_P(StashTest, RequestThatIsGivenUpBehindItsHandlerIsDropped) {
  class Hasty : public Actor<Get> {
   public:
    Hasty(int others, int& runs) : others_(others), runs_(runs) {}
    Task<void> Handle(Get m, ReplyTo<int> reply) {
      if (++runs_ > others_ + 1) co_return;
      EXPECT_THAT(stash_.Put(std::move(m), std::move(reply)), IsOk());
      if (runs_ <= others_) co_return;
      stash_.Unstash();
      co_await Sleep(absl::Hours(1));
    }

   private:
    const int others_;
    int& runs_;
    Stash<Get> stash_{this, 100};
  };
  // Among the first of the mailbox, or not.
  for (const int others : {0, 20}) {
    int runs = 0;
    expired_letters_ = 0;
    const auto hasty = system_->Spawn<Hasty>(others, runs).value();
    for (int i = 0; i < others; ++i) hasty.Send<Get>(2);
    const auto caller = Spawn<Script>();
    std::optional<StartedCall<Get>> call;
    caller.Send<Do>([&] { call = hasty.Call<Get>(1).Start(); });
    executor_->RunFor(absl::Milliseconds(1));
    EXPECT_EQ(runs, others + 1);
    caller.Send<Do>([&] { call.reset(); });
    executor_->RunFor(absl::Milliseconds(1));
    EXPECT_EQ(runs, 2 * others + 1);
    EXPECT_EQ(expired_letters_, 1);
    EXPECT_THAT(hasty.StopAndWait(), IsOk());
  }
}

// A request that was sent waits for no answer, before and after.
TEST_P(StashTest, SentRequestComesBackToo) {
  const auto door = SpawnDoor();
  door.Send<Get>(3);
  door.Send<OpenDoor>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("open", "get 3"));
}

// Two stashes, one of which goes before its actor.
class TwoStashes : public Actor<Note, OpenDoor, CloseDoor> {
 public:
  explicit TwoStashes(std::vector<std::string>& log) : log_(log) {}

  void Handle(Note&& m) {
    if (done_) return log_.push_back(*m.text);
    auto& stash = m.text->front() == 'a' ? *first_ : second_;
    EXPECT_THAT(stash.Put(std::move(m)), IsOk());
  }
  void Handle(OpenDoor) {
    done_ = true;
    second_.Unstash();
  }
  void Handle(CloseDoor) { first_.reset(); }

 private:
  std::vector<std::string>& log_;
  bool done_ = false;
  std::optional<Stash<Note>> first_{std::in_place, this, 10};
  Stash<Note> second_{this, 10};
};

TEST_P(StashTest, StashThatGoesGivesBackItsMessages) {
  const auto actor = system_->Spawn<TwoStashes>(log_).value();
  for (const char* text : {"a1", "b1", "a2", "b2"}) {
    actor.Send<Note>(std::make_unique<std::string>(text));
  }
  actor.Send<OpenDoor>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("b1", "b2"));
  actor.Send<CloseDoor>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("b1", "b2", "a1", "a2"));
}

// §6, §18: what a start that fails had set aside.
class FailsToStart : public Actor<Note> {
 public:
  void Handle(const Note&) {}
  absl::Status PreStart() {
    EXPECT_THAT(stash_.Put(Note{std::make_unique<std::string>("a")}), IsOk());
    return absl::InternalError("no");
  }

 private:
  Stash<Note> stash_{this, 10};
};

TEST_P(StashTest, FailedStartMakesDeadLetters) {
  EXPECT_THAT(system_->Spawn<FailsToStart>().status(),
              StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(system_->dead_letters(), 1u);
  EXPECT_TRUE(system_->SpawnInstant<FailsToStart>().ok());
  executor_->RunUntilIdle();
  EXPECT_EQ(system_->dead_letters(), 2u);
}

}  // namespace
}  // namespace troupe
