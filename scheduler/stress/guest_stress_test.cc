// Guests and other threads that deliver to workers that are about to fall
// asleep, or have: where a wake-up is lost, the test hangs; where two threads
// drive a worker, tsan sees it.
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/guest.h"
#include "troupe/scheduler/internal/guest_testing.h"
#include "troupe/scheduler/internal/test_cell.h"
#include "troupe/scheduler/post.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::GuestThread;
using internal::TestCell;
using internal::TestMessage;
using testing::IsOk;
using testing::SeedTrace;
using testing::TestSeeds;

constexpr int kRounds = 1'500;
constexpr int kSenders = 4;  // Half of them guests.

// Lets workers come a little further on their way to sleep.
void Linger(Random& random) {
  const MonotonicTime end =
      RealClock().Now() + absl::Microseconds(random.Uniform(80));
  while (RealClock().Now() < end) {
  }
}

// What each sender has sent comes once, and in order.
class Receiver {
 public:
  explicit Receiver(ThreadExecutor& executor)
      : cell_("receiver", [this](TestCell&, const TestMessage& message) {
          // Plain: a cell handles one message at a time.
          if (message.sequence != next_[message.from]++) wrong_ = true;
          handled_.fetch_add(1);
        }) {
    cell_.Start(executor);
  }

  void Send(int from, uint64_t sequence) {
    cell_.Send({.from = from, .sequence = sequence});
  }
  int handled() const { return handled_.load(); }
  bool wrong() const { return wrong_; }

 private:
  std::array<uint64_t, kSenders> next_ = {};
  bool wrong_ = false;
  std::atomic<int> handled_{0};
  TestCell cell_;
};

// The rounds of one sender: it sends, posts, and waits until that has run.
class Sender {
 public:
  Sender(ThreadExecutor& executor, Receiver& receiver, int index, uint64_t seed)
      : executor_(executor),
        receiver_(receiver),
        index_(index),
        random_(seed) {}

  bool HasMore() const { return round_ < kRounds; }
  void Begin() {
    receiver_.Send(index_, round_++);
    Post(executor_, [ran = ran_] { ran->Set(); });
  }
  void End() {
    (void)executor_.WaitFor(*ran_, MonotonicTime::InfiniteFuture());
    ran_ = std::make_shared<Event>();
    Linger(random_);
  }

 private:
  ThreadExecutor& executor_;
  Receiver& receiver_;
  const int index_;
  Random random_;
  uint64_t round_ = 0;
  std::shared_ptr<Event> ran_ = std::make_shared<Event>();
};

TEST(GuestStressTest, NothingIsLostAmongGuestsAndOthers) {
  for (const uint64_t seed : TestSeeds(2)) {
    SCOPED_TRACE(SeedTrace(seed));
    for (const int workers : {1, 2}) {
      auto executor = ThreadExecutor::Create({.workers = workers});
      ASSERT_THAT(executor, IsOk());
      Receiver receiver(**executor);
      std::vector<std::unique_ptr<Sender>> senders;
      for (int i = 0; i < kSenders; ++i) {
        senders.push_back(
            std::make_unique<Sender>(**executor, receiver, i, seed + i));
      }
      {
        std::vector<std::unique_ptr<GuestThread>> guests;
        std::vector<std::thread> others;
        for (int i = 0; i < kSenders; ++i) {
          Sender& sender = *senders[i];
          if (i % 2 == 0) {
            guests.push_back(std::make_unique<GuestThread>([&](Guest& guest) {
              while (sender.HasMore()) {
                if (!guest.Deliver([&] { sender.Begin(); })) return;
                sender.End();
              }
            }));
          } else {
            others.emplace_back([&] {
              while (sender.HasMore()) {
                sender.Begin();
                sender.End();
              }
            });
          }
        }
        for (std::thread& other : others) other.join();
      }
      EXPECT_THAT((*executor)->Shutdown(), IsOk());
      EXPECT_GT((*executor)->visits(), 0u);
      EXPECT_EQ(receiver.handled(), kSenders * kRounds);
      EXPECT_FALSE(receiver.wrong());
    }
  }
}

}  // namespace
}  // namespace troupe
