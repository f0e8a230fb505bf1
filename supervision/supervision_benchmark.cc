// What supervision costs: a crash up to the start of the next instance, and
// children that come and go. One worker.
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/task.h"
#include "troupe/base/log.h"
#include "troupe/supervision/supervisor.h"

namespace troupe {
namespace {

class Silence : public LogSink {
 public:
  void Send(const LogEntry&) override {}
};

std::unique_ptr<ActorSystem> OneWorker(Silence& silence) {
  return ActorSystem::Create({.workers = 1, .logger = Logger(&silence)})
      .value();
}

enum class Crash { kByStatus, kByException };

struct Rounds {
  explicit Rounds(int64_t rounds) : left(rounds) {}

  int64_t left;
  absl::Notification done;
};

struct Go {};

// Crashes as soon as it has started, until it has done so often enough.
template <Crash kCrash>
class Crasher : public Actor<Go> {
 public:
  explicit Crasher(Rounds& rounds) : rounds_(rounds) {}

  void PostStart() {
    if (rounds_.left-- > 0) {
      self().template Send<Go>();
    } else {
      rounds_.done.Notify();
    }
  }
  absl::Status Handle(Go) {
    if constexpr (kCrash == Crash::kByException) {
      throw std::runtime_error("crash");
    }
    return absl::InternalError("crash");
  }

 private:
  Rounds& rounds_;
};

// From the crash in a handler to the PostStart of the next instance, a message
// between them.
template <Crash kCrash>
void BM_Restart(benchmark::State& state) {
  constexpr int64_t kRounds = 10'000;
  Silence silence;
  const std::unique_ptr<ActorSystem> system = OneWorker(silence);
  for (auto _ : state) {
    Rounds rounds(kRounds);
    Supervisor::Spec spec{
        .intensity = {.restarts = 1'000'000, .within = absl::Nanoseconds(1)}};
    spec.Add<Crasher<kCrash>>({.id = "crasher"}, std::ref(rounds));
    const SupervisorRef supervisor =
        Supervisor::Start(*system, std::move(spec)).value();
    rounds.done.WaitForNotification();
    (void)supervisor.StopAndWait();
  }
  state.SetItemsProcessed(state.iterations() * kRounds);
}
BENCHMARK(BM_Restart<Crash::kByStatus>)->UseRealTime();
BENCHMARK(BM_Restart<Crash::kByException>)->UseRealTime();

struct StartMany {
  int64_t children;
  using Reply = absl::Status;
};

class Child : public Actor<Go> {
 public:
  void Handle(Go) {}
};

class Starter : public Actor<StartMany> {
 public:
  explicit Starter(SupervisorRef supervisor) : supervisor_(supervisor) {}

  Task<absl::Status> Handle(StartMany m) {
    for (int64_t i = 0; i < m.children; ++i) {
      ChildSpec child = ChildSpec::Of<Child>({.restart = kTemporary});
      const absl::StatusOr<AnyActorRef> started =
          co_await supervisor_.Call<StartChild>(std::move(child));
      if (!started.ok()) co_return started.status();
    }
    co_return absl::OkStatus();
  }

 private:
  const SupervisorRef supervisor_;
};

// Each is started by a call, and all are stopped with their supervisor.
void BM_DynamicChildren(benchmark::State& state) {
  Silence silence;
  const std::unique_ptr<ActorSystem> system = OneWorker(silence);
  for (auto _ : state) {
    const SupervisorRef supervisor =
        Supervisor::Start(*system, {.strategy = kDynamic}).value();
    const auto starter = system->Spawn<Starter>(supervisor).value();
    (void)starter.Call<StartMany>(state.range(0))
        .Within(absl::InfiniteDuration())
        .Wait();
    (void)starter.StopAndWait();
    (void)supervisor.StopAndWait();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_DynamicChildren)->Arg(1'000)->Arg(100'000)->UseRealTime();

struct Echo {
  using Reply = int64_t;
};

class Echoer : public Actor<Echo> {
 public:
  int64_t Handle(Echo) { return ++echoes_; }

 private:
  int64_t echoes_ = 0;
};

struct AskMany {
  int64_t calls;
  using Reply = absl::Status;
};

template <typename Callee>
class Asker : public Actor<AskMany> {
 public:
  explicit Asker(Callee echoer) : echoer_(echoer) {}

  Task<absl::Status> Handle(AskMany m) {
    for (int64_t i = 0; i < m.calls; ++i) {
      const absl::StatusOr<int64_t> echo =
          co_await echoer_.template Call<Echo>();
      if (!echo.ok()) co_return echo.status();
    }
    co_return absl::OkStatus();
  }

 private:
  const Callee echoer_;
};

// A call to a child: to its instance, by its address, or by its ChildRef.
template <typename Ref>
void BM_CallChild(benchmark::State& state) {
  constexpr int64_t kCalls = 100'000;
  Silence silence;
  const std::unique_ptr<ActorSystem> system = OneWorker(silence);
  Supervisor::Spec spec;
  const ChildRef<Echo> child = spec.Add<Echoer>({.id = "echoer"});
  (void)Supervisor::Start(*system, std::move(spec)).value();
  Ref ref;
  if constexpr (std::is_same_v<Ref, ChildRef<Echo>>) {
    ref = child;
  } else {
    ref = state.range(0) == 0 ? child.ref() : child.address();
  }
  const auto asker = system->Spawn<Asker<Ref>>(ref).value();
  for (auto _ : state) {
    (void)asker.template Call<AskMany>(kCalls)
        .Within(absl::InfiniteDuration())
        .Wait();
  }
  state.SetItemsProcessed(state.iterations() * kCalls);
}
BENCHMARK(BM_CallChild<ActorRef<Echo>>)
    ->ArgName("by_address")
    ->Arg(0)
    ->Arg(1)
    ->UseRealTime();
BENCHMARK(BM_CallChild<ChildRef<Echo>>)->UseRealTime();

}  // namespace
}  // namespace troupe
