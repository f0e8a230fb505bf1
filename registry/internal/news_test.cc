// News are told in order, each once, by one at a time.
#include "troupe/registry/internal/news.h"

#include <barrier>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;

TEST(NewsTest, NewsAreToldOnceInOrder) {
  News<int> news;
  std::vector<int> told;
  const auto tell = [&](int one) { told.push_back(one); };
  news.Tell(tell);
  news.Note(1);
  news.Note(2);
  news.Tell(tell);
  news.Note(3);
  news.Tell(tell);
  EXPECT_THAT(told, ElementsAre(1, 2, 3));
}

TEST(NewsTest, NewsOfWhoIsToldComeBehind) {
  News<int> news;
  std::vector<int> told;
  const auto tell = [&](int one) { told.push_back(one); };
  news.Note(1);
  news.Note(2);
  news.Tell([&](int one) {
    if (one == 1) news.Note(3);
    news.Tell(tell);  // Told already: this does nothing.
    told.push_back(one);
  });
  EXPECT_THAT(told, ElementsAre(1, 2, 3));
}

TEST(NewsTest, WhoIsAtItTellsForOthers) {
  News<int> news;
  std::vector<int> told;
  absl::Notification at_it, other_has_left;
  news.Note(1);
  std::thread other([&] {
    at_it.WaitForNotification();
    news.Note(2);
    news.Tell([](int) { ADD_FAILURE() << "by the wrong thread"; });
    other_has_left.Notify();
  });
  news.Tell([&](int one) {
    if (one == 1) {
      at_it.Notify();
      other_has_left.WaitForNotification();
    }
    told.push_back(one);
  });
  other.join();
  EXPECT_THAT(told, ElementsAre(1, 2));
}

// Numbers that are given under a lock.
class Press {
 public:
  void Print() ABSL_LOCKS_EXCLUDED(mu_) {
    {
      absl::MutexLock lock(&mu_);
      news_.Note(++last_);
    }
    news_.Tell([this](int64_t one) {
      EXPECT_EQ(one, last_told_ + 1);
      std::this_thread::yield();  // Here another thread would overtake.
      last_told_ = one;
    });
  }
  int64_t last_told() const { return last_told_; }

 private:
  News<int64_t> news_;
  absl::Mutex mu_;
  int64_t last_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t last_told_ = 0;  // By one thread at a time; TSan looks.
};

// In rounds, since what is lost where one thread stops telling and another one
// notes is seen only if nobody tells later.
TEST(NewsStressTest, OneTellsAtATimeAndAllIsTold) {
  constexpr int kThreads = 2;
  constexpr int kRounds = 5000;
  Press press;
  std::barrier together(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 1; round <= kRounds; ++round) {
        together.arrive_and_wait();
        press.Print();
        press.Print();
        together.arrive_and_wait();
        EXPECT_EQ(press.last_told(), kThreads * 2 * round);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace troupe::internal
