// Signals while a system works: their handlers run on threads of the program's
// own, and interrupt no wait.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/run_blocking.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/thread_factory.h"
#include "troupe/testing/environment/environment_testing.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::testing {
namespace {

std::atomic<int> handled{0};
std::atomic<int> handled_elsewhere{0};
pthread_t main_thread;

void CountSignal(int) {
  ++handled;
  if (!pthread_equal(pthread_self(), main_thread)) ++handled_elsewhere;
}

// Handles SIGTERM by CountSignal(), and interrupts what waits.
class SignalsTest : public ::testing::Test {
 protected:
  SignalsTest() {
    handled = 0;
    handled_elsewhere = 0;
    main_thread = pthread_self();
    struct sigaction action = {};
    action.sa_handler = CountSignal;
    EXPECT_EQ(sigaction(SIGTERM, &action, &before_), 0);
  }
  ~SignalsTest() override { sigaction(SIGTERM, &before_, nullptr); }

 private:
  struct sigaction before_ = {};
};

// The signals that `thread` blocks, as an actor or a function sees them there.
bool BlocksTermination() {
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  return sigismember(&blocked, SIGTERM) == 1;
}

struct Ask {
  using Reply = bool;
};
struct AskPool {
  using Reply = bool;
};

class Asked : public Actor<Ask, AskPool> {
 public:
  bool Handle(Ask) { return BlocksTermination(); }
  Task<bool> Handle(AskPool) {
    co_return (co_await RunBlocking(&BlocksTermination)).value();
  }
};

TEST_F(SignalsTest, AllThreadsOfASystemBlockThem) {
  const auto system = ActorSystem::Create({.workers = 2}).value();
  const auto asked = system->Spawn<Asked>().value();
  const auto pinned = system->Spawn<Asked>({.dedicated_thread = true}).value();
  EXPECT_THAT(asked.Call<Ask>().Wait(), IsOkAndHolds(true));
  EXPECT_THAT(asked.Call<AskPool>().Wait(), IsOkAndHolds(true));
  EXPECT_THAT(pinned.Call<Ask>().Wait(), IsOkAndHolds(true));
  EXPECT_FALSE(BlocksTermination());
}

// Even where that one blocks the signal, no thread of the system takes it.
TEST_F(SignalsTest, HandlersRunOnTheProgramsThread) {
  const auto system = ActorSystem::Create({.workers = 2}).value();
  const auto adder = system->Spawn<Adder>().value();
  sigset_t termination, before;
  sigemptyset(&termination);
  sigaddset(&termination, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &termination, &before);
  for (int i = 0; i < 100; ++i) {
    adder.Send<Add>(1);
    kill(getpid(), SIGTERM);
  }
  EXPECT_THAT(adder.Call<Total>().Wait(), IsOkAndHolds(100));
  EXPECT_EQ(handled, 0);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(handled, 1);  // They wait as one.
  EXPECT_EQ(handled_elsewhere, 0);
}

// Each interrupts the main thread, which waits for one answer after the other.
TEST_F(SignalsTest, InterruptNoWait) {
  constexpr int kCalls = 2000;
  const auto system = ActorSystem::Create({.workers = 2}).value();
  const auto adder = system->Spawn<Adder>().value();
  std::atomic<bool> go_on{true};
  const auto sender = RealThreadFactory()
                          .Start("sender",
                                 [&go_on] {
                                   while (go_on) {
                                     pthread_kill(main_thread, SIGTERM);
                                     sched_yield();
                                   }
                                 })
                          .value();
  for (int i = 1; i <= kCalls || handled < 100; ++i) {
    adder.Send<Add>(1);
    ASSERT_THAT(adder.Call<Total>().Wait(), IsOkAndHolds(i));
  }
  EXPECT_THAT(adder.StopAndWait(), IsOk());
  EXPECT_THAT(system->Shutdown(), IsOk());
  go_on = false;
  sender->Join();
  EXPECT_EQ(handled_elsewhere, 0);
}

}  // namespace
}  // namespace troupe::testing
