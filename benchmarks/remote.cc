// What actors of another node cost: two systems in this process with a worker
// each (or two), the cluster between them, and no network. Encoding, frames and
// decoding are in it.
//
// Real time says how much crosses in a second; the column CPU, which is that of
// the whole process, what of both sides together it takes.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/send_result.h"
#include "troupe/actor/task.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"
#include "troupe/benchmarks/remote_pair.h"
#include "troupe/benchmarks/resident_memory.h"
#include "troupe/cluster/ref_codec.h"

namespace troupe::benchmarks {
namespace {

// After so many sends producers let others run.
constexpr int kSendsPerTurn = 256;

// 100 bytes, as they lie in memory and as text.
struct Record {
  static constexpr absl::string_view kWireName = "benchmark.Record";
  std::array<uint8_t, 100> bytes = {};
};
struct Line {
  static constexpr absl::string_view kWireName = "benchmark.Line";
  std::string text = std::string(100, 'x');
};
struct Expect {
  int64_t messages = 0;
  absl::Notification* done = nullptr;
};

template <typename M>
class Sink : public Actor<M, Expect> {
 public:
  void Handle(const M& message) {
    benchmark::DoNotOptimize(&message);
    if (--left_ == 0) done_->Notify();
  }
  void Handle(Expect m) {
    left_ = m.messages;
    done_ = m.done;
  }

 private:
  int64_t left_ = 0;
  absl::Notification* done_ = nullptr;
};

struct Produce {
  int64_t messages = 0;
};

// Sends as fast as the connection takes it.
template <typename M>
class Producer : public Actor<Produce> {
 public:
  explicit Producer(ActorRef<M> sink) : sink_(sink) {}

  Task<void> Handle(Produce m) {
    const int64_t now = std::min<int64_t>(m.messages, kSendsPerTurn);
    for (int64_t i = 0; i < now; ++i) {
      if (!IsRefused(sink_.TrySend(M()))) continue;
      const absl::Status sent =
          co_await sink_.template SendWhenReady<M>().Within(absl::Minutes(1));
      TROUPE_CHECK(sent.ok(), "the connection is there");
    }
    if (m.messages > now) self().template Send<Produce>(m.messages - now);
  }

 private:
  const ActorRef<M> sink_;
};

template <typename M>
void BM_OneWay(benchmark::State& state) {
  constexpr int64_t kMessages = 200'000;
  RemotePair pair(static_cast<int>(state.range(0)));
  pair.Join();
  const auto sink = pair.there().Spawn<Sink<M>>().value();
  const ActorRef<M> far = pair.FromHere("sink", ActorRef<M>(sink));
  const auto producer = pair.here().Spawn<Producer<M>>(far).value();
  for (auto _ : state) {
    absl::Notification done;
    sink.template Send<Expect>(kMessages, &done);
    producer.template Send<Produce>(kMessages);
    done.WaitForNotification();
  }
  state.SetItemsProcessed(state.iterations() * kMessages);
}
BENCHMARK_TEMPLATE(BM_OneWay, Record)
    ->ArgName("workers_each")
    ->Arg(1)
    ->Arg(2)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_TEMPLATE(BM_OneWay, Line)
    ->ArgName("workers_each")
    ->Arg(1)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

struct Square {
  static constexpr absl::string_view kWireName = "benchmark.Square";
  using Reply = int64_t;
  int64_t number = 0;
};
class Server : public Actor<Square> {
 public:
  int64_t Handle(Square m) { return m.number * m.number; }
};
struct Ask {
  int64_t calls = 0;
  absl::BlockingCounter* done = nullptr;
};
class Client : public Actor<Ask> {
 public:
  explicit Client(ActorRef<Square> server) : server_(server) {}
  Task<void> Handle(Ask m) {
    for (int64_t i = 0; i < m.calls; ++i) {
      const absl::StatusOr<int64_t> answer = co_await server_.Call<Square>(i);
      TROUPE_CHECK(answer.value_or(-1) == i * i, "the answer is right");
    }
    m.done->DecrementCount();
  }

 private:
  const ActorRef<Square> server_;
};

// Each of so many clients makes one call at a time.
void BM_Calls(benchmark::State& state) {
  constexpr int64_t kCalls = 20'000;  // Of all clients.
  const auto clients = static_cast<int>(state.range(0));
  RemotePair pair(1);
  pair.Join();
  const ActorRef<Square> far =
      pair.FromHere<Square>("server", pair.there().Spawn<Server>().value());
  std::vector<Client::Ref> all;
  for (int i = 0; i < clients; ++i) {
    all.push_back(pair.here().Spawn<Client>(far).value());
  }
  for (auto _ : state) {
    absl::BlockingCounter done(clients);
    for (const Client::Ref& client : all) {
      client.Send<Ask>(kCalls / clients, &done);
    }
    done.Wait();
  }
  state.SetItemsProcessed(state.iterations() * (kCalls / clients) * clients);
}
BENCHMARK(BM_Calls)
    ->ArgName("clients")
    ->Arg(1)
    ->Arg(64)
    ->Arg(1024)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

struct Page {
  static constexpr absl::string_view kWireName = "benchmark.Page";
  std::string text;
};

// A long message crosses, while one client makes calls: how long it takes, and
// how long the longest of the calls.
void BM_LongMessage(benchmark::State& state) {
  const auto bytes = static_cast<size_t>(state.range(0));
  RemotePair pair(1);
  pair.Join();
  const auto sink = pair.there().Spawn<Sink<Page>>().value();
  const ActorRef<Page> far = pair.FromHere("sink", ActorRef<Page>(sink));
  const ActorRef<Square> server =
      pair.FromHere<Square>("server", pair.there().Spawn<Server>().value());
  absl::Duration longest;
  int64_t calls = 0;
  for (auto _ : state) {
    absl::Notification done;
    sink.Send<Expect>(1, &done);
    far.Send<Page>(std::string(bytes, 'x'));
    while (!done.HasBeenNotified()) {
      const MonotonicTime begun = RealClock().Now();
      TROUPE_CHECK(server.Call<Square>(3).Wait().value_or(0) == 9,
                   "the answer is right");
      longest = std::max(longest, RealClock().Now() - begun);
      ++calls;
    }
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
  state.counters["calls_each"] =
      static_cast<double>(calls) / static_cast<double>(state.iterations());
  state.counters["longest_call_us"] = absl::ToDoubleMicroseconds(longest);
}
BENCHMARK(BM_LongMessage)
    ->ArgName("bytes")
    ->Arg(1 << 20)
    ->Arg((64 << 20) - 64)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// Actors that do nothing, and are known to nobody.
struct Nudge {
  static constexpr absl::string_view kWireName = "benchmark.Nudge";
  using Reply = bool;
};
class Idler : public Actor<Nudge> {
 public:
  bool Handle(Nudge) { return true; }
};
// All of them run when it returns. REQUIRES: the system has one worker.
std::vector<Idler::Ref> SpawnIdlers(ActorSystem& system, int64_t actors) {
  std::vector<Idler::Ref> idlers;
  idlers.reserve(static_cast<size_t>(actors));
  for (int64_t i = 0; i < actors; ++i) {
    idlers.push_back(system.Spawn<Idler>().value());
  }
  if (!idlers.empty()) {
    TROUPE_CHECK(idlers.back().Call<Nudge>().Wait().value_or(false),
                 "the last one runs");
  }
  return idlers;
}

struct Keep {
  static constexpr absl::string_view kWireName = "benchmark.Keep";
  using Reply = int64_t;
  std::vector<ActorRef<Nudge>> actors;
};
class Keeper : public Actor<Keep> {
 public:
  explicit Keeper(int64_t room) { kept_.reserve(static_cast<size_t>(room)); }
  int64_t Handle(const Keep& m) {
    kept_.insert(kept_.end(), m.actors.begin(), m.actors.end());
    return static_cast<int64_t>(kept_.size());
  }

 private:
  std::vector<ActorRef<Nudge>> kept_;
};

// References to that many actors here are sent there and kept: what that takes
// on both nodes, for each.
void BM_References(benchmark::State& state) {
  constexpr int64_t kAtOnce = 1000;
  const int64_t actors = state.range(0);
  for (auto _ : state) {
    state.PauseTiming();
    {
      RemotePair pair(1);
      pair.Join();
      const std::vector<Idler::Ref> idlers = SpawnIdlers(pair.here(), actors);
      const ActorRef<Keep> far = pair.FromHere<Keep>(
          "keeper", pair.there().Spawn<Keeper>(actors).value());
      const int64_t before = ExactResidentBytes();
      state.ResumeTiming();
      for (int64_t i = 0; i < actors; i += kAtOnce) {
        const auto begin = idlers.begin() + i;
        const auto end = begin + std::min(kAtOnce, actors - i);
        const absl::StatusOr<int64_t> kept =
            far.Call<Keep>(std::vector<ActorRef<Nudge>>(begin, end)).Wait();
        TROUPE_CHECK(kept.value_or(0) == i + (end - begin), "all are kept");
      }
      state.PauseTiming();
      state.counters["bytes_each"] =
          static_cast<double>(ExactResidentBytes() - before) /
          static_cast<double>(actors);
    }
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * actors);
}
BENCHMARK(BM_References)
    ->ArgName("actors")
    ->Arg(1'000'000)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// A node joins whose system has so many actors.
void BM_Join(benchmark::State& state) {
  const int64_t actors = state.range(0);
  for (auto _ : state) {
    state.PauseTiming();
    {
      RemotePair pair(1);
      (void)SpawnIdlers(pair.here(), actors);
      const int64_t before = ExactResidentBytes();
      state.ResumeTiming();
      pair.Join();
      state.PauseTiming();
      state.counters["bytes"] =
          static_cast<double>(ExactResidentBytes() - before);
    }
    state.ResumeTiming();
  }
}
BENCHMARK(BM_Join)
    ->ArgName("actors")
    ->Arg(0)
    ->Arg(1'000'000)
    ->Iterations(1)
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace troupe::benchmarks

// As benchmark_main, and without what Debian's Abseil does for each lock to
// find deadlocks.
int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
