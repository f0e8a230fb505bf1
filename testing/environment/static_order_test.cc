// Systems, references and what else a program may keep in statics and
// thread-locals, which end in each order. Each test has a process of its own
// that leaves main(); what goes last says that it came so far.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/pinned_thread.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/thread_factory.h"
#include "troupe/testing/environment/environment_testing.h"
#include "troupe/troupe.h"

namespace troupe::testing {
namespace {

using ::testing::ExitedWithCode;

// Where expectations are counted no more.
void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::_Exit(3);
}

std::unique_ptr<ActorSystem>& StaticSystem() {
  static std::unique_ptr<ActorSystem> system =
      CreateSystem({.workers = 2}).value();
  return system;
}

// In its destructor it uses an actor as long as that can be.
class User {
 public:
  User() = default;
  User(const User&) = delete;
  User& operator=(const User&) = delete;

  // From now on it has an actor, whose system goes before it or after it.
  void Use(const Adder::Ref& adder, bool outlives_system) {
    adder_ = adder;
    outlives_system_ = outlives_system;
  }

  ~User() {
    adder_.Send<Add>(2);
    const absl::StatusOr<int64_t> total = adder_.Call<Total>().Wait();
    if (!outlives_system_) {
      Require(total.ok() && *total == 2, "the actor answers");
      Require(adder_.StopAndWait().ok(), "the actor ends");
    } else {
      Require(absl::IsNotFound(total.status()), "there is no actor");
      Require(adder_.status() == ActorStatus::kStopped, "it has stopped");
      Require(adder_.StopAndWait().ok(), "nothing is to be waited for");
    }
    std::fputs("user gone", stderr);
  }

 private:
  Adder::Ref adder_;
  bool outlives_system_ = false;
};

User& StaticUser() {
  static User user;
  return user;
}
User& ThreadsUser() {
  static thread_local User user;
  return user;
}

TEST(StaticOrderDeathTest, UserGoesBeforeItsSystem) {
  EXPECT_EXIT(RunAsChild([] {
                StaticSystem();
                StaticUser().Use(StaticSystem()->Spawn<Adder>().value(),
                                 /*outlives_system=*/false);
              }),
              ExitedWithCode(0), "user gone");
}

TEST(StaticOrderDeathTest, UserGoesAfterItsSystem) {
  EXPECT_EXIT(RunAsChild([] {
                StaticUser();
                StaticUser().Use(StaticSystem()->Spawn<Adder>().value(),
                                 /*outlives_system=*/true);
              }),
              ExitedWithCode(0), "user gone");
}

// Those of the main thread go before all statics.
TEST(StaticOrderDeathTest, ThreadLocalGoesBeforeTheSystem) {
  EXPECT_EXIT(RunAsChild([] {
                ThreadsUser().Use(StaticSystem()->Spawn<Adder>().value(),
                                  /*outlives_system=*/false);
              }),
              ExitedWithCode(0), "user gone");
}

// Made before the caches of its thread, it goes after them.
TEST(StaticOrderDeathTest, ThreadLocalOutlivesTheCachesOfItsThread) {
  EXPECT_EXIT(
      RunAsChild([] {
        const auto thread =
            RealThreadFactory()
                .Start("t",
                       [] {
                         User& user = ThreadsUser();
                         for (int i = 0; i < 1000; ++i) {
                           StaticSystem()->Spawn<Adder>().value().Send<Add>(1);
                         }
                         user.Use(StaticSystem()->Spawn<Adder>().value(),
                                  /*outlives_system=*/false);
                       })
                .value();
        thread->Join();
      }),
      ExitedWithCode(0), "user gone");
}

TEST(StaticOrderDeathTest, ThreadLocalOutlivesTheSystem) {
  EXPECT_EXIT(RunAsChild([] {
                auto system = CreateSystem({.workers = 2}).value();
                const auto thread =
                    RealThreadFactory()
                        .Start("t",
                               [&system] {
                                 ThreadsUser().Use(
                                     system->Spawn<Adder>().value(),
                                     /*outlives_system=*/true);
                                 system = nullptr;
                               })
                        .value();
                thread->Join();
              }),
              ExitedWithCode(0), "user gone");
}

struct Handles {
  PinnedThread thread;
  Subscription subscription;
  std::optional<StartedCall<Total>> call;

  ~Handles() {
    if (!call.has_value()) return;
    const absl::StatusOr<int64_t> total = (*std::move(call)).Wait();
    Require(total.ok() || absl::IsAborted(total.status()), "it has an outcome");
    std::fputs("handles gone", stderr);
  }
};

Handles& StaticHandles() {
  static Handles handles;
  return handles;
}

TEST(StaticOrderDeathTest, HandlesOutliveTheirSystem) {
  EXPECT_EXIT(RunAsChild([] {
                Handles& handles = StaticHandles();
                ActorSystem& system = *StaticSystem();
                handles.thread = system.StartThread("own").value();
                handles.subscription =
                    system.Subscribe<ActorEnded>([](const ActorEnded&) {});
                const auto adder = system.Spawn<Adder>(
                    {.name = "adder", .thread = handles.thread});
                handles.call = adder.value().Call<Total>().Start();
              }),
              ExitedWithCode(0), "handles gone");
}

struct Ping {};

// Sends itself a message in each turn.
class Restless : public Actor<Ping> {
 public:
  explicit Restless(Event* begun) : begun_(begun) {}
  void Handle(Ping) {
    begun_->Set();
    self().Send<Ping>();
  }

 private:
  Event* const begun_;
};

// Nobody ends it: its threads run while the process does what main() left.
TEST(StaticOrderDeathTest, SystemThatIsNeverEndedMayBeAtWork) {
  EXPECT_EXIT(RunAsChild([] {
                static Event* const begun = new Event;
                static ActorSystem* const system =
                    CreateSystem({.workers = 2}).value().release();
                for (int i = 0; i < 10; ++i) {
                  system->Spawn<Restless>(begun).value().Send<Ping>();
                }
                StaticUser().Use(system->Spawn<Adder>().value(),
                                 /*outlives_system=*/false);
                Require(begun->WaitWithTimeout(absl::InfiniteDuration()),
                        "they run");
              }),
              ExitedWithCode(0), "user gone");
}

}  // namespace
}  // namespace troupe::testing
