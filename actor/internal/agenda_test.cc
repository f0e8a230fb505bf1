#include "troupe/actor/internal/agenda.h"

#include <algorithm>
#include <cstdint>
#include <list>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/testing/seeds.h"

namespace troupe::internal {
namespace {

MonotonicTime At(int64_t nanoseconds) {
  return MonotonicTime::FromNanoseconds(nanoseconds);
}

TEST(AgendaTest, EmptyOneHasNoTime) {
  Agenda agenda;
  EXPECT_TRUE(agenda.empty());
  EXPECT_EQ(agenda.first(), nullptr);
  EXPECT_EQ(agenda.time(), MonotonicTime::InfiniteFuture());
}

TEST(AgendaTest, EqualTimesKeepTheirOrder) {
  Agenda agenda;
  AgendaEntry a, b, c;
  agenda.Add(a, At(5));
  agenda.Add(b, At(5));
  agenda.Add(c, At(4));
  EXPECT_EQ(&agenda.PopFirst(), &c);
  EXPECT_EQ(&agenda.PopFirst(), &a);
  EXPECT_EQ(&agenda.PopFirst(), &b);
  EXPECT_TRUE(agenda.empty());
}

TEST(AgendaTest, WhatIsAddedWhileDueOnesRunWaits) {
  Agenda agenda;
  AgendaEntry old, late, young;
  agenda.Add(old, At(1));
  agenda.Add(late, At(9));
  const uint64_t mark = agenda.Mark();
  EXPECT_EQ(agenda.PopDue(At(5), mark), &old);
  agenda.Add(young, At(2));
  EXPECT_EQ(agenda.PopDue(At(5), mark), nullptr);
  EXPECT_EQ(agenda.PopDue(At(5), agenda.Mark()), &young);
  EXPECT_EQ(agenda.PopDue(At(5), agenda.Mark()), nullptr);
  agenda.Remove(late);
}

// Against a list that is searched.
TEST(AgendaTest, AgreesWithASortedListInAnyHistory) {
  for (const uint64_t seed : testing::TestSeeds(50)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    Random random(seed);
    Agenda agenda;
    std::vector<AgendaEntry> entries(100);
    std::list<AgendaEntry*> model;  // In the order added.
    const auto first_in_model = [&model] {
      return std::min_element(model.begin(), model.end(),
                              [](const AgendaEntry* a, const AgendaEntry* b) {
                                return a->time() < b->time();
                              });
    };
    for (int step = 0; step < 2000; ++step) {
      AgendaEntry& entry = entries[random.Uniform(entries.size())];
      if (!entry.is_listed()) {
        agenda.Add(entry, At(static_cast<int64_t>(random.Uniform(30))));
        model.push_back(&entry);
      } else if (random.Uniform(3) > 0) {
        agenda.Remove(entry);
        model.remove(&entry);
      } else {
        const auto first = first_in_model();
        ASSERT_EQ(&agenda.PopFirst(), *first);
        model.erase(first);
      }
      ASSERT_EQ(agenda.first(), model.empty() ? nullptr : *first_in_model());
    }
    while (!model.empty()) {
      const auto first = first_in_model();
      ASSERT_EQ(&agenda.PopFirst(), *first);
      model.erase(first);
    }
    ASSERT_TRUE(agenda.empty());
  }
}

}  // namespace
}  // namespace troupe::internal
