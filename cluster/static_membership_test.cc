#include "troupe/cluster/static_membership.h"

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/membership_conformance.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace testing {
namespace {

class StaticCluster : public MembershipEnvironment {
 public:
  explicit StaticCluster(std::unique_ptr<Executor> executor)
      : executor_(std::move(executor)),
        provider_(*StaticMembership::Create(*executor_, {})) {}

  MembershipProvider& provider() override { return *provider_; }
  void DestroyProvider() override { provider_.reset(); }
  void SetOthers(std::vector<Member> others) override {
    EXPECT_THAT(provider_->SetMembers(std::move(others)), IsOk());
  }
  bool RunUntil(absl::FunctionRef<bool()> done) override {
    return executor_->RunUntil(done,
                               executor_->clock().Now() + absl::Minutes(1));
  }

 private:
  const std::unique_ptr<Executor> executor_;
  std::unique_ptr<StaticMembership> provider_;
};

struct OnThreads : StaticCluster {
  OnThreads() : StaticCluster(*ThreadExecutor::Create({.workers = 2})) {}
};
struct Deterministic : StaticCluster {
  Deterministic()
      : StaticCluster(std::make_unique<DeterministicExecutor>(
            DeterministicExecutor::Options{.lost_seat_probability = 0.3})) {}
};

INSTANTIATE_TEST_SUITE_P(Threads, MembershipConformanceTest,
                         ::testing::Values(&MakeMembership<OnThreads>));
INSTANTIATE_TEST_SUITE_P(Deterministic, MembershipConformanceTest,
                         ::testing::Values(&MakeMembership<Deterministic>));

}  // namespace
}  // namespace testing

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::RecordingMembershipListener;
using testing::StatusIs;

TEST(StaticMembershipTest, ListWithTwoOfANameIsRefused) {
  DeterministicExecutor executor({});
  EXPECT_THAT(
      StaticMembership::Create(executor, {{.name = "a", .address = "x"},
                                          {.name = "a", .address = "y"}}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'a'")));
}

TEST(StaticMembershipTest, ListThatIsRefusedChangesNothing) {
  DeterministicExecutor executor({});
  const auto members =
      *StaticMembership::Create(executor, {{.name = "a", .address = "x"}});
  EXPECT_THAT(members->SetMembers({{.name = "b"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'b'")));
  const auto listener = std::make_shared<RecordingMembershipListener>();
  ASSERT_THAT(members->Start({.name = "me", .address = "z"}, listener), IsOk());
  executor.RunUntilIdle();
  EXPECT_THAT(listener->names(), ElementsAre("a", "me"));
}

TEST(StaticMembershipTest, WhatTheListSaysOfTheNodeDoesNotCount) {
  DeterministicExecutor executor({});
  const auto members = *StaticMembership::Create(
      executor, {{.name = "me", .address = "elsewhere"}});
  const auto listener = std::make_shared<RecordingMembershipListener>();
  ASSERT_THAT(members->Start({.name = "me", .address = "here"}, listener),
              IsOk());
  executor.RunUntilIdle();
  EXPECT_THAT(listener->names(), ElementsAre("me"));
  EXPECT_EQ(listener->member("me").address, "here");
}

// The newest list is heard at last, whoever sets it and however fast.
TEST(StaticMembershipTest, ThreadsThatSetTheListRace) {
  constexpr int kThreads = 3;
  constexpr int kSets = 200;
  const auto executor = *ThreadExecutor::Create({.workers = 2});
  auto members = *StaticMembership::Create(*executor, {});
  const auto listener = std::make_shared<RecordingMembershipListener>();
  ASSERT_THAT(members->Start({.name = "me", .address = "here"}, listener),
              IsOk());
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&members, i] {
      for (int set = 0; set < kSets; ++set) {
        EXPECT_THAT(members->SetMembers({{.name = absl::StrCat(i, ".", set),
                                          .address = "there"}}),
                    IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // The list at first, the start, and the sets.
  EXPECT_TRUE(executor->RunUntil(
      [&] { return listener->newest().revision == 2 + kThreads * kSets; },
      executor->clock().Now() + absl::Minutes(1)));
  members.reset();
}

}  // namespace
}  // namespace troupe
