// What a frame costs from one system's executor to another's: whether the
// transport leaves the cluster's goal, 5 M messages of 100 bytes a second in
// frames of up to 64 KiB, to encoding and decoding.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/transport.h"
#include "troupe/scheduler/thread_executor.h"

namespace troupe {
namespace {

// Lets at most so many bytes be under way.
constexpr size_t kWindowBytes = 1 << 20;

class Sender final : public ConnectionHandler {
 public:
  void OnFrame(TransportLane, std::string) override {}
  void OnSent(TransportLane, size_t bytes) override ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    under_way_ -= bytes;
  }
  void OnClosed(const absl::Status&) override {}

  // Waits until there is room for `bytes` more.
  void Reserve(size_t bytes) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    const auto fits = [this, bytes]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return under_way_ + bytes <= kWindowBytes;
    };
    mu_.Await(absl::Condition(&fits));
    under_way_ += bytes;
  }
  void AwaitAllSent() ABSL_LOCKS_EXCLUDED(mu_) { Reserve(kWindowBytes); }

 private:
  absl::Mutex mu_;
  size_t under_way_ ABSL_GUARDED_BY(mu_) = 0;
};

class Receiver final : public ConnectionHandler, public Acceptor {
 public:
  std::shared_ptr<ConnectionHandler> OnAccept(
      std::unique_ptr<Connection> connection) override {
    connection_ = std::move(connection);
    // Not the owner of itself: it outlives the transport.
    return std::shared_ptr<ConnectionHandler>(
        std::shared_ptr<ConnectionHandler>(), this);
  }
  void OnFrame(TransportLane, std::string frame) override {
    benchmark::DoNotOptimize(frame.data());
  }
  void OnSent(TransportLane, size_t) override {}
  void OnClosed(const absl::Status&) override {}

 private:
  std::unique_ptr<Connection> connection_;
};

// A plain thread sends; another system's worker takes.
void BM_FramesOneWay(benchmark::State& state) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const auto bytes = static_cast<size_t>(state.range(0));
  const auto from = *ThreadExecutor::Create({.workers = 1});
  const auto to = *ThreadExecutor::Create({.workers = 1});
  const InProcessNetwork network;
  const auto receiver = std::make_shared<Receiver>();
  const auto sender = std::make_shared<Sender>();
  InProcessTransport a(network, *from);
  InProcessTransport b(network, *to);
  const auto listener = *b.Listen("b", receiver);
  const auto connection = *a.Dial("b", sender);
  for (auto _ : state) {
    sender->Reserve(bytes);
    connection->Send(TransportLane::kData, std::string(bytes, 'x'));
  }
  sender->AwaitAllSent();
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_FramesOneWay)
    ->ArgName("bytes")
    ->Arg(100)
    ->Arg(64 << 10)
    ->UseRealTime();

}  // namespace
}  // namespace troupe
