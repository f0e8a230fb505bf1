#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "troupe/cluster/transport_conformance.h"

namespace troupe::testing {

thread_local int InTransportCall::depth_ = 0;

void RecordingHandler::Enter(absl::string_view call) {
  EXPECT_FALSE(inside_) << call << " while another call has not returned";
  EXPECT_FALSE(closed_.has_value()) << call << " after OnClosed";
  EXPECT_FALSE(InTransportCall::IsOpen())
      << call << " from within a call of the transport";
  inside_ = true;
}

void RecordingHandler::Leave() {
  absl::MutexLock lock(&mu_);
  inside_ = false;
}

void RecordingHandler::OnFrame(TransportLane lane, std::string frame) {
  {
    absl::MutexLock lock(&mu_);
    Enter("OnFrame");
    frames_[static_cast<int>(lane)].push_back(frame);
  }
  if (on_frame_) on_frame_(lane, frame);
  Leave();
}

void RecordingHandler::OnSent(TransportLane lane, size_t bytes) {
  {
    absl::MutexLock lock(&mu_);
    Enter("OnSent");
    sent_bytes_[static_cast<int>(lane)] += bytes;
  }
  Leave();
}

void RecordingHandler::OnClosed(const absl::Status& why) {
  {
    absl::MutexLock lock(&mu_);
    Enter("OnClosed");
    closed_ = why;
  }
  if (on_closed_) on_closed_();
  Leave();
}

std::vector<std::string> RecordingHandler::frames(TransportLane lane) const {
  absl::MutexLock lock(&mu_);
  return frames_[static_cast<int>(lane)];
}

size_t RecordingHandler::count(TransportLane lane) const {
  absl::MutexLock lock(&mu_);
  return frames_[static_cast<int>(lane)].size();
}

size_t RecordingHandler::sent_bytes(TransportLane lane) const {
  absl::MutexLock lock(&mu_);
  return sent_bytes_[static_cast<int>(lane)];
}

std::optional<absl::Status> RecordingHandler::closed() const {
  absl::MutexLock lock(&mu_);
  return closed_;
}

RecordingAcceptor::RecordingAcceptor()
    : accept_([](std::unique_ptr<Connection>&) {
        return std::make_shared<RecordingHandler>();
      }) {}

std::shared_ptr<ConnectionHandler> RecordingAcceptor::OnAccept(
    std::unique_ptr<Connection> connection) {
  EXPECT_FALSE(InTransportCall::IsOpen())
      << "OnAccept from within a call of the transport";
  std::shared_ptr<RecordingHandler> handler = accept_(connection);
  absl::MutexLock lock(&mu_);
  accepted_.push_back({std::move(connection), handler});
  return handler;
}

size_t RecordingAcceptor::count() const {
  absl::MutexLock lock(&mu_);
  return accepted_.size();
}

Connection* RecordingAcceptor::connection(size_t index) const {
  absl::MutexLock lock(&mu_);
  return index < accepted_.size() ? accepted_[index].connection.get() : nullptr;
}

std::shared_ptr<RecordingHandler> RecordingAcceptor::handler(
    size_t index) const {
  absl::MutexLock lock(&mu_);
  return index < accepted_.size() ? accepted_[index].handler : nullptr;
}

std::unique_ptr<Connection> RecordingAcceptor::Take(size_t index) {
  absl::MutexLock lock(&mu_);
  return std::move(accepted_[index].connection);
}

void SendFrame(Connection& connection, TransportLane lane, std::string frame) {
  const InTransportCall call;
  connection.Send(lane, std::move(frame));
}

void CloseConnection(Connection& connection, const absl::Status& why) {
  const InTransportCall call;
  connection.Close(why);
}

void TransportTest::ForgetHandlers() {
  handler_.reset();
  diallers_.clear();
}

void TransportTest::DestroyAll() {
  for (int node = 0; node < 3; ++node) environment_->Destroy(node);
  for (const auto& dialler : diallers_) {
    EXPECT_TRUE(dialler->is_closed()) << "who dialled never heard the end";
  }
  for (const auto& acceptor : acceptors_) {
    for (size_t i = 0; i < acceptor->count(); ++i) {
      const auto handler = acceptor->handler(i);
      if (handler == nullptr) continue;
      EXPECT_TRUE(handler->is_closed()) << "who accepted never heard the end";
    }
  }
}

std::unique_ptr<Listener> TransportTest::Listen(
    int node, const std::string& address,
    std::shared_ptr<RecordingAcceptor> acceptor) {
  acceptors_.push_back(acceptor);
  const InTransportCall call;
  absl::StatusOr<std::unique_ptr<Listener>> listener =
      environment_->transport(node).Listen(address, std::move(acceptor));
  EXPECT_TRUE(listener.ok()) << listener.status();
  return listener.ok() ? *std::move(listener) : nullptr;
}

std::unique_ptr<Connection> TransportTest::Dial(
    int node, const std::string& address,
    std::shared_ptr<RecordingHandler> handler) {
  diallers_.push_back(handler);
  const InTransportCall call;
  absl::StatusOr<std::unique_ptr<Connection>> connection =
      environment_->transport(node).Dial(address, std::move(handler));
  EXPECT_TRUE(connection.ok()) << connection.status();
  return connection.ok() ? *std::move(connection) : nullptr;
}

void TransportTest::Connect(std::shared_ptr<RecordingHandler> handler,
                            Accept accept) {
  acceptor_ = std::make_shared<RecordingAcceptor>(std::move(accept));
  handler_ = std::move(handler);
  listener_ = Listen(1, environment_->NewAddress(1), acceptor_);
  ASSERT_NE(listener_, nullptr);
  connection_ = Dial(0, listener_->address(), handler_);
  ASSERT_NE(connection_, nullptr);
  RunUntil([this] { return acceptor_->count() == 1; });
}

void TransportTest::Connect() {
  Connect(std::make_shared<RecordingHandler>(),
          [](std::unique_ptr<Connection>&) {
            return std::make_shared<RecordingHandler>();
          });
}

}  // namespace troupe::testing
