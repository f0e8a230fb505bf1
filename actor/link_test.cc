// Links (§28, R-064): two actors that end together, or hear of each other.
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/actor/internal/watch_testing.h"
#include "troupe/actor/task.h"
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
using internal::Trapper;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

class LinkTest : public internal::SystemTest {
 protected:
  // Declared before the system, which it outlives.
  Journal journal_;
  std::unique_ptr<ActorSystem> system_ = MakeSystem();

  Person::Ref NewPerson() { return system_->Spawn<Person>(journal_).value(); }
  Trapper::Ref NewTrapper() {
    return system_->Spawn<Trapper>(journal_).value();
  }
  // Links two actors, and waits until both know of it.
  static void LinkBoth(const Person::Ref& from, const Person::Ref& to) {
    Have(from, [&](Person& me) { me.Link(to); });
    AwaitHandled(to);
  }
  // Has it end in the way that `reason` says.
  static void End(const Person::Ref& actor, const ExitReason& reason) {
    switch (reason.kind()) {
      case ExitReason::Kind::kFailed:
        Have(actor, [&](Person& me) { me.Fail(reason.status()); });
        break;
      case ExitReason::Kind::kKilled:
        actor.Kill();
        break;
      case ExitReason::Kind::kDrained:
        actor.Drain();
        break;
      default:
        actor.Stop(reason);
    }
    EXPECT_THAT(actor.Wait(), IsOk());
  }
  static std::vector<Exit> ExitsOf(const Trapper::Ref& trapper) {
    std::vector<Exit> exits;
    Have(trapper, [&](Person& me) { exits = static_cast<Trapper&>(me).exits; });
    return exits;
  }
  static size_t LinksOf(const Person::Ref& actor) {
    size_t links = 0;
    Have(actor, [&](Person& me) {
      const internal::HandlerState* const state = me.cell().handler;
      links = state != nullptr && state->watches() != nullptr
                  ? state->watches()->links().size()
                  : 0;
    });
    return links;
  }
};

INSTANTIATE_TEST_SUITE_P(Executors, LinkTest, internal::AllExecutors());

const ExitReason kReasons[] = {
    ExitReason::Normal(),  ExitReason::Normal("done"),
    ExitReason::Drained(), ExitReason::Shutdown("maintenance"),
    ExitReason::Killed(),  ExitReason::Failed(absl::DataLossError("no disk")),
};

// Whichever of the two has made the link.
TEST_P(LinkTest, NormalEndsHarmNobody) {
  for (const ExitReason& reason : kReasons) {
    if (reason.kind() != ExitReason::Kind::kNormal &&
        reason.kind() != ExitReason::Kind::kDrained) {
      continue;
    }
    for (const bool made_by_first : {true, false}) {
      const Person::Ref first = NewPerson();
      const Person::Ref second = NewPerson();
      made_by_first ? LinkBoth(first, second) : LinkBoth(second, first);
      End(first, reason);
      AwaitHandled(second);
      EXPECT_EQ(second.status(), ActorStatus::kRunning);
      EXPECT_EQ(LinksOf(second), 0u);
    }
  }
}

TEST_P(LinkTest, ShutdownStopsTheOther) {
  for (const bool made_by_first : {true, false}) {
    Endings endings(*system_);
    const Person::Ref first = NewPerson();
    const Person::Ref second = NewPerson();
    made_by_first ? LinkBoth(first, second) : LinkBoth(second, first);
    End(first, ExitReason::Shutdown("maintenance"));
    EXPECT_EQ(endings.Await(second), ExitReason::Shutdown("maintenance"));
  }
}

TEST_P(LinkTest, FailureAndKillFailTheOther) {
  for (const bool made_by_first : {true, false}) {
    Endings endings(*system_);
    const Person::Ref first = NewPerson();
    const Person::Ref second = NewPerson();
    const Person::Ref third = NewPerson();
    made_by_first ? LinkBoth(first, second) : LinkBoth(second, first);
    LinkBoth(third, second);
    End(first, ExitReason::Failed(absl::DataLossError("no disk")));
    EXPECT_THAT(endings.Await(second).status(),
                StatusIs(absl::StatusCode::kDataLoss,
                         AllOf(HasSubstr("linked actor #"),
                               HasSubstr("failed: DATA_LOSS: no disk"))));
    // From one to the next, each with its own reason.
    EXPECT_THAT(endings.Await(third).status(),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr(second.id().ToString())));
  }
  Endings endings(*system_);
  const Person::Ref first = NewPerson();
  const Person::Ref second = NewPerson();
  LinkBoth(first, second);
  End(first, ExitReason::Killed());
  EXPECT_THAT(endings.Await(second).status(),
              StatusIs(absl::StatusCode::kAborted,
                       absl::StrCat("linked actor ", first.id().ToString(),
                                    " killed")));
}

TEST_P(LinkTest, TrapperIsToldOfEveryEnd) {
  for (const ExitReason& reason : kReasons) {
    for (const bool made_by_trapper : {true, false}) {
      const Trapper::Ref trapper = NewTrapper();
      const Person::Ref actor = NewPerson();
      made_by_trapper ? LinkBoth(trapper, actor) : LinkBoth(actor, trapper);
      End(actor, reason);
      const std::vector<Exit> exits = ExitsOf(trapper);
      ASSERT_THAT(exits, SizeIs(1));
      EXPECT_EQ(exits[0].actor, actor);
      EXPECT_EQ(exits[0].reason, reason);
      EXPECT_EQ(trapper.status(), ActorStatus::kRunning);
    }
  }
}

TEST_P(LinkTest, LinkToTheDeadIsAnExit) {
  Endings endings(*system_);
  const Person::Ref dead = NewPerson();
  EXPECT_THAT(dead.KillAndWait(), IsOk());
  const Person::Ref actor = NewPerson();
  Have(actor, [&](Person& me) { me.Link(dead); });
  EXPECT_THAT(endings.Await(actor).status(),
              StatusIs(absl::StatusCode::kNotFound,
                       absl::StrCat("linked actor ", dead.id().ToString(),
                                    " no such actor")));
  const Trapper::Ref trapper = NewTrapper();
  Have(trapper, [&](Person& me) {
    me.Link(dead);
    me.Link(AnyActorRef());
  });
  const std::vector<Exit> exits = ExitsOf(trapper);
  ASSERT_THAT(exits, SizeIs(2));
  EXPECT_EQ(exits[0].actor, dead);
  EXPECT_EQ(exits[0].reason, ExitReason::NoActor());
  EXPECT_TRUE(exits[1].actor.IsNull());
  EXPECT_EQ(exits[1].reason, ExitReason::NoActor());
}

TEST_P(LinkTest, UnlinkSilencesAnExitThatWaits) {
  const Trapper::Ref trapper = NewTrapper();
  const Person::Ref actor = NewPerson();
  LinkBoth(actor, trapper);
  EXPECT_THAT(trapper
                  .Call<Act>([&](Person& me) -> Task<absl::Status> {
                    actor.Kill();
                    // Told after those that are linked: the Exit waits.
                    (void)co_await Ended(actor);
                    EXPECT_TRUE(me.Unlink(actor));
                    EXPECT_FALSE(me.Unlink(actor));
                    co_return absl::OkStatus();
                  })
                  .Wait(),
              IsOk());
  EXPECT_THAT(ExitsOf(trapper), IsEmpty());
}

TEST_P(LinkTest, UnlinkedActorsEndApart) {
  for (const bool by_maker : {true, false}) {
    const Person::Ref first = NewPerson();
    const Person::Ref second = NewPerson();
    LinkBoth(first, second);
    EXPECT_EQ(LinksOf(first), 1u);
    EXPECT_EQ(LinksOf(second), 1u);
    const Person::Ref& ends = by_maker ? first : second;
    const Person::Ref& other = by_maker ? second : first;
    Have(ends, [&](Person& me) { EXPECT_TRUE(me.Unlink(other)); });
    EXPECT_EQ(LinksOf(other), 0u);
    EXPECT_EQ(LinksOf(ends), 0u);
    End(first, ExitReason::Killed());
    AwaitHandled(second);
    EXPECT_EQ(second.status(), ActorStatus::kRunning);
  }
}

TEST_P(LinkTest, LinkingTwiceIsOneLink) {
  const Trapper::Ref trapper = NewTrapper();
  const Person::Ref actor = NewPerson();
  LinkBoth(trapper, actor);
  LinkBoth(trapper, actor);
  LinkBoth(actor, trapper);
  EXPECT_EQ(LinksOf(trapper), 1u);
  EXPECT_EQ(LinksOf(actor), 1u);
  End(actor, ExitReason::Normal());
  EXPECT_THAT(ExitsOf(trapper), SizeIs(1));

  const Person::Ref another = NewPerson();
  LinkBoth(trapper, another);
  LinkBoth(another, trapper);
  Have(trapper, [&](Person& me) { EXPECT_TRUE(me.Unlink(another)); });
  AwaitHandled(another);
  End(another, ExitReason::Normal());
  EXPECT_THAT(ExitsOf(trapper), SizeIs(1));
}

// One that is made anew stands, even where the end of the old one comes late.
TEST_P(LinkTest, LinkMadeAnewStands) {
  const Trapper::Ref trapper = NewTrapper();
  const Person::Ref actor = NewPerson();
  Have(trapper, [&](Person& me) {
    me.Link(actor);
    EXPECT_TRUE(me.Unlink(actor));
    me.Link(actor);
    EXPECT_TRUE(me.Unlink(actor));
    EXPECT_FALSE(me.Unlink(actor));
    me.Link(actor);
  });
  EXPECT_EQ(LinksOf(actor), 1u);
  End(actor, ExitReason::Drained());
  EXPECT_THAT(ExitsOf(trapper), SizeIs(1));
}

TEST_P(LinkTest, AnActorIsNotLinkedToItself) {
  const Trapper::Ref trapper = NewTrapper();
  Have(trapper, [](Person& me) {
    me.Link(me.self());
    EXPECT_FALSE(me.Unlink(me.self()));
  });
  EXPECT_EQ(LinksOf(trapper), 0u);
  EXPECT_THAT(trapper.StopAndWait(), IsOk());
  EXPECT_THAT(journal_.lines(), IsEmpty());
}

TEST_P(LinkTest, ExitComesBehindTheActorsMessages) {
  const Trapper::Ref trapper = NewTrapper();
  const Person::Ref actor = NewPerson();
  Have(actor, [&](Person& me) {
    trapper.Send<Note>(1);
    // Not known there before the notes, but before the end.
    me.Link(trapper);
    trapper.Send<Note>(2);
    me.Fail(absl::InternalError("x"));
  });
  EXPECT_THAT(actor.Wait(), IsOk());
  AwaitHandled(trapper);
  EXPECT_THAT(journal_.lines(),
              ElementsAre("note 1", "note 2", "exit failed: INTERNAL: x"));
}

// R-064: no end of one makes a circle of the others'.
TEST_P(LinkTest, LinkedCircleEndsOnce) {
  constexpr size_t kActors = 20;
  Endings endings(*system_);
  std::vector<Person::Ref> circle;
  for (size_t i = 0; i < kActors; ++i) circle.push_back(NewPerson());
  for (size_t i = 0; i < kActors; ++i) {
    LinkBoth(circle[i], circle[(i + 1) % kActors]);
    LinkBoth(circle[(i + 1) % kActors], circle[i]);
  }
  circle[3].Stop(ExitReason::Shutdown());
  for (const Person::Ref& actor : circle) {
    EXPECT_EQ(endings.Await(actor), ExitReason::Shutdown());
  }
}

// Links itself before it has started, which may fail.
class Tied : public Actor<Note> {
 public:
  Tied(AnyActorRef actor, absl::Status start, Journal& journal)
      : actor_(actor), start_(std::move(start)), journal_(journal) {}
  absl::Status PreStart() {
    Link(actor_);
    return start_;
  }
  void Handle(Note) {}
  Task<absl::Status> OnExit(Exit exit) {
    (void)co_await Ended(exit.actor);
    journal_.Add("told");
    // Without effect where all ends.
    co_return absl::AbortedError("enough");
  }

 private:
  const AnyActorRef actor_;
  const absl::Status start_;
  Journal& journal_;
};

TEST_P(LinkTest, FailedStartIsAnExitForTheOther) {
  const Trapper::Ref trapper = NewTrapper();
  EXPECT_THAT(system_->Spawn<Tied>(trapper, absl::DataLossError("no"),
                                   std::ref(journal_)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no")));
  const std::vector<Exit> exits = ExitsOf(trapper);
  ASSERT_THAT(exits, SizeIs(1));
  EXPECT_THAT(exits[0].reason.status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no")));
  EXPECT_EQ(LinksOf(trapper), 0u);
}

TEST_P(LinkTest, HookMayBeATaskThatFails) {
  Endings endings(*system_);
  const Person::Ref actor = NewPerson();
  const Tied::Ref tied =
      system_->Spawn<Tied>(actor, absl::OkStatus(), std::ref(journal_)).value();
  End(actor, ExitReason::Normal());
  EXPECT_EQ(endings.Await(tied),
            ExitReason::Failed(absl::AbortedError("enough")));
  EXPECT_THAT(journal_.lines(), ElementsAre("told"));
}

// Links again and again while it ends.
class Dying : public Person {
 public:
  Dying(Journal& journal, Person::Ref actor) : Person(journal), actor_(actor) {}
  ~Dying() {
    Link(actor_);
    EXPECT_FALSE(Unlink(actor_));
  }
  void PostStop(const ExitReason&) { Link(actor_); }

 private:
  const Person::Ref actor_;
};

TEST_P(LinkTest, ActorThatEndsLinksNoMore) {
  const Trapper::Ref trapper = NewTrapper();
  const Dying::Ref dying = system_->Spawn<Dying>(journal_, trapper).value();
  EXPECT_THAT(dying.StopAndWait(), IsOk());
  EXPECT_THAT(ExitsOf(trapper), IsEmpty());
  EXPECT_EQ(LinksOf(trapper), 0u);
}

// Has somebody link to its parent, which awaits its end.
class LastChild : public Actor<Note> {
 public:
  explicit LastChild(Person::Ref late) : late_(late) {}
  void Handle(Note) {}
  Task<void> PostStop(const ExitReason&) {
    const AnyActorRef dying = parent();
    auto link = late_.Call<Act>([dying](Person& me) -> Task<absl::Status> {
      me.Link(dying);
      co_return absl::OkStatus();
    });
    EXPECT_THAT(co_await std::move(link), IsOk());
  }

 private:
  const Person::Ref late_;
};

// Nothing else may happen afterwards that would bring the news along.
TEST_P(LinkTest, LinkToActorThatAwaitsItsChildrenIsAnExit) {
  Endings endings(*system_);
  const Person::Ref late = NewPerson();
  const Person::Ref dying = NewPerson();
  Have(dying,
       [&](Person& me) { EXPECT_THAT(me.Spawn<LastChild>(late), IsOk()); });
  dying.Stop(ExitReason::Shutdown());
  // It is told of the end, or that there was no such actor any more.
  const ExitReason reason = endings.Await(late);
  EXPECT_THAT(reason.kind(),
              AnyOf(ExitReason::Kind::kShutdown, ExitReason::Kind::kFailed));
}

}  // namespace
}  // namespace troupe
