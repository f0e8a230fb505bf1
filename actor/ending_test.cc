// How actors end that have children, and how systems do, when somebody takes
// his time.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/held_time_executor.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

// What happened, in order; written by several threads.
class Log : public LogSink {
 public:
  void Add(std::string entry) {
    absl::MutexLock lock(&mu_);
    entries_.push_back(std::move(entry));
  }
  void Send(const LogEntry& entry) override {
    Add(std::string(entry.text_message()));
  }
  std::vector<std::string> entries() const {
    absl::MutexLock lock(&mu_);
    return entries_;
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<std::string> entries_ ABSL_GUARDED_BY(mu_);
};

struct Block {};
struct Work {};

// What blocks, and the test that it blocks for.
struct Barrier {
  absl::Notification entered;
  absl::Notification released;
};

class Child : public Actor<Block, Work> {
 public:
  Child(Log& log, Barrier& barrier, std::string name)
      : log_(log), barrier_(barrier), name_(std::move(name)) {}
  ~Child() { log_.Add(absl::StrCat(name_, " destroyed")); }
  void Handle(Block) {
    barrier_.entered.Notify();
    barrier_.released.WaitForNotification();
  }
  void Handle(Work) { log_.Add(absl::StrCat(name_, " worked")); }
  void PostStop(const ExitReason& reason) {
    log_.Add(absl::StrCat(name_, " PostStop ", reason.ToString()));
  }

 private:
  Log& log_;
  Barrier& barrier_;
  const std::string name_;
};

// A parent of "old", which is free, and "young", which blocks on a thread of
// its own.
class Parent : public Actor<Work> {
 public:
  Parent(Log& log, Barrier& barrier) : log_(log), barrier_(barrier) {}
  ~Parent() { log_.Add("parent destroyed"); }
  void PreStart() {
    Spawn<Child>(log_, barrier_, "old").value();
    SpawnInstant<Child>({.dedicated_thread = true}, std::ref(log_),
                        std::ref(barrier_), "young")
        .value()
        .Send<Block>();
  }
  void Handle(Work) {}
  void PostStop(const ExitReason& reason) {
    log_.Add(absl::StrCat("parent PostStop ", reason.ToString()));
  }

 private:
  Log& log_;
  Barrier& barrier_;
};

class Idle : public Actor<Work> {
 public:
  void Handle(Work) {}
};

// A system with one shared worker, whose time is held.
class EndingTest : public ::testing::Test {
 protected:
  void Start(ActorSystem::Options options) {
    auto held = std::make_unique<internal::HeldTimeExecutor>(
        // Its turns are in order: none is lent to another thread.
        ThreadExecutor::Options{.workers = 1,
                                .take_over_after = absl::InfiniteDuration()});
    executor_ = held.get();
    options.logger = Logger(&log_);
    system_ = ActorSystem::CreateOn(std::move(held), options);
  }

  // Returns when the shared worker has done all that it had to do.
  void Settle() {
    EXPECT_THAT(system_->Spawn<Idle>().value().StopAndWait(), IsOk());
  }

  // Spawns the parent; returns when it runs, and its younger child blocks.
  Parent::Ref SpawnParent() {
    Parent::Ref parent = system_->Spawn<Parent>(log_, barrier_).value();
    barrier_.entered.WaitForNotification();
    Settle();
    return parent;
  }

  void AwaitEntry(const std::string& entry) {
    executor_->RunUntil(
        [&] {
          const std::vector<std::string> entries = log_.entries();
          return std::find(entries.begin(), entries.end(), entry) !=
                 entries.end();
        },
        MonotonicTime::InfiniteFuture());
  }

  void AwaitFirstEntry() {
    executor_->RunUntil([this] { return !log_.entries().empty(); },
                        MonotonicTime::InfiniteFuture());
  }

  Log log_;
  Barrier barrier_;
  internal::HeldTimeExecutor* executor_ = nullptr;
  std::unique_ptr<ActorSystem> system_;
};

// §14: a child that does not stop within its time is killed; then comes the
// turn of its elder.
TEST_F(EndingTest, ChildThatTakesTooLongIsKilled) {
  Start({});
  internal::Endings endings(*system_);
  Parent::Ref parent = SpawnParent();
  parent.Stop();
  Settle();
  EXPECT_EQ(executor_->NextAlarm(),
            executor_->clock().Now() + absl::Seconds(5));
  executor_->Advance(absl::Seconds(5));
  Settle();
  EXPECT_EQ(parent.status(), ActorStatus::kStopping);
  barrier_.released.Notify();
  EXPECT_EQ(endings.Await(parent), ExitReason::Normal());
  EXPECT_THAT(log_.entries(),
              ElementsAre("parent PostStop normal", "young destroyed",
                          "old PostStop shutdown", "old destroyed",
                          "parent destroyed"));
}

// §14: one that stops in time does so gracefully, and each has a time of its
// own, which is an option of the system.
TEST_F(EndingTest, ChildrenHaveTimeToStopOneByOne) {
  Start({.child_stop_timeout = absl::Seconds(60)});
  internal::Endings endings(*system_);
  Parent::Ref parent = SpawnParent();
  parent.Stop();
  Settle();
  executor_->Advance(absl::Seconds(59));
  Settle();
  barrier_.released.Notify();
  EXPECT_EQ(endings.Await(parent), ExitReason::Normal());
  EXPECT_THAT(log_.entries(),
              ElementsAre("parent PostStop normal", "young PostStop shutdown",
                          "young destroyed", "old PostStop shutdown",
                          "old destroyed", "parent destroyed"));
  EXPECT_TRUE(system_->AwaitNoActors());  // It counts when all is given back.
  EXPECT_EQ(executor_->NextAlarm(), MonotonicTime::InfiniteFuture());
}

// §16: when its time is up a shutdown kills; when a handler does not return
// even so, it says whose, and leaves waiting to the destructor.
TEST_F(EndingTest, ShutdownNamesWhoDoesNotReturn) {
  Start({.shutdown_timeout = absl::Seconds(7)});
  Parent::Ref parent = SpawnParent();
  std::optional<absl::Status> status;
  absl::Notification returned;
  std::thread shutdown([&] {
    status = system_->Shutdown();
    returned.Notify();
  });
  AwaitFirstEntry();
  while (!returned.HasBeenNotified()) executor_->Advance(absl::Seconds(1));
  shutdown.join();
  EXPECT_THAT(*status,
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       AllOf(HasSubstr("Child #"), HasSubstr("does not end"))));
  EXPECT_EQ(parent.status(), ActorStatus::kStopping);
  EXPECT_THAT(system_->Spawn<Idle>(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  // The kill has reached the children, the young one first.
  AwaitEntry("old destroyed");
  barrier_.released.Notify();
  system_.reset();
  EXPECT_THAT(log_.entries(),
              UnorderedElementsAre("parent PostStop shutdown", "old destroyed",
                                   "young destroyed", "parent destroyed"));
}

// §16: the destructor warns, and waits for as long as a handler does not
// return.
TEST_F(EndingTest, DestructorWaitsForHandlers) {
  Start({});
  SpawnParent();
  std::thread destroyer([&] {
    system_.reset();
    log_.Add("system destroyed");
  });
  AwaitFirstEntry();
  const auto warned = [&] {
    return absl::StrJoin(log_.entries(), "\n").find("does not end") !=
           std::string::npos;
  };
  while (!warned()) executor_->Advance(absl::Seconds(1));
  // The kill has reached the children, the young one first.
  AwaitEntry("old destroyed");
  barrier_.released.Notify();
  destroyer.join();
  std::vector<std::string> entries = log_.entries();
  // It warns again and again, for as long as time passes.
  std::erase_if(entries, [](const std::string& entry) {
    return entry.find("does not end") != std::string::npos;
  });
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_THAT(entries, Contains("young destroyed"));
  EXPECT_EQ(entries[3], "parent destroyed");
  EXPECT_EQ(entries[4], "system destroyed");
}

// Ends its children itself before the runtime would.
class TakesCare : public Actor<Work> {
 public:
  TakesCare(Log& log, Barrier& barrier) : log_(log), barrier_(barrier) {}
  ~TakesCare() { log_.Add("parent destroyed"); }
  void PreStart() {
    for (const char* name : {"a", "b"}) {
      Spawn<Child>(log_, barrier_, name).value();
    }
  }
  void Handle(Work) {}
  void PostStop(const ExitReason&) {
    log_.Add("parent PostStop");
    for (const AnyActorRef& child : children()) {
      child.Stop(ExitReason::Normal("cared for"));
    }
  }

 private:
  Log& log_;
  Barrier& barrier_;
};

class EndingHooksTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, EndingHooksTest, internal::AllExecutors());

// R-066: what PostStop asks of the children counts, and the parent's end waits
// for theirs.
TEST_P(EndingHooksTest, PostStopMayStopTheChildrenItself) {
  Log log;
  Barrier barrier;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  TakesCare::Ref parent = system->Spawn<TakesCare>(log, barrier).value();
  EXPECT_THAT(parent.StopAndWait(), IsOkAndHolds(ExitReason::Normal()));
  const std::vector<std::string> entries = log.entries();
  ASSERT_EQ(entries.size(), 6u);
  EXPECT_EQ(entries.front(), "parent PostStop");
  EXPECT_EQ(entries.back(), "parent destroyed");
  EXPECT_THAT(entries, ::testing::IsSupersetOf(
                           {"a PostStop normal (cared for)", "a destroyed",
                            "b PostStop normal (cared for)", "b destroyed"}));
}

}  // namespace
}  // namespace troupe
