#include "troupe/mailbox/internal/envelope_depot.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe::internal {
namespace {

using ::testing::Each;
using ::testing::Eq;

constexpr uint8_t kSmall = SizeClassOf(64);
constexpr uint8_t kLarge = SizeClassOf(4096);
constexpr size_t kPage = EnvelopeDepot::kPageBytes;

// Nothing is kept: every magazine is scattered to its pages, and free pages are
// surplus at the end of the epoch after next.
constexpr EnvelopeDepot::Limits kKeepsNothing = {
    .stock_bytes = 0, .warm_bytes = 0, .epoch_calls = 64};
// No page is ever given back unasked.
constexpr EnvelopeDepot::Limits kKeepsAll = {.warm_bytes = size_t{1} << 40};

Magazine TakeFull(EnvelopeDepot& depot, uint8_t size_class) {
  return depot.Take(size_class, MagazineBlocks(size_class));
}

std::vector<FreeBlock*> BlocksOf(Magazine magazine) {
  std::vector<FreeBlock*> blocks;
  for (FreeBlock* b = magazine.top; b != nullptr; b = b->next) {
    blocks.push_back(b);
  }
  EXPECT_EQ(blocks.size(), magazine.count);
  return blocks;
}

std::vector<Magazine> TakeMany(EnvelopeDepot& depot, uint8_t size_class,
                               int magazines) {
  std::vector<Magazine> taken;
  for (int i = 0; i < magazines; ++i) {
    taken.push_back(TakeFull(depot, size_class));
    EXPECT_EQ(taken.back().count, MagazineBlocks(size_class));
  }
  return taken;
}

bool IsInMemory(void* page) {
  unsigned char in_memory = 0;
  EXPECT_EQ(mincore(page, kPage, &in_memory), 0);
  return (in_memory & 1) != 0;
}

TEST(EnvelopeDepotTest, HandsOutBlocksThatDoNotOverlap) {
  EnvelopeDepot depot(kKeepsAll);
  std::set<uintptr_t> lines;
  size_t bytes = 0;
  std::vector<Magazine> magazines;
  for (uint8_t c = 0; c < kSizeClasses; ++c) {
    for (const Magazine& magazine : TakeMany(depot, c, 3)) {
      for (FreeBlock* block : BlocksOf(magazine)) {
        const auto address = reinterpret_cast<uintptr_t>(block);
        EXPECT_EQ(address % 64, 0u);
        for (size_t at = 0; at < BlockBytes(c); at += 64) {
          EXPECT_TRUE(lines.insert(address + at).second);
        }
        bytes += BlockBytes(c);
      }
    }
  }
  EXPECT_EQ(lines.size(), bytes / 64);
  EXPECT_EQ(depot.usage().mapped_bytes, EnvelopeDepot::kSlabBytes);
}

TEST(EnvelopeDepotTest, FreshBlocksComeInTheOrderOfTheirAddresses) {
  EnvelopeDepot depot(kKeepsAll);
  const std::vector<FreeBlock*> blocks = BlocksOf(TakeFull(depot, kSmall));
  for (size_t i = 1; i < blocks.size(); ++i) {
    EXPECT_EQ(reinterpret_cast<char*>(blocks[i]),
              reinterpret_cast<char*>(blocks[i - 1]) + 64);
  }
}

TEST(EnvelopeDepotTest, FullMagazineComesBackAsItWas) {
  EnvelopeDepot depot(kKeepsAll);
  const Magazine magazine = TakeFull(depot, kSmall);
  const std::vector<FreeBlock*> blocks = BlocksOf(magazine);
  depot.Put(kSmall, magazine);
  EXPECT_EQ(BlocksOf(TakeFull(depot, kSmall)), blocks);
}

TEST(EnvelopeDepotTest, SingleBlocksAreGatheredBeforeNewOnesAreCut) {
  EnvelopeDepot depot(kKeepsAll);
  const std::vector<FreeBlock*> blocks = BlocksOf(TakeFull(depot, kSmall));
  const size_t held = depot.usage().held_bytes;
  for (FreeBlock* block : blocks) {
    block->next = nullptr;
    depot.Put(kSmall, {block, 1});
  }
  EXPECT_EQ(std::set<FreeBlock*>(blocks.begin(), blocks.end()).size(), 64u);
  const std::vector<FreeBlock*> again = BlocksOf(TakeFull(depot, kSmall));
  EXPECT_EQ(std::set<FreeBlock*>(again.begin(), again.end()),
            std::set<FreeBlock*>(blocks.begin(), blocks.end()));
  EXPECT_EQ(depot.usage().held_bytes, held);
}

TEST(EnvelopeDepotTest, MagazineIsFilledFromSeveralPages) {
  EnvelopeDepot depot(kKeepsAll);
  // Of two pages every second block.
  std::set<FreeBlock*> returned;
  for (const Magazine& magazine : TakeMany(depot, kSmall, 2)) {
    const std::vector<FreeBlock*> blocks = BlocksOf(magazine);
    for (size_t i = 0; i < blocks.size(); i += 2) {
      blocks[i]->next = nullptr;
      depot.Put(kSmall, {blocks[i], 1});
      returned.insert(blocks[i]);
    }
  }
  const std::vector<FreeBlock*> gathered = BlocksOf(TakeFull(depot, kSmall));
  EXPECT_EQ(std::set<FreeBlock*>(gathered.begin(), gathered.end()), returned);
}

TEST(EnvelopeDepotTest, FewBlocksAreTakenWithoutMappingMoreWhileStockIsLeft) {
  EnvelopeDepot depot({.mapped_bytes = EnvelopeDepot::kSlabBytes});
  std::vector<Magazine> all;
  try {
    while (true) all.push_back(TakeFull(depot, kSmall));
  } catch (const std::bad_alloc&) {
  }
  depot.Put(kSmall, all.back());
  EXPECT_EQ(depot.Take(kSmall, 1).count, 1u);
  EXPECT_EQ(depot.Take(kSmall, 1).count, 1u);
}

TEST(EnvelopeDepotTest, LimitOfMappedMemoryIsBadAllocAndLeavesTheDepotUsable) {
  EnvelopeDepot depot({.mapped_bytes = EnvelopeDepot::kSlabBytes});
  std::vector<Magazine> all;
  EXPECT_THROW(while (true) all.push_back(TakeFull(depot, kLarge)),
               std::bad_alloc);
  EXPECT_THROW(static_cast<void>(TakeFull(depot, kSmall)), std::bad_alloc);
  EXPECT_EQ(depot.usage().mapped_bytes, EnvelopeDepot::kSlabBytes);
  // All of the slab but the depot's own pages has been handed out.
  size_t blocks = 0;
  for (const Magazine& magazine : all) blocks += magazine.count;
  EXPECT_EQ(blocks,
            EnvelopeDepot::kSlabBytes / kPage - EnvelopeDepot::kHeaderPages);

  depot.Put(kLarge, all.back());
  EXPECT_EQ(TakeFull(depot, kLarge).count, all.back().count);
}

TEST(EnvelopeDepotTest, FreePageServesAnotherClass) {
  EnvelopeDepot depot({.stock_bytes = 0, .warm_bytes = size_t{1} << 40});
  const Magazine small = TakeFull(depot, kSmall);  // A page's worth.
  FreeBlock* const page = small.top;
  const size_t held = depot.usage().held_bytes;
  depot.Put(kSmall, small);
  const Magazine large = depot.Take(kLarge, 1);
  EXPECT_EQ(large.top, page);
  depot.Put(kLarge, large);
  EXPECT_EQ(TakeFull(depot, kSmall).top, page);
  EXPECT_EQ(depot.usage().held_bytes, held);
}

TEST(EnvelopeDepotTest, AskedToReleaseItGivesBackWhatNobodyUses) {
  EnvelopeDepot depot(kKeepsAll);
  std::vector<Magazine> magazines = TakeMany(depot, kSmall, 400);
  FreeBlock* const first_page = magazines.front().top;
  FreeBlock* const used_page = magazines.back().top;
  const size_t headers = EnvelopeDepot::kHeaderPages * kPage;
  EXPECT_EQ(depot.usage().held_bytes, headers + 400 * kPage);
  // The last one stays in use.
  for (size_t i = 0; i + 1 < magazines.size(); ++i) {
    depot.Put(kSmall, magazines[i]);
  }
  EXPECT_TRUE(IsInMemory(first_page));

  depot.ReleaseUnused();

  EXPECT_EQ(depot.usage().held_bytes, headers + kPage);
  EXPECT_FALSE(IsInMemory(first_page));
  EXPECT_TRUE(IsInMemory(used_page));
  // What was given back is used again before more is mapped.
  EXPECT_EQ(TakeMany(depot, kSmall, 399).size(), 399u);
  EXPECT_EQ(depot.usage().mapped_bytes, EnvelopeDepot::kSlabBytes);
}

TEST(EnvelopeDepotTest, ReleasesTheSameInSteps) {
  EnvelopeDepot depot(kKeepsAll);
  EXPECT_FALSE(depot.ReleaseSome());
  const std::vector<Magazine> magazines = TakeMany(depot, kSmall, 2000);
  EXPECT_FALSE(depot.ReleaseSome());
  for (size_t i = 0; i + 1 < magazines.size(); ++i) {
    depot.Put(kSmall, magazines[i]);
  }
  while (depot.ReleaseSome()) {
  }
  EXPECT_EQ(depot.usage().held_bytes,
            (EnvelopeDepot::kHeaderPages + 1) * kPage);
}

// As many runs of free pages as there can be.
TEST(EnvelopeDepotTest, ReleasesEverySecondPage) {
  EnvelopeDepot depot(kKeepsAll);
  constexpr size_t kPages =
      EnvelopeDepot::kSlabBytes / kPage - EnvelopeDepot::kHeaderPages;
  std::vector<Magazine> pages;
  for (size_t i = 0; i < kPages; ++i) pages.push_back(depot.Take(kLarge, 1));
  ASSERT_EQ(depot.usage().mapped_bytes, EnvelopeDepot::kSlabBytes);
  const auto address = [](const Magazine& page) {
    return reinterpret_cast<uintptr_t>(page.top);
  };
  std::sort(pages.begin(), pages.end(), [&](const auto& a, const auto& b) {
    return address(a) < address(b);
  });
  for (size_t i = 0; i < kPages; i += 2) depot.Put(kLarge, pages[i]);

  depot.ReleaseUnused();

  EXPECT_EQ(depot.usage().held_bytes,
            (EnvelopeDepot::kHeaderPages + kPages / 2) * kPage);
}

TEST(EnvelopeDepotTest, UnmapsSlabThatNobodyUses) {
  EnvelopeDepot depot(kKeepsAll);
  const std::vector<Magazine> magazines = TakeMany(depot, kSmall, 2000);
  const size_t mapped = depot.usage().mapped_bytes;
  EXPECT_EQ(mapped, 4 * EnvelopeDepot::kSlabBytes);
  // One of a slab between others stays in use.
  constexpr size_t kUsed = 1000;
  for (size_t i = 0; i < magazines.size(); ++i) {
    if (i != kUsed) depot.Put(kSmall, magazines[i]);
  }
  depot.ReleaseUnused();
  EXPECT_EQ(depot.usage().mapped_bytes, EnvelopeDepot::kSlabBytes);
  EXPECT_TRUE(IsInMemory(magazines[kUsed].top));

  // The newest slab is gone, too: the next is a new one.
  EXPECT_EQ(TakeMany(depot, kSmall, 1999).size(), 1999u);
  EXPECT_EQ(depot.usage().mapped_bytes, mapped);
}

TEST(EnvelopeDepotTest, WorksAgainWhenAllIsUnmapped) {
  EnvelopeDepot depot(kKeepsAll);
  for (int i = 0; i < 3; ++i) {
    for (const Magazine& magazine : TakeMany(depot, kSmall, 2000)) {
      depot.Put(kSmall, magazine);
    }
    depot.ReleaseUnused();
    EXPECT_EQ(depot.usage().mapped_bytes, 0u);
    EXPECT_EQ(depot.usage().held_bytes, 0u);
  }
}

TEST(EnvelopeDepotTest, PagesThatNobodyNeedsForLongAreGivenBack) {
  EnvelopeDepot depot(kKeepsNothing);
  // A flood, and after it traffic of one magazine at a time.
  std::vector<Magazine> flood = TakeMany(depot, kSmall, 1000);
  const size_t peak = depot.usage().held_bytes;
  for (const Magazine& magazine : flood) depot.Put(kSmall, magazine);
  for (int i = 0; i < 2000; ++i) {
    depot.Put(kSmall, TakeFull(depot, kSmall));
  }
  EXPECT_LT(depot.usage().held_bytes, peak / 20);
  EXPECT_EQ(depot.usage().mapped_bytes, EnvelopeDepot::kSlabBytes);
}

TEST(EnvelopeDepotTest, FloodThatReturnsInAnEpochFindsItsMemory) {
  EnvelopeDepot depot({.stock_bytes = 0, .warm_bytes = 0, .epoch_calls = 2000});
  size_t held = 0;
  std::vector<size_t> held_after_flood;
  for (int i = 0; i < 20; ++i) {
    std::vector<Magazine> flood = TakeMany(depot, kSmall, 500);
    if (held == 0) held = depot.usage().held_bytes;
    for (const Magazine& magazine : flood) depot.Put(kSmall, magazine);
    held_after_flood.push_back(depot.usage().held_bytes);
  }
  EXPECT_THAT(held_after_flood, Each(Eq(held)));
}

TEST(EnvelopeDepotTest, WarmPagesAreKeptHoweverLongNobodyNeedsThem) {
  EnvelopeDepot depot(
      {.stock_bytes = 0, .warm_bytes = 100 * kPage, .epoch_calls = 64});
  std::vector<Magazine> flood = TakeMany(depot, kSmall, 400);
  for (const Magazine& magazine : flood) depot.Put(kSmall, magazine);
  for (int i = 0; i < 2000; ++i) {
    depot.Put(kSmall, TakeFull(depot, kSmall));
  }
  EXPECT_EQ(depot.usage().held_bytes,
            (EnvelopeDepot::kHeaderPages + 100 + 1) * kPage);
}

}  // namespace
}  // namespace troupe::internal
