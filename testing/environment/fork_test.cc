// What fork() does to a process with a running system: the parent goes on, the
// child can exec, and everything else in it fails with words, not with a hang.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <string>
#include <thread>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/cond_var.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/testing/environment/environment_testing.h"
#include "troupe/testing/status_matchers.h"

namespace {
bool is_child = false;
}  // namespace

// LeakSanitizer asks it, where there is one: in a child it would look for
// threads that only the parent has, and take what they refer to for leaked.
extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() { return is_child; }

namespace troupe::testing {
namespace {

// How a child ended, and what it wrote to stderr.
struct Ended {
  int status = -1;
  std::string text;

  bool Exited(int code) const {
    return WIFEXITED(status) && WEXITSTATUS(status) == code;
  }
  bool AbortedSaying(absl::string_view words) const {
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
           absl::StrContains(text, words);
  }
};
std::ostream& operator<<(std::ostream& os, const Ended& ended) {
  return os << "status " << ended.status << ": " << ended.text;
}

// A child made by fork(): both processes go on behind the constructor. In the
// child stderr goes to the parent, and a hang ends by SIGALRM.
class Child {
 public:
  Child() {
    EXPECT_EQ(pipe(ends_), 0);
    pid_ = fork();
    if (!is_this()) {
      close(ends_[1]);
      return;
    }
    is_child = true;
    dup2(ends_[1], STDERR_FILENO);
    close(ends_[0]);
    close(ends_[1]);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, nullptr);
    alarm(20);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool is_this() const { return pid_ == 0; }

  // In the parent.
  Ended Join() {
    Ended ended;
    char buffer[512];
    ssize_t bytes;
    while ((bytes = read(ends_[0], buffer, sizeof(buffer))) > 0) {
      ended.text.append(buffer, bytes);
    }
    close(ends_[0]);
    EXPECT_EQ(waitpid(pid_, &ended.status, 0), pid_);
    return ended;
  }

 private:
  int ends_[2] = {-1, -1};
  pid_t pid_ = -1;
};

// Forks. The child ends with 0 if `body` returns true, with 1 if false.
Ended InChild(absl::FunctionRef<bool()> body) {
  Child child;
  if (child.is_this()) _exit(body() ? 0 : 1);
  return child.Join();
}

bool RefusesChild(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) &&
         absl::StrContains(absl::string_view(status.message()), "fork()");
}

constexpr absl::string_view kParentsThreads =
    "this process is a child of fork(), and the executor's threads are its "
    "parent's";

// A system at work when fork() is called. Afterwards that of the parent must be
// as before.
class ForkTest : public ::testing::Test {
 protected:
  ForkTest()
      : system_(ActorSystem::Create({.workers = 2}).value()),
        adder_(system_->Spawn<Adder>().value()) {
    adder_.Send<Add>(1);
  }
  ~ForkTest() override {
    adder_.Send<Add>(2);
    EXPECT_THAT(adder_.Call<Total>().Wait(), IsOkAndHolds(3));
    EXPECT_THAT(system_->Shutdown(), IsOk());
  }

  std::unique_ptr<ActorSystem> system_;
  const Adder::Ref adder_;
};

TEST_F(ForkTest, ChildMayExec) {
  const Ended ended = InChild([] {
    execl("/bin/sh", "sh", "-c", "exit 7", nullptr);
    return false;
  });
  EXPECT_TRUE(ended.Exited(7)) << ended;
}

TEST_F(ForkTest, ChildMayExit) {
  const Ended ended = InChild([]() -> bool { std::exit(7); });
  EXPECT_TRUE(ended.Exited(7)) << ended;
}

TEST_F(ForkTest, DestructorReturnsInTheChild) {
  const Ended ended = InChild([this] {
    system_ = nullptr;
    std::exit(7);
    return true;
  });
  EXPECT_TRUE(ended.Exited(7)) << ended;
}

TEST_F(ForkTest, SpawnFailsInTheChild) {
  const Ended ended = InChild([this] {
    return RefusesChild(system_->Spawn<Adder>().status()) &&
           RefusesChild(system_->SpawnInstant<Adder>().status()) &&
           RefusesChild(system_->StartThread("own").status());
  });
  EXPECT_TRUE(ended.Exited(0)) << ended;
}

TEST_F(ForkTest, ShutdownFailsInTheChild) {
  const Ended ended =
      InChild([this] { return RefusesChild(system_->Shutdown()); });
  EXPECT_TRUE(ended.Exited(0)) << ended;
}

TEST_F(ForkTest, ChildGetsNoSystemOfItsOwn) {
  const Ended ended =
      InChild([] { return RefusesChild(ActorSystem::Create().status()); });
  EXPECT_TRUE(ended.Exited(0)) << ended;
}

// Abseil has locks of its own, which stay locked in the child if some thread of
// the parent has them.
TEST_F(ForkTest, ChildIsToldWhateverIsLocked) {
  std::atomic<bool> is_over = false;
  std::thread locks([&is_over] {
    while (!is_over.load(std::memory_order_relaxed)) {
      absl::Mutex mu;
      absl::MutexLock lock(&mu);
    }
  });
  for (int i = 0; i < 100 && !HasFailure(); ++i) {
    const Ended ended =
        InChild([] { return RefusesChild(ActorSystem::Create().status()); });
    EXPECT_TRUE(ended.Exited(0)) << ended;
  }
  is_over.store(true, std::memory_order_relaxed);
  locks.join();
}

TEST_F(ForkTest, CallAbortsInTheChild) {
  const Ended ended =
      InChild([this] { return adder_.Call<Total>().Wait().ok(); });
  EXPECT_TRUE(ended.AbortedSaying(kParentsThreads)) << ended;
}

TEST_F(ForkTest, WaitingForAnActorAbortsInTheChild) {
  const Ended ended = InChild([this] { return adder_.StopAndWait().ok(); });
  EXPECT_TRUE(ended.AbortedSaying(kParentsThreads)) << ended;
}

// Whether it must wake a worker, which aborts, is up to what that did when
// fork() was called.
TEST_F(ForkTest, SendDoesNotHangInTheChild) {
  const Ended ended = InChild([this] {
    adder_.Send<Add>(1);
    return true;
  });
  EXPECT_TRUE(ended.Exited(0) || ended.AbortedSaying(kParentsThreads)) << ended;
}

// No request: a plain thread that waits for the answer may have its lock when
// the child begins, which would answer, too.
struct Fork {
  absl::Notification* joined;
};

class Forker : public Actor<Fork> {
 public:
  void Handle(Fork m) {
    Child child;
    if (child.is_this()) return;
    const Ended ended = child.Join();
    EXPECT_TRUE(ended.AbortedSaying(kParentsThreads)) << ended;
    m.joined->Notify();
  }
};

// One that forgets to exec, say: the only thread of the child drives a worker.
TEST_F(ForkTest, HandlerThatReturnsInTheChildAborts) {
  // Whose monitor has no lock and no seat when the child begins.
  const std::unique_ptr<ActorSystem> system = ActorSystem::CreateOn(
      ThreadExecutor::Create({.workers = 1,
                              .take_over_after = absl::InfiniteDuration(),
                              .long_turn_after = absl::InfiniteDuration()})
          .value(),
      {});
  const auto forker = system->Spawn<Forker>().value();
  absl::Notification joined;
  forker.Send<Fork>(&joined);
  joined.WaitForNotification();
}

// The child has the memory, and not the thread that waits.
TEST_F(ForkTest, ChildDestroysWhatAThreadOfTheParentWaitsFor) {
  absl::Mutex mu;
  auto changed = std::make_unique<CondVar>();
  bool waits = false;
  bool go_on = false;
  std::thread waiter([&] {
    absl::MutexLock lock(&mu);
    waits = true;
    while (!go_on) changed->Wait(&mu);
  });
  {
    absl::MutexLock lock(&mu);
    mu.Await(absl::Condition(&waits));
  }
  const Ended ended = InChild([&] {
    changed.reset();
    return true;
  });
  EXPECT_TRUE(ended.Exited(0)) << ended;
  {
    absl::MutexLock lock(&mu);
    go_on = true;
    changed->Signal();
  }
  waiter.join();
}

TEST(ForkBeforeTest, ChildMayHaveASystemIfThereIsNone) {
  ExpectThatSystemsWork();
  const Ended ended = InChild([] {
    ExpectThatSystemsWork();
    return !::testing::Test::HasFailure();
  });
  EXPECT_TRUE(ended.Exited(0)) << ended;
}

TEST(ForkBeforeTest, SystemWithoutThreadsWorksInTheChild) {
  const auto system = ActorSystem::CreateOn(
      std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options{}),
      {});
  const auto adder = system->Spawn<Adder>().value();
  adder.Send<Add>(1);
  const Ended ended = InChild([&] {
    adder.Send<Add>(2);
    const auto more = system->Spawn<Adder>();
    return more.ok() && adder.Call<Total>().Wait().value() == 3 &&
           system->Shutdown().ok();
  });
  EXPECT_TRUE(ended.Exited(0)) << ended;
  EXPECT_THAT(adder.Call<Total>().Wait(), IsOkAndHolds(1));
}

}  // namespace
}  // namespace troupe::testing
