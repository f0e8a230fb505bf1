#include "troupe/actor/actor.h"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

std::unique_ptr<ActorSystem> DeterministicSystem() {
  return ActorSystem::CreateOn(std::make_unique<DeterministicExecutor>(
                                   DeterministicExecutor::Options{.seed = 1}),
                               {});
}

struct Add {
  int value;
};
struct Finish {};

class Collector : public Actor<Add, Finish> {
 public:
  explicit Collector(std::vector<int>& seen) : seen_(seen) {}
  void Handle(Add m) { seen_.push_back(m.value); }
  void Handle(const Finish&) { StopSelf(); }

 private:
  std::vector<int>& seen_;
};

// §17: one sender's messages arrive in the order sent.
TEST(ActorTest, HandlesMessagesInTheOrderSent) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = DeterministicSystem();
  ActorRef<Add, Finish> collector = system->Spawn<Collector>(seen).value();

  for (int i = 0; i < 5; ++i) collector.Send<Add>(i);
  collector.Send<Finish>();

  EXPECT_THAT(collector.Wait(), IsOkAndHolds(ExitReason::Normal()));
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4));
}

// §17: urgent messages overtake.
TEST(ActorTest, UrgentMessagesOvertake) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = DeterministicSystem();
  ActorRef<Add, Finish> collector = system->Spawn<Collector>(seen).value();

  collector.Send<Add>(1);
  collector.Send<Add>(2);
  collector.SendUrgent<Add>(3);
  collector.Drain();

  EXPECT_THAT(collector.Wait(), IsOkAndHolds(ExitReason::Drained()));
  EXPECT_THAT(seen, ElementsAre(3, 1, 2));
}

TEST(ActorTest, CanBeCalledAsAPlainObject) {
  std::vector<int> seen;
  Collector collector(seen);
  collector.Handle(Add{7});
  EXPECT_THAT(seen, ElementsAre(7));
}

TEST(ActorTest, SpawnTakesOptionsFromAVariable) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = DeterministicSystem();
  SpawnOptions options;
  options.mailbox = {.messages = 1, .policy = OverflowPolicy::kReject};
  ActorRef<Add, Finish> spawned =
      system->Spawn<Collector>(options, seen).value();
  ActorRef<Add, Finish> instant =
      system->SpawnInstant<Collector>(options, std::ref(seen)).value();

  for (const ActorRef<Add, Finish>& collector : {spawned, instant}) {
    EXPECT_EQ(collector.TrySend(Add{1}), SendResult::kSent);
    EXPECT_EQ(collector.TrySend(Add{2}), SendResult::kMailboxFull);
  }
}

struct Explode {};

class Bomb : public Actor<Explode> {
 public:
  void Handle(Explode) { throw std::runtime_error("boom"); }
};

// §7: what a handler throws fails the actor, and nothing else.
TEST(ActorTest, ThrowingHandlerFailsTheActor) {
  std::unique_ptr<ActorSystem> system = DeterministicSystem();
  ActorRef<Explode> bomb = system->Spawn<Bomb>().value();
  bomb.Send<Explode>();

  EXPECT_THAT(
      bomb.Wait(),
      IsOkAndHolds(ExitReason::Failed(absl::UnknownError("exception: boom"))));
  EXPECT_EQ(bomb.status(), ActorStatus::kStopped);
}

class Diligent : public Actor<Add> {
 public:
  explicit Diligent(std::vector<std::string>& log) : log_(log) {}
  void PreStart() { StopSelf(); }
  void PostStart() { log_.push_back("PostStart"); }
  void Handle(Add) { log_.push_back("Add"); }
  void PostStop(const ExitReason& reason) { log_.push_back(reason.ToString()); }

 private:
  std::vector<std::string>& log_;
};

// A stop in PreStart: the actor starts, handles nothing, and stops in order.
TEST(ActorTest, StopBeforePostStartLetsTheActorStartFirst) {
  std::vector<std::string> log;
  std::unique_ptr<ActorSystem> system = DeterministicSystem();
  ActorRef<Add> diligent = system->Spawn<Diligent>(log).value();
  diligent.Send<Add>(1);

  EXPECT_THAT(diligent.Wait(), IsOkAndHolds(ExitReason::Normal()));
  EXPECT_THAT(log, ElementsAre("PostStart", "normal"));
}

class SaysWhy : public Actor<Add> {
 public:
  explicit SaysWhy(std::string& why) : why_(why) {}
  void Handle(Add) {}
  void PostStop(const ExitReason& reason) { why_ = reason.ToString(); }

 private:
  std::string& why_;
};

// §11: a stop runs PostStop, also one that names a failure.
TEST(ActorTest, StopIsGracefulWhateverItsReason) {
  std::string why;
  std::unique_ptr<ActorSystem> system = DeterministicSystem();
  ActorRef<Add> actor = system->Spawn<SaysWhy>(why).value();

  EXPECT_THAT(actor.StopAndWait(ExitReason::Failed(absl::DataLossError("it"))),
              IsOkAndHolds(ExitReason::Normal("failed: DATA_LOSS: it")));
  EXPECT_EQ(why, "normal (failed: DATA_LOSS: it)");
}

// §11: a stop closes admission at once; what waited becomes a dead letter.
TEST(ActorTest, StoppedActorRefusesAndLosesMessagesLoudly) {
  std::vector<int> seen;
  std::unique_ptr<ActorSystem> system = DeterministicSystem();
  std::vector<DeadLetter::Reason> dead;
  Subscription subscription = system->Subscribe<DeadLetter>(
      [&](const DeadLetter& letter) { dead.push_back(letter.reason); });
  ActorRef<Add, Finish> collector = system->Spawn<Collector>(seen).value();

  collector.Send<Add>(1);
  collector.Stop();
  EXPECT_EQ(collector.TrySend(Add{2}), SendResult::kStopped);
  EXPECT_THAT(collector.Wait(), IsOkAndHolds(ExitReason::Normal()));
  EXPECT_EQ(collector.TrySend(Add{3}), SendResult::kNoActor);
  collector.Send<Add>(4);

  EXPECT_THAT(seen, ElementsAre());
  EXPECT_THAT(dead, ElementsAre(DeadLetter::Reason::kStopped,
                                DeadLetter::Reason::kNoActor));
}

}  // namespace
}  // namespace troupe
