// Two systems in one process: what they share is memory and numbers, never
// threads, names or ends.
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/task.h"
#include "troupe/registry/groups.h"
#include "troupe/registry/names.h"
#include "troupe/testing/environment/environment_testing.h"
#include "troupe/testing/status_matchers.h"
#include "troupe/troupe.h"

namespace troupe::testing {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::unique_ptr<ActorSystem> TwoWorkers() {
  return CreateSystem({.workers = 2}).value();
}

// Which threads ran the actors of one system.
class Threads {
 public:
  void AddThis() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    ids_.insert(gettid());
  }
  std::set<pid_t> ids() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return ids_;
  }

 private:
  mutable absl::Mutex mu_;
  std::set<pid_t> ids_ ABSL_GUARDED_BY(mu_);
};

struct Hop {
  ActorRef<Hop> back;
  int left;
  ActorRef<Add> done;
};

// Throws a ball to one of another system, which throws it back.
class Player : public Actor<Hop> {
 public:
  explicit Player(Threads* threads) : threads_(threads) {}
  void Handle(Hop m) {
    threads_->AddThis();
    if (m.left == 0) {
      m.done.Send<Add>(1);
    } else {
      m.back.Send<Hop>(self(), m.left - 1, m.done);
    }
  }

 private:
  Threads* const threads_;
};

TEST(TwoSystemsTest, MessagesBetweenThemMoveNoThread) {
  constexpr int kBalls = 20;
  Threads threads[2];
  const auto first = TwoWorkers();
  const auto second = TwoWorkers();
  const auto referee = first->Spawn<Adder>().value();
  for (int ball = 0; ball < kBalls; ++ball) {
    const auto here = first->Spawn<Player>(&threads[0]).value();
    const auto there = second->Spawn<Player>(&threads[1]).value();
    here.Send<Hop>(there, 500, referee);
  }
  EXPECT_TRUE(first->executor().RunUntil(
      [&] { return referee.Call<Total>().Wait().value() == kBalls; },
      MonotonicTime::InfiniteFuture()));
  for (const pid_t thread : threads[0].ids()) {
    EXPECT_EQ(threads[1].ids().count(thread), 0) << thread;
  }
  EXPECT_FALSE(threads[0].ids().empty());
  EXPECT_FALSE(threads[1].ids().empty());
}

struct AskOther {
  using Reply = int64_t;
};

class Asker : public Actor<AskOther> {
 public:
  explicit Asker(Adder::Ref other) : other_(other) {}
  Task<absl::StatusOr<int64_t>> Handle(AskOther) {
    co_return co_await other_.Call<Total>();
  }

 private:
  const Adder::Ref other_;
};

TEST(TwoSystemsTest, CallsBetweenThemAreAnswered) {
  const auto first = TwoWorkers();
  const auto second = TwoWorkers();
  const auto adder = second->Spawn<Adder>().value();
  adder.Send<Add>(7);
  const auto asker = first->Spawn<Asker>(adder).value();
  EXPECT_THAT(asker.Call<AskOther>().Wait(), IsOkAndHolds(7));
  EXPECT_THAT(second->Shutdown(), IsOk());
  EXPECT_THAT(asker.Call<AskOther>().Wait(),
              StatusIs(absl::StatusCode::kNotFound));
}

struct Watch {
  AnyActorRef other;
};

class Watcher : public Actor<Watch, Total> {
 public:
  void Handle(Watch m) { Monitor(m.other); }
  void OnDown(const Down&) { ++downs_; }
  int64_t Handle(Total) { return downs_; }

 private:
  int64_t downs_ = 0;
};

TEST(TwoSystemsTest, MonitorsSeeTheEndOfTheOther) {
  const auto first = TwoWorkers();
  auto second = TwoWorkers();
  const auto watcher = first->Spawn<Watcher>().value();
  for (int i = 0; i < 10; ++i) {
    watcher.Send<Watch>(second->Spawn<Adder>().value());
  }
  EXPECT_THAT(watcher.Call<Total>().Wait(), IsOkAndHolds(0));
  second = nullptr;
  EXPECT_TRUE(first->executor().RunUntil(
      [&] { return watcher.Call<Total>().Wait().value() == 10; },
      MonotonicTime::InfiniteFuture()));
}

struct Tie {
  AnyActorRef other;
};

class Partner : public Actor<Tie> {
 public:
  void Handle(Tie m) { Link(m.other); }
};

TEST(TwoSystemsTest, LinksPassFailuresOn) {
  const auto first = TwoWorkers();
  const auto second = TwoWorkers();
  const auto here = first->Spawn<Partner>().value();
  const auto there = second->Spawn<Partner>().value();
  here.Send<Tie>(there);
  there.Kill();
  // Nothing else ends it. It may have ended before anybody waits.
  const absl::StatusOr<ExitReason> reason = here.Wait();
  ASSERT_THAT(reason, IsOk());
  EXPECT_THAT(reason->kind(),
              AnyOf(ExitReason::Kind::kFailed, ExitReason::Kind::kNoActor));
}

TEST(TwoSystemsTest, NamesAndGroupsAreApart) {
  const auto first = TwoWorkers();
  const auto second = TwoWorkers();
  const auto here = first->Spawn<Adder>({.name = "adder"}).value();
  const auto there = second->Spawn<Adder>({.name = "adder"}).value();
  EXPECT_THAT(first->Get<Names>().FindAny("adder"), IsOkAndHolds(here));
  EXPECT_THAT(second->Get<Names>().FindAny("adder"), IsOkAndHolds(there));

  const Group<Add> group("adders");
  EXPECT_THAT(first->Get<Groups>().Join(group, here), IsOk());
  EXPECT_THAT(second->Get<Groups>().Members(group), IsOkAndHolds(SizeIs(0)));
}

TEST(TwoSystemsTest, ServicesRefuseActorsOfTheOther) {
  const auto first = TwoWorkers();
  const auto second = TwoWorkers();
  const auto stranger = second->Spawn<Adder>().value();
  const auto refused =
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("another system"));
  EXPECT_THAT(first->Get<Names>().Register("stranger", stranger), refused);
  EXPECT_THAT(first->Get<Groups>().Join(Group<Add>("adders"), stranger),
              refused);
  const PinnedThread thread = second->StartThread("own").value();
  EXPECT_THAT(first->Spawn<Adder>({.thread = thread}), refused);
}

TEST(TwoSystemsTest, EachCountsItsOwn) {
  const auto first = TwoWorkers();
  const auto second = TwoWorkers();
  const auto adder = first->Spawn<Adder>().value();
  EXPECT_THAT(adder.StopAndWait(), IsOk());
  adder.Send<Add>(1);
  EXPECT_EQ(first->dead_letters(), 1);
  EXPECT_EQ(second->dead_letters(), 0);
  const auto other = second->Spawn<Adder>().value();
  EXPECT_TRUE(first->AwaitNoActors());
  EXPECT_EQ(second->live_actors(), 1);
  EXPECT_EQ(other.status(), ActorStatus::kRunning);
}

struct Endless {
  ActorRef<Endless> back;
};
class Server : public Actor<Endless> {
 public:
  void Handle(Endless m) { m.back.Send<Endless>(self()); }
};

// While each sends to the other.
TEST(TwoSystemsTest, EitherEndsFirstWhileTheyTalk) {
  for (const bool first_goes_first : {true, false}) {
    auto first = TwoWorkers();
    auto second = TwoWorkers();
    for (int i = 0; i < 20; ++i) {
      const auto here = first->Spawn<Server>().value();
      const auto there = second->Spawn<Server>().value();
      here.Send<Endless>(there);
    }
    (first_goes_first ? first : second) = nullptr;
    ActorSystem& left = first_goes_first ? *second : *first;
    EXPECT_EQ(left.live_actors(), 20);
    const auto adder = left.Spawn<Adder>().value();
    adder.Send<Add>(1);
    EXPECT_THAT(adder.Call<Total>().Wait(), IsOkAndHolds(1));
    EXPECT_THAT(left.Shutdown(), IsOk());
  }
}

}  // namespace
}  // namespace troupe::testing
