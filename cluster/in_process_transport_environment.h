// Nodes in one process, for transport_conformance.h.
#ifndef TROUPE_CLUSTER_IN_PROCESS_TRANSPORT_ENVIRONMENT_H_
#define TROUPE_CLUSTER_IN_PROCESS_TRANSPORT_ENVIRONMENT_H_

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/transport_conformance.h"
#include "troupe/scheduler/executor.h"

namespace troupe::testing {

// All nodes are on one executor.
class InProcessTransportEnvironment : public TransportEnvironment {
 public:
  explicit InProcessTransportEnvironment(std::unique_ptr<Executor> executor)
      : executor_(std::move(executor)) {
    for (auto& transport : transports_) {
      transport = std::make_unique<InProcessTransport>(network_, *executor_);
    }
  }

  Transport& transport(int node) override { return *transports_[node]; }
  void Destroy(int node) override { transports_[node].reset(); }
  std::string NewAddress(int node) override {
    return absl::StrCat("node ", node, ", address ", ++addresses_);
  }
  bool RunUntil(absl::FunctionRef<bool()> done) override {
    return executor_->RunUntil(done,
                               executor_->clock().Now() + absl::Minutes(1));
  }

 private:
  const std::unique_ptr<Executor> executor_;
  InProcessNetwork network_;
  std::array<std::unique_ptr<InProcessTransport>, 3> transports_;
  int addresses_ = 0;
};

}  // namespace troupe::testing

#endif  // TROUPE_CLUSTER_IN_PROCESS_TRANSPORT_ENVIRONMENT_H_
