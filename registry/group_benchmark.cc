// What joining, leaving, looking and choosing cost in a table of 10,000 groups
// of 10 members.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "troupe/base/random.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_pick.h"
#include "troupe/registry/group_table.h"

namespace troupe {
namespace {

constexpr int64_t kGroups = 10000;
constexpr int64_t kMembersOfEach = 10;

void Ignore(const GroupChange<int64_t>&) {}

struct Crowd {
  Crowd() {
    for (int64_t g = 0; g < kGroups; ++g) {
      names.push_back({.name = "group " + std::to_string(g)});
      for (int64_t m = 0; m < kMembersOfEach; ++m) {
        (void)table.Join(names.back(), {g * kMembersOfEach + m}, Ignore);
      }
    }
  }

  std::vector<GroupName> names;
  GroupTable<int64_t> table;
};

// One member that joins and leaves one of a few groups in turn.
void BM_TableJoinLeave(benchmark::State& state) {
  Crowd crowd;
  const int64_t groups = state.range(0);
  const int64_t stranger = -1;
  Random random(1);
  for (auto _ : state) {
    const GroupName& name = crowd.names[random.Uniform(groups)];
    (void)crowd.table.Join(name, {stranger}, Ignore);
    benchmark::DoNotOptimize(crowd.table.Leave(name, {stranger}, Ignore));
  }
  state.SetItemsProcessed(state.iterations() * 2);
}
BENCHMARK(BM_TableJoinLeave)->ArgName("groups")->Arg(16)->Arg(kGroups);

// The same in one group of many members.
void BM_TableJoinLeaveLargeGroup(benchmark::State& state) {
  GroupTable<int64_t> table;
  const GroupName name{.name = "all"};
  for (int64_t m = 0; m < state.range(0); ++m) {
    (void)table.Join(name, {m}, Ignore);
  }
  const int64_t stranger = -1;
  for (auto _ : state) {
    (void)table.Join(name, {stranger}, Ignore);
    benchmark::DoNotOptimize(table.Leave(name, {stranger}, Ignore));
  }
  state.SetItemsProcessed(state.iterations() * 2);
}
BENCHMARK(BM_TableJoinLeaveLargeGroup)
    ->ArgName("members")
    ->Arg(10)
    ->Arg(100000);

// All groups of a member at once, and back.
void BM_TableLeaveAll(benchmark::State& state) {
  Crowd crowd;
  const int64_t groups = state.range(0);
  const int64_t stranger = -1;
  for (auto _ : state) {
    for (int64_t g = 0; g < groups; ++g) {
      (void)crowd.table.Join(crowd.names[g], {stranger}, Ignore);
    }
    benchmark::DoNotOptimize(crowd.table.LeaveAll(stranger, Ignore));
  }
  state.SetItemsProcessed(state.iterations() * groups * 2);
}
BENCHMARK(BM_TableLeaveAll)->ArgName("groups")->Arg(10)->Arg(1000);

void BM_PickByKey(benchmark::State& state) {
  std::vector<uint64_t> numbers;
  for (int64_t n = 0; n < state.range(0); ++n) numbers.push_back(n);
  uint64_t key = 0;
  for (auto _ : state) benchmark::DoNotOptimize(PickByKey(numbers, ++key));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_PickByKey)->ArgName("members")->Arg(10)->Arg(1000);

}  // namespace
}  // namespace troupe
