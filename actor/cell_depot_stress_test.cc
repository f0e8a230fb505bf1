// Threads that take cells, put them back and give pages back, all at once.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/cell_depot.h"
#include "troupe/base/random.h"

namespace troupe::internal {
namespace {

using Chain = CellDepot::Chain;

constexpr int kThreads = 3;
constexpr int kRounds = 200;
constexpr uint8_t kClasses = 2;

// Stands where the object of an actor would.
struct Stamp {
  int thread;
  int round;
};

Stamp& StampOf(Cell& cell) {
  return *static_cast<Stamp*>(cell.inline_storage());
}

// A thread's share of the work. Cells that it has are its own until it puts
// them back: nobody else has them, and their pages stay.
void Work(CellDepot& depot, int thread) {
  Random random(thread);
  for (int round = 0; round < kRounds; ++round) {
    const uint8_t slot_class = random.Uniform(kClasses);
    std::vector<Chain> chains;
    for (uint64_t i = random.Uniform(150); i > 0; --i) {
      chains.push_back(depot.Take(slot_class));
      for (Cell* cell = chains.back().top; cell != nullptr;
           cell = cell->parent) {
        EXPECT_EQ(cell->phase, Phase::kFree);
        cell->phase = Phase::kRunning;
        ::new (cell->inline_storage()) Stamp{thread, round};
      }
    }
    if (random.Uniform(2) == 0) (void)depot.ReleaseSome();
    for (Chain& chain : chains) {
      for (Cell* cell = chain.top; cell != nullptr; cell = cell->parent) {
        EXPECT_EQ(cell->phase, Phase::kRunning);
        EXPECT_EQ(cell->slot_class, slot_class);
        EXPECT_EQ(StampOf(*cell).thread, thread);
        EXPECT_EQ(StampOf(*cell).round, round);
        cell->phase = Phase::kFree;
      }
      depot.Put(slot_class, chain);
    }
    while (random.Uniform(4) != 0 && depot.ReleaseSome()) {
    }
  }
}

TEST(CellDepotStressTest, CellInUseKeepsItsContents) {
  CellDepot depot;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&depot, t] { Work(depot, t); });
  }
  // Others do nothing but give back, so that several are at one slab.
  std::atomic<bool> done{false};
  std::vector<std::thread> releasing;
  for (int t = 0; t < 2; ++t) {
    releasing.emplace_back([&] {
      while (!done.load()) (void)depot.ReleaseSome();
    });
  }
  for (std::thread& thread : threads) thread.join();
  done.store(true);
  for (std::thread& thread : releasing) thread.join();
  while (depot.ReleaseSome()) {
  }
  EXPECT_EQ(depot.held_bytes(), 0u);
  size_t left = 0;
  depot.ForEach([&left](Cell&) { ++left; });
  EXPECT_EQ(left, 0u);
}

}  // namespace
}  // namespace troupe::internal
