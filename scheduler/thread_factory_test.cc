#include "troupe/scheduler/thread_factory.h"

#include <pthread.h>

#include <cfenv>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ExitedWithCode;
using testing::IsOk;
using testing::StatusIs;
using ThreadOr = absl::StatusOr<std::unique_ptr<JoinableThread>>;

TEST(ThreadFactoryTest, RunsTheBodyOnAnotherThread) {
  pthread_t seen = pthread_self();

  ThreadOr thread =
      RealThreadFactory().Start("t", [&seen] { seen = pthread_self(); });
  ASSERT_THAT(thread, IsOk());
  (*thread)->Join();

  EXPECT_FALSE(pthread_equal(seen, pthread_self()));
}

TEST(ThreadFactoryTest, NamesTheThread) {
  std::string seen;

  ThreadOr thread = RealThreadFactory().Start("a-name-that-is-long", [&seen] {
    char name[16];
    pthread_getname_np(pthread_self(), name, sizeof(name));
    seen = name;
  });
  ASSERT_THAT(thread, IsOk());
  (*thread)->Join();

  EXPECT_EQ(seen, "a-name-that-is-");
}

TEST(ThreadFactoryTest, DestroysTheBodyBeforeJoinReturns) {
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = owned;

  ThreadOr thread =
      RealThreadFactory().Start("t", [owned = std::move(owned)] {});
  ASSERT_THAT(thread, IsOk());
  (*thread)->Join();

  EXPECT_TRUE(watched.expired());
}

TEST(ThreadFactoryTest, BeginsInTheDefaultFloatingPointEnvironment) {
  int seen = FE_TOWARDZERO;
  ASSERT_EQ(std::fesetround(FE_UPWARD), 0);

  ThreadOr thread =
      RealThreadFactory().Start("t", [&seen] { seen = std::fegetround(); });
  std::fesetround(FE_TONEAREST);
  ASSERT_THAT(thread, IsOk());
  (*thread)->Join();

  EXPECT_EQ(seen, FE_TONEAREST);
}

TEST(ThreadFactoryTest, BlocksSignalsThatOthersSend) {
  sigset_t seen;
  ThreadOr thread = RealThreadFactory().Start(
      "t", [&seen] { pthread_sigmask(SIG_SETMASK, nullptr, &seen); });
  ASSERT_THAT(thread, IsOk());
  (*thread)->Join();

  for (const int signal :
       {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGALRM, SIGUSR1}) {
    EXPECT_EQ(sigismember(&seen, signal), 1) << signal;
  }
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGPROF}) {
    EXPECT_EQ(sigismember(&seen, signal), 0) << signal;
  }
}

TEST(ThreadFactoryTest, LeavesTheMaskOfTheCallerAlone) {
  sigset_t before, after;
  sigemptyset(&before);
  sigaddset(&before, SIGUSR2);
  sigset_t restored;
  pthread_sigmask(SIG_SETMASK, &before, &restored);

  ThreadOr thread = RealThreadFactory().Start("t", [] {});
  ASSERT_THAT(thread, IsOk());
  (*thread)->Join();
  pthread_sigmask(SIG_SETMASK, &restored, &after);

  EXPECT_EQ(sigismember(&after, SIGUSR2), 1);
  EXPECT_EQ(sigismember(&after, SIGTERM), 0);
}

// In a process of its own, where no thread finds room for its stack.
TEST(ThreadFactoryDeathTest, SaysWhyAThreadCannotBeCreated) {
  EXPECT_EXIT(
      {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, size_t{1} << 47);
        pthread_setattr_default_np(&attributes);

        const ThreadOr thread =
            RealThreadFactory().Start("worker-7", [] { std::abort(); });

        EXPECT_THAT(thread, StatusIs(absl::StatusCode::kResourceExhausted,
                                     "cannot start thread worker-7: "
                                     "Resource temporarily unavailable"));
        std::exit(::testing::Test::HasFailure() ? 1 : 0);
      },
      ExitedWithCode(0), "");
}

TEST(ThreadFactoryDeathTest, RefusesToForgetAThread) {
  EXPECT_DEATH(RealThreadFactory().Start("t", [] {}).value().reset(),
               "joined before it is destroyed");
}

TEST(ThreadFactoryDeathTest, RefusesToJoinTwice) {
  EXPECT_DEATH(
      {
        ThreadOr thread = RealThreadFactory().Start("t", [] {});
        (*thread)->Join();
        (*thread)->Join();
      },
      "joined once");
}

}  // namespace
}  // namespace troupe
