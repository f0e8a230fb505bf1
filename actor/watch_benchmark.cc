// What it costs to hear of ends: the same actors are spawned, get one message
// and stop, and nobody, a monitor or a link tells another one of it.
#include <cstdint>
#include <memory>

#include "benchmark/benchmark.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit.h"

namespace troupe {
namespace {

constexpr int kAtOnce = 256;

struct Live {};
class Mayfly : public Actor<Live> {
 public:
  void Handle(Live) { StopSelf(); }
};

struct Produce {
  int64_t left;
};

enum class Hears { kNothing, kDowns, kExits };

// Spawns a few at a time, and ends when it has handled all that they said.
template <Hears kHears>
class Breeder : public Actor<Produce> {
 public:
  void Handle(Produce m) {
    for (int i = 0; i < kAtOnce && m.left > 0; ++i, --m.left) {
      const auto child = Spawn<Mayfly>().value();
      if constexpr (kHears == Hears::kDowns) (void)Monitor(child);
      if constexpr (kHears == Hears::kExits) Link(child);
      child.template Send<Live>();
    }
    if (m.left > 0) {
      self().template Send<Produce>(m.left);
    } else {
      self().Drain();
    }
  }
  void OnDown(const Down&) { ++heard_; }
  void OnExit(const Exit&) { ++heard_; }

 private:
  int64_t heard_ = 0;
};

template <Hears kHears>
void Breed(benchmark::State& state) {
  const int64_t actors = state.range(0);
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  for (auto _ : state) {
    system->Spawn<Breeder<kHears>>().value().template Send<Produce>(actors);
    system->AwaitNoActors();
  }
  state.SetItemsProcessed(state.iterations() * actors);
}

void BM_SpawnMessageStop(benchmark::State& state) {
  Breed<Hears::kNothing>(state);
}
BENCHMARK(BM_SpawnMessageStop)->ArgName("actors")->Arg(200000)->UseRealTime();

void BM_SpawnMonitorMessageStopDown(benchmark::State& state) {
  Breed<Hears::kDowns>(state);
}
BENCHMARK(BM_SpawnMonitorMessageStopDown)
    ->ArgName("actors")
    ->Arg(200000)
    ->UseRealTime();

void BM_SpawnLinkMessageStopExit(benchmark::State& state) {
  Breed<Hears::kExits>(state);
}
BENCHMARK(BM_SpawnLinkMessageStopExit)
    ->ArgName("actors")
    ->Arg(200000)
    ->UseRealTime();

struct Repeat {
  AnyActorRef actor;
  int64_t left;
};
class Fickle : public Actor<Repeat> {
 public:
  void Handle(Repeat m) {
    for (int i = 0; i < kAtOnce && m.left > 0; ++i, --m.left) {
      benchmark::DoNotOptimize(Demonitor(Monitor(m.actor)));
    }
    if (m.left > 0) {
      self().Send<Repeat>(m.actor, m.left);
    } else {
      StopSelf();
    }
  }
  void OnDown(const Down&) {}
};

// A monitor that is ended again, on one worker.
void BM_MonitorDemonitor(benchmark::State& state) {
  const int64_t monitors = state.range(0);
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  const auto actor = system->Spawn<Mayfly>().value();
  for (auto _ : state) {
    const auto fickle = system->Spawn<Fickle>().value();
    fickle.Send<Repeat>(actor, monitors);
    (void)fickle.Wait();
  }
  state.SetItemsProcessed(state.iterations() * monitors);
}
BENCHMARK(BM_MonitorDemonitor)->ArgName("monitors")->Arg(200000)->UseRealTime();

}  // namespace
}  // namespace troupe
