// Processes that get no more threads (§34). pthread_create() of this program
// fails when it is told to, as the real one does at a limit of the user or of
// the control group: linked with --wrap=pthread_create.
#include <errno.h>
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/run_blocking.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/internal/thread_testing.h"
#include "troupe/testing/environment/environment_testing.h"
#include "troupe/testing/environment/process_state.h"
#include "troupe/testing/status_matchers.h"

namespace {

constexpr int kNoLimit = 1 << 30;
std::atomic<int> threads_left{kNoLimit};

}  // namespace

// The names are the linker's.
extern "C" {

int __real_pthread_create(  // NOLINT(bugprone-reserved-identifier)
    pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
    void* argument);

int __wrap_pthread_create(  // NOLINT(bugprone-reserved-identifier)
    pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
    void* argument) {
  if (threads_left.fetch_sub(1) <= 0) return EAGAIN;
  return __real_pthread_create(thread, attributes, body, argument);
}

}  // extern "C"

namespace troupe::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// While it lives, the process gets so many threads more.
class ThreadLimit {
 public:
  explicit ThreadLimit(int threads) { threads_left = threads; }
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;
  ~ThreadLimit() { threads_left = kNoLimit; }
};

TEST(NoThreadsTest, CreateSaysHowManyCouldBeStarted) {
  ExpectThatSystemsWork();  // With the first thread come those of sanitizers.
  const ProcessState before = ReadProcessState();
  // Four workers and the monitor.
  for (int threads = 0; threads < 5; ++threads) {
    const ThreadLimit limit(threads);
    EXPECT_THAT(
        ActorSystem::Create({.workers = 4}),
        StatusIs(
            absl::StatusCode::kResourceExhausted,
            AllOf(StartsWith(absl::StrCat("only ", threads,
                                          " of 5 threads could be started: "
                                          "cannot start thread ")),
                  HasSubstr("Resource temporarily unavailable; ask for fewer "
                            "workers, or raise the limit of threads"))));
    EXPECT_TRUE(AwaitThreads(before.threads)) << threads;
  }
  EXPECT_EQ(ReadProcessState().open_files, before.open_files);
  ExpectThatSystemsWork();
}

TEST(NoThreadsTest, FailedStartsLeaveNoMemoryBehind) {
  const auto fail = [] {
    const ThreadLimit limit(2);
    EXPECT_THAT(ActorSystem::Create({.workers = 2}),
                StatusIs(absl::StatusCode::kResourceExhausted));
  };
  for (int i = 0; i < 50; ++i) fail();
  const int64_t before = ReadProcessState().address_space_bytes;
  for (int i = 0; i < 50; ++i) fail();
  // Two stacks of 8 MiB each time, if they were left behind.
  EXPECT_LT(ReadProcessState().address_space_bytes,
            before + (int64_t{64} << 20));
}

TEST(NoThreadsTest, PinnedThreadIsAStatus) {
  const auto system = ActorSystem::Create({.workers = 2}).value();
  const int before = ReadProcessState().threads;
  {
    const ThreadLimit limit(0);
    EXPECT_THAT(system->StartThread("own"),
                StatusIs(absl::StatusCode::kResourceExhausted,
                         "cannot start thread own: Resource temporarily "
                         "unavailable"));
    EXPECT_THAT(system->Spawn<Adder>({.dedicated_thread = true}),
                StatusIs(absl::StatusCode::kResourceExhausted,
                         HasSubstr("cannot start thread")));
  }
  EXPECT_EQ(system->live_actors(), 0);
  EXPECT_TRUE(AwaitThreads(before));
  const auto adder = system->Spawn<Adder>({.dedicated_thread = true}).value();
  adder.Send<Add>(3);
  EXPECT_THAT(adder.Call<Total>().Wait(), IsOkAndHolds(3));
}

struct Block {
  using Reply = absl::Status;
};

class Blocker : public Actor<Block> {
 public:
  Task<absl::Status> Handle(Block) {
    co_return co_await RunBlocking(&absl::OkStatus);
  }
};

TEST(NoThreadsTest, BlockingCallIsAStatusAndWorksAgainLater) {
  const auto system = ActorSystem::Create({.workers = 2}).value();
  const auto blocker = system->Spawn<Blocker>().value();
  {
    const ThreadLimit limit(0);
    EXPECT_THAT(blocker.Call<Block>().Wait(),
                StatusIs(absl::StatusCode::kUnavailable,
                         AllOf(HasSubstr("no thread for blocking work"),
                               HasSubstr("Resource temporarily unavailable"))));
  }
  EXPECT_THAT(blocker.Call<Block>().Wait(), IsOk());
}

struct Hold {
  Event* begun;
  Event* go_on;
};

class Holder : public Actor<Hold> {
 public:
  void Handle(Hold m) {
    m.begun->Set();
    EXPECT_TRUE(m.go_on->WaitWithTimeout(absl::InfiniteDuration()));
  }
};

struct Set {
  Event* event;
};

class Setter : public Actor<Set> {
 public:
  void Handle(Set m) { m.event->Set(); }
};

// A worker whose handler blocks cannot be lent: that is told, and what it has
// to run waits for the handler, or for the first thread that can be had.
TEST(NoThreadsTest, BlockedWorkerGoesOnWhenAThreadCanBeHad) {
  troupe::internal::RecordingSink log;
  const auto system =
      ActorSystem::Create({.workers = 1, .logger = Logger(&log)}).value();
  const auto holder = system->Spawn<Holder>().value();
  const auto setter = system->Spawn<Setter>().value();
  Event begun, go_on, ran;
  {
    const ThreadLimit limit(0);
    holder.Send<Hold>(&begun, &go_on);
    ASSERT_TRUE(begun.WaitWithTimeout(absl::InfiniteDuration()));
    setter.Send<Set>(&ran);
    EXPECT_TRUE(
        system->executor().RunUntil([&log] { return !log.messages().empty(); },
                                    MonotonicTime::InfiniteFuture()));
    EXPECT_FALSE(ran.IsSet());
  }
  EXPECT_TRUE(ran.WaitWithTimeout(absl::InfiniteDuration()));
  EXPECT_THAT(log.messages(),
              Contains(AllOf(HasSubstr("no thread for a worker"),
                             HasSubstr("Resource temporarily unavailable"))));
  go_on.Set();
  EXPECT_THAT(system->Shutdown(), IsOk());
}

}  // namespace
}  // namespace troupe::testing
