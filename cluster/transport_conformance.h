// What every Transport must do, as tests: one for each promise of transport.h.
//
// A test of a transport says how nodes are set up, and links
// `transport_conformance`, and `transport_stress` where it has threads:
//
//   class MyEnvironment : public testing::TransportEnvironment { ... };
//
//   INSTANTIATE_TEST_SUITE_P(
//       MyTransport, TransportConformanceTest,
//       ::testing::Values(&testing::MakeEnvironment<MyEnvironment>));
//
// No test expects anything of when calls come: it runs until they have, and
// ends by destroying the transports, which is when none can come any more.
#ifndef TROUPE_CLUSTER_TRANSPORT_CONFORMANCE_H_
#define TROUPE_CLUSTER_TRANSPORT_CONFORMANCE_H_

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "troupe/cluster/transport.h"

namespace troupe::testing {

// Nodes that reach each other.
class TransportEnvironment {
 public:
  virtual ~TransportEnvironment() = default;

  // The transport of a node, 0 to 2.
  virtual Transport& transport(int node) = 0;
  // Destroys it, if that has not been done. It is not asked for again.
  virtual void Destroy(int node) = 0;
  // Where that node can listen, and nobody does; another one in each call.
  virtual std::string NewAddress(int node) = 0;
  // Runs until `done`; false if that takes far too long. `done` becomes true by
  // calls of handlers and acceptors, and is called by the calling thread.
  virtual bool RunUntil(absl::FunctionRef<bool()> done) = 0;
};

template <typename Environment>
std::unique_ptr<TransportEnvironment> MakeEnvironment() {
  return std::make_unique<Environment>();
}

// Marks the calling thread as being in a call of a transport, within which no
// handler may be called.
class InTransportCall {
 public:
  InTransportCall() { ++depth_; }
  InTransportCall(const InTransportCall&) = delete;
  InTransportCall& operator=(const InTransportCall&) = delete;
  ~InTransportCall() { --depth_; }

  static bool IsOpen() { return depth_ > 0; }

 private:
  static thread_local int depth_;
};

// Notes what it hears, and fails the test if that is more than a transport may
// do, whatever happens: call it by two threads at once, from within a call of
// the transport, or after OnClosed().
class RecordingHandler final : public ConnectionHandler {
 public:
  using FrameHook = std::function<void(TransportLane, const std::string&)>;

  // `on_frame` is called when the frame has been noted.
  explicit RecordingHandler(FrameHook on_frame = {})
      : on_frame_(std::move(on_frame)) {}
  // What is called when the end has been noted. REQUIRES: no connection yet.
  void set_on_closed(std::function<void()> hook) {
    on_closed_ = std::move(hook);
  }

  void OnFrame(TransportLane lane, std::string frame) override
      ABSL_LOCKS_EXCLUDED(mu_);
  void OnSent(TransportLane lane, size_t bytes) override
      ABSL_LOCKS_EXCLUDED(mu_);
  void OnClosed(const absl::Status& why) override ABSL_LOCKS_EXCLUDED(mu_);

  std::vector<std::string> frames(TransportLane lane) const
      ABSL_LOCKS_EXCLUDED(mu_);
  size_t count(TransportLane lane) const ABSL_LOCKS_EXCLUDED(mu_);
  size_t sent_bytes(TransportLane lane) const ABSL_LOCKS_EXCLUDED(mu_);
  bool is_closed() const { return closed().has_value(); }
  std::optional<absl::Status> closed() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Enter(absl::string_view call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Leave() ABSL_LOCKS_EXCLUDED(mu_);

  const FrameHook on_frame_;         // May be empty.
  std::function<void()> on_closed_;  // May be empty.
  mutable absl::Mutex mu_;
  bool inside_ ABSL_GUARDED_BY(mu_) = false;
  std::array<std::vector<std::string>, kTransportLanes> frames_
      ABSL_GUARDED_BY(mu_);
  std::array<size_t, kTransportLanes> sent_bytes_ ABSL_GUARDED_BY(mu_) = {};
  std::optional<absl::Status> closed_ ABSL_GUARDED_BY(mu_);
};

// Accepts what comes, with a RecordingHandler for each.
class RecordingAcceptor final : public Acceptor {
 public:
  struct Accepted {
    std::unique_ptr<Connection> connection;
    std::shared_ptr<RecordingHandler> handler;
  };
  // Makes the handler for what comes, and may use the connection, even take it.
  using Accept = std::function<std::shared_ptr<RecordingHandler>(
      std::unique_ptr<Connection>& connection)>;

  RecordingAcceptor();
  explicit RecordingAcceptor(Accept accept) : accept_(std::move(accept)) {}

  std::shared_ptr<ConnectionHandler> OnAccept(
      std::unique_ptr<Connection> connection) override ABSL_LOCKS_EXCLUDED(mu_);

  size_t count() const ABSL_LOCKS_EXCLUDED(mu_);
  // Of the connection that was accepted as number `index`. Null: none yet, or
  // there is none any more.
  Connection* connection(size_t index = 0) const ABSL_LOCKS_EXCLUDED(mu_);
  std::shared_ptr<RecordingHandler> handler(size_t index = 0) const
      ABSL_LOCKS_EXCLUDED(mu_);
  std::unique_ptr<Connection> Take(size_t index = 0) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const Accept accept_;
  mutable absl::Mutex mu_;
  std::vector<Accepted> accepted_ ABSL_GUARDED_BY(mu_);
};

// Each of these is a call of the transport.
void SendFrame(Connection& connection, TransportLane lane, std::string frame);
void CloseConnection(Connection& connection, const absl::Status& why);
template <typename T>
void Drop(std::unique_ptr<T>& dropped) {
  const InTransportCall call;
  dropped.reset();
}

// Node 0 dials node 1. Handlers refer to nothing but this, since they are
// called until TearDown(), which expects that each has heard its end.
class TransportTest : public ::testing::TestWithParam<
                          std::unique_ptr<TransportEnvironment> (*)()> {
 protected:
  using Accept = RecordingAcceptor::Accept;

  TransportTest() : environment_(GetParam()()) {}
  void TearDown() override { DestroyAll(); }

  TransportEnvironment& environment() { return *environment_; }
  void RunUntil(absl::FunctionRef<bool()> done) {
    ASSERT_TRUE(environment_->RunUntil(done)) << "this takes too long";
  }
  void DestroyAll();

  std::unique_ptr<Listener> Listen(int node, const std::string& address,
                                   std::shared_ptr<RecordingAcceptor> acceptor);
  std::unique_ptr<Connection> Dial(int node, const std::string& address,
                                   std::shared_ptr<RecordingHandler> handler);
  // Makes the members below; waits until node 1 has accepted.
  void Connect(std::shared_ptr<RecordingHandler> handler, Accept accept);
  void Connect();
  // Of those who dialled: TearDown() does not look at them.
  void ForgetHandlers();

  std::shared_ptr<RecordingAcceptor> acceptor_;
  std::shared_ptr<RecordingHandler> handler_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Connection> connection_;  // Node 0's.
  std::unique_ptr<Connection> another_;     // For what a test needs more.

  // Node 1's.
  Connection& accepted() { return *acceptor_->connection(); }
  RecordingHandler& accepted_handler() { return *acceptor_->handler(); }

 private:
  const std::unique_ptr<TransportEnvironment> environment_;
  std::vector<std::shared_ptr<RecordingHandler>> diallers_;
  std::vector<std::shared_ptr<RecordingAcceptor>> acceptors_;
};

// One thread at a time uses the transports.
class TransportConformanceTest : public TransportTest {};
// Several do.
class TransportStressTest : public TransportTest {};

}  // namespace troupe::testing

#endif  // TROUPE_CLUSTER_TRANSPORT_CONFORMANCE_H_
