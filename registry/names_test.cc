// Names of actors (§31, R-023, R-028, R-080, R-140, R-141, R-142): who has one,
// from when to when, and what is said about it.
#include "troupe/registry/names.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

constexpr absl::StatusCode kNotFound = absl::StatusCode::kNotFound;
constexpr absl::StatusCode kTaken = absl::StatusCode::kAlreadyExists;
constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

struct Number {
  using Reply = int;
};
struct Break {};
struct Other {};
struct StoreApi : Protocol<Number, Break> {};

class Store : public Actor<StoreApi> {
 public:
  explicit Store(int number = 0) : number_(number) {}
  int Handle(Number) { return number_; }
  absl::Status Handle(Break) { return absl::DataLossError("broken"); }

 private:
  const int number_;
};

class NamesTest : public internal::SystemTest {
 protected:
  std::unique_ptr<ActorSystem> system_ = MakeSystem();
  Names& names_ = system_->Get<Names>();

  Store::Ref Spawn(std::string name, int number = 0) {
    return system_->Spawn<Store>({.name = std::move(name)}, number).value();
  }
};

INSTANTIATE_TEST_SUITE_P(Executors, NamesTest, internal::AllExecutors());

// -- given at spawn

TEST_P(NamesTest, NameGivenAtSpawnIsFound) {
  const Store::Ref store = Spawn("store", 7);
  EXPECT_THAT(names_.FindAny("store"), IsOkAndHolds(store));
  const absl::StatusOr<ActorRef<Number>> found = names_.Find<Number>("store");
  ASSERT_THAT(found, IsOk());
  EXPECT_THAT(found->Call<Number>().Wait(), IsOkAndHolds(7));
  EXPECT_THAT(names_.Find<StoreApi>("store"), IsOkAndHolds(store));
  EXPECT_THAT(names_.NamesOf(store), ElementsAre("store"));
}

TEST_P(NamesTest, TakenNameSpawnsNothing) {
  const Store::Ref first = Spawn("store");
  EXPECT_THAT(system_->Spawn<Store>({.name = "store"}),
              StatusIs(kTaken, AllOf(HasSubstr("'store'"),
                                     HasSubstr(first.ToString() + "'s"))));
  EXPECT_EQ(system_->live_actors(), 1u);
  EXPECT_THAT(names_.FindAny("store"), IsOkAndHolds(first));
}

//
TEST_P(NamesTest, NameIsFreeOnceTheEndIsTold) {
  const std::vector<void (*)(const Store::Ref&)> ends = {
      [](const Store::Ref& store) { store.Stop(); },
      [](const Store::Ref& store) { store.Kill(); },
      [](const Store::Ref& store) { store.Drain(); },
      [](const Store::Ref& store) { store.Send<Break>(); }};
  for (const auto end : ends) {
    const Store::Ref store = Spawn("store");
    EXPECT_THAT(names_.Register("depot", store), IsOk());
    end(store);
    EXPECT_THAT(store.Wait(), IsOk());
    EXPECT_THAT(names_.FindAny("store"),
                StatusIs(kNotFound, HasSubstr("'store'")));
    EXPECT_THAT(names_.Find<Number>("depot"),
                StatusIs(kNotFound, HasSubstr("'depot'")));
    EXPECT_THAT(names_.ListAll(), IsEmpty());
  }
}

// Starts a successor of the same name as soon as it hears of the end.
class Parent : public Actor<Other> {
 public:
  Parent(ActorSystem& system, int& restarts)
      : names_(system.Get<Names>()), restarts_(restarts) {}
  absl::Status PreStart() { return Spawn<Store>({.name = "child"}).status(); }
  void OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kStarted) return;
    EXPECT_THAT(names_.FindAny("child"), StatusIs(kNotFound));
    if (++restarts_ == 3) return StopSelf();
    absl::StatusOr<Store::Ref> next = Spawn<Store>({.name = "child"}, 0);
    ASSERT_THAT(next, IsOk());
    EXPECT_THAT(names_.FindAny("child"), IsOkAndHolds(*next));
    next->Send<Break>();
  }
  void Handle(Other) {
    EXPECT_THAT(names_.Find<Break>("child"), IsOk());
    names_.Find<Break>("child")->Send<Break>();
  }

 private:
  Names& names_;
  int& restarts_;
};

TEST_P(NamesTest, ParentMayGiveTheNameAgain) {
  int restarts = 0;
  const auto parent =
      system_->Spawn<Parent>(std::ref(*system_), std::ref(restarts)).value();
  parent.Send<Other>();
  EXPECT_TRUE(system_->AwaitNoActors());
  EXPECT_EQ(restarts, 3);
  EXPECT_THAT(names_.ListAll(), IsEmpty());
}

// Is found while it starts, and fails.
class StillBorn : public Actor<Other> {
 public:
  explicit StillBorn(Names& names) : names_(names) {}
  absl::Status PreStart() {
    EXPECT_THAT(names_.Find<Other>("still"), IsOkAndHolds(self()));
    EXPECT_THAT(names_.Register("also", self()), IsOk());
    return absl::DataLossError("lost");
  }
  void Handle(Other) {}

 private:
  Names& names_;
};

TEST_P(NamesTest, FailedStartFreesItsNames) {
  for (const bool instant : {false, true}) {
    if (instant) {
      EXPECT_THAT(
          system_->SpawnInstant<StillBorn>({.name = "still"}, std::ref(names_)),
          IsOk());
    } else {
      EXPECT_THAT(system_->Spawn<StillBorn>({.name = "still"}, names_),
                  StatusIs(absl::StatusCode::kDataLoss));
    }
    EXPECT_TRUE(system_->AwaitNoActors());
    EXPECT_THAT(names_.ListAll(), IsEmpty());
  }
}

TEST_P(NamesTest, SpawnRefusesWhatIsNoName) {
  EXPECT_THAT(system_->Spawn<Store>({.name = "a\nb"}),
              StatusIs(kInvalid, HasSubstr("control character")));
  EXPECT_THAT(system_->Spawn<Store>({.name = "troupe.x"}),
              StatusIs(kInvalid, HasSubstr("reserved")));
  EXPECT_EQ(system_->live_actors(), 0u);
}

// -- given later

TEST_P(NamesTest, ActorMayHaveManyNames) {
  const Store::Ref store = Spawn("b");
  EXPECT_THAT(names_.Register("c", store), IsOk());
  EXPECT_THAT(names_.Register("a", store), IsOk());
  EXPECT_THAT(names_.NamesOf(store), ElementsAre("a", "b", "c"));
  for (const char* const name : {"a", "b", "c"}) {
    EXPECT_THAT(names_.FindAny(name), IsOkAndHolds(store));
  }
}

TEST_P(NamesTest, TakenNameIsRefusedToAll) {
  const Store::Ref first = Spawn("store");
  const Store::Ref second = Spawn("other");
  for (const Store::Ref& store : {first, second}) {
    EXPECT_THAT(names_.Register("store", store),
                StatusIs(kTaken, HasSubstr(first.ToString() + "'s")));
  }
  EXPECT_THAT(names_.NamesOf(second), ElementsAre("other"));
}

TEST_P(NamesTest, OnlyTheOwnerGivesANameBack) {
  const Store::Ref store = Spawn("store");
  const Store::Ref other = Spawn("other");
  EXPECT_THAT(names_.Unregister("store", other),
              StatusIs(kNotFound, AllOf(HasSubstr("'store'"),
                                        HasSubstr(other.ToString()))));
  EXPECT_THAT(names_.Unregister("nothing", store), StatusIs(kNotFound));
  EXPECT_THAT(names_.Unregister("store", store), IsOk());
  EXPECT_THAT(names_.FindAny("store"), StatusIs(kNotFound));
  EXPECT_THAT(names_.Register("store", other), IsOk());
  // Its former owner's end is none of its business.
  EXPECT_THAT(store.KillAndWait(), IsOk());
  EXPECT_THAT(names_.FindAny("store"), IsOkAndHolds(other));
}

TEST_P(NamesTest, NameMovesWithoutAGap) {
  const Store::Ref from = Spawn("store");
  const Store::Ref to = Spawn("successor");
  EXPECT_THAT(names_.Move("store", to, from), StatusIs(kNotFound));
  EXPECT_THAT(names_.Move("nothing", from, to), StatusIs(kNotFound));
  EXPECT_THAT(names_.Move("store", from, from), IsOk());
  EXPECT_THAT(names_.Move("store", from, to), IsOk());
  EXPECT_THAT(names_.FindAny("store"), IsOkAndHolds(to));
  EXPECT_THAT(names_.NamesOf(from), IsEmpty());
  EXPECT_THAT(from.KillAndWait(), IsOk());
  EXPECT_THAT(names_.FindAny("store"), IsOkAndHolds(to));
  EXPECT_THAT(names_.Move("store", to, from), StatusIs(kNotFound));
  EXPECT_THAT(to.KillAndWait(), IsOk());
  EXPECT_THAT(names_.ListAll(), IsEmpty());
}

TEST_P(NamesTest, DeadGetNoName) {
  const Store::Ref store = Spawn("store");
  EXPECT_THAT(store.KillAndWait(), IsOk());
  EXPECT_THAT(names_.Register("store", store),
              StatusIs(kNotFound, AllOf(HasSubstr("'store'"),
                                        HasSubstr(store.ToString()))));
  EXPECT_THAT(names_.Register("store", AnyActorRef()), StatusIs(kNotFound));
  EXPECT_THAT(names_.ListAll(), IsEmpty());
}

TEST_P(NamesTest, StrangersGetNoName) {
  std::unique_ptr<ActorSystem> other = MakeSystem();
  const auto stranger = other->Spawn<Store>().value();
  EXPECT_THAT(names_.Register("stranger", stranger),
              StatusIs(kInvalid, HasSubstr("another system")));
  EXPECT_THAT(names_.FindAny("stranger"), StatusIs(kNotFound));
  // Each has names of its own.
  EXPECT_THAT(other->Get<Names>().Register("store", stranger), IsOk());
  EXPECT_THAT(names_.Register("store", Spawn("mine")), IsOk());
}

TEST_P(NamesTest, RegisterRefusesWhatIsNoName) {
  const Store::Ref store = Spawn("store");
  EXPECT_THAT(names_.Register("", store), StatusIs(kInvalid));
  EXPECT_THAT(names_.Register("troupe.x", store), StatusIs(kInvalid));
  EXPECT_THAT(names_.NamesOf(store), ElementsAre("store"));
}

// -- lookups

TEST_P(NamesTest, WrongMessagesAreRefusedWithBothProtocols) {
  Spawn("store");
  EXPECT_THAT((names_.Find<Number, Other>("store")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("'store'"), HasSubstr("Store"),
                             HasSubstr("Other"), HasSubstr("Number"),
                             HasSubstr("Break"))));
}

//
TEST_P(NamesTest, ListingsAreSortedByName) {
  const Store::Ref clock = Spawn("clock");
  const Store::Ref eu = Spawn("billing/eu");
  const Store::Ref us = Spawn("billing/us");
  const Store::Ref deep = Spawn("billing/eu/ledger");
  EXPECT_THAT(names_.List(), ElementsAre(Names::Entry{"clock", clock}));
  EXPECT_THAT(names_.List("billing"),
              ElementsAre(Names::Entry{"billing/eu", eu},
                          Names::Entry{"billing/us", us}));
  EXPECT_THAT(names_.List("nothing"), IsEmpty());
  EXPECT_THAT(names_.ListAll(),
              ElementsAre(Names::Entry{"billing/eu", eu},
                          Names::Entry{"billing/eu/ledger", deep},
                          Names::Entry{"billing/us", us},
                          Names::Entry{"clock", clock}));
  EXPECT_THAT(names_.ListScopes(), ElementsAre("", "billing", "billing/eu"));
}

TEST_P(NamesTest, SystemWithoutNamesRefusesThem) {
  std::unique_ptr<ActorSystem> bare = MakeSystem();
  EXPECT_THAT(
      bare->Spawn<Store>({.name = "store"}),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("//registry")));
}

}  // namespace
}  // namespace troupe
