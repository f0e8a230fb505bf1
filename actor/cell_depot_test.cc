#include "troupe/actor/internal/cell_depot.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/base/ownership.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {
namespace {

using ::testing::Each;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;
using Chain = CellDepot::Chain;

constexpr uint8_t kClass = 0;
constexpr uint32_t kBatch = CellDepot::kBatchCells;
constexpr size_t kBatchBytes = CellDepot::kSlotBytes[kClass] * kBatch;

std::vector<Cell*> Take(CellDepot& depot, size_t count, uint8_t c = kClass) {
  std::vector<Cell*> cells;
  while (cells.size() < count) {
    Chain chain = depot.Take(c);
    while (chain.count > 0) cells.push_back(&chain.Pop());
  }
  return cells;
}

// In chains of `length`.
void Put(CellDepot& depot, const std::vector<Cell*>& cells,
         uint32_t length = kBatch, uint8_t c = kClass) {
  Chain chain;
  for (Cell* const cell : cells) {
    chain.Push(*cell);
    if (chain.count < length) continue;
    depot.Put(c, chain);
    chain = {};
  }
  depot.Put(c, chain);
}

void ReleaseAll(CellDepot& depot) {
  while (depot.ReleaseSome()) {
  }
}

// An actor's life in `cell`. Returns a reading of the mailbox word as somebody
// has it who sends to that actor late.
Mailbox::Reading Live(Cell& cell, uint64_t id) {
  cell.id = id;
  cell.Open(/*token_inside=*/false);
  const Mailbox::Reading reading = cell.Load();
  EXPECT_EQ(cell.Die().chain, nullptr);
  return reading;
}

bool TakesLate(Cell& cell, Mailbox::Reading reading) {
  EnvelopePtr envelope(MakeEnvelope<int>(1));
  if (cell.Push(reading, envelope.get()) == PushResult::kClosed) return false;
  envelope.release();
  return true;
}

std::vector<Cell*> All(CellDepot& depot) {
  std::vector<Cell*> cells;
  depot.ForEach([&cells](Cell& cell) { cells.push_back(&cell); });
  return cells;
}

// ---- what is free and what is held

TEST(CellDepotTest, TakesEachCellOnce) {
  CellDepot depot;
  // Some slabs.
  const std::vector<Cell*> cells = Take(depot, 30'000);
  const std::set<Cell*> different(cells.begin(), cells.end());
  EXPECT_THAT(different, SizeIs(cells.size()));
  Put(depot, cells);
  const std::vector<Cell*> again = Take(depot, cells.size());
  EXPECT_EQ(std::set<Cell*>(again.begin(), again.end()), different);
}

TEST(CellDepotTest, ReleasesWhatIsFreeInWhateverOrder) {
  CellDepot depot;
  std::vector<Cell*> cells = Take(depot, 30'000);
  EXPECT_EQ(depot.held_bytes(), cells.size() / kBatch * kBatchBytes);
  // Neighbours come back at different times, and not in full chains.
  std::sort(cells.begin(), cells.end(), [](const Cell* a, const Cell* b) {
    return reinterpret_cast<uintptr_t>(a) * 0x9e3779b97f4a7c15 <
           reinterpret_cast<uintptr_t>(b) * 0x9e3779b97f4a7c15;
  });
  Put(depot, cells, /*length=*/kBatch - 1);
  ReleaseAll(depot);
  EXPECT_EQ(depot.held_bytes(), 0u);
}

TEST(CellDepotTest, ReleasesWhatIsInStock) {
  CellDepot depot;
  Put(depot, Take(depot, kBatch));
  EXPECT_EQ(depot.held_bytes(), kBatchBytes);
  ReleaseAll(depot);
  EXPECT_EQ(depot.held_bytes(), 0u);
}

TEST(CellDepotTest, ReleasesCellsOfEachClass) {
  CellDepot depot;
  for (uint8_t c = 0; c < CellDepot::kClasses; ++c) {
    Put(depot, Take(depot, 1000, c), kBatch, c);
  }
  ReleaseAll(depot);
  EXPECT_EQ(depot.held_bytes(), 0u);
}

TEST(CellDepotTest, KeepsBatchWithOneCellInUse) {
  CellDepot depot;
  std::vector<Cell*> cells = Take(depot, 2 * kBatch);
  Cell& used = *cells.back();
  cells.pop_back();
  used.Open(/*token_inside=*/false);
  Put(depot, cells);
  ReleaseAll(depot);
  EXPECT_EQ(depot.held_bytes(), kBatchBytes);
  EXPECT_TRUE(used.LooksOpen());
  (void)used.Die();
}

TEST(CellDepotTest, SaysWhenNothingIsLeftToRelease) {
  CellDepot depot;
  EXPECT_FALSE(depot.ReleaseSome());
  const std::vector<Cell*> cells = Take(depot, kBatch);
  EXPECT_FALSE(depot.ReleaseSome());
  Put(depot, cells);
  ReleaseAll(depot);
  EXPECT_FALSE(depot.ReleaseSome());
}

TEST(CellDepotTest, UsesReleasedMemoryAgain) {
  CellDepot depot;
  const std::vector<Cell*> cells = Take(depot, 3 * kBatch);
  Put(depot, cells);
  ReleaseAll(depot);
  EXPECT_THAT(Take(depot, cells.size()), UnorderedElementsAreArray(cells));
}

TEST(CellDepotTest, VisitsNoCellOfReleasedMemory) {
  CellDepot depot;
  EXPECT_THAT(All(depot), IsEmpty());
  const std::vector<Cell*> kept = Take(depot, kBatch);
  Put(depot, Take(depot, kBatch));
  EXPECT_THAT(All(depot), SizeIs(2 * kBatch));
  ReleaseAll(depot);
  EXPECT_THAT(All(depot), UnorderedElementsAreArray(kept));
}

// ---- the cells of memory that was released

TEST(CellDepotTest, ReleasedCellIsDead) {
  CellDepot depot;
  const std::vector<Cell*> cells = Take(depot, kBatch);
  Cell& cell = *cells.front();
  const Mailbox::Reading late = Live(cell, 7);
  Put(depot, cells);
  ReleaseAll(depot);
  EXPECT_FALSE(cell.IsAliveAs(7));
  EXPECT_EQ(cell.StatusOf(7), ActorStatus::kStopped);
  EXPECT_FALSE(TakesLate(cell, late));
}

TEST(CellDepotTest, CellOfReleasedMemoryIsAsNew) {
  CellDepot depot;
  Put(depot, Take(depot, kBatch));
  ReleaseAll(depot);
  for (const Cell* const cell : Take(depot, kBatch)) {
    EXPECT_EQ(cell->slot_class, kClass);
    EXPECT_EQ(cell->owner.load(), OwnerTag::kUnowned);
    EXPECT_EQ(cell->status.load(), ActorStatus::kStopped);
    EXPECT_EQ(cell->phase, Phase::kFree);
    EXPECT_TRUE(cell->empty());
    EXPECT_FALSE(cell->IsScheduled());
    EXPECT_EQ(cell->extras, nullptr);
  }
}

// Cells of a batch have had different numbers of lives: none of them may come
// back to a generation that it, or its neighbour, has had.
TEST(CellDepotTest, LatePushFailsAfterReleaseAndReuse) {
  CellDepot depot;
  std::vector<Cell*> cells = Take(depot, kBatch);
  struct Late {
    Cell* cell;
    Mailbox::Reading reading;
  };
  std::vector<Late> lates;
  uint64_t id = 0;
  for (int round = 0; round < 5; ++round) {
    for (size_t i = 0; i < cells.size(); ++i) {
      for (size_t life = 0; life <= i % 7; ++life) {
        lates.push_back({cells[i], Live(*cells[i], ++id)});
      }
    }
    Put(depot, cells);
    ReleaseAll(depot);
    cells = Take(depot, kBatch);
    for (Cell* const cell : cells) cell->Open(/*token_inside=*/false);
    for (const Late& late : lates) {
      EXPECT_FALSE(TakesLate(*late.cell, late.reading));
    }
    for (Cell* const cell : cells) (void)cell->Die();
  }
  Put(depot, cells);
}

TEST(CellDepotTest, GenerationsGoOnBehindTheirBatch) {
  CellDepot depot;
  const std::vector<Cell*> cells = Take(depot, kBatch);
  for (int life = 0; life < 3; ++life) (void)Live(*cells[5], 1);
  const uint64_t before = Mailbox::Word::GenerationOf(cells[5]->Load());
  EXPECT_THAT(before, Gt(Mailbox::Word::GenerationOf(cells[6]->Load())));
  Put(depot, cells);
  ReleaseAll(depot);
  std::vector<uint64_t> generations;
  for (const Cell* const cell : Take(depot, kBatch)) {
    generations.push_back(Mailbox::Word::GenerationOf(cell->Load()));
  }
  EXPECT_THAT(generations, Each(before));
}

// ---- which generation that is

uint16_t Common(std::vector<uint16_t> generations) {
  return CommonGeneration(absl::MakeSpan(generations));
}

TEST(CommonGenerationTest, IsTheHighest) {
  EXPECT_EQ(Common({4}), 4);
  EXPECT_EQ(Common({3, 3, 3}), 3);
  EXPECT_EQ(Common({3, 9, 5}), 9);
  EXPECT_EQ(Common({0, 30'000}), 30'000);
}

TEST(CommonGenerationTest, GoesRoundTheCircle) {
  EXPECT_EQ(Common({0xffff, 0}), 0);
  EXPECT_EQ(Common({0xfffe, 3, 0xffff, 1}), 3);
  EXPECT_EQ(Common({5, 40'000}), 5);
}

// However far apart they are, none may skip so much that it comes back to its
// own last generation.
TEST(CommonGenerationTest, SkipsAtMostAllButTheWidestGap) {
  std::vector<uint16_t> apart;
  for (uint32_t i = 0; i < 64; ++i) {
    apart.push_back(static_cast<uint16_t>(7 + i * 1024));
  }
  const uint16_t common = Common(apart);
  for (const uint16_t generation : apart) {
    EXPECT_LE(static_cast<uint16_t>(common - generation), 63 * 1024);
  }
}

}  // namespace
}  // namespace troupe::internal
