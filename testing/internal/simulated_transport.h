// What the processes of a SimulatedNetwork hold of it.
#ifndef TROUPE_TESTING_INTERNAL_SIMULATED_TRANSPORT_H_
#define TROUPE_TESTING_INTERNAL_SIMULATED_TRANSPORT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/cluster/transport.h"
#include "troupe/testing/internal/simulated_connection.h"
#include "troupe/testing/simulated_network.h"

namespace troupe::testing::internal {

// Touches the network only while its end is open, so it may outlive that.
class SimulatedConnection final : public Connection {
 public:
  SimulatedConnection(SimulatedNetwork& network,
                      std::shared_ptr<SimulatedPair> pair, SimulatedSide side)
      : network_(network), pair_(std::move(pair)), side_(side) {}
  ~SimulatedConnection() override;

  void Send(TransportLane lane, std::string frame) override;
  void Close(const absl::Status& why) override;
  std::string peer() const override;

 private:
  bool IsOpen() const {
    return pair_->ends[side_].state == SimulatedPair::State::kOpen;
  }

  SimulatedNetwork& network_;
  const std::shared_ptr<SimulatedPair> pair_;
  const SimulatedSide side_;
};

class SimulatedListener final : public Listener {
 public:
  SimulatedListener(SimulatedHost& host, std::string address,
                    std::shared_ptr<SimulatedHost::Listening> listening)
      : host_(host),
        address_(std::move(address)),
        listening_(std::move(listening)) {}
  ~SimulatedListener() override {
    if (listening_->transport != nullptr) host_.listening.erase(address_);
  }

  std::string address() const override { return address_; }

 private:
  SimulatedHost& host_;
  const std::string address_;
  const std::shared_ptr<SimulatedHost::Listening> listening_;
};

class SimulatedTransport final : public Transport {
 public:
  SimulatedTransport(SimulatedNetwork& network, SimulatedHost& host)
      : network_(network), host_(host) {}
  ~SimulatedTransport() override;

  absl::StatusOr<std::unique_ptr<Listener>> Listen(
      absl::string_view address, std::shared_ptr<Acceptor> acceptor) override;
  absl::StatusOr<std::unique_ptr<Connection>> Dial(
      absl::string_view address,
      std::shared_ptr<ConnectionHandler> handler) override;
  size_t max_frame_bytes() const override;

  SimulatedHost& host() { return host_; }
  // Whether its process runs.
  bool Runs() const { return host_.process == this; }

 private:
  SimulatedNetwork& network_;
  SimulatedHost& host_;
};

}  // namespace troupe::testing::internal

#endif  // TROUPE_TESTING_INTERNAL_SIMULATED_TRANSPORT_H_
