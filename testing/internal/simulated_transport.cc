#include "troupe/testing/internal/simulated_transport.h"

#include "absl/strings/str_cat.h"
#include "troupe/base/check.h"

namespace troupe::testing::internal {
namespace {

// The name before the colon.
absl::string_view HostIn(absl::string_view address) {
  return address.substr(0, address.find(':'));
}

}  // namespace

SimulatedConnection::~SimulatedConnection() {
  if (!IsOpen()) return;
  const bool accepted = pair_->ends[side_].handler != nullptr;
  network_.Close(pair_, side_,
                 accepted ? absl::OkStatus()
                          : absl::UnavailableError(absl::StrCat(
                                "'", pair_->address, "' refused")));
}

void SimulatedConnection::Send(TransportLane lane, std::string frame) {
  if (!IsOpen()) return;
  TROUPE_CHECK(frame.size() <= network_.options_.max_frame_bytes,
               "the frame is too long");
  network_.Send(pair_, side_, static_cast<int>(lane), std::move(frame));
}

void SimulatedConnection::Close(const absl::Status& why) {
  if (IsOpen()) network_.Close(pair_, side_, why);
}

std::string SimulatedConnection::peer() const {
  return side_ == kDialler ? pair_->address
                           : absl::StrCat(pair_->ends[kDialler].host->name,
                                          ", connection ", pair_->number);
}

SimulatedTransport::~SimulatedTransport() {
  if (Runs()) {
    network_.Record(absl::StrCat(host_.name, " ends"));
    network_.EndProcess(host_, CrashKind::kReset,
                        network_.random_.Bernoulli(0.5));
  }
  network_.FinishAllOf(*this);
}

absl::StatusOr<std::unique_ptr<Listener>> SimulatedTransport::Listen(
    absl::string_view address, std::shared_ptr<Acceptor> acceptor) {
  if (HostIn(address) != host_.name) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", address, "' is no address of the host '", host_.name, "'"));
  }
  auto listening = std::make_shared<SimulatedHost::Listening>();
  listening->acceptor = std::move(acceptor);
  if (Runs()) {
    listening->transport = this;
    if (!host_.listening.try_emplace(std::string(address), listening).second) {
      return absl::AlreadyExistsError(
          absl::StrCat("somebody listens at '", address, "' already"));
    }
  }
  return std::make_unique<SimulatedListener>(host_, std::string(address),
                                             std::move(listening));
}

absl::StatusOr<std::unique_ptr<Connection>> SimulatedTransport::Dial(
    absl::string_view address, std::shared_ptr<ConnectionHandler> handler) {
  if (HostIn(address).empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", address, "' names no host"));
  }
  return std::make_unique<SimulatedConnection>(
      network_, network_.Dial(*this, address, std::move(handler)), kDialler);
}

size_t SimulatedTransport::max_frame_bytes() const {
  return network_.options_.max_frame_bytes;
}

}  // namespace troupe::testing::internal
