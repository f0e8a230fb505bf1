// What joining, leaving, looking and choosing cost in a table of 10,000 groups
// of 10 members, and with actors; what it costs to send to a group.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/random.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_pick.h"
#include "troupe/registry/group_table.h"
#include "troupe/registry/groups.h"

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

// -- with actors

struct Tick {
  int64_t number;
};
struct Text {
  std::string text;
};
struct Finish {};

class Member : public Actor<Tick, Text, Finish> {
 public:
  void Handle(Tick m) { sum_ += m.number; }
  void Handle(const Text& m) { sum_ += static_cast<int64_t>(m.text.size()); }
  void Handle(Finish) { StopSelf(); }

 private:
  int64_t sum_ = 0;
};

const Group<Tick, Text, Finish>& Crew() {
  static const auto* const crew = new Group<Tick, Text, Finish>("crew");
  return *crew;
}

// Sends to the group, once in a turn, and ends it.
struct Go {
  int64_t left;
};
template <typename M>
class Speaker : public Actor<Go> {
 public:
  explicit Speaker(Groups& groups) : groups_(groups) {}
  void Handle(Go m) {
    if (m.left == 0) {
      groups_.Send<Finish>(Crew());
      return StopSelf();
    }
    if constexpr (std::is_same_v<M, Text>) {
      groups_.Send<Text>(Crew(), std::string(100, 'x'));
    } else {
      groups_.Send<Tick>(Crew(), m.left);
    }
    self().template Send<Go>(m.left - 1);
  }

 private:
  Groups& groups_;
};

template <typename M>
void SpeakToAll(benchmark::State& state) {
  const int64_t workers = state.range(0);
  const int64_t members = state.range(1);
  const int64_t rounds = 4'000'000 / members;
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = static_cast<int>(workers)}).value();
  Groups& groups = system->Get<Groups>();
  for (auto _ : state) {
    state.PauseTiming();
    for (int64_t m = 0; m < members; ++m) {
      (void)groups.Join(Crew(), system->Spawn<Member>().value());
    }
    state.ResumeTiming();
    system->Spawn<Speaker<M>>(groups).value().template Send<Go>(rounds);
    system->AwaitNoActors();
  }
  state.SetItemsProcessed(state.iterations() * rounds * members);
}

// Deliveries, of a message of 8 bytes and of one with a string.
void BM_SendToGroup(benchmark::State& state) { SpeakToAll<Tick>(state); }
void BM_SendTextToGroup(benchmark::State& state) { SpeakToAll<Text>(state); }
#define TROUPE_SIZES               \
  ArgNames({"workers", "members"}) \
      ->Args({1, 10})              \
      ->Args({1, 1000})            \
      ->Args({2, 1000})            \
      ->UseRealTime()
BENCHMARK(BM_SendToGroup)->TROUPE_SIZES;
BENCHMARK(BM_SendTextToGroup)->TROUPE_SIZES;
#undef TROUPE_SIZES

// One actor, which is known already, by a plain thread.
void BM_JoinLeave(benchmark::State& state) {
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  Groups& groups = system->Get<Groups>();
  const auto others = system->Spawn<Member>().value();
  const auto member = system->Spawn<Member>().value();
  for (int m = 0; m < 10; ++m) (void)groups.Join(Crew(), others);
  (void)groups.Join(Crew(), member);
  for (auto _ : state) {
    (void)groups.Join(Crew(), member);
    benchmark::DoNotOptimize(groups.Leave(Crew(), member));
  }
  state.SetItemsProcessed(state.iterations() * 2);
}
BENCHMARK(BM_JoinLeave);

void BM_Pick(benchmark::State& state) {
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  Groups& groups = system->Get<Groups>();
  for (int m = 0; m < 10; ++m) {
    (void)groups.Join(Crew(), system->Spawn<Member>().value());
  }
  const auto how = static_cast<GroupPick>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(groups.Pick(Crew(), how));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Pick)->ArgName("how")->DenseRange(0, 2);

}  // namespace
}  // namespace troupe

// Not BENCHMARK_MAIN(): the deadlock detection of the packaged Abseil, which is
// built for debugging, would be measured with every lock.
int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
