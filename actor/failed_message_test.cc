// At which message an actor failed, whatever form its handler has.
#include <memory>
#include <stdexcept>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"

namespace troupe {
namespace {

using ::testing::EndsWith;

struct ReturnStatus {};
struct Throw {};
struct ThrowInRequest {
  using Reply = void;
};
struct ReturnStatusLater {};
struct CallFailAndWait {};
struct CallFailInRequest {
  using Reply = void;
};
struct Tick {};
struct StartTicking {};
struct Fine {};

class Fragile : public Actor<ReturnStatus, Throw, ThrowInRequest,
                             ReturnStatusLater, CallFailAndWait,
                             CallFailInRequest, Tick, StartTicking, Fine> {
 public:
  absl::Status Handle(ReturnStatus) { return absl::DataLossError("lost"); }
  void Handle(Throw) { throw std::runtime_error("thrown"); }
  void Handle(ThrowInRequest) { throw std::runtime_error("thrown"); }
  Task<absl::Status> Handle(ReturnStatusLater) {
    co_await Sleep(absl::Milliseconds(1));
    co_return absl::DataLossError("lost");
  }
  Task<> Handle(CallFailAndWait) {
    co_await Sleep(absl::Milliseconds(1));
    Fail(absl::DataLossError("lost"));
    co_await Sleep(absl::InfiniteDuration());
  }
  void Handle(CallFailInRequest) { Fail(absl::DataLossError("lost")); }
  absl::Status Handle(Tick) { return absl::DataLossError("lost"); }
  void Handle(StartTicking) { SendAfter<Tick>(absl::Milliseconds(1)); }
  void Handle(Fine) {}
};

class FailedMessageTest : public internal::SystemTest {
 protected:
  // The message that fails an actor which is sent an M between two others.
  template <typename M>
  std::string FailedBy() {
    const Fragile::Ref actor = system_->Spawn<Fragile>().value();
    actor.Send<Fine>();
    actor.Send<M>();
    actor.Send<Fine>();
    return Blamed(actor);
  }

  std::string Blamed(const Fragile::Ref& actor) {
    return std::string(endings_.Await(actor).message_type());
  }

  std::unique_ptr<ActorSystem> system_ = MakeSystem();
  internal::Endings endings_{*system_};
};

INSTANTIATE_TEST_SUITE_P(Executors, FailedMessageTest,
                         internal::AllExecutors());

// §7
TEST_P(FailedMessageTest, IsTheOneWhoseHandlerFailed) {
  EXPECT_THAT(FailedBy<ReturnStatus>(), EndsWith("ReturnStatus"));
  EXPECT_THAT(FailedBy<Throw>(), EndsWith("Throw"));
  EXPECT_THAT(FailedBy<StartTicking>(), EndsWith("Tick"));
}

// §7
TEST_P(FailedMessageTest, IsTheRequestThatFailedItsActor) {
  const Fragile::Ref throws = system_->Spawn<Fragile>().value();
  EXPECT_FALSE(throws.Call<ThrowInRequest>().Wait().ok());
  EXPECT_THAT(Blamed(throws), EndsWith("ThrowInRequest"));

  const Fragile::Ref fails = system_->Spawn<Fragile>().value();
  EXPECT_TRUE(fails.Call<CallFailInRequest>().Wait().ok());
  EXPECT_THAT(Blamed(fails), EndsWith("CallFailInRequest"));
}

// §7
TEST_P(FailedMessageTest, IsTheOneOfTheCoroutineThatFailed) {
  EXPECT_THAT(FailedBy<ReturnStatusLater>(), EndsWith("ReturnStatusLater"));
  EXPECT_THAT(FailedBy<CallFailAndWait>(), EndsWith("CallFailAndWait"));
}

class FailsInHook : public Actor<Fine> {
 public:
  void Handle(Fine) { StopSelf(); }
  void PostStop(const ExitReason&) { Fail(absl::DataLossError("lost")); }
};

// §7: a hook is no message, though one came before.
TEST_P(FailedMessageTest, IsNoneWhenAHookFailed) {
  const FailsInHook::Ref actor = system_->Spawn<FailsInHook>().value();
  actor.Send<Fine>();
  const ExitReason reason = endings_.Await(actor);
  EXPECT_EQ(reason, ExitReason::Failed(absl::DataLossError("lost")));
  EXPECT_EQ(reason.message_type(), "");
}

}  // namespace
}  // namespace troupe
