// What the basic steps of actors cost on one worker: for a regression check,
// not a claim about whole systems.
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/task.h"

namespace troupe {
namespace {

std::unique_ptr<ActorSystem> OneWorker() {
  return ActorSystem::Create({.workers = 1}).value();
}

struct Ball;
struct Player : Protocol<Ball> {};
struct Ball {
  ActorRef<Player> from;
  int64_t left;
};

class PingPong : public Actor<Player> {
 public:
  void Handle(Ball ball) {
    if (ball.left == 0) {
      ball.from.Stop();
      StopSelf();
      return;
    }
    ball.from.Send<Ball>(self(), ball.left - 1);
  }
};

// Each message makes its receiver ready: a message with a turn of its own.
void BM_PingPong(benchmark::State& state) {
  const int64_t messages = state.range(0);
  std::unique_ptr<ActorSystem> system = OneWorker();
  for (auto _ : state) {
    const ActorRef<Player> ann = system->Spawn<PingPong>().value();
    const ActorRef<Player> bob = system->Spawn<PingPong>().value();
    ann.Send<Ball>(bob, messages);
    system->AwaitNoActors();
  }
  state.SetItemsProcessed(state.iterations() * messages);
}
BENCHMARK(BM_PingPong)->ArgName("messages")->Arg(1000000)->UseRealTime();

struct Count {};
struct Produce {
  int64_t left;
};

class Counter : public Actor<Count> {
 public:
  void Handle(Count) { ++count_; }

 private:
  int64_t count_ = 0;
};

class Producer : public Actor<Produce> {
 public:
  void PreStart() { counter_ = Spawn<Counter>().value(); }
  void Handle(Produce m) {
    for (int i = 0; i < 256 && m.left > 0; ++i, --m.left) {
      counter_.Send<Count>();
    }
    if (m.left > 0) {
      self().Send<Produce>(m.left);
    } else {
      counter_.Drain();
      StopSelf();
    }
  }

 private:
  ActorRef<Count> counter_;
};

// A flood: many messages for each turn of the receiver.
void BM_Flood(benchmark::State& state) {
  const int64_t messages = state.range(0);
  std::unique_ptr<ActorSystem> system = OneWorker();
  for (auto _ : state) {
    system->Spawn<Producer>().value().Send<Produce>(messages);
    system->AwaitNoActors();
  }
  state.SetItemsProcessed(state.iterations() * messages);
}
BENCHMARK(BM_Flood)->ArgName("messages")->Arg(1000000)->UseRealTime();

struct Square {
  int64_t number;
  using Reply = int64_t;
};

class Server : public Actor<Square> {
 public:
  int64_t Handle(Square square) { return square.number * square.number; }
};

// Answers when another one has answered.
class Agent : public Actor<Square> {
 public:
  void PreStart() { server_ = Spawn<Server>().value(); }
  Task<absl::StatusOr<int64_t>> Handle(Square square) {
    co_return co_await server_.Call<Square>(square.number);
  }

 private:
  ActorRef<Square> server_;
};

template <typename Callee>
class Caller : public Actor<Produce> {
 public:
  void PreStart() { callee_ = Spawn<Callee>().value(); }
  Task<void> Handle(Produce m) {
    for (; m.left > 0; --m.left) {
      absl::StatusOr<int64_t> answer = co_await callee_.Call<Square>(m.left);
      benchmark::DoNotOptimize(answer);
    }
    StopSelf();
  }

 private:
  ActorRef<Square> callee_;
};

template <typename Callee>
void Calls(benchmark::State& state) {
  const int64_t calls = state.range(0);
  std::unique_ptr<ActorSystem> system = OneWorker();
  for (auto _ : state) {
    system->Spawn<Caller<Callee>>().value().template Send<Produce>(calls);
    system->AwaitNoActors();
  }
  state.SetItemsProcessed(state.iterations() * calls);
}

// A call by a coroutine of a plain handler.
void BM_Call(benchmark::State& state) { Calls<Server>(state); }
BENCHMARK(BM_Call)->ArgName("calls")->Arg(200000)->UseRealTime();

// The same of a coroutine that makes such a call itself: three actors, two
// calls, and a coroutine that begins, waits and ends for each.
void BM_CallOfCoroutine(benchmark::State& state) { Calls<Agent>(state); }
BENCHMARK(BM_CallOfCoroutine)->ArgName("calls")->Arg(200000)->UseRealTime();

class Mayfly : public Actor<Count> {
 public:
  void Handle(Count) { StopSelf(); }
};

class Breeder : public Actor<Produce> {
 public:
  void Handle(Produce m) {
    for (int i = 0; i < 256 && m.left > 0; ++i, --m.left) {
      Spawn<Mayfly>().value().Send<Count>();
    }
    if (m.left > 0) {
      self().Send<Produce>(m.left);
    } else {
      self().Drain();
    }
  }
};

// Spawn, one message, stop, and the parent hears of it.
void BM_SpawnMessageStop(benchmark::State& state) {
  const int64_t actors = state.range(0);
  std::unique_ptr<ActorSystem> system = OneWorker();
  for (auto _ : state) {
    system->Spawn<Breeder>().value().Send<Produce>(actors);
    system->AwaitNoActors();
  }
  state.SetItemsProcessed(state.iterations() * actors);
}
BENCHMARK(BM_SpawnMessageStop)->ArgName("actors")->Arg(200000)->UseRealTime();

}  // namespace
}  // namespace troupe
