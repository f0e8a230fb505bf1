// Calls of gRPC that are no node's: other methods, lanes that cannot be, parts
// of connections, messages that are no frames. Each is told why it is refused,
// and good peers are served meanwhile.
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "grpc/compression.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "gtest/gtest.h"
#include "troupe/cluster/grpc/grpc_transport.h"
#include "troupe/cluster/grpc/internal/grpc_testing.h"
#include "troupe/cluster/grpc/internal/lane_call.h"
#include "troupe/cluster/grpc/internal/peers_testing.h"
#include "troupe/cluster/transport.h"
#include "troupe/testing/status_matchers.h"
#include "troupe/tools/certificates/authority.h"

namespace troupe {
namespace {

using namespace std::string_literals;

using testing::EchoServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::LaneOf;
using testing::RawCall;
using testing::StatusIs;
using testing::TlsFolder;
using testing::WaitUntil;

const char kMethod[] = "/troupe.Cluster/Lane";

// A connection of its own, that sends messages of any length.
std::shared_ptr<grpc::Channel> ChannelTo(
    const std::string& address,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials =
        grpc::InsecureChannelCredentials()) {
  grpc::ChannelArguments settings;
  settings.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  settings.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  settings.SetMaxSendMessageSize(-1);
  settings.SetMaxReceiveMessageSize(-1);
  settings.SetSslTargetNameOverride("a");
  return grpc::CreateCustomChannel("ipv4:" + address, credentials, settings);
}

// All lanes of a connection, as a node opens them.
class Lanes {
 public:
  explicit Lanes(const std::string& address) : Lanes(ChannelTo(address)) {}
  explicit Lanes(const std::shared_ptr<grpc::Channel>& channel) {
    for (int lane = 0; lane < kTransportLanes; ++lane) {
      lanes_.push_back(
          std::make_unique<RawCall>(channel, kMethod, LaneOf(lane, "lanes")));
    }
  }
  RawCall& lane(TransportLane which) {
    return *lanes_[static_cast<size_t>(which)];
  }
  bool Start() {
    bool started = true;
    for (const auto& lane : lanes_) started = lane->Start() && started;
    return started;
  }

 private:
  std::vector<std::unique_ptr<RawCall>> lanes_;
};

// What the server says to a call that begins.
grpc::Status FateOf(const std::shared_ptr<grpc::Channel>& channel,
                    const std::string& method,
                    const RawCall::Metadata& metadata) {
  RawCall call(channel, method, metadata);
  (void)call.Start();
  return call.Finish();
}

TEST(ForgedCallsTest, WhatIsNoLaneIsToldSo) {
  EchoServer server;
  const auto at = ChannelTo(server.address());
  EXPECT_EQ(FateOf(at, "/troupe.Cluster/Other", LaneOf(0, "k")).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  const RawCall::Metadata twice = {{"troupe-lane", "0"},
                                   {"troupe-lane", "1"},
                                   {"troupe-connection", std::string(32, 'k')}};
  const RawCall::Metadata short_key = {{"troupe-lane", "0"},
                                       {"troupe-connection", "k"}};
  for (const RawCall::Metadata& metadata :
       {RawCall::Metadata(), LaneOf(3, "k"), LaneOf(-1, "k"), twice,
        short_key}) {
    EXPECT_EQ(FateOf(at, kMethod, metadata).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
  EXPECT_TRUE(server.ServesGoodPeers());
  EXPECT_EQ(server.echo().accepted(), 1);
}

TEST(ForgedCallsTest, LaneThatIsThereIsNotTakenAgain) {
  EchoServer server;
  const auto channel = ChannelTo(server.address());
  RawCall first(channel, kMethod, LaneOf(0, "k"));
  ASSERT_TRUE(first.Start());
  RawCall second(channel, kMethod, LaneOf(0, "k"));
  ASSERT_TRUE(second.Start());
  const grpc::Status end = second.Finish();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(end.error_message(), HasSubstr("has that lane already"));
  EXPECT_TRUE(server.ServesGoodPeers());
}

// Knowing the key of a connection is not enough to put a lane into it.
TEST(ForgedCallsTest, LanesOfOtherConnectionsDoNotCompleteOne) {
  EchoServer server({.open_within = absl::Seconds(2)});
  const auto one = ChannelTo(server.address());
  const auto another = ChannelTo(server.address());
  RawCall control(one, kMethod, LaneOf(0, "k"));
  RawCall data(one, kMethod, LaneOf(1, "k"));
  RawCall bulk(another, kMethod, LaneOf(2, "k"));
  ASSERT_TRUE(control.Start() && data.Start() && bulk.Start());
  EXPECT_TRUE(server.ServesGoodPeers());
  for (RawCall* lane : {&control, &data, &bulk}) {
    const grpc::Status end = lane->Finish();
    EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(end.error_message(), HasSubstr("was made within 2s"));
  }
  EXPECT_EQ(server.echo().accepted(), 1);
}

// Ever more connections that never have all lanes keep nobody out.
TEST(ForgedCallsTest, HalfOpenConnectionsKeepNobodyOut) {
  EchoServer server({.open_within = absl::Minutes(10)});
  const auto channel = ChannelTo(server.address());
  RawCall oldest(channel, kMethod, LaneOf(0, "k"));
  ASSERT_TRUE(oldest.Start());
  // It has come: it is not taken twice.
  ASSERT_EQ(FateOf(channel, kMethod, LaneOf(0, "k")).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  std::vector<std::unique_ptr<RawCall>> halves;
  for (int i = 0; i < 300; ++i) {
    halves.push_back(std::make_unique<RawCall>(ChannelTo(server.address()),
                                               kMethod, LaneOf(0, "k")));
    ASSERT_TRUE(halves.back()->Start());
  }
  EXPECT_TRUE(server.ServesGoodPeers());
  // It had to make room.
  const grpc::Status end = oldest.Finish();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(end.error_message(), HasSubstr("too many"));
  EXPECT_EQ(server.echo().accepted(), 1);
}

TEST(ForgedCallsTest, MetadataHaveALimit) {
  EchoServer server;
  RawCall::Metadata metadata = LaneOf(0, "k");
  metadata.emplace_back("more", std::string(100'000, 'm'));
  EXPECT_EQ(FateOf(ChannelTo(server.address()), kMethod, metadata).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(server.ServesGoodPeers());
}

// Who opens more streams than there are lanes has them wait in his own process.
TEST(ForgedCallsTest, StreamsOfAConnectionHaveALimit) {
  EchoServer server;
  const auto channel = ChannelTo(server.address());
  // It is let in with what the server says first, so that this is known.
  EXPECT_EQ(FateOf(channel, "/other", {}).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  Lanes lanes(channel);
  ASSERT_TRUE(lanes.Start());
  RawCall& data = lanes.lane(TransportLane::kData);
  ASSERT_TRUE(data.Write("first\0"s));
  ASSERT_EQ(data.Read(), "first\0"s);
  RawCall one_more(channel, "/other", {}, {.within = absl::Milliseconds(200)});
  (void)one_more.Start();
  EXPECT_EQ(one_more.Finish().error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  ASSERT_TRUE(data.Write("second\0"s));
  EXPECT_EQ(data.Read(), "second\0"s);
}

// -- who cannot prove who he is -----------------------------------------------

// What he is told over TLS, and whether the server has heard of him.
void ExpectNotLetIn(EchoServer& server,
                    const grpc::SslCredentialsOptions& options) {
  const size_t accepted = server.echo().accepted();
  const auto channel =
      ChannelTo(server.address(), grpc::SslCredentials(options));
  EXPECT_EQ(FateOf(channel, kMethod, LaneOf(0, "k")).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(server.echo().accepted(), accepted);
  EXPECT_TRUE(server.ServesGoodPeers());
}

//
TEST(ForgedCallsTest, CertificatesThatDoNotProveAnythingAreRefused) {
  const TlsFolder ours;
  TlsFolder files;
  const CertificateAuthority& authority = ours.authority();
  const TlsFiles a =
      files.Write(authority.certificate(), authority.Issue({.names = {"a"}}));
  const TlsFiles b =
      files.Write(authority.certificate(), authority.Issue({.names = {"b"}}));
  EchoServer server({.tls = a}, {.tls = b});
  const auto with = [&](const Certificate& certificate) {
    return grpc::SslCredentialsOptions{authority.certificate(), certificate.key,
                                       certificate.certificate};
  };
  // What follows is refused for the reason that is meant.
  RawCall good(
      ChannelTo(server.address(),
                grpc::SslCredentials(with(authority.Issue({.names = {"c"}})))),
      kMethod, LaneOf(3, "k"));
  (void)good.Start();
  ASSERT_EQ(good.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);

  ExpectNotLetIn(server, {authority.certificate(), "", ""});  // None.
  ExpectNotLetIn(server, with(authority.Issue({.names = {"c"},
                                               .from = -absl::Hours(2),
                                               .until = -absl::Hours(1)})));
  ExpectNotLetIn(server, with(authority.Issue({.names = {"c"},
                                               .from = absl::Hours(1),
                                               .until = absl::Hours(2)})));
  ExpectNotLetIn(server,
                 with(authority.Issue({.names = {"c"}, .use = "serverAuth"})));
  // One of the same name is another authority.
  ExpectNotLetIn(
      server,
      with(CertificateAuthority::Create("test").Issue({.names = {"c"}})));
}

// -- what is no frame ---------------------------------------------------------

// A lane of a connection that is up, and what its other end hears when
// `message` comes in it.
absl::Status EndBy(TransportLane which, std::string message) {
  EchoServer server;
  Lanes lanes(server.address());
  EXPECT_TRUE(lanes.Start());
  RawCall& lane = lanes.lane(which);
  EXPECT_TRUE(lane.Write("first\0"s));
  EXPECT_EQ(lane.Read(), "first\0"s);
  // It may be refused before all of it has gone out.
  (void)lane.Write(std::move(message));
  EXPECT_TRUE(WaitUntil([&] { return !server.echo().ends().empty(); }));
  const std::vector<absl::Status> ends = server.echo().ends();
  EXPECT_TRUE(server.ServesGoodPeers());
  EXPECT_EQ(server.echo().longest_frame(), 5);
  return ends.empty() ? absl::OkStatus() : ends.front();
}

TEST(ForgedCallsTest, MessagesThatAreNoFramesEndTheConnection) {
  EXPECT_THAT(EndBy(TransportLane::kData, ""),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no frame")));
  EXPECT_THAT(EndBy(TransportLane::kBulk, "frame\x07"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no kind 7")));
}

//
TEST(ForgedCallsTest, FramesThatAreTooLongEndTheConnection) {
  EXPECT_THAT(
      EndBy(TransportLane::kData, std::string((size_t{4} << 20) + 2, '\0')),
      StatusIs(absl::StatusCode::kUnavailable));
}

// A goodbye only says why a connection ends that does.
TEST(ForgedCallsTest, GoodbyesThatMakeNoSenseAreToldSo) {
  for (const std::string& goodbye : {""s, std::string(5000, 'x')}) {
    EchoServer server;
    {
      Lanes lanes(server.address());
      ASSERT_TRUE(lanes.Start());
      RawCall& control = lanes.lane(TransportLane::kControl);
      ASSERT_TRUE(control.Write("first\0"s));
      ASSERT_EQ(control.Read(), "first\0"s);
      ASSERT_TRUE(control.Write(goodbye + "\x01"));
      ASSERT_TRUE(control.Write("last\0"s));
      ASSERT_EQ(control.Read(), "last\0"s);
    }
    ASSERT_TRUE(WaitUntil([&] { return !server.echo().ends().empty(); }));
    EXPECT_THAT(server.echo().ends(),
                ElementsAre(StatusIs(absl::StatusCode::kDataLoss,
                                     HasSubstr("goodbye makes no sense"))));
  }
}

// Who reads nothing has only as much sent to him as gRPC keeps for a stream;
// the rest waits, and is dropped with the connection, which waits for nobody.
TEST(ForgedCallsTest, PeerThatNeverReadsHoldsUpNobody) {
  EchoServer server;
  Lanes lanes(server.address());
  ASSERT_TRUE(lanes.Start());
  RawCall& data = lanes.lane(TransportLane::kData);
  for (int i = 0; i < 64; ++i) {
    ASSERT_TRUE(data.Write(std::string(size_t{1} << 20, '\0')));
  }
  ASSERT_TRUE(WaitUntil([&] { return server.echo().frames() == 64; }));
  EXPECT_TRUE(server.ServesGoodPeers());
  server.echo().CloseFirst(absl::ResourceExhaustedError("you do not read"));
  ASSERT_TRUE(WaitUntil([&] { return !server.echo().ends().empty(); }));
  EXPECT_TRUE(server.ServesGoodPeers());
  // The server goes when nothing of the connection is left: not waiting for who
  // reads nothing.
}

// What is too long is not even kept until it ends, where it would be too much.
TEST(ForgedCallsTest, WhatComesHasALimitBesideThatOfFrames) {
  EchoServer server({.max_incoming_bytes = size_t{32} << 20});
  Lanes lanes(server.address());
  ASSERT_TRUE(lanes.Start());
  RawCall& data = lanes.lane(TransportLane::kData);
  ASSERT_TRUE(data.Write("first\0"s));
  ASSERT_EQ(data.Read(), "first\0"s);
  // Written would be: all of it has gone out.
  EXPECT_FALSE(data.Write(std::string(size_t{256} << 20, '\0')));
  EXPECT_TRUE(server.ServesGoodPeers());
}

// A small message that becomes a large one is not even unpacked.
TEST(ForgedCallsTest, CompressedMessagesAreNotTaken) {
  EchoServer server;
  const auto channel = ChannelTo(server.address());
  RawCall call(channel, kMethod, LaneOf(0, "k"),
               {.compression = GRPC_COMPRESS_GZIP});
  ASSERT_TRUE(call.Start());
  (void)call.Write(std::string(size_t{64} << 20, '\0'));
  const grpc::Status end = call.Finish();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNIMPLEMENTED)
      << end.error_message();
  EXPECT_TRUE(server.ServesGoodPeers());
}

}  // namespace
}  // namespace troupe
