// How connections end.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/transport_conformance.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TransportLane kData = TransportLane::kData;

absl::Status Enough() { return absl::AbortedError("enough"); }

TEST_P(TransportConformanceTest, CloseOfTheDiallerIsHeardAtBothEnds) {
  Connect();
  CloseConnection(*connection_, Enough());
  RunUntil(
      [&] { return handler_->is_closed() && accepted_handler().is_closed(); });
  EXPECT_EQ(*handler_->closed(), Enough());
}

TEST_P(TransportConformanceTest, CloseOfTheAcceptorIsHeardAtBothEnds) {
  Connect();
  CloseConnection(accepted(), Enough());
  RunUntil(
      [&] { return handler_->is_closed() && accepted_handler().is_closed(); });
  EXPECT_EQ(*accepted_handler().closed(), Enough());
}

TEST_P(TransportConformanceTest, DroppedConnectionIsClosedWithOk) {
  Connect();
  Drop(connection_);
  RunUntil(
      [&] { return handler_->is_closed() && accepted_handler().is_closed(); });
  EXPECT_THAT(*handler_->closed(), IsOk());
}

TEST_P(TransportConformanceTest, DroppedAcceptedConnectionIsClosedWithOk) {
  Connect();
  std::unique_ptr<Connection> accepted = acceptor_->Take();
  Drop(accepted);
  RunUntil(
      [&] { return handler_->is_closed() && accepted_handler().is_closed(); });
  EXPECT_THAT(*accepted_handler().closed(), IsOk());
}

TEST_P(TransportConformanceTest, DialIsGivenUpByDropping) {
  acceptor_ = std::make_shared<RecordingAcceptor>();
  listener_ = Listen(1, environment().NewAddress(1), acceptor_);
  handler_ = std::make_shared<RecordingHandler>();
  connection_ = Dial(0, listener_->address(), handler_);
  Drop(connection_);
  RunUntil([&] { return handler_->is_closed(); });
  EXPECT_THAT(*handler_->closed(), IsOk());
}

TEST_P(TransportConformanceTest, FirstCloseOfAnEndCounts) {
  Connect();
  CloseConnection(*connection_, Enough());
  CloseConnection(*connection_, absl::InternalError("later"));
  Drop(connection_);
  RunUntil([&] { return handler_->is_closed(); });
  DestroyAll();
  EXPECT_EQ(*handler_->closed(), Enough());
}

TEST_P(TransportConformanceTest, ClosesOfBothEndsAreOneEndEach) {
  Connect();
  CloseConnection(*connection_, Enough());
  CloseConnection(accepted(), Enough());
  RunUntil(
      [&] { return handler_->is_closed() && accepted_handler().is_closed(); });
  // That neither hears more, the handlers themselves expect.
  DestroyAll();
}

TEST_P(TransportConformanceTest, LaneLosesItsTailOnlyWhenClosed) {
  constexpr int kFrames = 200;
  Connect();
  for (int i = 0; i < kFrames; ++i) {
    SendFrame(*connection_, kData, absl::StrCat(i));
  }
  CloseConnection(*connection_, Enough());
  RunUntil([&] { return accepted_handler().is_closed(); });
  const std::vector<std::string> frames = accepted_handler().frames(kData);
  ASSERT_LE(frames.size(), kFrames);
  for (size_t i = 0; i < frames.size(); ++i) {
    ASSERT_EQ(frames[i], absl::StrCat(i));
  }
}

TEST_P(TransportConformanceTest, SendAfterTheEndDoesNothing) {
  Connect();
  CloseConnection(*connection_, Enough());
  SendFrame(*connection_, kData, "late");
  RunUntil([&] { return accepted_handler().is_closed(); });
  SendFrame(accepted(), kData, "late");
  DestroyAll();
  EXPECT_THAT(accepted_handler().frames(kData), IsEmpty());
  EXPECT_THAT(handler_->frames(kData), IsEmpty());
}

TEST_P(TransportConformanceTest, HandlerThatClosesHearsNoFrameAnyMore) {
  Connect(std::make_shared<RecordingHandler>(),
          [this](std::unique_ptr<Connection>&) {
            return std::make_shared<RecordingHandler>(
                [this](TransportLane, const std::string&) {
                  CloseConnection(accepted(), Enough());
                });
          });
  for (int i = 0; i < 20; ++i) {
    SendFrame(*connection_, kData, absl::StrCat(i));
  }
  RunUntil(
      [&] { return handler_->is_closed() && accepted_handler().is_closed(); });
  EXPECT_THAT(accepted_handler().frames(kData), ElementsAre("0"));
  EXPECT_EQ(*accepted_handler().closed(), Enough());
}

TEST_P(TransportConformanceTest, HandlerMayDropItsConnection) {
  Connect(std::make_shared<RecordingHandler>(
              [this](TransportLane, const std::string&) { Drop(connection_); }),
          [](std::unique_ptr<Connection>&) {
            return std::make_shared<RecordingHandler>();
          });
  SendFrame(accepted(), kData, "go");
  RunUntil(
      [&] { return handler_->is_closed() && accepted_handler().is_closed(); });
  EXPECT_THAT(*handler_->closed(), IsOk());
}

TEST_P(TransportConformanceTest, ConnectionMayBeDroppedWhenItHasEnded) {
  auto handler = std::make_shared<RecordingHandler>();
  handler->set_on_closed([this] { Drop(connection_); });
  Connect(std::move(handler), [](std::unique_ptr<Connection>&) {
    return std::make_shared<RecordingHandler>();
  });
  CloseConnection(accepted(), Enough());
  RunUntil([&] { return handler_->is_closed(); });
  DestroyAll();
  EXPECT_EQ(connection_, nullptr);
}

TEST_P(TransportConformanceTest, HandlerIsReleasedWhenItHasHeardTheEnd) {
  auto handler = std::make_shared<int>();
  const std::weak_ptr<int> of_handler = handler;
  Connect(
      std::make_shared<RecordingHandler>(
          [held = std::move(handler)](TransportLane, const std::string&) {}),
      [](std::unique_ptr<Connection>&) {
        return std::make_shared<RecordingHandler>();
      });
  ForgetHandlers();
  EXPECT_FALSE(of_handler.expired());
  CloseConnection(accepted(), Enough());
  RunUntil([&] { return of_handler.expired(); });
}

TEST_P(TransportConformanceTest, TransportThatGoesEndsItsConnections) {
  Connect();
  environment().Destroy(0);
  EXPECT_TRUE(handler_->is_closed());
  RunUntil([&] { return accepted_handler().is_closed(); });
  EXPECT_THAT(*accepted_handler().closed(),
              StatusIs(absl::StatusCode::kUnavailable));
  // Of a transport that is gone, and yet no error.
  SendFrame(*connection_, kData, "late");
  Drop(connection_);
}

TEST_P(TransportConformanceTest, TransportThatGoesEndsWhatItAccepted) {
  Connect();
  environment().Destroy(1);
  EXPECT_TRUE(accepted_handler().is_closed());
  RunUntil([&] { return handler_->is_closed(); });
  EXPECT_THAT(*handler_->closed(), StatusIs(absl::StatusCode::kUnavailable));
  Drop(listener_);
}

}  // namespace
}  // namespace troupe::testing
