// What names cost: looking one up, on one thread and on two that look up the
// same one; giving one to an actor, and taking it back with its end; telling
// who watches.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/child_event.h"
#include "troupe/registry/names.h"
#include "troupe/scheduler/event.h"

namespace troupe {
namespace {

struct Rest {};

class Idle : public Actor<Rest> {
 public:
  void Handle(Rest) {}
};

constexpr int kNames = 1000;

// A system in which kNames actors have names.
struct Town {
  Town() : names(system->Get<Names>()) {
    for (int i = 0; i < kNames; ++i) {
      all.push_back(absl::StrCat("account/", i));
      actors.push_back(system->Spawn<Idle>({.name = all.back()}).value());
    }
  }
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  Names& names;
  std::vector<std::string> all;
  std::vector<Idle::Ref> actors;
};
std::unique_ptr<Town> town;  // Shared by the threads of a benchmark.

void MakeTown(const benchmark::State&) { town = std::make_unique<Town>(); }
void LeaveTown(const benchmark::State&) { town = nullptr; }

void BM_Find(benchmark::State& state) {
  const std::string& name = town->all[kNames / 2];
  for (auto _ : state) {
    absl::StatusOr<ActorRef<Rest>> found = town->names.Find<Rest>(name);
    benchmark::DoNotOptimize(found);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Find)
    ->Setup(MakeTown)
    ->Teardown(LeaveTown)
    ->Threads(1)
    ->Threads(2)
    ->UseRealTime();

void BM_FindOneOfMany(benchmark::State& state) {
  uint64_t next = static_cast<uint64_t>(state.thread_index()) * 7919;
  for (auto _ : state) {
    absl::StatusOr<AnyActorRef> found =
        town->names.FindAny(town->all[next++ % kNames]);
    benchmark::DoNotOptimize(found);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_FindOneOfMany)
    ->Setup(MakeTown)
    ->Teardown(LeaveTown)
    ->Threads(1)
    ->Threads(2)
    ->UseRealTime();

void BM_RegisterAndUnregister(benchmark::State& state) {
  for (auto _ : state) {
    const absl::Status given = town->names.Register("one", town->actors[0]);
    const absl::Status taken = town->names.Unregister("one", town->actors[0]);
    if (!given.ok() || !taken.ok()) state.SkipWithError("it must succeed");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_RegisterAndUnregister)->Setup(MakeTown)->Teardown(LeaveTown);

// From the spawn to the end of an actor, with a name or without.
void BM_SpawnAndEnd(benchmark::State& state) {
  const SpawnOptions options = {.name = state.range(0) != 0 ? "one" : ""};
  for (auto _ : state) {
    const absl::StatusOr<Idle::Ref> actor = town->system->Spawn<Idle>(options);
    if (!actor.ok() || !actor->KillAndWait().ok()) {
      state.SkipWithError("it must succeed");
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SpawnAndEnd)
    ->ArgName("named")
    ->Arg(0)
    ->Arg(1)
    ->Setup(MakeTown)
    ->Teardown(LeaveTown)
    ->UseRealTime();

struct Rounds {
  int64_t count;
};

// Spawns one child after the other with the same name, and stops it.
class Mill : public Actor<Rounds> {
 public:
  Mill(std::atomic<uint64_t>& last_told, Event& done)
      : last_told_(last_told), done_(done) {}

  void Handle(Rounds rounds) {
    left_ = rounds.count;
    Next();
  }
  void OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kStarted) return;
    last_told_.store(event.child.id().value());
    if (--left_ == 0) return done_.Set();
    Next();
  }

 private:
  void Next() { Spawn<Idle>({.name = "phoenix"}).value().Stop(); }

  std::atomic<uint64_t>& last_told_;
  Event& done_;
  int64_t left_ = 0;
};

// A life with a name, while another thread looks it up all the time: it must
// never find one whose end was told before it looked.
void BM_RegisterAndDie(benchmark::State& state) {
  constexpr int64_t kRounds = 1000;
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  Names& names = system->Get<Names>();
  std::atomic<uint64_t> last_told{0};
  std::atomic<bool> over{false};
  int64_t lookups = 0;
  int64_t found = 0;
  int64_t found_dead = 0;
  std::thread reader([&] {
    while (!over.load()) {
      const uint64_t dead = last_told.load();
      const absl::StatusOr<ActorRef<Rest>> actor = names.Find<Rest>("phoenix");
      ++lookups;
      if (!actor.ok()) continue;
      ++found;
      if (actor->id().value() <= dead) ++found_dead;
    }
  });
  while (state.KeepRunningBatch(kRounds)) {
    Event done;
    const auto mill =
        system->Spawn<Mill>(std::ref(last_told), std::ref(done)).value();
    mill.Send<Rounds>(kRounds);
    done.WaitWithTimeout(absl::InfiniteDuration());
    if (!mill.StopAndWait().ok()) state.SkipWithError("it must succeed");
  }
  over = true;
  reader.join();
  if (found_dead > 0) state.SkipWithError("found the dead");
  state.counters["lookups"] = static_cast<double>(lookups);
  state.counters["found"] = static_cast<double>(found);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_RegisterAndDie)->UseRealTime();

// A name that comes and goes, before so many who watch it.
void BM_TellWatchers(benchmark::State& state) {
  int64_t told = 0;
  std::vector<Subscription> watches;
  for (int64_t i = 0; i < state.range(0); ++i) {
    watches.push_back(
        town->names.WatchPrefix("one", [&](const NameEvent&) { ++told; })
            .value());
  }
  for (auto _ : state) {
    const absl::Status given = town->names.Register("one", town->actors[0]);
    const absl::Status taken = town->names.Unregister("one", town->actors[0]);
    if (!given.ok() || !taken.ok()) state.SkipWithError("it must succeed");
  }
  state.SetItemsProcessed(told);
}
BENCHMARK(BM_TellWatchers)
    ->ArgName("watchers")
    ->Arg(1)
    ->Arg(100)
    ->Setup(MakeTown)
    ->Teardown(LeaveTown);

}  // namespace
}  // namespace troupe

// Debian's Abseil looks for deadlocks at each lock unless a program's main says
// otherwise, which would be most of the price.
int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
