// Planted: a handler and its owner write a member that no lock guards.
// ThreadSanitizer must report it, although it passes over what gRPC does.

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "troupe/cluster/grpc/grpc_transport.h"
#include "troupe/cluster/transport.h"

namespace troupe {
namespace {

// Each side writes when the other one is known to do nothing more that could
// order the two: these flags order nothing.
void AwaitUnordered(const std::atomic<bool>& flag) {
  while (!flag.load(std::memory_order_relaxed)) std::this_thread::yield();
}

struct Counter final : ConnectionHandler {
  void OnFrame(TransportLane, std::string) override {}
  void OnSent(TransportLane, size_t) override {}
  void OnClosed(const absl::Status&) override {
    AwaitUnordered(dialled);
    ++count;
    closed.store(true, std::memory_order_relaxed);
  }

  std::atomic<bool> dialled = false;
  std::atomic<bool> closed = false;
  // Apart from the flags: the sanitizer remembers four accesses to 8 bytes.
  alignas(8) int count = 0;
};

TEST(PlantedTest, WritesWithoutALock) {
  const auto counter = std::make_shared<Counter>();
  const auto transport = GrpcTransport::Create().value();
  const auto connection =
      transport->Dial("unix:/there/is/nobody", counter).value();
  counter->dialled.store(true, std::memory_order_relaxed);
  AwaitUnordered(counter->closed);
  ++counter->count;
  EXPECT_EQ(counter->count, 2);
}

}  // namespace
}  // namespace troupe
