// That actors which talk to one another come to lie on one worker, wherever
// they began: then a message costs no atomic operation and wakes nobody.
// Counts, and no times: what else the machine does changes nothing.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"

namespace troupe {
namespace {

constexpr int64_t kHops = 200'000;

struct Token {
  int64_t hops_left;
};
struct Meet {
  ActorRef<Token> next;
};

// Touched only by who has the token.
struct Course {
  std::thread::id last;
  int64_t changes = 0;  // Hops from one thread to another.
  absl::Notification done;
};

class Node : public Actor<Meet, Token> {
 public:
  Node(Course& course, std::thread::id& home, absl::Notification& met)
      : course_(course), home_(home), met_(met) {}

  void Handle(Meet m) {
    next_ = m.next;
    home_ = std::this_thread::get_id();
    met_.Notify();
  }
  void Handle(Token m) {
    const std::thread::id here = std::this_thread::get_id();
    if (std::exchange(course_.last, here) != here) ++course_.changes;
    if (m.hops_left > 0) {
      next_.Send<Token>(m.hops_left - 1);
    } else {
      course_.done.Notify();
    }
  }

 private:
  Course& course_;
  std::thread::id& home_;
  absl::Notification& met_;
  ActorRef<Token> next_;
};

// How many nodes: a pair, and a ring.
class TalkersStressTest : public ::testing::TestWithParam<size_t> {
 protected:
  TalkersStressTest() {
    absl::StatusOr<std::unique_ptr<ThreadExecutor>> executor =
        ThreadExecutor::Create({.workers = 2,
                                // So that a thread is a worker.
                                .take_over_after = absl::InfiniteDuration(),
                                .long_turn_after = absl::InfiniteDuration()});
    executor_ = executor->get();
    system_ = ActorSystem::CreateOn(*std::move(executor), {});
  }

  // Who is asleep takes nothing from others, and is given what others make.
  void AwaitSleep() {
    ASSERT_TRUE(executor_->RunUntil(
        [this] {
          return executor_->shared_worker(0).LooksAsleep() &&
                 executor_->shared_worker(1).LooksAsleep();
        },
        executor_->clock().Now() + absl::Minutes(5)));
  }

  ThreadExecutor* executor_;
  std::unique_ptr<ActorSystem> system_;
};

INSTANTIATE_TEST_SUITE_P(Nodes, TalkersStressTest, ::testing::Values(2, 16));

TEST_P(TalkersStressTest, ThoseThatBeginApartComeTogether) {
  const size_t nodes = GetParam();
  Course course;
  std::vector<std::thread::id> homes(nodes);
  std::vector<absl::Notification> met(nodes);
  std::vector<Node::Ref> ring;
  for (size_t i = 0; i < nodes; ++i) {
    // One worker after the other gets what new threads make.
    AwaitSleep();
    std::thread([&] {
      ring.push_back(system_->Spawn<Node>(course, homes[i], met[i]).value());
    }).join();
  }
  for (size_t i = 0; i < nodes; ++i) {
    AwaitSleep();
    ring[i].Send<Meet>(ring[(i + 1) % nodes]);
    met[i].WaitForNotification();
    if (i > 0) {
      EXPECT_NE(homes[i], homes[i - 1]) << "they begin together";
    }
  }
  AwaitSleep();

  const uint64_t wakes_before = executor_->wakes();
  ring[0].Send<Token>(kHops);
  course.done.WaitForNotification();

  // One for each node that is fetched would do. Those that stay apart change
  // with each hop.
  EXPECT_LT(course.changes, kHops / 100);
  EXPECT_LT(executor_->wakes() - wakes_before, uint64_t{kHops} / 100);
}

}  // namespace
}  // namespace troupe
