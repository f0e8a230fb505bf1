// Threads that use a transport all at once. What must hold over the whole run:
// each hears its frames in order, each handler one end.
#include <array>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/transport_conformance.h"

namespace troupe::testing {
namespace {

constexpr int kSenders = 3;
constexpr int kFrames = 2000;

TransportLane LaneOf(int sender) {
  return static_cast<TransportLane>(sender % kTransportLanes);
}

// Expects that the frames of each sender come in order. What it counts is plain
// data on purpose: under TSan a missing happens-before edge between two calls
// shows up as a race on it.
class CountingHandler final : public ConnectionHandler {
 public:
  void OnFrame(TransportLane lane, std::string frame) override {
    const std::vector<absl::string_view> parts = absl::StrSplit(frame, ':');
    int sender = 0;
    int number = 0;
    ASSERT_TRUE(absl::SimpleAtoi(parts[0], &sender));
    ASSERT_TRUE(absl::SimpleAtoi(parts[1], &number));
    EXPECT_EQ(lane, LaneOf(sender));
    EXPECT_EQ(number, next_[sender]) << "of sender " << sender;
    next_[sender] = number + 1;
    if (++frames_ == kSenders * kFrames) Note(all_came_);
  }
  void OnSent(TransportLane, size_t bytes) override {
    sent_bytes_ += bytes;
    if (sent_bytes_ == to_send_bytes_) Note(all_sent_);
  }
  void OnClosed(const absl::Status&) override { ++ends_; }

  // Before the connection is made.
  void ExpectToSend(size_t bytes) { to_send_bytes_ = bytes; }

  bool IsDone() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return all_came_ && all_sent_;
  }
  // When the transport is gone.
  int ends() const { return ends_; }

 private:
  void Note(bool& flag) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    flag = true;
  }

  std::array<int, kSenders> next_ = {};
  int frames_ = 0;
  size_t sent_bytes_ = 0;
  size_t to_send_bytes_ = 0;
  int ends_ = 0;
  mutable absl::Mutex mu_;
  bool all_came_ = false;  // Both guarded by mu_.
  bool all_sent_ = false;
};

std::string FrameOf(int sender, int number) {
  return absl::StrCat(sender, ":", number);
}

size_t BytesToSend() {
  size_t bytes = 0;
  for (int sender = 0; sender < kSenders; ++sender) {
    for (int i = 0; i < kFrames; ++i) bytes += FrameOf(sender, i).size();
  }
  return bytes;
}

// Keeps what it accepts, with one handler for all: there is one connection.
class OneAcceptor final : public Acceptor {
 public:
  explicit OneAcceptor(std::shared_ptr<CountingHandler> handler)
      : handler_(std::move(handler)) {}

  std::shared_ptr<ConnectionHandler> OnAccept(
      std::unique_ptr<Connection> connection) override
      ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    connection_ = std::move(connection);
    return handler_;
  }

  Connection* connection() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return connection_.get();
  }

 private:
  const std::shared_ptr<CountingHandler> handler_;
  mutable absl::Mutex mu_;
  std::unique_ptr<Connection> connection_ ABSL_GUARDED_BY(mu_);
};

TEST_P(TransportStressTest, ManyThreadsSendInOrderBothWays) {
  const auto one = std::make_shared<CountingHandler>();
  const auto other = std::make_shared<CountingHandler>();
  one->ExpectToSend(BytesToSend());
  other->ExpectToSend(BytesToSend());
  const auto acceptor = std::make_shared<OneAcceptor>(other);
  const auto listener =
      *environment().transport(1).Listen(environment().NewAddress(1), acceptor);
  const auto connection =
      *environment().transport(0).Dial(listener->address(), one);
  RunUntil([&] { return acceptor->connection() != nullptr; });

  std::vector<std::thread> threads;
  for (Connection* const end : {connection.get(), acceptor->connection()}) {
    for (int sender = 0; sender < kSenders; ++sender) {
      threads.emplace_back([end, sender] {
        for (int i = 0; i < kFrames; ++i) {
          SendFrame(*end, LaneOf(sender), FrameOf(sender, i));
        }
      });
    }
  }
  for (std::thread& thread : threads) thread.join();
  RunUntil([&] { return one->IsDone() && other->IsDone(); });
  DestroyAll();
  EXPECT_EQ(one->ends(), 1);
  EXPECT_EQ(other->ends(), 1);
}

// Each thread dials again and again, and drops what it dialled while the other
// side closes what has sent enough.
TEST_P(TransportStressTest, ConnectionsComeAndGoFromManyThreads) {
  constexpr int kThreads = 3;
  constexpr int kDials = 100;
  acceptor_ = std::make_shared<RecordingAcceptor>(
      [](std::unique_ptr<Connection>& accepted) {
        const std::shared_ptr<Connection> connection = std::move(accepted);
        return std::make_shared<RecordingHandler>(
            [connection](TransportLane, const std::string& frame) {
              if (frame == "5") connection->Close(absl::AbortedError("5"));
            });
      });
  listener_ = Listen(1, environment().NewAddress(1), acceptor_);
  std::vector<std::vector<std::shared_ptr<RecordingHandler>>> handlers(
      kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, &mine = handlers[i]] {
      for (int dial = 0; dial < kDials; ++dial) {
        mine.push_back(std::make_shared<RecordingHandler>());
        auto connection =
            *environment().transport(0).Dial(listener_->address(), mine.back());
        for (int frame = 0; frame < dial % 10; ++frame) {
          SendFrame(*connection, TransportLane::kData, absl::StrCat(frame));
        }
        Drop(connection);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  DestroyAll();
  for (const auto& of_thread : handlers) {
    for (const auto& handler : of_thread) EXPECT_TRUE(handler->is_closed());
  }
}

TEST_P(TransportStressTest, BothEndsCloseWhileOthersSend) {
  constexpr int kRounds = 50;
  for (int round = 0; round < kRounds; ++round) {
    Connect();
    std::vector<std::thread> threads;
    threads.emplace_back([this] {
      for (int i = 0; i < 100; ++i) {
        SendFrame(*connection_, TransportLane::kData, absl::StrCat(i));
      }
    });
    threads.emplace_back([this] {
      for (int i = 0; i < 100; ++i) {
        SendFrame(accepted(), TransportLane::kData, absl::StrCat(i));
      }
    });
    threads.emplace_back(
        [this] { CloseConnection(*connection_, absl::AbortedError("one")); });
    threads.emplace_back(
        [this] { CloseConnection(accepted(), absl::AbortedError("other")); });
    for (std::thread& thread : threads) thread.join();
    RunUntil([&] {
      return handler_->is_closed() && accepted_handler().is_closed();
    });
  }
}

TEST_P(TransportStressTest, TransportGoesWhileOthersUseIt) {
  Connect();
  const std::string address = listener_->address();
  std::vector<std::shared_ptr<RecordingHandler>> handlers;
  std::thread sender([this] {
    for (int i = 0; i < 1000; ++i) {
      SendFrame(*connection_, TransportLane::kData, absl::StrCat(i));
    }
  });
  std::thread dialler([this, &address, &handlers] {
    for (int i = 0; i < 100; ++i) {
      handlers.push_back(std::make_shared<RecordingHandler>());
      auto connection =
          *environment().transport(2).Dial(address, handlers.back());
      SendFrame(*connection, TransportLane::kData, "hello");
    }
  });
  environment().Destroy(1);
  sender.join();
  dialler.join();
  DestroyAll();
  for (const auto& handler : handlers) EXPECT_TRUE(handler->is_closed());
}

}  // namespace
}  // namespace troupe::testing
