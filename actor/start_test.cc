// How actors start, with names and without, and what is left of a start that
// fails.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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
#include "troupe/actor/child_event.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/name_service.h"
#include "troupe/actor/timer.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class StartTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, StartTest, internal::AllExecutors());

// Names, and all that happened, in order; used by several threads.
class Names : public NameService {
 public:
  absl::Status Reserve(absl::string_view name, AnyActorRef owner) override {
    absl::MutexLock lock(&mu_);
    if (!owners_.emplace(name, owner).second) {
      return absl::AlreadyExistsError(absl::StrCat("'", name, "' is taken"));
    }
    log_.push_back(absl::StrCat(name, " reserved"));
    return absl::OkStatus();
  }
  void OnActorEnd(const AnyActorRef& actor) override {
    absl::MutexLock lock(&mu_);
    for (auto entry = owners_.begin(); entry != owners_.end();) {
      if (entry->second == actor) {
        log_.push_back(absl::StrCat(entry->first, " released"));
        entry = owners_.erase(entry);
      } else {
        ++entry;
      }
    }
  }

  AnyActorRef Find(const std::string& name) const {
    absl::MutexLock lock(&mu_);
    const auto found = owners_.find(name);
    return found != owners_.end() ? found->second : AnyActorRef();
  }
  void Add(std::string entry) {
    absl::MutexLock lock(&mu_);
    log_.push_back(std::move(entry));
  }
  std::vector<std::string> log() const {
    absl::MutexLock lock(&mu_);
    return log_;
  }

 private:
  mutable absl::Mutex mu_;
  std::map<std::string, AnyActorRef> owners_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> log_ ABSL_GUARDED_BY(mu_);
};

struct Work {};

enum class Flaw { kNone, kThrowInConstructor, kStatusInPreStart, kFail };

// Sends to itself by its name as soon as it can, and says what it does.
class Named : public Actor<Work> {
 public:
  Named(Names& names, std::string name, Flaw flaw = Flaw::kNone)
      : names_(names), name_(std::move(name)) {
    const AnyActorRef me = names_.Find(name_);
    EXPECT_EQ(me.status(), ActorStatus::kStarting);
    absl::StatusOr<ActorRef<Work>> ref = me.As<Work>();
    if (ref.ok()) ref->Send<Work>();
    names_.Add("constructed");
    if (flaw == Flaw::kThrowInConstructor) throw 17;
    flaw_ = flaw;
  }
  ~Named() { names_.Add("destroyed"); }
  absl::Status PreStart() {
    names_.Add("PreStart");
    EXPECT_EQ(names_.Find(name_), self());
    if (flaw_ == Flaw::kFail) Fail(absl::DataLossError("lost"));
    return flaw_ == Flaw::kStatusInPreStart ? absl::DataLossError("lost")
                                            : absl::OkStatus();
  }
  void PostStart() { names_.Add("PostStart"); }
  void Handle(Work) { names_.Add("handled"); }
  void PostStop(const ExitReason&) { names_.Add("PostStop"); }

 private:
  Names& names_;
  const std::string name_;
  Flaw flaw_ = Flaw::kNone;
};

// §5, §31: the name is visible, and the mailbox accepts, from the reservation
// on; nothing is handled before PostStart has ended. §14: the name is free
// before the end is known.
TEST_P(StartTest, NameIsVisibleFromTheReservationOn) {
  for (const bool instant : {false, true}) {
    Names names;
    std::unique_ptr<ActorSystem> system = MakeSystem();
    system->SetNameService(names);
    Subscription ended =
        system->Subscribe<ActorEnded>([&](const ActorEnded& event) {
          EXPECT_EQ(event.name, "bob");
          names.Add("ended");
        });
    absl::StatusOr<Named::Ref> bob =
        instant ? system->SpawnInstant<Named>({.name = "bob"}, std::ref(names),
                                              "bob")
                : system->Spawn<Named>({.name = "bob"}, names, "bob");
    ASSERT_THAT(bob, IsOk());
    EXPECT_EQ(names.Find("bob"), *bob);
    EXPECT_THAT(bob->StopAndWait(), IsOkAndHolds(ExitReason::Normal()));
    EXPECT_TRUE(names.Find("bob").IsNull());
    std::vector<std::string> log = names.log();
    std::erase(log, "handled");  // The stop may have come first.
    EXPECT_THAT(
        log, ElementsAre("bob reserved", "constructed", "PreStart", "PostStart",
                         "PostStop", "destroyed", "bob released", "ended"));
  }
}

// §5: what was sent to the name before the start ended is handled after it.
TEST_P(StartTest, NothingIsHandledBeforePostStart) {
  Names names;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  system->SetNameService(names);
  Named::Ref bob = system->Spawn<Named>({.name = "bob"}, names, "bob").value();
  EXPECT_THAT(bob.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  EXPECT_THAT(
      names.log(),
      ElementsAre("bob reserved", "constructed", "PreStart", "PostStart",
                  "handled", "PostStop", "destroyed", "bob released"));
}

// R-028, §6: a start that fails frees the name, also by Fail(), and loses
// loudly what was sent to it.
TEST_P(StartTest, FailedStartFreesTheName) {
  for (const Flaw flaw :
       {Flaw::kThrowInConstructor, Flaw::kStatusInPreStart, Flaw::kFail}) {
    Names names;
    std::unique_ptr<ActorSystem> system = MakeSystem();
    system->SetNameService(names);
    EXPECT_THAT(system->Spawn<Named>({.name = "bob"}, names, "bob", flaw),
                StatusIs(flaw == Flaw::kThrowInConstructor
                             ? absl::StatusCode::kUnknown
                             : absl::StatusCode::kDataLoss,
                         HasSubstr("Named 'bob': ")));
    EXPECT_EQ(system->live_actors(), 0u);
    EXPECT_EQ(system->dead_letters(), 1u);
    EXPECT_TRUE(names.Find("bob").IsNull());
    const auto second = system->SpawnInstant<Named>(
        {.name = "bob"}, std::ref(names), "bob", flaw);
    EXPECT_THAT(second, IsOk());
    ASSERT_TRUE(system->AwaitNoActors());
    EXPECT_EQ(system->dead_letters(), 2u);
    EXPECT_THAT(system->Spawn<Named>({.name = "bob"}, names, "bob"), IsOk());
  }
}

// §31: a name that is taken starts nothing, and stays with its owner.
TEST_P(StartTest, TakenNameStartsNothing) {
  Names names;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  system->SetNameService(names);
  Named::Ref bob = system->Spawn<Named>({.name = "bob"}, names, "bob").value();
  for (const bool instant : {false, true}) {
    const absl::StatusOr<Named::Ref> second =
        instant ? system->SpawnInstant<Named>({.name = "bob"}, std::ref(names),
                                              "bob")
                : system->Spawn<Named>({.name = "bob"}, names, "bob");
    EXPECT_THAT(second, StatusIs(absl::StatusCode::kAlreadyExists,
                                 HasSubstr("Named 'bob': 'bob' is taken")));
    EXPECT_EQ(system->live_actors(), 1u);
    EXPECT_EQ(names.Find("bob"), bob);
  }
  // One start, no more.
  EXPECT_THAT(names.log(), ::testing::Contains("constructed").Times(1));
}

TEST_P(StartTest, NameNeedsAService) {
  Names names;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  EXPECT_THAT(
      system->Spawn<Named>({.name = "bob"}, names, "bob"),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("//registry")));
  EXPECT_THAT(names.log(), IsEmpty());
  EXPECT_EQ(system->live_actors(), 0u);
}

// Tells whether the name of a child is free when it hears of its end.
class Watcher : public Actor<Work> {
 public:
  explicit Watcher(Names& names) : names_(names) {}
  void PostStart() {
    Spawn<Named>({.name = "bob"}, names_, "bob").value().Stop();
  }
  void Handle(Work) {}
  void OnChild(const ChildEvent& event) {
    EXPECT_EQ(event.name, "bob");
    if (event.kind == ChildEvent::Kind::kStarted) return;
    EXPECT_TRUE(names_.Find("bob").IsNull());
    // A successor can be started at once.
    absl::Status again = Spawn<Named>({.name = "bob"}, names_, "bob").status();
    EXPECT_THAT(again, IsOk());
    StopSelf();
  }

 private:
  Names& names_;
};

// §14: the name is free when the parent is told.
TEST_P(StartTest, ParentIsToldWhenTheNameIsFree) {
  Names names;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  system->SetNameService(names);
  internal::Endings endings(*system);
  Watcher::Ref watcher = system->Spawn<Watcher>(names).value();
  EXPECT_EQ(endings.Await(watcher), ExitReason::Normal());
  EXPECT_TRUE(names.Find("bob").IsNull());
}

class Leaf : public Actor<Work> {
 public:
  explicit Leaf(Names& names) : names_(names) {}
  ~Leaf() { names_.Add("leaf destroyed"); }
  void Handle(Work) {}

 private:
  Names& names_;
};

class FailsWithChild : public Actor<Work> {
 public:
  explicit FailsWithChild(Names& names) : names_(names) {}
  ~FailsWithChild() { names_.Add("destroyed"); }
  absl::Status PreStart() {
    Spawn<Leaf>(names_).value();
    return absl::DataLossError("lost");
  }
  void Handle(Work) {}

 private:
  Names& names_;
};

// Its start fails, and its destructor tries to go on.
class SpawnsWhenDestroyed : public Actor<Work> {
 public:
  explicit SpawnsWhenDestroyed(Names& names) : names_(names) {}
  ~SpawnsWhenDestroyed() {
    EXPECT_THAT(Spawn<Leaf>(names_),
                StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(SpawnInstant<Leaf>(std::ref(names_)),
                StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_FALSE(SendAfter<Work>(absl::Hours(1)).pending());
    names_.Add("destroyed");
  }
  absl::Status PreStart() { return absl::DataLossError("lost"); }
  void Handle(Work) {}

 private:
  Names& names_;
};

// §6: what does not start is ending when its object goes, and gets no children
// any more.
TEST_P(StartTest, DestructorOfAFailedStartSpawnsNothing) {
  Names names;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(system->Spawn<SpawnsWhenDestroyed>(std::ref(names)),
                StatusIs(absl::StatusCode::kDataLoss));
    ASSERT_TRUE(system->AwaitNoActors());
    // In the same memory.
    const Leaf::Ref leaf = system->Spawn<Leaf>(std::ref(names)).value();
    leaf.Stop();
    EXPECT_TRUE(leaf.Wait().ok());
  }
  EXPECT_THAT(names.log(),
              ElementsAre("destroyed", "leaf destroyed", "destroyed",
                          "leaf destroyed", "destroyed", "leaf destroyed"));
}

// Spawns in its handler what does not start, and ends.
class Spawner : public Actor<Work> {
 public:
  explicit Spawner(Names& names) : names_(names) {}
  void Handle(Work) {
    EXPECT_THAT(Spawn<FailsWithChild>({.name = "bob"}, names_),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("lost")));
    StopSelf();
  }

 private:
  Names& names_;
};

// §6: of a start that fails children go first, then the object, then the name;
// on whatever thread the spawner ran, and also if that ends before.
TEST_P(StartTest, FailedStartOutlivesTheThreadOfItsSpawner) {
  for (const bool dedicated : {false, true}) {
    Names names;
    std::unique_ptr<ActorSystem> system = MakeSystem();
    system->SetNameService(names);
    for (int i = 0; i < 20; ++i) {
      Spawner::Ref spawner =
          system
              ->Spawn<Spawner>({.dedicated_thread = dedicated}, std::ref(names))
              .value();
      spawner.Send<Work>();
      ASSERT_TRUE(system->AwaitNoActors());
    }
    const std::vector<std::string> log = names.log();
    ASSERT_EQ(log.size(), 80u);
    for (size_t i = 0; i < log.size(); i += 4) {
      EXPECT_THAT(
          std::vector<std::string>(log.begin() + i, log.begin() + i + 4),
          ElementsAre("bob reserved", "leaf destroyed", "destroyed",
                      "bob released"));
    }
  }
}

}  // namespace
}  // namespace troupe
