// What a frame costs in a simulation: how large a cluster can be played, and
// how many seeds, in a given time.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/cluster/transport.h"
#include "troupe/scheduler/deterministic_schedule.h"
#include "troupe/testing/simulated_network.h"

namespace troupe::testing {
namespace {

class Counter final : public ConnectionHandler, public Acceptor {
 public:
  std::shared_ptr<ConnectionHandler> OnAccept(
      std::unique_ptr<Connection> connection) override {
    connection_ = std::move(connection);
    // Not the owner of itself: it outlives the transport.
    return std::shared_ptr<ConnectionHandler>(
        std::shared_ptr<ConnectionHandler>(), this);
  }
  void OnFrame(TransportLane, std::string) override { ++frames_; }
  void OnSent(TransportLane, size_t) override {}
  void OnClosed(const absl::Status&) override {}

  int64_t frames() const { return frames_; }

 private:
  std::unique_ptr<Connection> connection_;
  int64_t frames_ = 0;
};

// `batch` frames are under way at once, in all lanes.
void BM_SimulatedFrames(benchmark::State& state) {
  const int64_t batch = state.range(0);
  DeterministicSchedule schedule(1);
  SimulatedNetwork network(schedule, {.seed = 1});
  const auto counter = std::make_shared<Counter>();
  const auto a = network.AddTransport("a");
  const auto b = network.AddTransport("b");
  const auto listener = *b->Listen("b:1", counter);
  const auto connection = *a->Dial("b:1", std::make_shared<Counter>());
  int64_t sent = 0;
  for (auto _ : state) {
    for (int64_t i = 0; i < batch; ++i) {
      connection->Send(static_cast<TransportLane>(i % kTransportLanes),
                       std::string(100, 'x'));
    }
    sent += batch;
    (void)schedule.RunUntil([&] { return counter->frames() == sent; },
                            schedule.now() + absl::Hours(1));
  }
  state.SetItemsProcessed(sent);
}
BENCHMARK(BM_SimulatedFrames)->ArgName("batch")->Arg(1)->Arg(100);

}  // namespace
}  // namespace troupe::testing
