// Hooks that are coroutines, and what ends them while they are suspended:
// clauses 5, 8 and 10 to 14 of docs/semantics.md.
#include <atomic>
#include <cstdint>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::troupe::internal::Do;
using ::troupe::internal::Gate;
using ::troupe::internal::Open;
using ::troupe::internal::Pass;
using ::troupe::internal::Script;
using ::troupe::internal::Tracked;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

enum class Hook { kPreStart, kPostStart, kHandle, kOnChild, kPostStop };
constexpr Hook kHooks[] = {Hook::kPreStart, Hook::kPostStart, Hook::kHandle,
                           Hook::kOnChild, Hook::kPostStop};
const char* NameOf(Hook hook) {
  static constexpr const char* kNames[] = {"PreStart", "PostStart", "Handle",
                                           "OnChild", "PostStop"};
  return kNames[static_cast<int>(hook)];
}

// What all actors of a test share.
struct Stage {
  ActorRef<Pass> gate;
  // Who waits at the gate, so many times.
  Hook waits = Hook::kHandle;
  int times = 1;
  bool fails = false;  // Then.
  std::vector<std::string> log;
  std::atomic<int> living{0};  // Frames and actors.
};

// Has a child that ends, and a hook or handler that waits.
class Hooked : public Actor<Do> {
 public:
  explicit Hooked(Stage& stage) : stage_(stage), tracked_(stage.living) {}

  Task<absl::Status> PreStart() { return Act(Hook::kPreStart); }
  Task<absl::Status> PostStart() { return Act(Hook::kPostStart); }
  Task<absl::Status> Handle(Do) {
    // From here on a child has something to say.
    Spawn<Script>().value().Stop();
    return Act(Hook::kHandle);
  }
  Task<absl::Status> OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kStarted) return Nothing();
    return Act(Hook::kOnChild);
  }
  Task<absl::Status> PostStop(const ExitReason& reason) {
    stage_.log.push_back(reason.ToString());
    return Act(Hook::kPostStop);
  }

 private:
  static Task<absl::Status> Nothing() { co_return absl::OkStatus(); }
  Task<absl::Status> Act(Hook hook) {
    const Tracked frame(stage_.living);
    stage_.log.push_back(absl::StrCat(NameOf(hook), " began"));
    if (hook == stage_.waits) {
      for (int i = 0; i < stage_.times; ++i) {
        (void)co_await stage_.gate.Call<Pass>().Within(
            absl::InfiniteDuration());
      }
      if (stage_.fails) throw std::runtime_error("broken");
    }
    stage_.log.push_back(absl::StrCat(NameOf(hook), " ended"));
    co_return absl::OkStatus();
  }

  Stage& stage_;
  Tracked tracked_;
};

class HookSuspensionTest : public internal::CallsTest {
 protected:
  HookSuspensionTest() { stage_.gate = gate_; }

  // Brings a new actor to where `waits` is suspended for the n-th time.
  Hooked::Ref SuspendIn(Hook waits, int n = 1, int times = 1) {
    stage_.waits = waits;
    stage_.times = times;
    stage_.log.clear();
    const auto actor = system_->SpawnInstant<Hooked>(std::ref(stage_)).value();
    actor.Send<Do>([] {});
    executor_->RunUntilIdle();
    if (waits == Hook::kPostStop) {
      actor.Stop();
      executor_->RunUntilIdle();
    }
    for (; n > 1; --n) OpenGate();
    EXPECT_EQ(stage_.log.back(), absl::StrCat(NameOf(waits), " began"));
    EXPECT_NE(actor.status(), ActorStatus::kStopped);
    return actor;
  }
  void OpenGate() {
    gate_.Send<Open>();
    executor_->RunUntilIdle();
  }

  Gate::Ref gate_ = Spawn<Gate>();
  Stage stage_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, HookSuspensionTest, internal::SomeSeeds());

// §5, §8: each goes on where it was, and all in their order.
TEST_P(HookSuspensionTest, HooksRunInOrderWhicheverWaits) {
  for (const Hook hook : kHooks) {
    SCOPED_TRACE(NameOf(hook));
    internal::Endings endings(*system_);
    const auto actor = SuspendIn(hook, /*n=*/2, /*times=*/2);
    OpenGate();
    actor.Stop();
    EXPECT_EQ(endings.Await(actor), ExitReason::Normal());
    EXPECT_THAT(
        stage_.log,
        ElementsAre("PreStart began", "PreStart ended", "PostStart began",
                    "PostStart ended", "Handle began", "Handle ended",
                    "OnChild began", "OnChild ended", "normal",
                    "PostStop began", "PostStop ended"));
    EXPECT_EQ(stage_.living, 0);
  }
}

// §12: at each suspension of each
// hook.
TEST_P(HookSuspensionTest, KillEndsWhateverIsSuspended) {
  for (const Hook hook : kHooks) {
    for (const int n : {1, 2, 3}) {
      SCOPED_TRACE(absl::StrCat(NameOf(hook), " ", n));
      internal::Endings endings(*system_);
      const auto actor = SuspendIn(hook, n, /*times=*/3);
      actor.Kill();
      executor_->RunUntilIdle();
      EXPECT_EQ(actor.status(), ActorStatus::kStopped);
      EXPECT_EQ(stage_.living, 0);
      EXPECT_EQ(stage_.log.back(), absl::StrCat(NameOf(hook), " began"));
      if (hook != Hook::kPreStart) {
        EXPECT_EQ(endings.Await(actor), ExitReason::Killed());
      }
      // What answers now meets nobody.
      OpenGate();
      EXPECT_EQ(stage_.log.back(), absl::StrCat(NameOf(hook), " began"));
    }
  }
}

// §11: a stop lets it finish, then PostStop runs; messages are refused at once.
TEST_P(HookSuspensionTest, StopLetsWhateverIsSuspendedFinish) {
  for (const Hook hook : kHooks) {
    SCOPED_TRACE(NameOf(hook));
    const uint64_t letters = system_->dead_letters();
    const auto actor = SuspendIn(hook);
    actor.Stop(ExitReason::Normal("told to"));
    actor.Send<Do>([] {});
    executor_->RunUntilIdle();
    // Before it handles messages, the first one waits, too.
    const bool starts = hook == Hook::kPreStart || hook == Hook::kPostStart;
    EXPECT_EQ(system_->dead_letters(), letters + (starts ? 2 : 1));
    EXPECT_EQ(stage_.log.back(), absl::StrCat(NameOf(hook), " began"));
    OpenGate();
    EXPECT_EQ(actor.status(), ActorStatus::kStopped);
    EXPECT_EQ(stage_.log.back(), "PostStop ended");
    EXPECT_EQ(stage_.living, 0);
  }
}

// §13: a drain handles what was admitted when it has finished.
TEST_P(HookSuspensionTest, DrainHandlesWhatTheStartHeldUp) {
  for (const Hook hook : {Hook::kPreStart, Hook::kPostStart}) {
    SCOPED_TRACE(NameOf(hook));
    const auto actor = SuspendIn(hook);
    actor.Drain();
    executor_->RunUntilIdle();
    EXPECT_EQ(stage_.log.back(), absl::StrCat(NameOf(hook), " began"));
    OpenGate();
    EXPECT_EQ(actor.status(), ActorStatus::kStopped);
    EXPECT_THAT(stage_.log, ::testing::Contains("Handle ended"));
    EXPECT_THAT(stage_.log, ::testing::Contains("drained"));
    EXPECT_EQ(system_->dead_letters(), 0u);
  }
}

// §6, §7: what it throws when it goes on fails the actor.
TEST_P(HookSuspensionTest, HookThatThrowsLaterFailsTheActor) {
  stage_.fails = true;
  for (const Hook hook : kHooks) {
    SCOPED_TRACE(NameOf(hook));
    internal::Endings endings(*system_);
    const auto actor = SuspendIn(hook, /*n=*/2, /*times=*/2);
    OpenGate();
    EXPECT_EQ(actor.status(), ActorStatus::kStopped);
    if (hook != Hook::kPreStart) {
      const ExitReason reason = endings.Await(actor);
      EXPECT_EQ(reason.kind(), ExitReason::Kind::kFailed);
      EXPECT_THAT(reason.status(), StatusIs(absl::StatusCode::kUnknown,
                                            ::testing::HasSubstr("broken")));
    }
    EXPECT_EQ(stage_.log.back(), absl::StrCat(NameOf(hook), " began"));
    EXPECT_EQ(stage_.living, 0);
  }
}

// Has a child that waits.
class Parent : public Actor<Do> {
 public:
  explicit Parent(Stage& stage) : stage_(stage) {}
  void PreStart() {
    SpawnInstant<Hooked>(std::ref(stage_)).value().Send<Do>([] {});
  }
  void Handle(Do&& m) { m.body(); }

 private:
  Stage& stage_;
};

// §14: a child that waits for ever is killed after 5 s; a parent's kill does
// not wait.
TEST_P(HookSuspensionTest, ChildThatWaitsForEverIsKilled) {
  for (const Hook hook : kHooks) {
    for (const bool kill : {false, true}) {
      SCOPED_TRACE(absl::StrCat(NameOf(hook), kill));
      stage_.waits = hook;
      const auto parent = system_->Spawn<Parent>(stage_).value();
      executor_->RunUntilIdle();
      const MonotonicTime before = executor_->clock().Now();
      kill ? parent.Kill() : parent.Stop();
      EXPECT_THAT(parent.Wait(), IsOk());
      EXPECT_EQ(executor_->clock().Now() - before,
                kill ? absl::ZeroDuration() : absl::Seconds(5));
      EXPECT_EQ(stage_.living, 0);
    }
  }
}

// Answers nobody, and drops no duty when it ends.
class Keeper : public Actor<Pass> {
 public:
  explicit Keeper(std::vector<ReplyTo<int>>& kept) : kept_(kept) {}
  void Handle(Pass, ReplyTo<int> reply) { kept_.push_back(std::move(reply)); }

 private:
  std::vector<ReplyTo<int>>& kept_;
};

// §16: the system's end kills what waits for ever, after its time.
TEST_P(HookSuspensionTest, ShutdownEndsWhateverIsSuspended) {
  std::vector<ReplyTo<int>> kept;
  stage_.gate = system_->Spawn<Keeper>(kept).value();
  for (const Hook hook : kHooks) (void)SuspendIn(hook);
  const MonotonicTime before = executor_->clock().Now();
  EXPECT_THAT(system_->Shutdown(absl::Seconds(3)), IsOk());
  EXPECT_EQ(executor_->clock().Now() - before, absl::Seconds(3));
  EXPECT_EQ(stage_.living, 0);
  EXPECT_THAT(kept, ::testing::SizeIs(std::size(kHooks)));
}

}  // namespace
}  // namespace troupe
