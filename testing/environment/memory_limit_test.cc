// Processes that hit a limit of memory (§34). Each test has a process of its
// own, with a limit of address space somewhat above what it uses.
//
// A control group has no limit that a program could hit so: beyond it the
// kernel ends the process.
#include <sys/resource.h>

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/scheduler/event.h"
#include "troupe/testing/environment/environment_testing.h"
#include "troupe/testing/environment/process_state.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;

constexpr int64_t kMebibyte = int64_t{1} << 20;

class MemoryLimitDeathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "sanitizers reserve address space at first";
  }
};

// While it lives, the process gets so many bytes more.
class MemoryLimit {
 public:
  explicit MemoryLimit(int64_t bytes) {
    EXPECT_EQ(getrlimit(RLIMIT_AS, &before_), 0);
    rlimit limit = before_;
    limit.rlim_cur =
        static_cast<rlim_t>(ReadProcessState().address_space_bytes + bytes);
    EXPECT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;
  ~MemoryLimit() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_;
};

TEST_F(MemoryLimitDeathTest, SystemsWithoutStacksAreAStatus) {
  EXPECT_EXIT(RunAsChild([] {
                const int threads = ReadProcessState().threads;
                {
                  const MemoryLimit limit(40 * kMebibyte);
                  EXPECT_THAT(ActorSystem::Create({.workers = 16}),
                              StatusIs(absl::StatusCode::kResourceExhausted,
                                       AllOf(HasSubstr("of 17 threads"),
                                             HasSubstr("or of memory"))));
                  EXPECT_TRUE(AwaitThreads(threads));
                }
                ExpectThatSystemsWork();
              }),
              ExitedWithCode(0), "");
}

struct Leave {};

class Tenant : public Actor<Add, Total, Leave> {
 public:
  void Handle(Add m) { total_ += m.value; }
  int64_t Handle(Total) { return total_; }
  void Handle(Leave) { StopSelf(); }

 private:
  int64_t total_ = 0;
};

TEST_F(MemoryLimitDeathTest, SpawnSaysSoAndWorksAgainLater) {
  EXPECT_EXIT(
      RunAsChild([] {
        const auto system = ActorSystem::Create({.workers = 2}).value();
        std::vector<Tenant::Ref> tenants;
        tenants.reserve(1'000'000);
        tenants.push_back(system->Spawn<Tenant>().value());
        EXPECT_THAT(tenants.front().Call<Total>().Wait(), IsOkAndHolds(0));
        {
          const MemoryLimit limit(32 * kMebibyte);
          absl::Status status;
          while (status.ok()) {
            absl::StatusOr<Tenant::Ref> tenant = system->Spawn<Tenant>();
            status = tenant.status();
            if (status.ok()) tenants.push_back(*tenant);
          }
          EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted,
                                       HasSubstr("no memory for a")));
          EXPECT_EQ(system->live_actors(), tenants.size());
          // Those that are there go on, and make room for others.
          tenants.back().Send<Add>(5);
          EXPECT_THAT(tenants.back().Call<Total>().Wait(), IsOkAndHolds(5));
          for (int i = 0; i < 1000; ++i) {
            EXPECT_THAT(tenants.back().StopAndWait(), IsOk());
            tenants.pop_back();
          }
          // But for some that the threads keep for themselves.
          for (int i = 0; i < 500; ++i) {
            const auto tenant = system->Spawn<Tenant>();
            ASSERT_THAT(tenant, IsOk());
            tenants.push_back(*tenant);
          }
        }
        EXPECT_THAT(system->Shutdown(), IsOk());
        EXPECT_EQ(system->live_actors(), 0);
      }),
      ExitedWithCode(0), "");
}

struct Hold {
  Event* begun;
  Event* go_on;
};
struct Count {
  char payload[1000];
};

// Holds what comes until it is told to go on.
class Counter : public Actor<Hold, Count, Total> {
 public:
  void Handle(Hold m) {
    m.begun->Set();
    EXPECT_TRUE(m.go_on->WaitWithTimeout(absl::InfiniteDuration()));
  }
  void Handle(const Count&) { ++count_; }
  int64_t Handle(Total) { return count_; }

 private:
  int64_t count_ = 0;
};

TEST_F(MemoryLimitDeathTest, SendThrowsAndLosesNothing) {
  EXPECT_EXIT(
      RunAsChild([] {
        const auto system = ActorSystem::Create({.workers = 2}).value();
        const auto counter = system->Spawn<Counter>().value();
        EXPECT_THAT(counter.Call<Total>().Wait(), IsOkAndHolds(0));
        Event begun, go_on;
        counter.Send<Hold>(&begun, &go_on);
        ASSERT_TRUE(begun.WaitWithTimeout(absl::InfiniteDuration()));
        int64_t sent = 0;
        {
          const MemoryLimit limit(32 * kMebibyte);
          EXPECT_THROW(
              while (true) {
                counter.Send<Count>();
                ++sent;
              },
              std::bad_alloc);
          EXPECT_GT(sent, 10'000);
          go_on.Set();
          EXPECT_THAT(
              counter.Call<Total>().Within(absl::InfiniteDuration()).Wait(),
              IsOkAndHolds(sent));
        }
        EXPECT_EQ(system->dead_letters(), 0);
        EXPECT_THAT(system->Shutdown(), IsOk());
      }),
      ExitedWithCode(0), "");
}

struct Flood {};

class Flooder : public Actor<Flood, Count> {
 public:
  void Handle(Flood) {
    const Ref me = self();
    while (true) {
      me.Send<Count>();
      ++*sent_;
    }
  }
  void Handle(const Count&) { FAIL() << "the flooder should have failed"; }

  explicit Flooder(int64_t* sent) : sent_(sent) {}

 private:
  int64_t* const sent_;
};

TEST_F(MemoryLimitDeathTest, HandlerThatGetsNoneFailsItsActorAlone) {
  EXPECT_EXIT(RunAsChild([] {
                const auto system = ActorSystem::Create({.workers = 2}).value();
                const auto adder = system->Spawn<Adder>().value();
                adder.Send<Add>(4);
                EXPECT_THAT(adder.Call<Total>().Wait(), IsOkAndHolds(4));
                int64_t sent = 0;
                const auto flooder = system->Spawn<Flooder>(&sent).value();
                std::optional<ExitReason> reason;
                Event ended;
                const Subscription subscription =
                    system->Subscribe<ActorEnded>([&](const ActorEnded& event) {
                      if (event.actor != flooder.id()) return;
                      reason = event.reason;
                      ended.Set();
                    });
                {
                  const MemoryLimit limit(32 * kMebibyte);
                  flooder.Send<Flood>();
                  EXPECT_TRUE(ended.WaitWithTimeout(absl::InfiniteDuration()));
                  // Killed, if not even the failure could be kept.
                  EXPECT_THAT(reason->ToString(),
                              AnyOf(HasSubstr("bad_alloc"), "killed"));
                  EXPECT_THAT(adder.Call<Total>().Wait(), IsOkAndHolds(4));
                  EXPECT_THAT(system->Spawn<Adder>(), IsOk());
                }
                EXPECT_GT(sent, 10'000);
                EXPECT_EQ(system->dead_letters(), static_cast<uint64_t>(sent));
                EXPECT_THAT(system->Shutdown(), IsOk());
              }),
              ExitedWithCode(0), "");
}

}  // namespace
}  // namespace troupe::testing
