// Waiting for a name to lead to an actor (§31), in a Task and on a plain
// thread.
#include "troupe/registry/name_wait.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/task.h"
#include "troupe/registry/names.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Do;
using internal::Handed;
using internal::Runner;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

constexpr absl::Duration kLong = absl::Hours(1);

struct Number {
  using Reply = int;
};
struct Break {};
struct Other {};

class Store : public Actor<Number, Break> {
 public:
  explicit Store(int number) : number_(number) {}
  int Handle(Number) { return number_; }
  absl::Status Handle(Break) { return absl::DataLossError("broken"); }

 private:
  const int number_;
};

using Found = absl::StatusOr<ActorRef<Number>>;

class NameWaitTest : public internal::SystemTest {
 protected:
  std::unique_ptr<ActorSystem> system_ = MakeSystem();
  Names& names_ = system_->Get<Names>();

  Store::Ref Spawn(std::string name, int number = 0) {
    return system_->Spawn<Store>({.name = std::move(name)}, number).value();
  }
  // Has an actor wait; `begun` is put before.
  Runner::Ref Waiter(Handed<Found>& found, Handed<bool>& begun,
                     absl::Duration timeout = kLong) {
    const Runner::Ref runner = system_->Spawn<Runner>().value();
    runner.Send<Do>(
        [this, &found, &begun, timeout](Runner&) -> Task<absl::Status> {
          begun.Put(true);
          found.Put(co_await names_.WaitFor<Number>("store", timeout));
          co_return absl::OkStatus();
        });
    return runner;
  }
};

INSTANTIATE_TEST_SUITE_P(Executors, NameWaitTest, internal::AllExecutors());

TEST_P(NameWaitTest, NameThatIsThereIsHadAtOnce) {
  const Store::Ref store = Spawn("store");
  EXPECT_THAT(names_.WaitFor<Number>("store", absl::ZeroDuration()).Wait(),
              IsOkAndHolds(store));
  for (const absl::Duration timeout : {kLong, absl::ZeroDuration()}) {
    Handed<Found> found;
    Handed<bool> begun;
    Waiter(found, begun, timeout);
    EXPECT_THAT(found.Await(*system_), IsOkAndHolds(store));
  }
}

TEST_P(NameWaitTest, TaskIsWokenByTheName) {
  Handed<Found> first, second;
  Handed<bool> first_begun, second_begun;
  Waiter(first, first_begun);
  Waiter(second, second_begun);
  first_begun.Await(*system_);
  second_begun.Await(*system_);
  const Store::Ref store = Spawn("store");
  EXPECT_THAT(first.Await(*system_), IsOkAndHolds(store));
  EXPECT_THAT(second.Await(*system_), IsOkAndHolds(store));
}

TEST_P(NameWaitTest, RegisteringLaterWakesToo) {
  Handed<Found> found;
  Handed<bool> begun;
  Waiter(found, begun);
  begun.Await(*system_);
  const Store::Ref store = system_->Spawn<Store>(3).value();
  EXPECT_THAT(names_.Register("store", store), IsOk());
  EXPECT_THAT(found.Await(*system_), IsOkAndHolds(store));
}

TEST_P(NameWaitTest, TimeoutEndsTheWait) {
  EXPECT_THAT(names_.WaitFor<Number>("store", absl::Milliseconds(1)).Wait(),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       AllOf(HasSubstr("'store'"), HasSubstr("1ms"))));
  Handed<Found> found;
  Handed<bool> begun;
  Waiter(found, begun, absl::Milliseconds(1));
  EXPECT_THAT(
      found.Await(*system_),
      StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("'store'")));
  // Nobody waits any more: nothing is left to be told.
  Spawn("store");
  EXPECT_EQ(system_->dead_letters(), 0u);
}

TEST_P(NameWaitTest, KilledWaiterWaitsNoMore) {
  Handed<Found> found;
  Handed<bool> begun;
  const Runner::Ref waiter = Waiter(found, begun);
  begun.Await(*system_);
  EXPECT_THAT(waiter.KillAndWait(), IsOk());
  Spawn("store");
  EXPECT_FALSE(found.IsPut());
}

TEST_P(NameWaitTest, WrongMessagesAreRefused) {
  Spawn("store");
  EXPECT_THAT(names_.WaitFor<Other>("store", kLong).Wait(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("'store'"), HasSubstr("Other"))));
}

TEST_P(NameWaitTest, WhatIsNoNameIsNotWaitedFor) {
  EXPECT_THAT(names_.WaitFor<Number>("", kLong).Wait(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  Handed<Found> found;
  system_->Spawn<Runner>().value().Send<Do>([&](Runner&) -> Task<absl::Status> {
    found.Put(co_await names_.WaitFor<Number>("a//b", kLong));
    co_return absl::OkStatus();
  });
  EXPECT_THAT(found.Await(*system_),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(NameWaitTest, HandlerMustNotBlock) {
  Handed<Found> found;
  system_->Spawn<Runner>().value().Send<Do>([&](Runner&) -> Task<absl::Status> {
    found.Put(names_.WaitFor<Number>("store", kLong).Wait());
    co_return absl::OkStatus();
  });
  EXPECT_THAT(found.Await(*system_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("await WaitFor()")));
}

// A sender between two instances of a supervised actor.
TEST_P(NameWaitTest, NextInstanceIsFoundAfterARestart) {
  Supervisor::Spec bank{.name = "bank"};
  bank.Add({.id = "store"}, [](StartContext& start) {
    return start.Spawn<Store>({.name = "store"},
                              static_cast<int>(start.earlier_starts()));
  });
  ASSERT_THAT(Supervisor::Start(*system_, std::move(bank)), IsOk());
  const auto first = names_.Find<Number, Break>("store").value();
  EXPECT_THAT(first.Call<Number>().Wait(), IsOkAndHolds(0));
  first.Send<Break>();
  EXPECT_THAT(first.Wait(), IsOk());
  const Found second = names_.WaitFor<Number>("store", kLong).Wait();
  ASSERT_THAT(second, IsOk());
  EXPECT_NE(*second, first);
  EXPECT_THAT(second->Call<Number>().Wait(), IsOkAndHolds(1));
}

// On a thread that sleeps.
TEST(NameWaitThreadsTest, PlainThreadIsWokenByTheName) {
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  Names& names = system->Get<Names>();
  for (int round = 0; round < 100; ++round) {
    std::atomic<bool> begins{false};
    Found found = absl::UnknownError("not yet");
    std::thread thread([&] {
      begins = true;
      found = names.WaitFor<Number>("store", kLong).Wait();
    });
    while (!begins) std::this_thread::yield();
    const auto store = system->Spawn<Store>({.name = "store"}, 1).value();
    thread.join();
    EXPECT_THAT(found, IsOkAndHolds(store));
    EXPECT_THAT(store.KillAndWait(), IsOk());
  }
}

}  // namespace
}  // namespace troupe
