#include "troupe/cluster/transport_conformance.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/cluster/transport.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr TransportLane kControl = TransportLane::kControl;
constexpr TransportLane kData = TransportLane::kData;
constexpr TransportLane kBulk = TransportLane::kBulk;
constexpr TransportLane kLanes[] = {kControl, kData, kBulk};

constexpr absl::string_view kBytes("\0any\xff bytes\0", 12);

// Frames that tell their lane and number.
std::string Numbered(TransportLane lane, int number) {
  return absl::StrCat(static_cast<int>(lane), ":", number);
}

// That the frames of a lane are the first ones, in order.
void ExpectPrefix(const RecordingHandler& handler, TransportLane lane) {
  const std::vector<std::string> frames = handler.frames(lane);
  for (size_t i = 0; i < frames.size(); ++i) {
    ASSERT_EQ(frames[i], Numbered(lane, static_cast<int>(i)));
  }
}

// -- frames -------------------------------------------------------------------

TEST_P(TransportConformanceTest, FrameArrivesWholeInItsLane) {
  Connect();
  for (const TransportLane lane : kLanes) {
    SendFrame(*connection_, lane, std::string(kBytes));
    SendFrame(accepted(), lane, std::string(kBytes));
  }
  for (const TransportLane lane : kLanes) {
    RunUntil([&] { return accepted_handler().count(lane) == 1; });
    RunUntil([&] { return handler_->count(lane) == 1; });
    EXPECT_THAT(accepted_handler().frames(lane), ElementsAre(kBytes));
    EXPECT_THAT(handler_->frames(lane), ElementsAre(kBytes));
  }
}

TEST_P(TransportConformanceTest, LaneKeepsItsOrderInBothDirections) {
  constexpr int kFrames = 300;
  Connect();
  for (int i = 0; i < kFrames; ++i) {
    for (const TransportLane lane : kLanes) {
      SendFrame(*connection_, lane, Numbered(lane, i));
      SendFrame(accepted(), lane, Numbered(lane, i));
    }
  }
  for (const TransportLane lane : kLanes) {
    RunUntil([&] { return accepted_handler().count(lane) == kFrames; });
    RunUntil([&] { return handler_->count(lane) == kFrames; });
    ExpectPrefix(accepted_handler(), lane);
    ExpectPrefix(*handler_, lane);
  }
}

TEST_P(TransportConformanceTest, EmptyFrameIsAFrame) {
  Connect();
  SendFrame(*connection_, kData, "");
  RunUntil([&] { return accepted_handler().count(kData) == 1; });
  EXPECT_THAT(accepted_handler().frames(kData), ElementsAre(""));
}

TEST_P(TransportConformanceTest, LongestFrameArrivesWhole) {
  const std::string longest(environment().transport(0).max_frame_bytes(), 'x');
  Connect();
  SendFrame(*connection_, kBulk, longest);
  RunUntil([&] { return accepted_handler().count(kBulk) == 1; });
  // Not printed when they differ.
  EXPECT_TRUE(accepted_handler().frames(kBulk)[0] == longest);
}

TEST_P(TransportConformanceTest, FrameSentBeforeTheAcceptArrives) {
  acceptor_ = std::make_shared<RecordingAcceptor>();
  listener_ = Listen(1, environment().NewAddress(1), acceptor_);
  handler_ = std::make_shared<RecordingHandler>();
  connection_ = Dial(0, listener_->address(), handler_);
  SendFrame(*connection_, kData, "early");
  RunUntil([&] {
    return acceptor_->count() == 1 && accepted_handler().count(kData) == 1;
  });
  EXPECT_THAT(accepted_handler().frames(kData), ElementsAre("early"));
}

TEST_P(TransportConformanceTest, FrameSentWhileAcceptingArrives) {
  Connect(std::make_shared<RecordingHandler>(),
          [](std::unique_ptr<Connection>& connection) {
            SendFrame(*connection, kControl, "welcome");
            return std::make_shared<RecordingHandler>();
          });
  RunUntil([&] { return handler_->count(kControl) == 1; });
  EXPECT_THAT(handler_->frames(kControl), ElementsAre("welcome"));
}

TEST_P(TransportConformanceTest, HandlersAnswerEachOther) {
  constexpr int kRounds = 200;
  Connect(std::make_shared<RecordingHandler>(
              [this](TransportLane lane, const std::string& frame) {
                SendFrame(*connection_, lane, frame + ".");
              }),
          [this](std::unique_ptr<Connection>&) {
            return std::make_shared<RecordingHandler>(
                [this](TransportLane lane, const std::string& frame) {
                  if (frame.size() < kRounds)
                    SendFrame(accepted(), lane, frame);
                });
          });
  SendFrame(accepted(), kData, "");
  RunUntil([&] { return accepted_handler().count(kData) == kRounds; });
  EXPECT_EQ(handler_->count(kData), kRounds);
}

TEST_P(TransportConformanceTest, SentBytesAddUpInEachLane) {
  constexpr int kFrames = 50;
  Connect();
  size_t bytes = 0;
  for (int i = 0; i < kFrames; ++i) {
    for (const TransportLane lane : kLanes) {
      SendFrame(*connection_, lane, std::string(i, 'x'));
      SendFrame(accepted(), lane, std::string(i, 'x'));
    }
    bytes += i;
  }
  for (const TransportLane lane : kLanes) {
    RunUntil([&] { return handler_->sent_bytes(lane) >= bytes; });
    RunUntil([&] { return accepted_handler().sent_bytes(lane) >= bytes; });
  }
  DestroyAll();
  for (const TransportLane lane : kLanes) {
    EXPECT_EQ(handler_->sent_bytes(lane), bytes);
    EXPECT_EQ(accepted_handler().sent_bytes(lane), bytes);
  }
}

// -- connecting ---------------------------------------------------------------

TEST_P(TransportConformanceTest, DialToNobodyEndsUnavailable) {
  auto handler = std::make_shared<RecordingHandler>();
  const auto connection = Dial(0, environment().NewAddress(1), handler);
  SendFrame(*connection, kData, "to nobody");
  RunUntil([&] { return handler->is_closed(); });
  EXPECT_THAT(*handler->closed(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(handler->frames(kData), IsEmpty());
}

TEST_P(TransportConformanceTest, RefusedDialEndsUnavailable) {
  Connect(std::make_shared<RecordingHandler>(),
          [](std::unique_ptr<Connection>& connection) {
            Drop(connection);
            return nullptr;
          });
  RunUntil([&] { return handler_->is_closed(); });
  EXPECT_THAT(*handler_->closed(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_P(TransportConformanceTest, RefusedConnectionThatIsKeptIsNone) {
  Connect(std::make_shared<RecordingHandler>(),
          [](std::unique_ptr<Connection>&) { return nullptr; });
  RunUntil([&] { return handler_->is_closed(); });
  EXPECT_THAT(*handler_->closed(), StatusIs(absl::StatusCode::kUnavailable));
  SendFrame(accepted(), kData, "nothing");
  DestroyAll();
  EXPECT_THAT(handler_->frames(kData), IsEmpty());
}

TEST_P(TransportConformanceTest, ConnectionDroppedWhileAcceptingEnds) {
  Connect(std::make_shared<RecordingHandler>(),
          [](std::unique_ptr<Connection>& connection) {
            Drop(connection);
            return std::make_shared<RecordingHandler>();
          });
  RunUntil(
      [&] { return handler_->is_closed() && accepted_handler().is_closed(); });
  EXPECT_THAT(*handler_->closed(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_P(TransportConformanceTest, AddressInUseIsTakenByNobodyElse) {
  Connect();
  EXPECT_THAT(environment().transport(1).Listen(
                  listener_->address(), std::make_shared<RecordingAcceptor>()),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_P(TransportConformanceTest, EmptyAddressIsInvalid) {
  EXPECT_THAT(environment().transport(0).Listen(
                  "", std::make_shared<RecordingAcceptor>()),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(
      environment().transport(0).Dial("", std::make_shared<RecordingHandler>()),
      StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(TransportConformanceTest, AddressIsFreeAfterItsListener) {
  Connect();
  const std::string address = listener_->address();
  Drop(listener_);
  auto successor = std::make_shared<RecordingAcceptor>();
  const auto listener = Listen(1, address, successor);
  auto handler = std::make_shared<RecordingHandler>();
  const auto connection = Dial(2, address, handler);
  RunUntil([&] { return successor->count() == 1; });
  EXPECT_EQ(acceptor_->count(), 1);
}

TEST_P(TransportConformanceTest, AcceptedConnectionOutlivesItsListener) {
  Connect();
  Drop(listener_);
  SendFrame(*connection_, kData, "there");
  SendFrame(accepted(), kData, "and back");
  RunUntil([&] { return accepted_handler().count(kData) == 1; });
  RunUntil([&] { return handler_->count(kData) == 1; });
  EXPECT_FALSE(handler_->is_closed());
}

TEST_P(TransportConformanceTest, NobodyIsAcceptedAfterTheListener) {
  Connect();
  const std::string address = listener_->address();
  auto handler = std::make_shared<RecordingHandler>();
  Drop(listener_);
  const auto connection = Dial(0, address, handler);
  RunUntil([&] { return handler->is_closed(); });
  EXPECT_THAT(*handler->closed(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(acceptor_->count(), 1);
}

TEST_P(TransportConformanceTest, ConnectionsOfOneListenerAreApart) {
  constexpr int kDiallers = 8;
  acceptor_ = std::make_shared<RecordingAcceptor>();
  listener_ = Listen(1, environment().NewAddress(1), acceptor_);
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < kDiallers; ++i) {
    connections.push_back(Dial(i % 2 == 0 ? 0 : 2, listener_->address(),
                               std::make_shared<RecordingHandler>()));
    SendFrame(*connections.back(), kData, absl::StrCat(i));
  }
  RunUntil([&] {
    if (acceptor_->count() < kDiallers) return false;
    for (int i = 0; i < kDiallers; ++i) {
      if (acceptor_->handler(i)->count(kData) == 0) return false;
    }
    return true;
  });
  std::vector<std::string> heard;
  for (int i = 0; i < kDiallers; ++i) {
    const std::vector<std::string> frames =
        acceptor_->handler(i)->frames(kData);
    heard.insert(heard.end(), frames.begin(), frames.end());
  }
  EXPECT_THAT(heard, ::testing::UnorderedElementsAre("0", "1", "2", "3", "4",
                                                     "5", "6", "7"));
}

TEST_P(TransportConformanceTest, NodeReachesItself) {
  acceptor_ = std::make_shared<RecordingAcceptor>();
  listener_ = Listen(1, environment().NewAddress(1), acceptor_);
  const auto connection =
      Dial(1, listener_->address(), std::make_shared<RecordingHandler>());
  SendFrame(*connection, kData, "myself");
  RunUntil([&] {
    return acceptor_->count() == 1 && accepted_handler().count(kData) == 1;
  });
  EXPECT_THAT(accepted_handler().frames(kData), ElementsAre("myself"));
}

TEST_P(TransportConformanceTest, NodesThatDialEachOtherHaveTwoConnections) {
  auto one = std::make_shared<RecordingAcceptor>();
  auto other = std::make_shared<RecordingAcceptor>();
  const auto listener_one = Listen(0, environment().NewAddress(0), one);
  const auto listener_other = Listen(1, environment().NewAddress(1), other);
  const auto to_other =
      Dial(0, listener_other->address(), std::make_shared<RecordingHandler>());
  const auto to_one =
      Dial(1, listener_one->address(), std::make_shared<RecordingHandler>());
  RunUntil([&] { return one->count() == 1 && other->count() == 1; });
  SendFrame(*to_other, kData, "to other");
  SendFrame(*to_one, kData, "to one");
  RunUntil([&] {
    return one->handler()->count(kData) + other->handler()->count(kData) == 2;
  });
  EXPECT_THAT(one->handler()->frames(kData), ElementsAre("to one"));
  EXPECT_THAT(other->handler()->frames(kData), ElementsAre("to other"));
}

TEST_P(TransportConformanceTest, HandlerMayDial) {
  Connect(std::make_shared<RecordingHandler>(),
          [this](std::unique_ptr<Connection>&) {
            if (acceptor_->count() > 0)
              return std::make_shared<RecordingHandler>();
            return std::make_shared<RecordingHandler>(
                [this](TransportLane, const std::string& address) {
                  another_ =
                      Dial(1, address, std::make_shared<RecordingHandler>());
                });
          });
  SendFrame(*connection_, kData, listener_->address());
  RunUntil([&] { return acceptor_->count() == 2; });
}

TEST_P(TransportConformanceTest, DiallerKnowsWhomItDialled) {
  Connect();
  EXPECT_THAT(connection_->peer(), HasSubstr(listener_->address()));
  EXPECT_NE(accepted().peer(), "");
}

}  // namespace
}  // namespace troupe::testing
