// Stable addresses of supervised children (§29): what reaches which instance.
#include "troupe/supervision/child_ref.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/internal/shared_message.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/internal/supervision_testing.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Ask;
using internal::Do;
using internal::Hurt;
using internal::Journal;
using internal::Leave;
using internal::Note;
using internal::PlayUntil;
using internal::Runner;
using internal::Worker;
using internal::WorkerApi;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

static_assert(std::is_convertible_v<ChildRef<WorkerApi>, ChildRef<Ask>>);
static_assert(std::is_convertible_v<ChildRef<WorkerApi>, ActorRef<Ask, Note>>);
static_assert(!std::is_convertible_v<ChildRef<Ask>, ChildRef<Note>>);
static_assert(!std::is_convertible_v<ChildRef<Ask>, ActorRef<Note>>);

// Does not start while the gate is closed.
class GatedWorker : public Worker {
 public:
  GatedWorker(Journal& journal, const std::atomic<bool>& gate)
      : Worker(journal, "w"), gate_(gate) {}
  Task<void> PreStart() {
    while (!gate_) (void)co_await Sleep(absl::Milliseconds(1));
    Worker::PreStart();
  }

 private:
  const std::atomic<bool>& gate_;
};

class ChildRefTest : public internal::SystemTest {
 protected:
  // A supervisor with the worker w, which is down for `delay` after a failure,
  // or longer.
  SupervisorRef Start(absl::Duration delay, ChildOptions options = {}) {
    options.id = "w";
    if (delay > absl::ZeroDuration()) {
      options.backoff = RestartBackoff{
          .initial = delay, .max = delay, .jitter = 0, .reset_after = delay};
    }
    Supervisor::Spec spec{.intensity = {.restarts = 100}};
    worker_ =
        spec.Add<GatedWorker>(options, std::ref(journal_), std::cref(gate_));
    SupervisorRef supervisor =
        Supervisor::Start(*system_, std::move(spec)).value();
    journal_.Clear();
    return supervisor;
  }
  // Ends the instance, and waits until the supervisor knows. There is no next
  // one before BringUp().
  void BringDown() {
    gate_ = false;
    worker_.Send<Hurt>(absl::DataLossError("torn"));
    PlayUntil(*system_, [&] { return worker_.ref().IsNull(); });
    journal_.Clear();
  }
  void BringUp() { gate_ = true; }

  Journal journal_;
  std::atomic<bool> gate_{true};
  ChildRef<WorkerApi> worker_;
  std::unique_ptr<ActorSystem> system_ = MakeSystem();
};

INSTANTIATE_TEST_SUITE_P(Executors, ChildRefTest, internal::AllExecutors());

TEST_P(ChildRefTest, RefersToNoActorBeforeTheStart) {
  EXPECT_THAT(ChildRef<Ask>().Call<Ask>().Wait(),
              StatusIs(absl::StatusCode::kNotFound));
  Supervisor::Spec spec;
  const ChildRef<WorkerApi> worker =
      spec.Add<Worker>({.id = "w"}, std::ref(journal_), "w");
  EXPECT_TRUE(worker.address().IsNull());
  EXPECT_TRUE(worker.ref().IsNull());
  worker.Send<Note>("lost");
  EXPECT_THAT(worker.Call<Ask>().Wait(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(ChildRefTest, WhatIsSentBetweenInstancesWaitsInOrder) {
  Start(absl::ZeroDuration());
  BringDown();
  worker_.Send<Note>("1");
  worker_.Send<Note>("2");
  const ActorRef<Note> address = worker_;
  address.Send<Note>("3");
  BringUp();
  EXPECT_THAT(worker_.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_THAT(journal_.entries(), ElementsAre("+w", "w: 1", "w: 2", "w: 3"));
}

// §20: unopened, in order with the others.
TEST_P(ChildRefTest, WhatIsSharedGoesThroughTheAddress) {
  Start(absl::ZeroDuration());
  const auto shared = internal::SharedMessage<Note>::Make("shared");
  BringDown();
  worker_.Send<Note>("1");
  internal::SendShared<Note>(worker_, shared);
  worker_.Send<Note>("2");
  BringUp();
  EXPECT_THAT(worker_.Call<Ask>().Wait(), IsOkAndHolds(1));
  internal::SendShared<Note>(worker_, shared);
  EXPECT_THAT(worker_.Call<Ask>().Wait(), IsOkAndHolds(2));
  EXPECT_THAT(journal_.entries(),
              ElementsAre("+w", "w: 1", "w: shared", "w: 2", "w: shared"));
}

// The supervisor has not heard of the end yet.
TEST_P(ChildRefTest, WhatComesRightAfterTheEndWaitsToo) {
  Start(absl::ZeroDuration());
  for (int i = 0; i < 20; ++i) {
    worker_.ref().Kill();
    worker_.Send<Note>(absl::StrCat(i));
    ASSERT_THAT(worker_.Call<Ask>().Wait(), IsOkAndHolds(1)) << i;
    PlayUntil(*system_, [&] { return !worker_.ref().IsNull(); });
  }
  std::vector<std::string> notes;
  for (const std::string& entry : journal_.entries()) {
    if (entry[0] == 'w') notes.push_back(entry);
  }
  ASSERT_EQ(notes.size(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(notes[i], absl::StrCat("w: ", i));
}

TEST_P(ChildRefTest, MoreThanMayWaitBecomesDeadLetters) {
  Start(absl::ZeroDuration(), {.hold_messages = 2});
  BringDown();
  const uint64_t before = system_->dead_letters();
  for (const char* note : {"1", "2", "3", "4"}) worker_.Send<Note>(note);
  PlayUntil(*system_, [&] { return system_->dead_letters() == before + 2; });
  BringUp();
  PlayUntil(*system_, [&] { return journal_.entries().size() == 3; });
  EXPECT_THAT(journal_.entries(), ElementsAre("+w", "w: 1", "w: 2"));
}

TEST_P(ChildRefTest, NothingWaitsIfTheSpecSaysSo) {
  Start(absl::Seconds(100), {.hold_messages = 0});
  BringDown();
  EXPECT_THAT(worker_.Call<Ask>().Wait(),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(ChildRefTest, ChildThatIsDoneFailsWhatComes) {
  const SupervisorRef supervisor =
      Start(absl::Seconds(100), {.restart = kTransient});
  worker_.Send<Leave>();
  PlayUntil(*system_, [&] {
    return supervisor.Call<GetChild>("w").Wait()->status == ChildStatus::kIdle;
  });
  EXPECT_THAT(worker_.Call<Ask>().Wait(),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(ChildRefTest, WhatWaitsFailsWhenTheChildIsTerminated) {
  const SupervisorRef supervisor = Start(absl::Hours(1));
  BringDown();
  const uint64_t before = system_->dead_letters();
  auto waits = worker_.Call<Ask>().Start();
  worker_.Send<Note>("1");
  ASSERT_THAT(supervisor.Call<TerminateChild>("w").Wait(), IsOk());
  EXPECT_THAT(std::move(waits).Wait(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(worker_.Call<Ask>().Wait(),
              StatusIs(absl::StatusCode::kNotFound));
  // Who waits hears of it first.
  PlayUntil(*system_, [&] { return system_->dead_letters() >= before + 3; });
  EXPECT_EQ(system_->dead_letters(), before + 3);
}

TEST_P(ChildRefTest, WhatWaitsFailsWhenTheSupervisorEnds) {
  const SupervisorRef supervisor = Start(absl::Seconds(100));
  BringDown();
  const uint64_t before = system_->dead_letters();
  worker_.Send<Note>("1");
  auto call = worker_.Call<Ask>().Start();
  PlayUntil(*system_, [&] {
    // It has come to the address behind the note.
    return !call.is_over();
  });
  EXPECT_THAT(supervisor.StopAndWait(), IsOk());
  EXPECT_FALSE(std::move(call).Wait().ok());
  PlayUntil(*system_, [&] { return system_->dead_letters() >= before + 2; });
  EXPECT_TRUE(system_->AwaitNoActors());
}

// §22: its time goes on while it waits.
TEST_P(ChildRefTest, CallThatWaitsTooLongIsNotHandled) {
  Start(absl::ZeroDuration());
  BringDown();
  EXPECT_THAT(worker_.Call<Ask>().Within(absl::Milliseconds(2)).Wait(),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  BringUp();
  EXPECT_THAT(worker_.Call<Ask>().Wait(), IsOkAndHolds(1));
}

// §23: who gives up takes his request out.
TEST_P(ChildRefTest, CallThatIsGivenUpIsNotHandled) {
  Start(absl::ZeroDuration());
  BringDown();
  const auto caller = system_->Spawn<Runner>().value();
  internal::Handed<bool> asked;
  caller.Send<Do>([&](Runner&) -> Task<absl::Status> {
    asked.Put(true);
    co_return (co_await worker_.Call<Ask>()).status();
  });
  asked.Await(*system_);
  const uint64_t before = system_->dead_letters();
  EXPECT_THAT(caller.KillAndWait(), IsOk());
  PlayUntil(*system_, [&] { return system_->dead_letters() == before + 1; });
  BringUp();
  EXPECT_THAT(worker_.Call<Ask>().Wait(), IsOkAndHolds(1));
}

// §18: what nobody handles is a dead letter, whoever has given it up.
TEST_P(ChildRefTest, CallThatIsGivenUpIsADeadLetter) {
  Start(absl::ZeroDuration());
  BringDown();
  std::atomic<int> expired{0};
  Subscription subscription =
      system_->Subscribe<DeadLetter>([&expired](const DeadLetter& letter) {
        if (letter.reason == DeadLetter::Reason::kExpired) ++expired;
      });
  const auto caller = system_->Spawn<Runner>().value();
  internal::Handed<bool> asked;
  caller.Send<Do>([&](Runner&) -> Task<absl::Status> {
    asked.Put(true);
    co_return (co_await worker_.Call<Ask>()).status();
  });
  asked.Await(*system_);
  {
    const StartedCall<Ask> dropped = worker_.Call<Ask>().Start();
    // Long enough for the others to wait at the address, not on their way.
    EXPECT_THAT(worker_.Call<Ask>().Within(absl::Milliseconds(2)).Wait(),
                StatusIs(absl::StatusCode::kDeadlineExceeded));
    EXPECT_THAT(caller.KillAndWait(), IsOk());
  }
  // The other one is seen to be late when it is handed on.
  PlayUntil(*system_, [&] { return expired >= 2; });
  BringUp();
  // Behind all three.
  EXPECT_THAT(worker_.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_EQ(expired, 3);
}

// Starts, and handles something, only when it may.
class Patient : public Actor<Note> {
 public:
  enum May { kNothing, kStart, kHandle };

  Patient(Journal& journal, const std::atomic<May>& may)
      : journal_(journal), may_(may) {}
  Task<void> PreStart() { return Await(kStart); }
  Task<void> PostStart() { return Await(kHandle); }
  void Handle(const Note& m) { journal_.Add(m.text); }

 private:
  Task<void> Await(May what) {
    while (may_ < what) (void)co_await Sleep(absl::Milliseconds(1));
  }

  Journal& journal_;
  const std::atomic<May>& may_;
};

TEST_P(ChildRefTest, UrgentMessagesStayUrgent) {
  std::atomic<Patient::May> may{Patient::kHandle};
  Supervisor::Spec spec;
  const auto patient =
      spec.Add<Patient>({.id = "p"}, std::ref(journal_), std::cref(may));
  const SupervisorRef supervisor =
      Supervisor::Start(*system_, std::move(spec)).value();
  may = Patient::kNothing;
  patient.ref().Kill();
  PlayUntil(*system_, [&] { return patient.ref().IsNull(); });
  patient.Send<Note>("1");
  patient.SendUrgent<Note>("2");
  patient.Send<Note>("3");
  may = Patient::kStart;
  // All have come through the address: those that are not urgent are counted.
  PlayUntil(*system_, [&] {
    const auto tree = supervisor.Call<GetTree>().Wait();
    return tree.ok() && tree->children[0].mailbox_messages == 2;
  });
  may = Patient::kHandle;
  PlayUntil(*system_, [&] { return journal_.entries().size() == 3; });
  EXPECT_THAT(journal_.entries(), ElementsAre("2", "1", "3"));
}

// -- handing state on

struct Count {
  using Reply = int;
};

class Counter : public Actor<Count, Leave, Hurt> {
 public:
  int Handle(Count) { return ++count_; }
  void Handle(Leave) { StopSelf(); }
  absl::Status Handle(Hurt m) { return m.how; }
  int TakeState() && { return count_; }
  void RestoreState(int count) { count_ = count; }

 private:
  int count_ = 0;
};

TEST_P(ChildRefTest, NextInstanceGetsTheStateUnlessOneFailed) {
  Supervisor::Spec spec{.intensity = {.restarts = 100}};
  const auto counter = spec.Add<Counter>({.id = "counter"});
  const SupervisorRef supervisor =
      Supervisor::Start(*system_, std::move(spec)).value();
  EXPECT_THAT(counter.Call<Count>().Wait(), IsOkAndHolds(1));
  EXPECT_THAT(counter.Call<Count>().Wait(), IsOkAndHolds(2));
  const auto end = [&](auto message) {
    const AnyActorRef before = counter.ref();
    counter.Send(std::move(message));
    PlayUntil(*system_, [&] {
      return !counter.ref().IsNull() && counter.ref() != before;
    });
  };
  end(Leave());
  EXPECT_THAT(counter.Call<Count>().Wait(), IsOkAndHolds(3));
  end(Hurt{absl::DataLossError("torn")});
  EXPECT_THAT(counter.Call<Count>().Wait(), IsOkAndHolds(1));
  // Ended by its supervisor, it hands on as well.
  EXPECT_THAT(supervisor.Call<TerminateChild>("counter").Wait(), IsOk());
  EXPECT_THAT(supervisor.Call<RestartChild>("counter").Wait(), IsOk());
  EXPECT_THAT(counter.Call<Count>().Wait(), IsOkAndHolds(2));
}

// Links to an address, and is told of its end.
class Linker : public Actor<Note> {
 public:
  Linker(AnyActorRef address, Journal& journal)
      : address_(address), journal_(journal) {}
  void PreStart() { Link(address_); }
  void Handle(const Note&) {}
  void OnExit(const Exit& exit) {
    journal_.Add(exit.actor == address_ ? "exit of the address" : "exit");
  }

 private:
  const AnyActorRef address_;
  Journal& journal_;
};

TEST_P(ChildRefTest, LinkToAnAddressIsOneToTheAddress) {
  const SupervisorRef supervisor = Start(absl::ZeroDuration());
  const AnyActorRef address = worker_.address();
  const auto linked =
      system_->Spawn<Linker>(address, std::ref(journal_)).value();
  const auto doomed =
      system_->Spawn<Linker>(address, std::ref(journal_)).value();
  EXPECT_THAT(worker_.Call<Ask>().Wait(), IsOk());
  // The end of one that has linked is not the instance's, nor the address's.
  const AnyActorRef before = worker_.ref();
  EXPECT_THAT(doomed.KillAndWait(), IsOk());
  EXPECT_THAT(worker_.Call<Ask>().Wait(), IsOk());
  EXPECT_EQ(worker_.ref(), before);
  // The end of an instance is not the address's.
  before.Kill();
  PlayUntil(*system_, [&] { return worker_.ref() != before; });
  EXPECT_THAT(worker_.Call<Ask>().Wait(), IsOk());
  EXPECT_EQ(journal_.CountOf("exit of the address"), 0u);
  // That comes with the supervisor's.
  EXPECT_THAT(supervisor.StopAndWait(), IsOk());
  EXPECT_THAT(linked.DrainAndWait(), IsOk());
  EXPECT_EQ(journal_.CountOf("exit of the address"), 1u);
  EXPECT_EQ(journal_.CountOf("exit"), 0u);
}

// Its RestoreState throws.
class Choosy : public Counter {
 public:
  void RestoreState(int) { throw 1; }
};

TEST_P(ChildRefTest, StateThatIsRefusedIsAFailedStart) {
  Supervisor::Spec spec{.intensity = {.restarts = 100}};
  const auto counter = spec.Add<Choosy>({.id = "counter"});
  ASSERT_THAT(Supervisor::Start(*system_, std::move(spec)), IsOk());
  EXPECT_THAT(counter.Call<Count>().Wait(), IsOkAndHolds(1));
  const AnyActorRef before = counter.ref();
  counter.Send<Leave>();
  PlayUntil(*system_, [&] { return counter.ref() != before; });
  // The state is gone with that start; the next one begins afresh.
  EXPECT_THAT(counter.Call<Count>().Wait(), IsOkAndHolds(1));
}

}  // namespace
}  // namespace troupe
