#include "troupe/supervision/internal/child_table.h"

#include <cstddef>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/internal/supervisor_command.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<ChildKey> Order(const ChildTable& table) {
  std::vector<ChildKey> keys;
  for (ChildKey key = table.first(); key != kNoChild; key = table[key].next) {
    keys.push_back(key);
  }
  // And back again.
  size_t left = keys.size();
  for (ChildKey key = table.last(); key != kNoChild;
       key = table[key].previous) {
    EXPECT_EQ(key, keys[--left]);
  }
  EXPECT_EQ(left, 0);
  EXPECT_EQ(table.size(), keys.size());
  return keys;
}

TEST(ChildTableTest, ChildrenStandInTheOrderOfTheirComing) {
  ChildTable table;
  EXPECT_THAT(Order(table), IsEmpty());
  for (int i = 0; i < 5; ++i) table.Add({});
  table.Unlist(2);
  EXPECT_THAT(Order(table), ElementsAre(0, 1, 3, 4));
  table.Unlist(0);
  table.Unlist(4);
  EXPECT_THAT(Order(table), ElementsAre(1, 3));
  table.Unlist(1);
  table.Unlist(3);
  EXPECT_THAT(Order(table), IsEmpty());
}

TEST(ChildTableTest, ReleasedKeyNamesANewChildAtTheEnd) {
  ChildTable table;
  for (int i = 0; i < 3; ++i) table.Add({.restart = kTemporary});
  table[1].restarts = 9;
  table.Unlist(1);
  table.Release(1);
  EXPECT_EQ(table.Add({.restart = kTransient}), 1);
  EXPECT_THAT(Order(table), ElementsAre(0, 2, 1));
  EXPECT_EQ(table[1].restart, kTransient);
  EXPECT_EQ(table[1].restarts, 0);
  EXPECT_GT(table[1].rank, table[2].rank);
}

TEST(ChildTableTest, KeepsHowAChildIsEnded) {
  ChildTable table;
  const ChildKey brutal = table.Add({.shutdown = Shutdown::Brutal()});
  const ChildKey limited =
      table.Add({.shutdown = Shutdown::Within(absl::Seconds(3))});
  const ChildKey infinite = table.Add({.shutdown = Shutdown::Infinite()});
  EXPECT_TRUE(table[brutal].IsBrutal());
  EXPECT_FALSE(table[limited].IsBrutal());
  EXPECT_EQ(table[limited].ShutdownLimit(), absl::Seconds(3));
  EXPECT_FALSE(table[infinite].IsBrutal());
  EXPECT_EQ(table[infinite].ShutdownLimit(), absl::InfiniteDuration());
}

TEST(ChildTableTest, EqualBackoffsInARowAreShared) {
  ChildTable table;
  const RestartBackoff slow = {.initial = absl::Seconds(9)};
  for (int i = 0; i < 2; ++i) table.Add({.backoff = RestartBackoff()});
  table.Add({.backoff = slow});
  table.Add({});
  EXPECT_EQ(table.backoff(0), table.backoff(1));
  EXPECT_EQ(*table.backoff(1), RestartBackoff());
  EXPECT_EQ(*table.backoff(2), slow);
  EXPECT_EQ(table.backoff(3), nullptr);
}

TEST(ChildTableTest, SharedBackoffLastsAsLongAsItsUsers) {
  ChildTable table;
  const RestartBackoff slow = {.initial = absl::Seconds(9)};
  for (int i = 0; i < 2; ++i) table.Add({.backoff = RestartBackoff()});
  table.Unlist(0);
  table.Release(0);
  table.Add({.backoff = slow});
  EXPECT_EQ(*table.backoff(1), RestartBackoff());
  table.Unlist(1);
  table.Release(1);
  table.Add({.backoff = RestartBackoff{.factor = 5}});
  EXPECT_EQ(table.backoff(1)->factor, 5);
  EXPECT_EQ(*table.backoff(0), slow);
}

TEST(ChildTableTest, WaitersAreTakenInTheOrderOfTheirComing) {
  ChildTable table;
  table.Add({});
  table.Add({});
  for (Ticket ticket : {1, 2, 3}) {
    table.AddWaiter(0, {ticket, Waiter::For::kTerminate});
    table.AddWaiter(1, {ticket + 10, Waiter::For::kDelete});
  }
  EXPECT_EQ(table.CountWaiters(0), 3);
  EXPECT_EQ(table.TakeWaiter(0).ticket, 1);
  table.AddWaiter(0, {4, Waiter::For::kStart});
  for (Ticket ticket : {2, 3, 4}) {
    EXPECT_EQ(table.TakeWaiter(0).ticket, ticket);
  }
  EXPECT_FALSE(table.HasWaiter(0));
  EXPECT_EQ(table.CountWaiters(0), 0);
  EXPECT_EQ(table.CountWaiters(1), 3);
  EXPECT_EQ(table.TakeWaiter(1).ticket, 11);
}

}  // namespace
}  // namespace troupe::internal
