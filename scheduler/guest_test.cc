#include "troupe/scheduler/guest.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/internal/guest_testing.h"
#include "troupe/scheduler/internal/test_cell.h"
#include "troupe/scheduler/post.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::GuestThread;
using internal::TestCell;
using internal::TestMessage;
using internal::TestOutbox;
using testing::IsOk;

constexpr MonotonicTime kNoDeadline = MonotonicTime::InfiniteFuture();

std::unique_ptr<ThreadExecutor> Create(ThreadExecutor::Options options) {
  return ThreadExecutor::Create(std::move(options)).value();
}
// So long that no turn of these tests loses its seat, but on machines that
// stand still.
std::unique_ptr<ThreadExecutor> CreatePatient() {
  return Create({.workers = 1, .take_over_after = absl::Milliseconds(10)});
}

// Until the only worker has nothing to do. Its thread may still be on the way
// to where it sleeps.
void AwaitAsleep(ThreadExecutor& executor) {
  ASSERT_TRUE(executor.RunUntil(
      [&] { return executor.shared_worker(0).LooksAsleep(); }, kNoDeadline));
}

enum class Round { kAgain, kDone, kKept };

// Plays rounds as a guest while the worker sleeps, until one is done, for a
// minute at most: what it wakes may always be run by the worker's own thread.
// Returns how many threads were kept.
int Play(ThreadExecutor& executor, const std::function<Round(Guest&)>& round) {
  const MonotonicTime deadline = executor.clock().Now() + absl::Minutes(1);
  bool is_done = false;
  int kept = 0;
  {
    GuestThread thread([&](Guest& guest) {
      while (!is_done && executor.clock().Now() < deadline) {
        AwaitAsleep(executor);
        const Round outcome = round(guest);
        if (outcome == Round::kKept) return;
        is_done = outcome == Round::kDone;
      }
    });
    thread.AwaitEnd();
    kept = thread.kept();
  }
  EXPECT_TRUE(is_done) << "no guest was let in, or did what it should";
  return kept;
}

TEST(GuestTest, RunsWhatItWakes) {
  const auto executor = CreatePatient();
  (void)Play(*executor, [&](Guest& guest) {
    Event ran;
    std::thread::id ran_on;
    const auto wake = [&] {
      Post(*executor, [&] {
        ran_on = std::this_thread::get_id();
        ran.Set();
      });
    };
    if (!guest.Deliver(wake)) return Round::kKept;
    const bool is_over = ran.IsSet();
    EXPECT_TRUE(executor->WaitFor(ran, kNoDeadline));
    if (ran_on != std::this_thread::get_id()) return Round::kAgain;
    EXPECT_TRUE(is_over);
    return Round::kDone;
  });
  EXPECT_GE(executor->visits(), 1u);
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

TEST(GuestTest, LeavesWhatTakesLongToTheWorkersThread) {
  constexpr int kTurns = 10'000;
  const auto executor = CreatePatient();
  (void)Play(*executor, [&](Guest& guest) {
    struct Chain {
      void Step(Executor& executor) {
        if (turns == 0) began_on = std::this_thread::get_id();
        if (++turns < kTurns) {
          Post(executor, [this, &executor] { Step(executor); });
        } else {
          ended_on = std::this_thread::get_id();
          ended.Set();
        }
      }
      int turns = 0;
      std::thread::id began_on, ended_on;
      Event ended;
    };
    const auto chain = std::make_shared<Chain>();
    const auto wake = [&] {
      Post(*executor, [&executor, chain] { chain->Step(*executor); });
    };
    if (!guest.Deliver(wake)) {
      (void)chain->ended.WaitWithTimeout(absl::InfiniteDuration());
      return Round::kKept;
    }
    EXPECT_TRUE(executor->WaitFor(chain->ended, kNoDeadline));
    if (chain->began_on != std::this_thread::get_id()) return Round::kAgain;
    EXPECT_NE(chain->ended_on, chain->began_on);
    return Round::kDone;
  });
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

// What it would have run, before it goes.
TEST(GuestTest, MayShutDownWhileItDelivers) {
  const auto executor = CreatePatient();
  (void)Play(*executor, [&](Guest& guest) {
    Event ran;
    const auto end = [&] {
      Post(*executor, [&] { ran.Set(); });
      EXPECT_THAT(executor->Shutdown(), IsOk());
    };
    EXPECT_TRUE(guest.Deliver(end));
    EXPECT_TRUE(ran.IsSet());
    return Round::kDone;
  });
}

// §19. What the closure waits for is run by the same worker, and the thread
// that would have gone on waiting for input is replaced.
TEST(GuestTest, IsReplacedWhenAHandlerDoesNotReturn) {
  const auto executor = Create({.workers = 1});
  std::atomic<int> blocked{0};
  const int kept = Play(*executor, [&](Guest& guest) {
    if (blocked.load() > 0) return Round::kDone;
    absl::Notification other_ran, returned;
    const std::thread::id self = std::this_thread::get_id();
    const auto wake = [&] {
      Post(*executor, [&] {
        Post(*executor, [&] { other_ran.Notify(); });
        other_ran.WaitForNotification();
        if (std::this_thread::get_id() == self) blocked.fetch_add(1);
        returned.Notify();
      });
    };
    if (!guest.Deliver(wake)) return Round::kKept;
    returned.WaitForNotification();
    return Round::kAgain;
  });
  EXPECT_GE(kept, 1);
  // Joins what it has kept.
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

// The same by itself.
TEST(GuestTest, IsReplacedWhenAHandlerGivesUpItsSeat) {
  const auto executor = CreatePatient();
  std::atomic<bool> gave_up{false};
  const int kept = Play(*executor, [&](Guest& guest) {
    if (gave_up) return Round::kDone;
    absl::Notification other_ran, returned;
    const std::thread::id self = std::this_thread::get_id();
    const auto wake = [&] {
      Post(*executor, [&] {
        Post(*executor, [&] { other_ran.Notify(); });
        // Before: what follows is another thread's.
        if (std::this_thread::get_id() == self) gave_up = true;
        executor->GiveUpSeat();
        other_ran.WaitForNotification();
        returned.Notify();
      });
    };
    if (!guest.Deliver(wake)) return Round::kKept;
    returned.WaitForNotification();
    return Round::kAgain;
  });
  EXPECT_GE(kept, 1);
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

// Else a handler could keep it from its input for as long as it likes.
TEST(GuestTest, WakesTheWorkersThreadWhereNobodyTakesOver) {
  const auto executor =
      Create({.workers = 1, .take_over_after = absl::InfiniteDuration()});
  Guest guest([] {
    ADD_FAILURE() << "no guest is let in";
    return nullptr;
  });
  for (int i = 0; i < 100; ++i) {
    AwaitAsleep(*executor);
    Event ran;
    ASSERT_TRUE(guest.Deliver([&] { Post(*executor, [&] { ran.Set(); }); }));
    ASSERT_TRUE(executor->WaitFor(ran, kNoDeadline));
  }
  EXPECT_EQ(executor->visits(), 0u);
}

// Who delivers may wait for what comes of it.
TEST(GuestTest, WakesTheWorkersThreadWhenItWaits) {
  const auto executor = CreatePatient();
  (void)Play(*executor, [&](Guest& guest) {
    const uint64_t visits = executor->visits();
    bool is_here = true;
    const auto wake_and_wait = [&] {
      Event ran;
      const std::thread::id self = std::this_thread::get_id();
      Post(*executor, [&] {
        is_here = std::this_thread::get_id() == self;
        ran.Set();
      });
      EXPECT_TRUE(executor->WaitFor(ran, kNoDeadline));
    };
    EXPECT_TRUE(guest.Deliver(wake_and_wait));
    EXPECT_FALSE(is_here);
    EXPECT_EQ(executor->visits(), visits);
    return Round::kDone;
  });
}

// The worker's thread went to sleep before there was a timer. It must be told
// of it, and not only find it when it is woken to tidy up.
TEST(GuestTest, TimersThatItLeavesFire) {
  constexpr uint64_t kLooksBeforeTidyUp = 40;  // Of the monitor.
  const auto executor = CreatePatient();
  executor->SetLocals(&TestOutbox::Make);
  std::atomic<int> set{0}, fired{0};
  std::atomic<uint64_t> looks{0};
  std::atomic<std::thread::id> set_on;
  TestCell cell("cell", [&](TestCell& self, const TestMessage& message) {
    if (message.from == TestCell::kTimer) {
      looks = executor->monitor_looks() - looks;
      fired.fetch_add(1);
      return;
    }
    self.SetTimer(executor->clock().Now() + absl::Milliseconds(5));
    set_on = std::this_thread::get_id();
    looks = executor->monitor_looks();
    set.fetch_add(1);
  });
  cell.Start(*executor);
  (void)Play(*executor, [&](Guest& guest) {
    const int sets = set.load();
    const int fires = fired.load();
    if (!guest.Deliver([&] { cell.Send({.from = 1}); })) return Round::kKept;
    EXPECT_TRUE(
        executor->RunUntil([&] { return set.load() > sets; }, kNoDeadline));
    const bool was_here = set_on.load() == std::this_thread::get_id();
    EXPECT_TRUE(
        executor->RunUntil([&] { return fired.load() > fires; }, kNoDeadline));
    return was_here && looks.load() < kLooksBeforeTidyUp ? Round::kDone
                                                         : Round::kAgain;
  });
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

}  // namespace
}  // namespace troupe
