#include "troupe/testing/schedule/explore.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/schedule/scheduled_atomics.h"

namespace troupe::schedule {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;
constexpr std::memory_order kAcquire = std::memory_order_acquire;
constexpr std::memory_order kRelease = std::memory_order_release;
constexpr std::memory_order kSeqCst = std::memory_order_seq_cst;

using Int = ScheduledAtomics::Atomic<int>;

Options Everything(std::string name) {
  return {.name = std::move(name),
          .preemptions = Options::kAny,
          .stale_reads = Options::kAny};
}

Options EverythingWeak(std::string name) {
  Options options = Everything(std::move(name));
  options.memory = MemoryModel::kWeak;
  return options;
}

// Two threads that add one by a load and a store.
void AddTwice(Execution& run) {
  Int count(0);
  for (const char* name : {"first", "second"}) {
    run.Spawn(name, [&count] { count.store(count.load() + 1); });
  }
  run.Join();
  Check(count.load() == 2, "an addition was lost");
}

TEST(ExploreTest, FindsTheLostAddition) {
  const Result result = Explore({.name = "add"}, AddTwice);

  EXPECT_THAT(result.failure, HasSubstr("an addition was lost"));
  EXPECT_THAT(result.report, HasSubstr("TROUPE_SCHEDULE='add="));
  EXPECT_THAT(result.report, HasSubstr("first: store(atomic 0, 0x1, seq_cst)"));
}

TEST(ExploreTest, ReplaysTheScheduleThatFailed) {
  const Result found = Explore({.name = "add"}, AddTwice);
  const std::string key = "TROUPE_SCHEDULE='";
  const size_t begin = found.report.find(key) + key.size();
  const std::string schedule =
      found.report.substr(begin, found.report.find('\'', begin) - begin);

  ASSERT_EQ(setenv("TROUPE_SCHEDULE", schedule.c_str(), 1), 0);
  const Result again = Explore({.name = "add"}, AddTwice);
  ASSERT_EQ(setenv("TROUPE_SCHEDULE", "add=", 1), 0);
  const Result without_preemption = Explore({.name = "add"}, AddTwice);
  ASSERT_EQ(unsetenv("TROUPE_SCHEDULE"), 0);

  EXPECT_EQ(again.schedules, 1);
  EXPECT_EQ(again.failure, found.failure);
  EXPECT_EQ(again.report, found.report);
  EXPECT_EQ(without_preemption.failure, "");
}

TEST(ExploreTest, FindsItByLotteryToo) {
  const Result result = Explore(
      {.name = "add", .preemptions = 0, .random_schedules = 200}, AddTwice);

  EXPECT_THAT(result.failure, HasSubstr("an addition was lost"));
}

// Fails only if both threads are preempted, each after its first step.
void NeedsTwoPreemptions(Execution& run) {
  Int turn(0);
  run.Spawn("first", [&turn] {
    const int before = turn.load();
    Check(before != 0 || turn.load() != 1, "both were preempted");
  });
  run.Spawn("second", [&turn] {
    turn.store(1);
    turn.store(2);
  });
  run.Join();
}

TEST(ExploreTest, TriesNoMorePreemptionsThanAsked) {
  const Result one =
      Explore({.name = "preemptions", .preemptions = 1}, NeedsTwoPreemptions);
  const Result two =
      Explore({.name = "preemptions", .preemptions = 2}, NeedsTwoPreemptions);

  EXPECT_EQ(one.report, "");
  EXPECT_TRUE(one.complete);
  EXPECT_THAT(two.failure, HasSubstr("both were preempted"));
}

TEST(ExploreTest, TriesAllOrdersOfTwoThreads) {
  // 2 + 2 increments whose results tell the order: 4! / (2! 2!) = 6.
  std::set<int> orders;
  const Result result =
      Explore(Everything("orders"), [&orders](Execution& run) {
        Int count(0);
        int order[2][2];
        for (int i = 0; i < 2; ++i) {
          run.Spawn("adder", [&count, &order, i] {
            for (int k = 0; k < 2; ++k) order[i][k] = count.fetch_add(1);
          });
        }
        run.Join();
        orders.insert(order[0][0] * 10 + order[0][1]);
      });

  EXPECT_EQ(result.report, "");
  EXPECT_TRUE(result.complete);
  EXPECT_THAT(orders, ElementsAre(1, 2, 3, 12, 13, 23));
}

TEST(ExploreTest, StepsApartCountOnce) {
  // 20!/(10! 10!) schedules, all with the same outcome.
  const Result result = Explore(Everything("apart"), [](Execution& run) {
    Int a(0);
    Int b(0);
    for (Int* count : {&a, &b}) {
      run.Spawn("adder", [count] {
        for (int i = 0; i < 10; ++i) count->fetch_add(1);
      });
    }
    run.Join();
    Check(a.load() + b.load() == 20, "lost");
  });

  EXPECT_EQ(result.report, "");
  EXPECT_TRUE(result.complete);
  EXPECT_LT(result.schedules, 1000);
}

TEST(ExploreTest, TriesEveryNumberThatTheBodyAsksFor) {
  std::set<int> seen;
  const Result result = Explore({.name = "choose"}, [&seen](Execution& run) {
    const int tens = run.Choose(2);
    run.Spawn("chooser",
              [&run, &seen, tens] { seen.insert(tens * 10 + run.Choose(3)); });
    run.Join();
  });

  EXPECT_TRUE(result.complete);
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 10, 11, 12));
}

// -- waiting ------------------------------------------------------------------

TEST(ExploreTest, PauseWaitsForAStore) {
  const Result result = Explore(Everything("wait"), [](Execution& run) {
    Int flag(0);
    ScheduledCell<int> data(0);
    run.Spawn("waiter", [&] {
      while (flag.load(kAcquire) == 0) ScheduledAtomics::SpinPause();
      Check(data == 1, "the flag came before the data");
    });
    run.Spawn("setter", [&] {
      data = 1;
      flag.store(1, kRelease);
    });
    run.Join();
  });

  EXPECT_EQ(result.report, "");
  EXPECT_TRUE(result.complete);
}

// What comes behind a pause that need not be one is tried as all else is.
TEST(ExploreTest, GoesOnBehindAPause) {
  const Result result =
      Explore(Everything("behind a pause"), [](Execution& run) {
        Int x(0);
        Int y(0);
        Int z(0);
        run.Spawn("writer", [&] {
          x.store(1);
          z.store(1);
          y.store(5);
        });
        run.Spawn("reader", [&] {
          const int a = x.load();
          const int b = z.load();
          if (a != 0 || b != 1) return;
          ScheduledAtomics::SpinPause();
          const int before = y.fetch_add(1);
          Check(before != 0 || y.load() != 5, "it came in between");
        });
        run.Join();
      });
  EXPECT_THAT(result.failure, HasSubstr("it came in between"));
}

TEST(ExploreTest, FindsThreadsThatWaitForOneAnother) {
  const Result result = Explore({.name = "deadlock"}, [](Execution& run) {
    Int first(0);
    Int second(0);
    const auto lock_both = [](Int& one, Int& other) {
      for (Int* lock : {&one, &other}) {
        while (lock->exchange(1) != 0) ScheduledAtomics::SpinPause();
      }
      other.store(0);
      one.store(0);
    };
    run.Spawn("ab", [&] { lock_both(first, second); });
    run.Spawn("ba", [&] { lock_both(second, first); });
    run.Join();
  });

  EXPECT_THAT(result.failure, HasSubstr("deadlock"));
}

TEST(ExploreTest, FindsARunWithoutEnd) {
  const Result result =
      Explore({.name = "endless", .max_steps = 100}, [](Execution& run) {
        Int flag(0);
        run.Spawn("spinner", [&] {
          while (flag.load() == 0) {
          }
        });
        run.Join();
      });

  EXPECT_THAT(result.failure, HasSubstr("does not end"));
}

TEST(ExploreTest, ThoseWhoMayEndDoSoWhenNothingCanCome) {
  const Result result = Explore(Everything("end"), [](Execution& run) {
    Int mail(0);
    int received = 0;
    run.Spawn("receiver", [&] {
      do {
        received += mail.exchange(0);
      } while (PauseOrEnd());
    });
    run.Spawn("sender", [&] {
      mail.fetch_add(1);
      mail.fetch_add(1);
    });
    run.Join();
    Check(received == 2, "it ended too early");
  });

  EXPECT_EQ(result.report, "");
  EXPECT_TRUE(result.complete);
}

// -- failures -----------------------------------------------------------------

TEST(ExploreTest, UnwindsTheThreadsOfAFailedRun) {
  struct Counted {
    explicit Counted(int& alive) : alive(alive) { ++alive; }
    ~Counted() { --alive; }
    int& alive;
  };
  int alive = 0;
  const Result result = Explore({.name = "unwind"}, [&alive](Execution& run) {
    Int flag(0);
    run.Spawn("waiter", [&] {
      Counted counted(alive);
      while (flag.load() == 0) ScheduledAtomics::SpinPause();
    });
    run.Spawn("failing", [&] {
      Counted counted(alive);
      flag.load();
      Check(false, "as planned");
    });
    run.Join();
  });

  EXPECT_THAT(result.failure, HasSubstr("as planned (failing)"));
  EXPECT_EQ(alive, 0);
}

TEST(ExploreTest, MutationsChangeOperations) {
  Options options = Everything("mutated");
  options.mutate = [](Operation& operation) {
    if (operation.kind != Operation::Kind::kFetchAdd) return;
    if (operation.label != "count" || operation.thread != "second") return;
    operation.kind = Operation::Kind::kStore;
    operation.operand += operation.current;
    operation.skip = operation.current == 1;
  };
  const Result result = Explore(options, [](Execution& run) {
    Int count(0);
    run.Label(count, "count");
    for (const char* name : {"first", "second"}) {
      run.Spawn(name, [&count] { count.fetch_add(1); });
    }
    run.Join();
    Check(count.load() == 2, "an addition was left out");
  });

  EXPECT_THAT(result.failure, HasSubstr("an addition was left out"));
}

// -- the memory model ---------------------------------------------------------

// Each of two threads writes its own and reads the other's. Returns all pairs
// that were read.
std::set<int> StoreBuffering(const Options& options, std::memory_order store,
                             std::memory_order load) {
  std::set<int> seen;
  const Result result = Explore(options, [&seen, store, load](Execution& run) {
    Int x(0);
    Int y(0);
    int read_y = 0;
    int read_x = 0;
    run.Spawn("x", [&] {
      x.store(1, store);
      read_y = y.load(load);
    });
    run.Spawn("y", [&] {
      y.store(1, store);
      read_x = x.load(load);
    });
    run.Join();
    seen.insert(read_y * 10 + read_x);
  });
  EXPECT_TRUE(result.complete);
  return seen;
}

TEST(MemoryModelTest, WeakLoadsMayMissBothStores) {
  EXPECT_THAT(StoreBuffering(Everything("buffering"), kRelaxed, kRelaxed),
              ElementsAre(1, 10, 11));
  EXPECT_THAT(StoreBuffering(EverythingWeak("buffering"), kRelaxed, kRelaxed),
              ElementsAre(0, 1, 10, 11));
  EXPECT_THAT(StoreBuffering(EverythingWeak("buffering"), kSeqCst, kSeqCst),
              ElementsAre(1, 10, 11));
}

// They are in one order with each other, and with nothing else.
TEST(MemoryModelTest, SequentialOperationsAreNoFences) {
  EXPECT_THAT(StoreBuffering(EverythingWeak("buffering"), kSeqCst, kAcquire),
              ElementsAre(0, 1, 10, 11));
  EXPECT_THAT(StoreBuffering(EverythingWeak("buffering"), kRelease, kSeqCst),
              ElementsAre(0, 1, 10, 11));
}

// Hands over data under a flag. `then` may do something to the flag that the
// receiver waits to become 2.
Result HandOver(const Options& options, std::memory_order store,
                std::memory_order load, void (*then)(Int&)) {
  return Explore(options, [=](Execution& run) {
    Int flag(0);
    ScheduledCell<int> data(0);
    run.Label(data, "data");
    run.Spawn("sender", [&] {
      data = 1;
      flag.store(1, store);
    });
    run.Spawn("between", [&] {
      while (flag.load(kRelaxed) == 0) ScheduledAtomics::SpinPause();
      then(flag);
    });
    run.Spawn("receiver", [&] {
      while (flag.load(load) != 2) ScheduledAtomics::SpinPause();
      Check(data == 1, "the data is not there");
    });
    run.Join();
  });
}

void Increment(Int& flag) { flag.fetch_add(1, kRelaxed); }
void Overwrite(Int& flag) { flag.store(2, kRelaxed); }

TEST(MemoryModelTest, ReleaseAndAcquireOrderPlainData) {
  EXPECT_EQ(
      HandOver(EverythingWeak("pass"), kRelease, kAcquire, Increment).report,
      "");
}

TEST(MemoryModelTest, RelaxedStoreOrLoadIsADataRace) {
  for (const MemoryModel memory :
       {MemoryModel::kSequential, MemoryModel::kWeak}) {
    Options options = Everything("race");
    options.memory = memory;
    EXPECT_THAT(HandOver(options, kRelaxed, kAcquire, Increment).failure,
                HasSubstr("data race: data"));
    EXPECT_THAT(HandOver(options, kRelease, kRelaxed, Increment).failure,
                HasSubstr("data race: data"));
  }
}

TEST(MemoryModelTest, OnlyReadModifyWritesContinueARelease) {
  EXPECT_THAT(
      HandOver(EverythingWeak("broken"), kRelease, kAcquire, Overwrite).failure,
      HasSubstr("data race: data"));
}

TEST(MemoryModelTest, WritingWhatAnotherReadsIsADataRace) {
  const Result result = Explore(Everything("write"), [](Execution& run) {
    ScheduledCell<int> data(0);
    run.Spawn("reader", [&] { static_cast<void>(data.Read()); });
    run.Spawn("writer", [&] { data = 1; });
    run.Join();
  });

  EXPECT_THAT(result.failure, HasSubstr("data race"));
}

TEST(MemoryModelTest, DestroyingWhatAnotherReadsIsADataRace) {
  const Result result = Explore(Everything("destroy"), [](Execution& run) {
    auto data = std::make_unique<ScheduledCell<int>>(0);
    run.Label(*data, "data");
    run.Spawn("reader", [&] { static_cast<void>(data->Read()); });
    run.Spawn("owner", [&] { data = nullptr; });
    run.Join();
  });

  EXPECT_THAT(result.failure, HasSubstr("data race: data is destroyed"));
}

// Only what is looked at again and again is seen in the end.
TEST(MemoryModelTest, APauseIsNoFence) {
  const Result result = Explore(EverythingWeak("no fence"), [](Execution& run) {
    Int data(0);
    Int flag(0);
    run.Spawn("writer", [&] {
      data.store(1, kRelaxed);
      flag.store(1, kRelaxed);
    });
    run.Spawn("reader", [&] {
      (void)data.load(kRelaxed);
      bool paused = false;
      while (flag.load(kRelaxed) == 0) {
        paused = true;
        ScheduledAtomics::SpinPause();
      }
      Check(!paused || data.load(kRelaxed) == 1, "the data are old");
    });
    run.Join();
  });
  EXPECT_THAT(result.failure, HasSubstr("the data are old"));
}

TEST(MemoryModelTest, ALocationNeverGoesBack) {
  std::set<int> seen;
  const Result result =
      Explore(EverythingWeak("coherent"), [&seen](Execution& run) {
        Int x(0);
        run.Spawn("writer", [&] {
          x.store(1, kRelaxed);
          x.store(2, kRelaxed);
        });
        run.Spawn("reader", [&] {
          const int first = x.load(kRelaxed);
          seen.insert(first * 10 + x.load(kRelaxed));
        });
        run.Join();
      });

  EXPECT_TRUE(result.complete);
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 11, 12, 22));
}

TEST(MemoryModelTest, ReadersMayDisagreeUnlessSequential) {
  const auto disagree = [](const Options& options, std::memory_order order) {
    bool found = false;
    const Result result = Explore(options, [&found, order](Execution& run) {
      Int x(0);
      Int y(0);
      int seen[2][2];
      run.Spawn("x", [&] { x.store(1, order); });
      run.Spawn("y", [&] { y.store(1, order); });
      run.Spawn("x, y", [&] {
        seen[0][0] = x.load(order);
        seen[0][1] = y.load(order);
      });
      run.Spawn("y, x", [&] {
        seen[1][0] = y.load(order);
        seen[1][1] = x.load(order);
      });
      run.Join();
      found |= seen[0][0] == 1 && seen[0][1] == 0 && seen[1][0] == 1 &&
               seen[1][1] == 0;
    });
    EXPECT_TRUE(result.complete);
    return found;
  };

  EXPECT_TRUE(disagree(EverythingWeak("readers"), kRelaxed));
  EXPECT_FALSE(disagree(EverythingWeak("readers"), kSeqCst));
  EXPECT_FALSE(disagree(Everything("readers"), kRelaxed));
}

TEST(MemoryModelTest, WeakCompareExchangeMayFailForNothing) {
  const auto fails = [](const Options& options) {
    return Explore(options, [](Execution& run) {
      Int x(0);
      run.Spawn("changer", [&] {
        int expected = 0;
        Check(x.compare_exchange_weak(expected, 1, kRelaxed, kRelaxed),
              "it failed");
      });
      run.Join();
    });
  };

  EXPECT_EQ(fails(Everything("spurious")).failure, "");
  EXPECT_THAT(fails(EverythingWeak("spurious")).failure, HasSubstr("failed"));
}

TEST(MemoryModelTest, CompareExchangeThatFailsMayReadWhatIsOld) {
  const auto reads_old = [](bool weak) {
    bool found = false;
    const Result result =
        Explore(EverythingWeak("old"), [&found, weak](Execution& run) {
          Int x(0);
          bool is_old = false;
          run.Spawn("writer", [&] {
            x.store(1, kRelaxed);
            is_old = true;
          });
          run.Spawn("changer", [&] {
            int expected = 0;
            const bool changed =
                weak ? x.compare_exchange_weak(expected, 2, kRelaxed, kRelaxed)
                     : x.compare_exchange_strong(expected, 2, kRelaxed,
                                                 kRelaxed);
            found |= is_old && !changed && expected == 0;
          });
          run.Join();
        });
    EXPECT_TRUE(result.complete);
    return found;
  };

  EXPECT_TRUE(reads_old(/*weak=*/true));
  EXPECT_FALSE(reads_old(/*weak=*/false));
}

// Two threads that must not both find the other's flag unset; one pays with a
// light barrier, the other with a heavy one.
Result Asymmetric(Operation::Kind left_out) {
  Options options = EverythingWeak("asymmetric");
  options.mutate = [left_out](Operation& operation) {
    operation.skip = operation.kind == left_out;
  };
  return Explore(options, [](Execution& run) {
    Int often(0);
    Int seldom(0);
    int entered = 0;
    run.Spawn("often", [&] {
      often.store(1, kRelaxed);
      ScheduledAtomics::LightBarrier();
      if (seldom.load(kRelaxed) == 0) ++entered;
    });
    run.Spawn("seldom", [&] {
      seldom.store(1, kRelaxed);
      ScheduledAtomics::HeavyBarrier();
      if (often.load(kRelaxed) == 0) ++entered;
    });
    run.Join();
    Check(entered < 2, "both entered");
  });
}

TEST(MemoryModelTest, BothHalvesOfAnAsymmetricBarrierMatter) {
  EXPECT_EQ(Asymmetric(Operation::Kind::kFetchAdd).report, "");
  EXPECT_THAT(Asymmetric(Operation::Kind::kLightBarrier).failure,
              HasSubstr("both entered"));
  EXPECT_THAT(Asymmetric(Operation::Kind::kHeavyBarrier).failure,
              HasSubstr("both entered"));
}

}  // namespace
}  // namespace troupe::schedule
