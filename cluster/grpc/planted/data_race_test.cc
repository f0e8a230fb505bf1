// Planted: a handler and its owner write a member that no lock guards.
// ThreadSanitizer must report it, although it passes over what gRPC does.

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "troupe/cluster/grpc/grpc_transport.h"
#include "troupe/cluster/transport.h"

namespace troupe {
namespace {

struct Counter final : ConnectionHandler {
  void OnFrame(TransportLane, std::string) override {}
  void OnSent(TransportLane, size_t) override {}
  void OnClosed(const absl::Status&) override { ++count; }

  int count = 0;
};

TEST(PlantedTest, WritesWithoutALock) {
  const auto counter = std::make_shared<Counter>();
  {
    const auto transport = GrpcTransport::Create().value();
    const auto connection =
        transport->Dial("unix:/there/is/nobody", counter).value();
    ++counter->count;
  }
  // The transport has waited for its thread.
  EXPECT_EQ(counter->count, 2);
}

}  // namespace
}  // namespace troupe
