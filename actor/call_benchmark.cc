// What one answer costs where an actor asks several at once, and where it may
// have to ask again: for a regression check, beside BM_Call in
// actor_benchmark.cc.
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call_all.h"
#include "troupe/actor/call_any.h"
#include "troupe/actor/retry.h"
#include "troupe/actor/task.h"

namespace troupe {
namespace {

struct Square {
  int64_t number;
  using Reply = int64_t;
};

class Server : public Actor<Square> {
 public:
  int64_t Handle(Square square) { return square.number * square.number; }
};

struct Run {
  int64_t rounds;
  int64_t servers;
};

// Plays one round after the other, each a Task<void> Round(servers).
template <typename Round>
class Client : public Actor<Run> {
 public:
  Task<void> Handle(Run m) {
    std::vector<ActorRef<Square>> servers;
    for (int64_t i = 0; i < m.servers; ++i) {
      servers.push_back(Spawn<Server>().value());
    }
    for (; m.rounds > 0; --m.rounds) co_await Round()(servers);
    StopSelf();
  }
};

struct AskAll {
  Task<void> operator()(const std::vector<ActorRef<Square>>& servers) {
    std::vector<absl::StatusOr<int64_t>> answers =
        co_await CallAll<Square>(servers, 3);
    benchmark::DoNotOptimize(answers);
  }
};

struct AskAny {
  Task<void> operator()(const std::vector<ActorRef<Square>>& servers) {
    absl::StatusOr<int64_t> answer = co_await CallAny<Square>(servers, 3);
    benchmark::DoNotOptimize(answer);
  }
};

struct AskOnce {
  Task<void> operator()(const std::vector<ActorRef<Square>>& servers) {
    for (const ActorRef<Square> server : servers) {
      absl::StatusOr<int64_t> answer = co_await server.Call<Square>(3);
      benchmark::DoNotOptimize(answer);
    }
  }
};

struct AskWithRetry {
  Task<void> operator()(const std::vector<ActorRef<Square>>& servers) {
    for (const ActorRef<Square> server : servers) {
      absl::StatusOr<int64_t> answer =
          co_await server.Call<Square>(3).Retry({.attempts = 3});
      benchmark::DoNotOptimize(answer);
    }
  }
};

template <typename Round>
void Rounds(benchmark::State& state) {
  constexpr int64_t kCalls = 100'000;
  const int64_t servers = state.range(0);
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  for (auto _ : state) {
    system->Spawn<Client<Round>>().value().template Send<Run>(kCalls / servers,
                                                              servers);
    system->AwaitNoActors();
  }
  state.SetItemsProcessed(state.iterations() * (kCalls / servers) * servers);
}

// One after the other, to compare with.
void BM_CallEach(benchmark::State& state) { Rounds<AskOnce>(state); }
BENCHMARK(BM_CallEach)->ArgName("servers")->Arg(1)->Arg(100)->UseRealTime();

void BM_CallAll(benchmark::State& state) { Rounds<AskAll>(state); }
BENCHMARK(BM_CallAll)
    ->ArgName("servers")
    ->Arg(1)
    ->Arg(10)
    ->Arg(100)
    ->UseRealTime();

// The first answer is enough; the others are cancelled.
void BM_CallAny(benchmark::State& state) { Rounds<AskAny>(state); }
BENCHMARK(BM_CallAny)
    ->ArgName("servers")
    ->Arg(1)
    ->Arg(10)
    ->Arg(100)
    ->UseRealTime();

// None has to be repeated: what it costs to be prepared.
void BM_Retry(benchmark::State& state) { Rounds<AskWithRetry>(state); }
BENCHMARK(BM_Retry)->ArgName("servers")->Arg(1)->Arg(100)->UseRealTime();

}  // namespace
}  // namespace troupe
