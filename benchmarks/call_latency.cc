// How long calls take under half the load that the system can bear. An open
// loop: a plain thread starts them at times that were fixed before, however
// long earlier ones take, and a call's latency counts from that time, so that
// no wait is hidden.
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/benchmarks/measure.h"
#include "troupe/benchmarks/waits.h"

namespace troupe::benchmarks {
namespace {

constexpr int kClients = 16;
constexpr int64_t kCalls = 500'000;  // Of all.
constexpr double kLoad = 0.5;        // Of the capacity.

struct Square {
  int64_t number;
  using Reply = int64_t;
};

class Server : public Actor<Square> {
 public:
  int64_t Handle(Square square) { return square.number * square.number; }
};

struct Done {};

// Ends the run when all clients are done.
class Referee : public Actor<Done> {
 public:
  explicit Referee(Stage& stage) : stage_(stage) {}
  void Handle(Done) {
    if (--missing_ == 0) stage_.Finish();
  }

 private:
  Stage& stage_;
  int missing_ = kClients;
};

struct Ask {
  MonotonicTime planned;
};

class Client : public Actor<Ask> {
 public:
  Client(Stage& stage, std::vector<uint32_t>& latencies, int64_t calls,
         ActorRef<Square> server, ActorRef<Done> referee)
      : stage_(stage),
        latencies_(latencies),
        left_(calls),
        server_(server),
        referee_(referee) {}

  Task<void> Handle(Ask ask) {
    const int64_t number = left_;
    const absl::StatusOr<int64_t> answer =
        co_await server_.Call<Square>(number);
    if (!stage_.Check("an answer", answer.value_or(-1), number * number)) {
      co_return;
    }
    const int64_t latency =
        RealClock().Now().ToNanoseconds() - ask.planned.ToNanoseconds();
    latencies_.push_back(WaitOf(latency));
    if (--left_ == 0) referee_.Send<Done>();
  }

 private:
  Stage& stage_;
  std::vector<uint32_t>& latencies_;  // Nanoseconds.
  int64_t left_;
  const ActorRef<Square> server_;
  const ActorRef<Done> referee_;
};

struct Calls {
  Waits latencies;
  double each_ns;  // From one to the next, on average.
};

// Starts a call every `interval_ns`; all at once if that is 0.
absl::StatusOr<Calls> RunCalls(const MeasureOptions& options,
                               double interval_ns) {
  const int64_t each = Scaled(options, kCalls / kClients);
  const int64_t calls = each * kClients;
  Waits latencies(kClients, each);
  absl::StatusOr<std::unique_ptr<Stage>> created =
      Stage::Create({.workers = options.workers});
  if (!created.ok()) return created.status();
  Stage& stage = **created;
  const Server::Ref server = stage.there().Spawn<Server>().value();
  const Referee::Ref referee = stage.here().Spawn<Referee>(stage).value();
  std::vector<Client::Ref> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(
        stage.here()
            .Spawn<Client>(stage, latencies.list(i), each, server, referee)
            .value());
  }
  stage.Begin(calls);
  const int64_t begun_ns = RealClock().Now().ToNanoseconds();
  for (int64_t i = 0; i < calls; ++i) {
    const MonotonicTime planned = MonotonicTime::FromNanoseconds(
        begun_ns + static_cast<int64_t>(interval_ns * static_cast<double>(i)));
    while (RealClock().Now() < planned) {
    }
    clients[i % kClients].Send<Ask>(planned);
  }
  const absl::StatusOr<Measured> measured = stage.Await(options.timeout);
  if (!measured.ok()) return measured.status();
  latencies.Sort();
  if (static_cast<int64_t>(latencies.count()) != calls) {
    return absl::InternalError("a client missed calls");
  }
  return Calls{std::move(latencies),
               absl::ToDoubleNanoseconds(measured->elapsed) /
                   static_cast<double>(calls)};
}

absl::StatusOr<std::vector<double>> Run(const MeasureOptions& options) {
  const absl::StatusOr<Calls> flood = RunCalls(options, /*interval_ns=*/0);
  if (!flood.ok()) return flood.status();
  const absl::StatusOr<Calls> paced = RunCalls(options, flood->each_ns / kLoad);
  if (!paced.ok()) return paced.status();
  return std::vector<double>{1e3 / flood->each_ns,
                             1e3 / paced->each_ns,
                             paced->latencies.AtPermille(500),
                             paced->latencies.AtPermille(990),
                             paced->latencies.AtPermille(999),
                             paced->latencies.AtPermille(1000)};
}

constexpr Figure kFigures[] = {
    {.name = "capacity", .unit = "M/s"}, {.name = "load", .unit = "M/s"},
    {.name = "p50", .unit = "us"},       {.name = "p99", .unit = "us"},
    {.name = "p99.9", .unit = "us"},     {.name = "longest", .unit = "us"},
};

}  // namespace

const Measure kCallLatency = {
    .name = "call_latency", .figures = kFigures, .run = Run};

}  // namespace troupe::benchmarks
