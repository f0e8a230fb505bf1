// What the rules of a node refuse, and how who wanted it hears of that.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/watch_testing.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Have;
using internal::Journal;
using internal::Person;
using internal::TestCluster;
using internal::TestNode;
using internal::Trapper;
using internal::Watcher;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

struct Put {
  static constexpr absl::string_view kWireName = "test.Put";
  int64_t number = 0;
};
struct Get {
  static constexpr absl::string_view kWireName = "test.Get";
  using Reply = int64_t;
};
struct Lend {
  static constexpr absl::string_view kWireName = "test.Lend";
  using Reply = ActorRef<Put, Get>;
};

class Box : public Actor<Put, Get, Lend> {
 public:
  void Handle(Put m) { number_ += m.number; }
  int64_t Handle(Get) { return number_; }
  ActorRef<Put, Get> Handle(Lend) { return *Spawn<Box>(); }

 private:
  int64_t number_ = 0;
};

struct WaitFor {
  using Reply = absl::Status;
  AnyActorRef whom;
  bool kills = false;
};
class Waiter : public Actor<WaitFor> {
 public:
  Task<absl::Status> Handle(WaitFor m) {
    Ended end(m.whom);
    if (m.kills) end = std::move(end).ByKill();
    const absl::StatusOr<ExitReason> why = co_await end;
    co_return why.status();
  }
};

// Links to whom it is told to.
struct Tie {
  using Reply = absl::Status;
  AnyActorRef to;
};
class Kin : public Actor<Get, Tie> {
 public:
  explicit Kin(Journal& journal) : journal_(journal) {}
  int64_t Handle(Get) { return 0; }
  absl::Status Handle(const Tie& m) {
    Link(m.to);
    return absl::OkStatus();
  }
  void OnExit(const Exit& exit) {
    journal_.Add(absl::StrCat("exit ", exit.reason.ToString()));
  }

 private:
  Journal& journal_;
};

// Node a has the role "guest" at b, which exports a box as "box".
class GateTest : public ::testing::Test {
 protected:
  // Starts both, with these rules.
  void Start(Authorization rules) {
    rules.Assign("a", "guest");
    cluster_ = std::make_unique<TestCluster>(std::vector<std::string>{"a", "b"},
                                             std::move(rules));
    a_ = cluster_->Start("a");
    b_ = cluster_->Start("b");
    box_ = b_->system().Spawn<Box>().value();
    ASSERT_THAT(b_->node().Export("box", box_), IsOk());
    a_->AwaitPeer("b");
    far_ = a_->node().ResolveAndWait<Put, Get, Lend>("box@b").value();
    watcher_ = a_->system().Spawn<Watcher>(journal_).value();
  }
  std::vector<std::string> NotesUntil(size_t count) {
    while (journal_.lines().size() < count) Have(watcher_, [](Person&) {});
    return journal_.lines();
  }

  Journal journal_;
  std::unique_ptr<TestCluster> cluster_;
  std::unique_ptr<TestNode> a_;
  std::unique_ptr<TestNode> b_;
  Box::Ref box_;
  ActorRef<Put, Get, Lend> far_;
  ActorRef<internal::Act> watcher_;
};

TEST_F(GateTest, RefusedCallSaysWhatWouldAllowIt) {
  Authorization rules;
  rules.Deny("guest", {Verb::kCall}, "box");
  Start(std::move(rules));
  const auto answer = far_.Call<Get>().Wait();
  EXPECT_THAT(
      answer.status(),
      StatusIs(absl::StatusCode::kPermissionDenied,
               AllOf(HasSubstr("'a', in the role 'guest', may not call 'box' "
                               "of 'b'"),
                     HasSubstr("Allow(\"guest\", {Verb::kCall}, \"box\")"))));
  EXPECT_EQ(Delivery(answer), DeliveryState::kNotDelivered);
}

TEST_F(GateTest, RefusedMessageIsADeadLetterThere) {
  Authorization rules;
  rules.Deny("guest", {Verb::kSend});
  Start(std::move(rules));
  absl::Mutex mu;
  std::vector<DeadLetter::Reason> reasons;
  Subscription letters =
      b_->system().Subscribe<DeadLetter>([&](const DeadLetter& letter) {
        absl::MutexLock lock(&mu);
        EXPECT_EQ(letter.target, box_.id());
        reasons.push_back(letter.reason);
      });
  far_.Send<Put>(7);
  EXPECT_THAT(far_.Call<Get>().Wait(), IsOkAndHolds(0));  // Behind it.
  absl::MutexLock lock(&mu);
  EXPECT_THAT(reasons, ElementsAre(DeadLetter::Reason::kRefused));
}

TEST_F(GateTest, RulesKnowActorsByAnyOfTheirNames) {
  Authorization rules;
  rules.Deny("guest", {Verb::kCall}).Allow("guest", {Verb::kCall}, "open/");
  Start(std::move(rules));
  EXPECT_THAT(far_.Call<Get>().Wait().status(),
              StatusIs(absl::StatusCode::kPermissionDenied));
  ASSERT_THAT(b_->node().Export("open/box", box_), IsOk());
  EXPECT_THAT(far_.Call<Get>().Wait(), IsOkAndHolds(0));
}

TEST_F(GateTest, ActorWithoutANameNeedsARuleForAll) {
  Authorization rules = Authorization::Nothing();
  rules.Allow("guest", {Verb::kCall}, "box");
  Start(std::move(rules));
  const ActorRef<Put, Get> lent = far_.Call<Lend>().Wait().value();
  EXPECT_THAT(lent.Call<Get>().Wait().status(),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr("(without a name)")));
}

// The answer is the same, whether there is such an actor or not.
TEST_F(GateTest, WhoMayDoNothingWithANameIsNotToldWhatHasIt) {
  Authorization rules = Authorization::Nothing();
  rules.Allow("guest", {Verb::kCall}, "box");
  Start(std::move(rules));
  ASSERT_THAT(b_->node().Export("vault", box_), IsOk());
  const absl::Status there = a_->node().ResolveAndWait<Get>("vault@b").status();
  EXPECT_THAT(there, StatusIs(absl::StatusCode::kPermissionDenied,
                              AllOf(HasSubstr("'a', in the role 'guest'"),
                                    HasSubstr("\"vault\")"))));
  const absl::Status gone = a_->node().ResolveAndWait<Get>("vaulx@b").status();
  EXPECT_EQ(gone.message(),
            absl::StrReplaceAll(there.message(), {{"vault", "vaulx"}}));
  EXPECT_EQ(gone.code(), there.code());
  EXPECT_THAT(a_->node().ResolveAndWait<Get>("boxes@b").status(),
              StatusIs(absl::StatusCode::kNotFound));
}

// By the messages that were to be sent.
TEST_F(GateTest, RefusedResolveSaysWhatWouldAllowIt) {
  Authorization rules = Authorization::Nothing();
  rules.Allow("guest", {Verb::kCall}, "box");
  Start(std::move(rules));
  Node& a = a_->node();
  const auto resolving = [](absl::string_view verbs) {
    return StatusIs(absl::StatusCode::kPermissionDenied,
                    absl::StrCat("'a', in the role 'guest', may not resolve "
                                 "'vault' of 'b'; what would allow it there: "
                                 "Authorization::Allow(\"guest\", {",
                                 verbs, "}, \"vault\")"));
  };
  EXPECT_THAT(a.ResolveAndWait<Put>("vault@b").status(),
              resolving("Verb::kSend"));
  EXPECT_THAT(a.ResolveAndWait<Get>("vault@b").status(),
              resolving("Verb::kCall"));
  EXPECT_THAT((a.ResolveAndWait<Get, Put>("vault@b").status()),
              resolving("Verb::kSend, Verb::kCall"));
}

TEST_F(GateTest, RefusedKillAndStopChangeNothing) {
  Authorization rules;
  rules.Deny("guest", {Verb::kStop}, "box");
  Start(std::move(rules));
  far_.Kill();
  far_.Stop();
  far_.Drain();
  EXPECT_THAT(far_.Call<Get>().Wait(), IsOkAndHolds(0));
  EXPECT_THAT(far_.Wait(absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(box_.status(), ActorStatus::kRunning);
  box_.Kill();
  EXPECT_THAT(far_.Wait(), IsOk());
}

// At once, not when its patience ends; and nobody else hears of it.
TEST_F(GateTest, WhoWaitsForARefusedEndIsToldSo) {
  Authorization rules;
  rules.Deny("guest", {Verb::kStop}, "box");
  Start(std::move(rules));
  const auto waiter = a_->system().Spawn<Waiter>();
  auto other = waiter->Call<WaitFor>(far_).Start();
  const auto killer = a_->system().Spawn<Waiter>();
  for (const absl::Status& refused :
       {far_.KillAndWait().status(),
        killer->Call<WaitFor>(far_, /*kills=*/true).Wait()}) {
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kPermissionDenied,
                                  AllOf(HasSubstr("may not kill 'box'"),
                                        HasSubstr("{Verb::kKill}, \"box\")"))));
  }
  for (const absl::Status& refused :
       {far_.StopAndWait().status(), far_.DrainAndWait().status()}) {
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kPermissionDenied,
                                  AllOf(HasSubstr("may not stop 'box'"),
                                        HasSubstr("{Verb::kStop}, \"box\")"))));
  }
  EXPECT_EQ(box_.status(), ActorStatus::kRunning);
  box_.Kill();
  EXPECT_THAT(std::move(other).Wait(), IsOk());
}

TEST_F(GateTest, DefaultRefusesKillsAndLetsStop) {
  Start(Authorization());
  far_.Kill();
  EXPECT_THAT(far_.Call<Get>().Wait(), IsOkAndHolds(0));
  EXPECT_THAT(far_.StopAndWait(), IsOkAndHolds(ExitReason::Normal()));
}

TEST_F(GateTest, RefusedWatchersAreToldSo) {
  Authorization rules;
  rules.Deny("guest", {Verb::kWatch});
  Start(std::move(rules));
  Have(watcher_, [&](Person& person) { person.Monitor(far_); });
  EXPECT_THAT(NotesUntil(1),
              ElementsAre(AllOf(HasSubstr("down failed: PERMISSION_DENIED"),
                                HasSubstr("may not watch 'box'"))));
  watcher_ = a_->system().Spawn<Trapper>(journal_).value();
  Have(watcher_, [&](Person& person) { person.Link(far_); });
  EXPECT_THAT(NotesUntil(2).back(),
              HasSubstr("exit failed: PERMISSION_DENIED"));
  EXPECT_THAT(far_.Wait().status(),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr("may not watch 'box'")));
  const auto waiter = a_->system().Spawn<Waiter>();
  EXPECT_THAT(waiter->Call<WaitFor>(far_).Wait(),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_EQ(box_.status(), ActorStatus::kRunning);
}

// Who has a link may say that it fails, which ends the other one.
TEST_F(GateTest, LinkNeedsLeaveToStop) {
  Authorization rules;
  rules.Deny("guest", {Verb::kStop});
  Start(std::move(rules));
  Have(watcher_, [&](Person& person) { person.Monitor(far_); });
  const auto linked = a_->system().Spawn<Trapper>(journal_).value();
  Have(linked, [&](Person& person) { person.Link(far_); });
  EXPECT_THAT(NotesUntil(1),
              ElementsAre(AllOf(HasSubstr("exit failed: PERMISSION_DENIED"),
                                HasSubstr("may not stop 'box'"))));
  linked.Kill();
  EXPECT_THAT(far_.Call<Get>().Wait(), IsOkAndHolds(0));
  EXPECT_EQ(box_.status(), ActorStatus::kRunning);
}

TEST_F(GateTest, LinkThatBothWantIsNotRefused) {
  Authorization rules;
  rules.Deny("guest", {Verb::kWatch});
  Start(std::move(rules));
  b_->AwaitPeer("a");
  const Kin::Ref here = a_->system().Spawn<Kin>(std::ref(journal_)).value();
  Journal journal_there;
  const Kin::Ref there =
      b_->system().Spawn<Kin>(std::ref(journal_there)).value();
  ASSERT_THAT(a_->node().Export("here", ActorRef<Get>(here)), IsOk());
  ASSERT_THAT(b_->node().Export("there", ActorRef<Get>(there)), IsOk());
  const auto far_here = b_->node().ResolveAndWait<Get>("here@a").value();
  const auto far_there = a_->node().ResolveAndWait<Get>("there@b").value();
  EXPECT_THAT(there.Call<Tie>(far_here).Wait(), IsOk());
  EXPECT_THAT(far_here.Call<Get>().Wait(), IsOkAndHolds(0));
  EXPECT_THAT(here.Call<Tie>(far_there).Wait(), IsOk());
  // A refusal would come before the answer.
  EXPECT_THAT(far_there.Call<Get>().Wait(), IsOkAndHolds(0));
  there.Stop();
  while (journal_.lines().empty()) (void)here.Call<Get>().Wait();
  EXPECT_THAT(journal_.lines(), ElementsAre("exit normal"));
  EXPECT_TRUE(journal_there.lines().empty());
}

// Whatever the rules: without it nobody could be resolved, or started.
TEST_F(GateTest, NobodyEndsAReceptionist) {
  Start(Authorization::Everything());
  const AnyActorRef receptionist = b_->node().receptionist();
  struct Giver : Actor<Lend> {
    explicit Giver(AnyActorRef whom) : whom_(whom) {}
    ActorRef<Put, Get> Handle(Lend) {
      return ActorRef<Put, Get>(whom_.cell(), whom_.id().value());
    }
    const AnyActorRef whom_;
  };
  const Giver::Ref giver = b_->system().Spawn<Giver>(receptionist).value();
  ASSERT_THAT(b_->node().Export("giver", giver), IsOk());
  const ActorRef<Lend> far_giver =
      a_->node().ResolveAndWait<Lend>("giver@b").value();
  const ActorRef<Put, Get> far = far_giver.Call<Lend>().Wait().value();
  far.Kill();
  far.Stop();
  EXPECT_THAT(far_.Call<Get>().Wait(), IsOkAndHolds(0));
  EXPECT_THAT((a_->node().ResolveAndWait<Get>("box@b")), IsOk());
  EXPECT_EQ(receptionist.status(), ActorStatus::kRunning);
}

}  // namespace
}  // namespace troupe
