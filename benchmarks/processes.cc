// What actors of another process cost: two nodes on this machine, in a process
// and with a worker each, that speak over gRPC. The program starts its peer by
// itself. What the same costs without a network: remote.cc.
//
// Real time says how much crosses in a second; the column CPU is this process
// alone.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
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
#include "troupe/benchmarks/process_pair.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"
#include "troupe/cluster/node_events.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/transport.h"

namespace troupe {
namespace benchmarks {

// -- what the peer has --------------------------------------------------------

// Costs little to offer, as it shares its text, and much to carry.
struct Sheet {
  static constexpr absl::string_view kWireName = "benchmark.Sheet";
  Sheet() = default;
  explicit Sheet(std::string in_text)
      : text(std::make_shared<const std::string>(std::move(in_text))) {}

  std::shared_ptr<const std::string> text;
};

}  // namespace benchmarks

template <>
struct Codec<benchmarks::Sheet> {
  static void Encode(const benchmarks::Sheet& sheet, Encoder& out) {
    out.WriteBytes(*sheet.text);
  }
  static void Decode(Decoder& in, benchmarks::Sheet& sheet) {
    sheet = benchmarks::Sheet(std::string(in.ReadBytes()));
  }
  static void Describe(ShapeBuilder& shape) { shape.Add("\"sheet\""); }
};

namespace benchmarks {
namespace {

// After so many sends producers let others run.
constexpr int kSendsPerTurn = 256;

struct Record {
  static constexpr absl::string_view kWireName = "benchmark.Record";
  std::array<uint8_t, 100> bytes = {};
};
struct Page {
  static constexpr absl::string_view kWireName = "benchmark.Page";
  std::string text;
};
// How many have come since it was asked last.
struct Count {
  static constexpr absl::string_view kWireName = "benchmark.Count";
  using Reply = int64_t;
};
template <typename M>
class Sink : public Actor<M, Count> {
 public:
  void Handle(const M& message) {
    benchmark::DoNotOptimize(&message);
    ++came_;
  }
  int64_t Handle(Count) { return std::exchange(came_, 0); }

 private:
  int64_t came_ = 0;
};

struct Square {
  static constexpr absl::string_view kWireName = "benchmark.Square";
  using Reply = int64_t;
  int64_t number = 0;
};
class Server : public Actor<Square> {
 public:
  int64_t Handle(Square m) { return m.number * m.number; }
};

// When something came in the control lane of the session: from a node that does
// nothing but send, these are its heartbeats.
class Heartbeats {
 public:
  void Came() ABSL_LOCKS_EXCLUDED(mu_) {
    const MonotonicTime now = RealClock().Now();
    absl::MutexLock lock(&mu_);
    if (count_++ > 0) longest_ = std::max(longest_, now - last_);
    last_ = now;
  }
  // The longest time between two of them since it was asked last.
  absl::Duration TakeLongest() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    TROUPE_CHECK(std::exchange(count_, 0) > 1, "heartbeats have come");
    return std::exchange(longest_, absl::ZeroDuration());
  }

 private:
  absl::Mutex mu_;
  int64_t count_ ABSL_GUARDED_BY(mu_) = 0;
  MonotonicTime last_ ABSL_GUARDED_BY(mu_);
  absl::Duration longest_ ABSL_GUARDED_BY(mu_);
};

// Listens to what comes from whom this node dials.
class WatchedTransport final : public Transport {
 public:
  WatchedTransport(std::unique_ptr<Transport> transport, Heartbeats& heartbeats)
      : transport_(std::move(transport)), heartbeats_(heartbeats) {}

  absl::StatusOr<std::unique_ptr<Listener>> Listen(
      absl::string_view address, std::shared_ptr<Acceptor> acceptor) override {
    return transport_->Listen(address, std::move(acceptor));
  }
  absl::StatusOr<std::unique_ptr<Connection>> Dial(
      absl::string_view address,
      std::shared_ptr<ConnectionHandler> handler) override {
    return transport_->Dial(
        address, std::make_shared<Watch>(std::move(handler), heartbeats_));
  }
  size_t max_frame_bytes() const override {
    return transport_->max_frame_bytes();
  }

 private:
  class Watch final : public ConnectionHandler {
   public:
    Watch(std::shared_ptr<ConnectionHandler> handler, Heartbeats& heartbeats)
        : handler_(std::move(handler)), heartbeats_(heartbeats) {}

    void OnFrame(TransportLane lane, std::string frame) override {
      if (lane == TransportLane::kControl) heartbeats_.Came();
      handler_->OnFrame(lane, std::move(frame));
    }
    void OnSent(TransportLane lane, size_t bytes) override {
      handler_->OnSent(lane, bytes);
    }
    void OnClosed(const absl::Status& why) override { handler_->OnClosed(why); }

   private:
    const std::shared_ptr<ConnectionHandler> handler_;
    Heartbeats& heartbeats_;
  };

  const std::unique_ptr<Transport> transport_;
  Heartbeats& heartbeats_;
};

// The longest time between two heartbeats of the caller's node, in us.
struct LongestGap {
  static constexpr absl::string_view kWireName = "benchmark.LongestGap";
  using Reply = int64_t;
};
class Monitor : public Actor<LongestGap> {
 public:
  explicit Monitor(Heartbeats* heartbeats) : heartbeats_(heartbeats) {}
  int64_t Handle(LongestGap) {
    return absl::ToInt64Microseconds(heartbeats_->TakeLongest());
  }

 private:
  Heartbeats* const heartbeats_;
};

template <typename A>
void Give(ProcessSide& side, absl::string_view name, A actor) {
  TROUPE_CHECK(actor.ok() && side.node().Export(name, *actor).ok(),
               "an actor can be exported");
}

int BeThePeer(char** argv) {
  Heartbeats heartbeats;
  return RunPeer(
      argv, {.wrap =
                 [&](std::unique_ptr<Transport> transport) {
                   return std::make_unique<WatchedTransport>(
                       std::move(transport), heartbeats);
                 },
             .give =
                 [&](ProcessSide& side) {
                   ActorSystem& system = side.system();
                   Give(side, "records", system.Spawn<Sink<Record>>());
                   Give(side, "sheets", system.Spawn<Sink<Sheet>>());
                   Give(side, "pages", system.Spawn<Sink<Page>>());
                   Give(side, "server", system.Spawn<Server>());
                   Give(side, "monitor", system.Spawn<Monitor>(&heartbeats));
                 }});
}

Wire WireOf(benchmark::State& state) {
  const auto wire = static_cast<Wire>(state.range(0));
  state.SetLabel(ToString(wire));
  return wire;
}

void OverAllWires(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("wire")
      ->Arg(static_cast<int>(Wire::kTcp))
      ->Arg(static_cast<int>(Wire::kUnixSocket))
      ->Arg(static_cast<int>(Wire::kTls))
      ->UseRealTime();
}

// -- one way ------------------------------------------------------------------

struct Produce {
  int64_t messages = 0;
};
// Sends copies of a message as fast as the connection takes them, until all
// have been handled.
template <typename M>
class Producer : public Actor<Produce> {
 public:
  Producer(ActorRef<M, Count> sink, M message, absl::Notification** done)
      : sink_(sink), message_(std::move(message)), done_(done) {}

  Task<void> Handle(Produce m) {
    const int64_t now = std::min<int64_t>(m.messages, kSendsPerTurn);
    for (int64_t i = 0; i < now; ++i) {
      if (!IsRefused(sink_.TrySend(M(message_)))) continue;
      const absl::Status sent =
          co_await sink_.template SendWhenReady<M>(M(message_))
              .Within(absl::Minutes(1));
      TROUPE_CHECK(sent.ok(), "the connection is there");
    }
    sent_ += now;
    if (m.messages > now) {
      self().template Send<Produce>(m.messages - now);
      co_return;
    }
    absl::StatusOr<int64_t> came =
        co_await sink_.template Call<Count>().Within(absl::Minutes(1));
    // A call does not wait for room, and a message does.
    for (; absl::IsResourceExhausted(came.status()); ++sent_) {
      const absl::Status sent =
          co_await sink_.template SendWhenReady<M>(M(message_))
              .Within(absl::Minutes(1));
      TROUPE_CHECK(sent.ok(), "the connection is there");
      came = co_await sink_.template Call<Count>().Within(absl::Minutes(1));
    }
    TROUPE_CHECK(came.value_or(-1) == std::exchange(sent_, 0), "all came");
    (*done_)->Notify();
  }

 private:
  const ActorRef<M, Count> sink_;
  const M message_;
  absl::Notification** const done_;
  int64_t sent_ = 0;
};

void BM_OneWay(benchmark::State& state) {
  constexpr int64_t kMessages = 200'000;
  ProcessPair pair(WireOf(state));
  absl::Notification* done = nullptr;
  const auto producer =
      pair.here()
          .Spawn<Producer<Record>>(pair.FromHere<Record, Count>("records"),
                                   Record(), &done)
          .value();
  for (auto _ : state) {
    absl::Notification handled;
    done = &handled;
    producer.Send<Produce>(kMessages);
    handled.WaitForNotification();
  }
  state.SetItemsProcessed(state.iterations() * kMessages);
}
BENCHMARK(BM_OneWay)->Apply(&OverAllWires)->MeasureProcessCPUTime();

// -- calls --------------------------------------------------------------------

struct Ask {
  int64_t calls = 0;
  absl::BlockingCounter* done = nullptr;
};
class Client : public Actor<Ask> {
 public:
  explicit Client(ActorRef<Square> server) : server_(server) {}
  Task<void> Handle(Ask m) {
    for (int64_t i = 0; i < m.calls; ++i) {
      const absl::StatusOr<int64_t> answer =
          co_await server_.Call<Square>(i).Within(absl::Minutes(1));
      TROUPE_CHECK(answer.value_or(-1) == i * i, "the answer is right");
    }
    m.done->DecrementCount();
  }

 private:
  const ActorRef<Square> server_;
};

// Each of so many clients makes one call at a time.
void Calls(benchmark::State& state, int clients, int64_t calls_each) {
  ProcessPair pair(WireOf(state));
  const ActorRef<Square> far = pair.FromHere<Square>("server");
  std::vector<Client::Ref> all;
  for (int i = 0; i < clients; ++i) {
    all.push_back(pair.here().Spawn<Client>(far).value());
  }
  for (auto _ : state) {
    absl::BlockingCounter done(clients);
    for (const Client::Ref& client : all) client.Send<Ask>(calls_each, &done);
    done.Wait();
  }
  state.SetItemsProcessed(state.iterations() * clients * calls_each);
}
void BM_CallsOneByOne(benchmark::State& state) { Calls(state, 1, 1000); }
BENCHMARK(BM_CallsOneByOne)->Apply(&OverAllWires)->MeasureProcessCPUTime();

void BM_CallsOf1024(benchmark::State& state) { Calls(state, 1024, 32); }
BENCHMARK(BM_CallsOf1024)->Apply(&OverAllWires)->MeasureProcessCPUTime();

// -- a long message -----------------------------------------------------------

struct AwaitPage {
  absl::Notification* done = nullptr;
};
// Until what was sent to the pages before has been handled.
class Reader : public Actor<AwaitPage> {
 public:
  explicit Reader(ActorRef<Page, Count> pages) : pages_(pages) {}
  Task<void> Handle(AwaitPage m) {
    const absl::StatusOr<int64_t> came =
        co_await pages_.Call<Count>().Within(absl::Minutes(1));
    TROUPE_CHECK(came.value_or(0) == 1, "the page came");
    m.done->Notify();
  }

 private:
  const ActorRef<Page, Count> pages_;
};

// 64 MiB cross, while a plain thread makes calls: how long it takes, and how
// long the longest of the calls.
void BM_CallsBesideLongMessage(benchmark::State& state) {
  constexpr size_t kBytes = (size_t{64} << 20) - 64;
  ProcessPair pair(WireOf(state));
  const auto pages = pair.FromHere<Page, Count>("pages");
  const ActorRef<Square> server = pair.FromHere<Square>("server");
  const auto reader = pair.here().Spawn<Reader>(pages).value();
  absl::Duration longest;
  int64_t calls = 0;
  for (auto _ : state) {
    absl::Notification done;
    pages.Send<Page>(std::string(kBytes, 'x'));
    reader.Send<AwaitPage>(&done);
    while (!done.HasBeenNotified()) {
      const MonotonicTime begun = RealClock().Now();
      TROUPE_CHECK(
          server.Call<Square>(3).Within(absl::Minutes(1)).Wait().value_or(0) ==
              9,
          "the answer is right");
      longest = std::max(longest, RealClock().Now() - begun);
      ++calls;
    }
  }
  state.SetBytesProcessed(state.iterations() * int64_t{kBytes});
  state.counters["calls_each"] =
      static_cast<double>(calls) / static_cast<double>(state.iterations());
  state.counters["longest_call_ms"] = absl::ToDoubleMilliseconds(longest);
}
BENCHMARK(BM_CallsBesideLongMessage)
    ->Apply(&OverAllWires)
    ->Unit(benchmark::kMillisecond);

// -- too much -----------------------------------------------------------------

double PerSecond(int64_t count, MonotonicTime since) {
  return static_cast<double>(count) /
         absl::ToDoubleSeconds(RealClock().Now() - since);
}
template <typename M, typename... Ps>
int64_t Answer(const ActorRef<Ps...>& actor) {
  const absl::StatusOr<int64_t> answer =
      actor.template Call<M>().Within(absl::Minutes(1)).Wait();
  TROUPE_CHECK(answer.ok(), answer.status().ToString().c_str());
  return *answer;
}

// A call does not wait for room, and a message does.
int64_t CountWhenReady(const ActorRef<Sheet, Count>& sink, const Sheet& more) {
  absl::StatusOr<int64_t> came =
      sink.Call<Count>().Within(absl::Minutes(1)).Wait();
  while (absl::IsResourceExhausted(came.status())) {
    const absl::Status sent =
        sink.SendWhenReady<Sheet>(Sheet(more)).Within(absl::Minutes(1)).Wait();
    TROUPE_CHECK(sent.ok(), "the connection is there");
    came = sink.Call<Count>().Within(absl::Minutes(1)).Wait();
  }
  TROUPE_CHECK(came.ok(), came.status().ToString().c_str());
  return *came;
}

struct Flood {
  double per_second = 0;
  MonotonicTime begun;
  absl::Duration for_long;
  absl::Notification* done = nullptr;
};
// Offers so many, whether they are taken or not.
class Flooder : public Actor<Flood> {
 public:
  Flooder(ActorRef<Sheet, Count> sink, Sheet sheet)
      : sink_(sink), sheet_(std::move(sheet)) {}
  void Handle(Flood m) {
    const absl::Duration since = RealClock().Now() - m.begun;
    const auto due =
        static_cast<int64_t>(m.per_second * absl::ToDoubleSeconds(since));
    for (; offered_ < due; ++offered_) (void)sink_.TrySend(Sheet(sheet_));
    if (since < m.for_long) {
      SendAfter<Flood>(absl::Milliseconds(1), m);
    } else {
      m.done->Notify();
    }
  }

 private:
  const ActorRef<Sheet, Count> sink_;
  const Sheet sheet_;
  int64_t offered_ = 0;
};

// Ten times as many messages of 8 KiB are offered as cross if each waits until
// it is taken; the others are refused. How many are handled meanwhile, of those
// that crossed before, and how late heartbeats come, of which there is one in
// 100 ms.
void BM_TooMuch(benchmark::State& state) {
  constexpr int64_t kMessages = 50'000;
  constexpr absl::Duration kHeartbeat = absl::Milliseconds(100);
  const Sheet sheet(std::string(8 << 10, 'x'));
  ProcessPair pair(WireOf(state), kHeartbeat);
  absl::Mutex mu;
  int64_t downs = 0;
  const Subscription subscription =
      pair.here().Subscribe<NodeDown>([&mu, &downs](const NodeDown&) {
        absl::MutexLock lock(&mu);
        ++downs;
      });
  const auto sink = pair.FromHere<Sheet, Count>("sheets");
  const auto monitor = pair.FromHere<LongestGap>("monitor");
  absl::Notification* done = nullptr;
  const auto producer =
      pair.here().Spawn<Producer<Sheet>>(sink, sheet, &done).value();
  const auto flooder = pair.here().Spawn<Flooder>(sink, sheet).value();
  double peak = 0;
  double handled_of_peak = 0;
  absl::Duration latest;
  for (auto _ : state) {
    absl::Notification sent;
    done = &sent;
    const MonotonicTime begun = RealClock().Now();
    producer.Send<Produce>(kMessages);
    sent.WaitForNotification();
    peak = PerSecond(kMessages, begun);
    (void)Answer<LongestGap>(monitor);  // Of the time before.
    absl::Notification flooded;
    const MonotonicTime flood = RealClock().Now();
    flooder.Send<Flood>(10 * peak, flood, absl::Seconds(2), &flooded);
    flooded.WaitForNotification();
    handled_of_peak = PerSecond(CountWhenReady(sink, sheet), flood) / peak;
    latest = absl::Microseconds(Answer<LongestGap>(monitor)) - kHeartbeat;
  }
  absl::MutexLock lock(&mu);
  state.counters["peak_per_s"] = peak;
  state.counters["handled_of_peak"] = handled_of_peak;
  state.counters["heartbeat_late_ms"] = absl::ToDoubleMilliseconds(latest);
  state.counters["downs"] = static_cast<double>(downs);
}
BENCHMARK(BM_TooMuch)
    ->Apply(&OverAllWires)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace benchmarks
}  // namespace troupe

// As benchmark_main, and without what Debian's Abseil does for each lock to
// find deadlocks.
int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (troupe::benchmarks::IsPeer(argc, argv)) {
    return troupe::benchmarks::BeThePeer(argv);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
