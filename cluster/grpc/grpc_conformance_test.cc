// gRPC does all that a transport must: see transport.h.
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "troupe/cluster/grpc/grpc_transport.h"
#include "troupe/cluster/grpc/internal/grpc_testing.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/transport_conformance.h"

namespace troupe {
namespace testing {
namespace {

class GrpcEnvironment : public TransportEnvironment {
 public:
  explicit GrpcEnvironment(const GrpcTransportOptions& options = {}) {
    for (auto& transport : transports_) {
      transport = GrpcTransport::Create(options).value();
    }
  }

  Transport& transport(int node) override { return *transports_[node]; }
  void Destroy(int node) override { transports_[node].reset(); }
  bool RunUntil(absl::FunctionRef<bool()> done) override {
    return WaitUntil(done);
  }

 private:
  std::array<std::unique_ptr<GrpcTransport>, 3> transports_;
};

struct OverTcp : GrpcEnvironment {
  std::string NewAddress(int) override { return FreeAddress(); }
};

class OverUnixSockets : public GrpcEnvironment {
 public:
  std::string NewAddress(int node) override {
    return absl::StrCat("unix:", folder_.path(), "/", node, ".", ++addresses_);
  }

 private:
  const ShortFolder folder_;
  int addresses_ = 0;
};

// All nodes have one certificate: who they are is not compared here.
class OverTls : public GrpcEnvironment {
 public:
  OverTls() : OverTls(std::make_unique<TlsFolder>()) {}
  std::string NewAddress(int) override { return FreeAddress(); }

 private:
  explicit OverTls(std::unique_ptr<TlsFolder> folder)
      : GrpcEnvironment({.tls = folder->Issue({.names = {"node"}})}),
        folder_(std::move(folder)) {}

  const std::unique_ptr<TlsFolder> folder_;
};

INSTANTIATE_TEST_SUITE_P(Tcp, TransportConformanceTest,
                         ::testing::Values(&MakeEnvironment<OverTcp>));
INSTANTIATE_TEST_SUITE_P(UnixSockets, TransportConformanceTest,
                         ::testing::Values(&MakeEnvironment<OverUnixSockets>));
INSTANTIATE_TEST_SUITE_P(Tls, TransportConformanceTest,
                         ::testing::Values(&MakeEnvironment<OverTls>));
INSTANTIATE_TEST_SUITE_P(Tcp, TransportStressTest,
                         ::testing::Values(&MakeEnvironment<OverTcp>));

}  // namespace
}  // namespace testing
}  // namespace troupe
