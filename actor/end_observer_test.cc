// Who hears of an end first (§14, §31, R-168, R-171).
#include "troupe/actor/end_observer.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/internal/watch_testing.h"
#include "troupe/actor/pinned_thread.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/event.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Act;
using internal::Have;
using internal::Journal;
using internal::Person;
using internal::Watcher;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

constexpr absl::StatusCode kNotFound = absl::StatusCode::kNotFound;

// Notes whose end it hears of.
class Observer : public EndObserver {
 public:
  explicit Observer(Journal& journal, std::string name = "observer")
      : journal_(journal), name_(std::move(name)) {}
  void OnActorEnd(const AnyActorRef& actor) override {
    EXPECT_NE(actor.status(), ActorStatus::kStopped);
    journal_.Add(name_);
  }

 private:
  Journal& journal_;
  const std::string name_;
};

// Notes the steps of its end that are its own.
class Mortal : public Person {
 public:
  using Person::Person;
  ~Mortal() { journal.Add("destroyed"); }
  void PostStop(const ExitReason&) { journal.Add("PostStop"); }
};

class Parent : public Person {
 public:
  using Person::Person;
  void OnChild(const ChildEvent& event) {
    if (event.kind != ChildEvent::Kind::kStarted) journal.Add("parent");
  }
};

class EndObserverTest : public internal::SystemTest {
 protected:
  Journal journal_;
  Observer observer_{journal_};  // Outlives the system.
  std::unique_ptr<ActorSystem> system_ = MakeSystem();

  Mortal::Ref NewMortal(const SpawnOptions& options = {}) {
    return system_->Spawn<Mortal>(options, std::ref(journal_)).value();
  }
  absl::Status Observe(const AnyActorRef& actor) {
    return system_->ObserveEnd(actor, observer_);
  }
  void Await(Event& event) {
    EXPECT_TRUE(
        system_->executor().WaitFor(event, MonotonicTime::InfiniteFuture()));
  }
  void ExpectTold() { EXPECT_THAT(journal_.lines(), Contains("observer")); }
};

INSTANTIATE_TEST_SUITE_P(Executors, EndObserverTest, internal::AllExecutors());

TEST_P(EndObserverTest, HearsBeforeAnybodyElse) {
  const std::vector<std::pair<bool, std::function<void(Person::Ref)>>> ends = {
      {true, [](Person::Ref actor) { actor.Stop(); }},
      {true, [](Person::Ref actor) { actor.Drain(); }},
      {false, [](Person::Ref actor) { actor.Kill(); }},
      {false,
       [](Person::Ref actor) {
         Have(actor, [](Person& me) { me.Fail(absl::DataLossError("lost")); });
       }},
      {true,
       [](Person::Ref actor) {
         Have(actor, [](Person& me) { me.StopSelf(); });
       }},
  };
  for (const auto& [graceful, end] : ends) {
    Journal journal;
    Observer observer(journal);
    std::unique_ptr<ActorSystem> system = MakeSystem();
    const Subscription ended = system->Subscribe<ActorEnded>(
        [&](const ActorEnded&) { journal.Add("event"); });
    const auto parent = system->Spawn<Parent>(journal).value();
    const auto watcher = system->Spawn<Watcher>(journal).value();
    Mortal::Ref mortal;
    Have(parent, [&](Person& me) {
      mortal = me.Spawn<Mortal>(std::ref(journal)).value();
    });
    Have(watcher, [&](Person& me) { me.Monitor(mortal); });
    EXPECT_THAT(system->ObserveEnd(mortal, observer), IsOk());
    end(mortal);
    EXPECT_THAT(mortal.Wait(), IsOk());
    journal.Add("waiter");
    const size_t own_lines = graceful ? 4 : 3;
    EXPECT_TRUE(system->executor().RunUntil(
        [&] { return journal.lines().size() >= own_lines + 3; },
        MonotonicTime::InfiniteFuture()));

    std::vector<std::string> lines = journal.lines();
    const std::vector<std::string> own = {"PostStop", "destroyed", "observer",
                                          "event"};
    const auto own_end = lines.begin() + own_lines;
    EXPECT_TRUE(std::equal(lines.begin(), own_end,
                           own.begin() + (graceful ? 0 : 1), own.end()))
        << ::testing::PrintToString(lines);
    // Those are on their ways from then on.
    EXPECT_THAT(std::vector<std::string>(own_end, lines.end()),
                ::testing::UnorderedElementsAre(::testing::StartsWith("down"),
                                                "parent", "waiter"));
  }
}

TEST_P(EndObserverTest, AskingTwiceIsAskingOnce) {
  const Mortal::Ref mortal = NewMortal();
  EXPECT_THAT(Observe(mortal), IsOk());
  EXPECT_THAT(Observe(mortal), IsOk());
  Have(mortal, [&](Person& me) { EXPECT_THAT(Observe(me.self()), IsOk()); });
  EXPECT_THAT(mortal.KillAndWait(), IsOk());
  EXPECT_THAT(journal_.lines(), ElementsAre("destroyed", "observer"));
}

TEST_P(EndObserverTest, ObserversHearInTheOrderTheyAsked) {
  Observer second(journal_, "second");
  Observer third(journal_, "third");
  Observer fourth(journal_, "fourth");
  const Mortal::Ref mortal = NewMortal();
  EXPECT_THAT(Observe(mortal), IsOk());
  for (Observer* const other : {&second, &third, &fourth}) {
    EXPECT_THAT(system_->ObserveEnd(mortal, *other), IsOk());
  }
  EXPECT_THAT(mortal.KillAndWait(), IsOk());
  EXPECT_THAT(journal_.lines(), ElementsAre("destroyed", "observer", "second",
                                            "third", "fourth"));
}

TEST_P(EndObserverTest, DeadAreRefused) {
  const Mortal::Ref mortal = NewMortal();
  EXPECT_THAT(mortal.KillAndWait(), IsOk());
  EXPECT_THAT(Observe(mortal),
              StatusIs(kNotFound, HasSubstr(mortal.ToString())));
  EXPECT_THAT(Observe(AnyActorRef()), StatusIs(kNotFound));
  EXPECT_THAT(journal_.lines(), ElementsAre("destroyed"));
}

// Tries to be observed in its last moments.
class Late : public Actor<Act> {
 public:
  Late(Journal& journal, Observer& observer)
      : journal_(journal), observer_(observer) {}
  void PostStop(const ExitReason&) {
    const absl::Status status = system().ObserveEnd(self(), observer_);
    journal_.Add(
        absl::StrCat("PostStop ", absl::StatusCodeToString(status.code())));
  }
  absl::Status Handle(const Act&) { return absl::OkStatus(); }

 private:
  Journal& journal_;
  Observer& observer_;
};

TEST_P(EndObserverTest, DyingAreRefused) {
  const auto late =
      system_->Spawn<Late>(std::ref(journal_), std::ref(observer_)).value();
  EXPECT_THAT(late.StopAndWait(), IsOk());
  EXPECT_THAT(journal_.lines(), ElementsAre("PostStop NOT_FOUND"));
}

TEST_P(EndObserverTest, DrainingAreRefused) {
  const Mortal::Ref mortal = NewMortal();
  absl::Status from_outside, from_inside;
  auto [opens, open] = MakeCompletion<void>();
  Event begun;
  auto call = mortal
                  .Call<Act>([&](Person& me) -> Task<absl::Status> {
                    begun.Set();
                    const absl::Status status = co_await std::move(open);
                    from_inside = Observe(me.self());
                    co_return status;
                  })
                  .Start();
  Await(begun);
  mortal.Drain();
  from_outside = Observe(mortal);
  EXPECT_TRUE(opens.Complete());
  EXPECT_THAT(std::move(call).Wait(), IsOk());
  EXPECT_THAT(mortal.Wait(), IsOk());
  EXPECT_THAT(from_outside, StatusIs(kNotFound));
  EXPECT_THAT(from_inside, StatusIs(kNotFound));
  EXPECT_THAT(journal_.lines(), ElementsAre("PostStop", "destroyed"));
}

TEST_P(EndObserverTest, ActorsOfOthersAreRefused) {
  std::unique_ptr<ActorSystem> other = MakeSystem();
  const auto stranger = other->Spawn<Person>(journal_).value();
  EXPECT_THAT(Observe(stranger), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("another system")));
  other = nullptr;
  EXPECT_THAT(Observe(stranger), StatusIs(kNotFound));
  EXPECT_THAT(journal_.lines(), IsEmpty());
}

// Is observed in its PreStart, and fails to start.
class StillBorn : public Person {
 public:
  StillBorn(Journal& journal, Observer& observer, bool has_child)
      : Person(journal), observer_(observer), has_child_(has_child) {}
  ~StillBorn() { journal.Add("destroyed"); }
  absl::Status PreStart() {
    EXPECT_THAT(system().ObserveEnd(self(), observer_), IsOk());
    if (has_child_) {
      EXPECT_THAT(Spawn<Mortal>(std::ref(journal)), IsOk());
    }
    return absl::DataLossError("lost");
  }

 private:
  Observer& observer_;
  const bool has_child_;
};

TEST_P(EndObserverTest, StartThatFailsIsAnEnd) {
  for (const bool has_child : {false, true}) {
    for (const bool instant : {false, true}) {
      Journal journal;
      Observer observer(journal);
      std::unique_ptr<ActorSystem> system = MakeSystem();
      if (instant) {
        EXPECT_THAT(system->SpawnInstant<StillBorn>(
                        std::ref(journal), std::ref(observer), has_child),
                    IsOk());
      } else {
        EXPECT_THAT(system->Spawn<StillBorn>(journal, observer, has_child),
                    StatusIs(absl::StatusCode::kDataLoss));
      }
      EXPECT_TRUE(system->AwaitNoActors());
      std::vector<std::string> lines = journal.lines();
      ASSERT_FALSE(lines.empty());
      EXPECT_EQ(lines.back(), "observer");
      EXPECT_THAT(lines, Contains("destroyed").Times(has_child ? 2 : 1));
      EXPECT_THAT(lines, Contains("observer").Times(1));
    }
  }
}

TEST_P(EndObserverTest, SuspendedHandlerDiesFirst) {
  const Mortal::Ref mortal = NewMortal();
  Event begun;
  struct Note {
    Journal& journal;
    ~Note() { journal.Add("coroutine"); }
  };
  auto [opens, open] = MakeCompletion<void>();
  auto call = mortal
                  .Call<Act>([&](Person&) -> Task<absl::Status> {
                    const Note note{journal_};
                    begun.Set();
                    co_return co_await std::move(open);
                  })
                  .Start();
  Await(begun);
  EXPECT_THAT(Observe(mortal), IsOk());
  EXPECT_THAT(mortal.KillAndWait(), IsOk());
  EXPECT_THAT(journal_.lines(),
              ElementsAre("coroutine", "destroyed", "observer"));
  EXPECT_THAT(std::move(call).Wait(), StatusIs(absl::StatusCode::kAborted));
}

TEST_P(EndObserverTest, PinnedActorsAreObserved) {
  const PinnedThread thread = system_->StartThread("theirs").value();
  for (const SpawnOptions& options : {SpawnOptions{.thread = thread},
                                      SpawnOptions{.dedicated_thread = true}}) {
    Journal journal;
    Observer observer(journal);
    const auto mortal =
        system_->Spawn<Mortal>(options, std::ref(journal)).value();
    EXPECT_THAT(system_->ObserveEnd(mortal, observer), IsOk());
    EXPECT_THAT(mortal.KillAndWait(), IsOk());
    EXPECT_THAT(journal.lines(), ElementsAre("destroyed", "observer"));
    EXPECT_TRUE(system_->AwaitNoActors());
  }
}

TEST_P(EndObserverTest, ShutdownIsAnEnd) {
  EXPECT_THAT(Observe(NewMortal()), IsOk());
  EXPECT_THAT(system_->Shutdown(), IsOk());
  EXPECT_THAT(journal_.lines(),
              ElementsAre("PostStop", "destroyed", "observer"));
}

// The only worker runs another actor meanwhile, so that it is on another thread
// by then.
TEST(EndObserverThreadsTest, HandlerThatLostItsWorkerMayAsk) {
  Journal journal;
  Observer observer(journal);
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  const auto mortal = system->Spawn<Mortal>(journal).value();
  const auto other = system->Spawn<Person>(journal).value();
  Event other_has_run;
  Have(mortal, [&](Person& me) {
    other.Send<Act>([&](Person&) -> Task<absl::Status> {
      other_has_run.Set();
      co_return absl::OkStatus();
    });
    EXPECT_TRUE(other_has_run.WaitWithTimeout(absl::InfiniteDuration()));
    EXPECT_THAT(system->ObserveEnd(me.self(), observer), IsOk());
  });
  EXPECT_THAT(mortal.KillAndWait(), IsOk());
  EXPECT_THAT(journal.lines(), ElementsAre("destroyed", "observer"));
}

}  // namespace
}  // namespace troupe
