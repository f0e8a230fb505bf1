#include "troupe/cluster/in_process_transport.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/cluster/in_process_transport_environment.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/transport_conformance.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace testing {
namespace {

struct OnThreads : InProcessTransportEnvironment {
  OnThreads()
      : InProcessTransportEnvironment(*ThreadExecutor::Create({.workers = 2})) {
  }
};

struct Deterministic : InProcessTransportEnvironment {
  Deterministic()
      : InProcessTransportEnvironment(std::make_unique<DeterministicExecutor>(
            DeterministicExecutor::Options{.seed = TestSeeds(1)[0],
                                           .workers = 3,
                                           .lost_seat_probability = 0.3})) {}
};

INSTANTIATE_TEST_SUITE_P(Threads, TransportConformanceTest,
                         ::testing::Values(&MakeEnvironment<OnThreads>));
INSTANTIATE_TEST_SUITE_P(Deterministic, TransportConformanceTest,
                         ::testing::Values(&MakeEnvironment<Deterministic>));

}  // namespace
}  // namespace testing

namespace {

using ::testing::ElementsAre;
using testing::RecordingAcceptor;
using testing::RecordingHandler;
using testing::StatusIs;

constexpr TransportLane kControl = TransportLane::kControl;
constexpr TransportLane kData = TransportLane::kData;
constexpr TransportLane kBulk = TransportLane::kBulk;

// A step is one turn: none is played in the midst of another.
DeterministicExecutor::Options OneWorker() {
  return {.workers = 1, .lost_seat_probability = 0};
}

struct Nodes {
  DeterministicExecutor executor{OneWorker()};
  InProcessNetwork network;
  InProcessTransport a{network, executor};
  InProcessTransport b{network, executor};
};

TEST(InProcessTransportTest, NetworksOfOneProcessAreApart) {
  Nodes nodes;
  InProcessTransport elsewhere(InProcessNetwork(), nodes.executor);
  const auto listener =
      *nodes.b.Listen("b", std::make_shared<RecordingAcceptor>());
  auto handler = std::make_shared<RecordingHandler>();
  const auto connection = *elsewhere.Dial("b", handler);
  nodes.executor.RunUntilIdle();
  ASSERT_TRUE(handler->is_closed());
  EXPECT_THAT(*handler->closed(),
              StatusIs(absl::StatusCode::kUnavailable,
                       ::testing::HasSubstr("nobody listens at 'b'")));
}

TEST(InProcessTransportTest, WaitingFramesGoByLane) {
  Nodes nodes;
  std::vector<std::string> heard;
  auto acceptor =
      std::make_shared<RecordingAcceptor>([&](std::unique_ptr<Connection>&) {
        return std::make_shared<RecordingHandler>(
            [&](TransportLane, const std::string& frame) {
              heard.push_back(frame);
            });
      });
  const auto listener = *nodes.b.Listen("b", acceptor);
  const auto connection =
      *nodes.a.Dial("b", std::make_shared<RecordingHandler>());
  connection->Send(kBulk, "bulk");
  connection->Send(kData, "data 1");
  connection->Send(kControl, "control");
  connection->Send(kData, "data 2");
  nodes.executor.RunUntilIdle();
  EXPECT_THAT(heard, ElementsAre("control", "data 1", "data 2", "bulk"));
}

TEST(InProcessTransportTest, WhatWasSentBeforeCloseArrivesBeforeTheEnd) {
  Nodes nodes;
  auto acceptor = std::make_shared<RecordingAcceptor>();
  const auto listener = *nodes.b.Listen("b", acceptor);
  const auto connection =
      *nodes.a.Dial("b", std::make_shared<RecordingHandler>());
  connection->Send(kBulk, "goodbye");
  connection->Close(absl::AbortedError("leaving"));
  nodes.executor.RunUntilIdle();
  ASSERT_EQ(acceptor->count(), 1);
  EXPECT_THAT(acceptor->handler()->frames(kBulk), ElementsAre("goodbye"));
  EXPECT_EQ(*acceptor->handler()->closed(), absl::AbortedError("leaving"));
}

// A turn ends, and lets others have theirs, before all has been delivered.
TEST(InProcessTransportTest, FloodDoesNotHoldAWorker) {
  Nodes nodes;
  auto acceptor = std::make_shared<RecordingAcceptor>();
  const auto listener = *nodes.b.Listen("b", acceptor);
  const auto connection =
      *nodes.a.Dial("b", std::make_shared<RecordingHandler>());
  for (int i = 0; i < 10'000; ++i) connection->Send(kData, "x");
  size_t before = 0;
  while (nodes.executor.Step()) {
    if (acceptor->count() == 0) continue;
    const size_t now = acceptor->handler()->count(kData);
    EXPECT_LE(now - before, 64);
    before = now;
  }
  EXPECT_EQ(before, 10'000);
}

TEST(InProcessTransportTest, DialUnderWayEndsWithTheListener) {
  Nodes nodes;
  auto acceptor = std::make_shared<RecordingAcceptor>();
  auto listener = *nodes.b.Listen("b", acceptor);
  auto handler = std::make_shared<RecordingHandler>();
  const auto connection = *nodes.a.Dial("b", handler);
  listener.reset();
  nodes.executor.RunUntilIdle();
  EXPECT_EQ(acceptor->count(), 0);
  ASSERT_TRUE(handler->is_closed());
  EXPECT_THAT(*handler->closed(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(InProcessTransportTest, CloseTellsTheOtherEndItsStatus) {
  Nodes nodes;
  auto acceptor = std::make_shared<RecordingAcceptor>();
  const auto listener = *nodes.b.Listen("b", acceptor);
  auto handler = std::make_shared<RecordingHandler>();
  const auto connection = *nodes.a.Dial("b", handler);
  nodes.executor.RunUntilIdle();
  acceptor->connection()->Close(absl::DataLossError("what is this?"));
  nodes.executor.RunUntilIdle();
  EXPECT_EQ(*handler->closed(), absl::DataLossError("what is this?"));
}

TEST(InProcessTransportDeathTest, FrameThatIsTooLongIsAnError) {
  Nodes nodes;
  const auto connection =
      *nodes.a.Dial("b", std::make_shared<RecordingHandler>());
  EXPECT_DEATH(
      connection->Send(kBulk, std::string(nodes.a.max_frame_bytes() + 1, 'x')),
      "the frame is too long");
}

}  // namespace
}  // namespace troupe
