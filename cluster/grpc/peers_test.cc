// Whoever can reach the address of a node: sockets that say nothing, too
// little, too slowly, nonsense, or too much. Each is let go, by what gRPC is
// told in channel_settings.cc, and good peers are served meanwhile.
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/cluster/grpc/grpc_transport.h"
#include "troupe/cluster/grpc/internal/grpc_testing.h"
#include "troupe/cluster/grpc/internal/lane_call.h"
#include "troupe/cluster/grpc/internal/peers_testing.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/transport_conformance.h"
#include "troupe/tools/certificates/authority.h"

namespace troupe {
namespace {

using namespace std::string_literals;

using testing::AwaitAllClosed;
using testing::EchoServer;
using testing::LaneOf;
using testing::OpenFiles;
using testing::RawCall;
using testing::RawPeer;
using testing::RecordingAcceptor;
using testing::RecordingHandler;
using testing::ShortFolder;
using testing::TlsFolder;
using testing::WaitUntil;

// With which a client of HTTP/2 begins.
constexpr absl::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum FrameType : uint8_t {
  kDataFrame = 0,
  kHeaders = 1,
  kPriority = 2,
  kResetStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

std::string BigEndian(uint32_t number, int bytes) {
  std::string written;
  for (int i = bytes - 1; i >= 0; --i) {
    written.push_back(static_cast<char>(number >> (8 * i)));
  }
  return written;
}

// A frame of HTTP/2; `claimed_bytes` is what it says to have.
std::string Http2Frame(FrameType type, uint8_t flags, uint32_t stream,
                       absl::string_view payload, uint32_t claimed_bytes) {
  return absl::StrCat(BigEndian(claimed_bytes, 3), BigEndian(type, 1),
                      BigEndian(flags, 1), BigEndian(stream, 4), payload);
}
std::string Http2Frame(FrameType type, uint8_t flags, uint32_t stream,
                       absl::string_view payload) {
  return Http2Frame(type, flags, stream, payload,
                    static_cast<uint32_t>(payload.size()));
}

std::string Greeting() {
  return absl::StrCat(kPreface, Http2Frame(kSettings, 0, 0, ""));
}

void Connect(EchoServer& server, int peers, absl::string_view bytes,
             std::vector<RawPeer>& connected) {
  for (int i = 0; i < peers; ++i) {
    connected.emplace_back(server.address());
    EXPECT_TRUE(connected.back().Write(bytes));
  }
}

TEST(RawPeersTest, MutePeersAreLetGo) {
  const size_t files_before = OpenFiles();
  {
    TlsFolder folder;
    EchoServer plain;
    EchoServer secure({.tls = folder.Issue({.names = {"a"}})},
                      {.tls = folder.Issue({.names = {"b"}})});
    std::vector<RawPeer> peers;
    for (EchoServer* server : {&plain, &secure}) {
      Connect(*server, 200, "", peers);
      Connect(*server, 20, kPreface.substr(0, 10), peers);
      // The first bytes of TLS: 512 more are to come.
      Connect(*server, 20, "\x16\x03\x01\x02\x00\x01"s, peers);
    }
    // These are connections of HTTP/2, on which nothing happens.
    Connect(plain, 20, Greeting(), peers);
    EXPECT_TRUE(plain.ServesGoodPeers());
    EXPECT_TRUE(secure.ServesGoodPeers());
    EXPECT_TRUE(AwaitAllClosed(peers));
    EXPECT_TRUE(plain.ServesGoodPeers());
    EXPECT_TRUE(secure.ServesGoodPeers());
    EXPECT_EQ(plain.echo().accepted(), 2);
    EXPECT_EQ(secure.echo().accepted(), 2);
  }
  EXPECT_TRUE(WaitUntil([&] { return OpenFiles() <= files_before + 8; }))
      << OpenFiles() << " files are open, " << files_before << " were";
}

// Who says a byte now and then gains nothing: the time is one for all of it.
TEST(RawPeersTest, SlowPeersAreLetGo) {
  EchoServer server;
  std::vector<RawPeer> peers;
  Connect(server, 50, "", peers);
  EXPECT_TRUE(AwaitAllClosed(peers, kPreface));
  std::vector<RawPeer> greeted;
  Connect(server, 50, Greeting(), greeted);
  // Frames of a type that is not known are passed over.
  EXPECT_TRUE(AwaitAllClosed(greeted,
                             Http2Frame(static_cast<FrameType>(77), 0, 0, "")));
  EXPECT_TRUE(server.ServesGoodPeers());
}

TEST(RawPeersTest, NonsenseIsLetGo) {
  EchoServer server;
  const std::string headers_on = "\x82\x86";  // GET, http.
  std::vector<std::string> nonsense = {
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n",
      std::string(1 << 16, '\0'),
      std::string(1 << 16, '\xff'),
      "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
      // Frames that are too long, too short, out of place.
      Greeting() + Http2Frame(kPing, 0, 0, "", 0xffffff),
      Greeting() + Http2Frame(kPing, 0, 0, "short"),
      Greeting() + Http2Frame(kPing, 0, 7, "12345678"),
      Greeting() + Http2Frame(kSettings, 0, 1, ""),
      Greeting() + Http2Frame(kSettings, 0, 0, "12345"),
      Greeting() + Http2Frame(kSettings, 1, 0, "123456"),
      Greeting() + Http2Frame(kWindowUpdate, 0, 0, BigEndian(0, 4)),
      Greeting() + Http2Frame(kWindowUpdate, 0, 0, BigEndian(0x7fffffff, 4)) +
          Http2Frame(kWindowUpdate, 0, 0, BigEndian(0x7fffffff, 4)),
      Greeting() + Http2Frame(kDataFrame, 0, 0, "data"),
      Greeting() + Http2Frame(kDataFrame, 0, 1, "data"),
      Greeting() + Http2Frame(kHeaders, 4, 0, headers_on),
      Greeting() + Http2Frame(kHeaders, 4, 2, headers_on),
      Greeting() + Http2Frame(kContinuation, 4, 1, headers_on),
      Greeting() + Http2Frame(kHeaders, 0, 1, headers_on) +
          Http2Frame(kPing, 0, 0, "12345678"),
      // Padding that is longer than the frame.
      Greeting() + Http2Frame(kHeaders, 0xc, 1, "\xff" + headers_on),
      // Headers that cannot be: no such entry, no such length.
      Greeting() + Http2Frame(kHeaders, 4, 1, "\xff\xff\xff\xff\x7f"),
      Greeting() + Http2Frame(kHeaders, 4, 1, "\x00\x7f\xff\xff\xff\x7f"s),
      Greeting() + Http2Frame(kGoAway, 0, 0, "12"),
      Greeting() + Http2Frame(kResetStream, 0, 0, BigEndian(8, 4)),
      Greeting() + Http2Frame(kPriority, 0, 0, "12345"),
  };
  Random random(20221);
  for (int i = 0; i < 100; ++i) {
    std::string bytes = i % 2 == 0 ? "" : Greeting();
    const uint64_t more = random.Uniform(2000);
    for (uint64_t n = 0; n < more; ++n) {
      bytes.push_back(static_cast<char>(random.Uniform(256)));
    }
    nonsense.push_back(bytes);
  }
  std::vector<RawPeer> peers;
  for (const std::string& bytes : nonsense) {
    peers.emplace_back(server.address());
    // It may be let go before it has said all.
    (void)peers.back().Write(bytes);
  }
  EXPECT_TRUE(server.ServesGoodPeers());
  EXPECT_TRUE(AwaitAllClosed(peers));
  EXPECT_TRUE(server.ServesGoodPeers());
  EXPECT_EQ(server.echo().accepted(), 2);
}

// Who takes all descriptors keeps others out for as long, and no longer.
TEST(RawPeersTest, ListeningOutlivesAShortageOfDescriptors) {
  EchoServer server;
  ASSERT_TRUE(server.ServesGoodPeers());
  rlimit limit = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  {
    std::vector<RawPeer> peers(8);
    // None that is greater than those that there are.
    rlimit low = limit;
    low.rlim_cur = static_cast<rlim_t>(peers.back().socket()) + 1;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    for (RawPeer& peer : peers) peer.Connect(server.address());
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(server.ServesGoodPeers());
}

// Frames that cost the sender nothing, by somebody who reads nothing of what is
// answered.
TEST(RawPeersTest, FloodsAreLetGo) {
  const std::vector<std::string> floods = {
      Http2Frame(kPing, 0, 0, "12345678"),
      Http2Frame(kSettings, 0, 0, ""),
      Http2Frame(kHeaders, 4, 1, "\x82\x86"),
  };
  // Each is let go after the same time: they flood at once, a server each.
  std::vector<std::thread> flooding;
  for (const std::string& flood : floods) {
    flooding.emplace_back([&flood] {
      EchoServer server;
      std::vector<RawPeer> peers;
      peers.emplace_back(server.address());
      ASSERT_TRUE(peers.back().Write(Greeting()));
      std::string many;
      for (int i = 0; i < 1000; ++i) many += flood;
      for (int i = 0; i < 2000 && peers.back().Write(many); ++i) {
      }
      EXPECT_TRUE(server.ServesGoodPeers());
      EXPECT_TRUE(AwaitAllClosed(peers));
    });
  }
  for (std::thread& thread : flooding) thread.join();
}

// -- peers that take nothing --------------------------------------------------

// Of a node that has it, to let tests end.
constexpr absl::Duration kSoon = absl::Seconds(3);

// A setting and a frame that let the other end send as much as it has: what
// stops it is the socket.
std::string AnyNumberOfBytes() {
  return absl::StrCat(
      Http2Frame(kSettings, 0, 0,
                 absl::StrCat(BigEndian(4, 2), BigEndian(0x7fffffff, 4))),
      Http2Frame(kWindowUpdate, 0, 0, BigEndian(0x7fff0000, 4)));
}

// Of the client's streams, in the order in which it opens them.
uint32_t StreamOf(int lane) { return static_cast<uint32_t>(2 * lane + 1); }

// As headers have it: a string, with how long it is.
std::string Long(absl::string_view text) {
  return absl::StrCat(BigEndian(static_cast<uint32_t>(text.size()), 1), text);
}

std::string OpenLane(int lane) {
  // POST, http, and to what.
  std::string headers =
      absl::StrCat("\x83\x86\x04", Long(internal::kLaneMethod), "\x01",
                   Long("node"), "\x0f\x10", Long("application/grpc"));
  RawCall::Metadata metadata = LaneOf(lane, "frozen");
  metadata.emplace_back("te", "trailers");
  for (const auto& [key, value] : metadata) {
    absl::StrAppend(&headers, "\0"s, Long(key), Long(value));
  }
  return Http2Frame(kHeaders, 4, StreamOf(lane), headers);
}

// Of which type it is.
int ReadFrame(RawPeer& peer) {
  const std::string header = peer.Read(9);
  uint32_t bytes = 0;
  for (int i = 0; i < 3; ++i) {
    bytes = bytes << 8 | static_cast<unsigned char>(header[i]);
  }
  (void)peer.Read(bytes);
  return header[3];
}

// More than there is room for in two sockets.
void SendMuch(Connection& connection) {
  const std::string frame(size_t{4} << 20, 'x');
  for (int i = 0; i < 16; ++i) connection.Send(TransportLane::kBulk, frame);
}

// Whether `end` returns soon, even if nobody lets go; `let_go` is what frees it
// in the end.
bool EndsWithin(absl::Duration within, std::function<void()> end,
                std::function<void()> let_go) {
  absl::Notification ended;
  std::thread ending([&] {
    end();
    ended.Notify();
  });
  const bool soon = ended.WaitForNotificationWithTimeout(within);
  let_go();
  ending.join();
  return soon;
}
bool EndsSoon(std::function<void()> end, std::function<void()> let_go) {
  return EndsWithin(absl::Seconds(10), std::move(end), std::move(let_go));
}

// gRPC keeps a connection that it is writing to. Who takes nothing, and stays,
// keeps neither a node from its end nor its descriptor.
TEST(RawPeersTest, WhoTakesNothingHoldsNobodyUp) {
  auto server =
      std::make_unique<EchoServer>(GrpcTransportOptions{.taken_within = kSoon});
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += Http2Frame(kSettings, 0, 0, "");
  std::vector<RawPeer> peers;
  const auto stuff_one = [&] {
    peers.emplace_back(server->address());
    return peers.back().Write(Greeting()) && peers.back().Stuff(flood);
  };
  ASSERT_TRUE(stuff_one());
  const size_t files_before = OpenFiles();
  EXPECT_TRUE(WaitUntil([&] { return OpenFiles() < files_before; }));
  ASSERT_TRUE(stuff_one());
  EXPECT_TRUE(EndsSoon([&] { server.reset(); }, [&] { peers.clear(); }));
}

// Of peers that are let go when a transport has lingered, not when they have
// been idle for 10 s.
constexpr absl::Duration kLingered = absl::Seconds(8);

// All that is written to it fits into its socket: nothing but the transport
// breaks the connection.
TEST(RawPeersTest, MuteNodeDoesNotHoldUpWhoItHasDialled) {
  auto transport = GrpcTransport::Create().value();
  const auto acceptor = std::make_shared<RecordingAcceptor>();
  const auto listener = transport->Listen("127.0.0.1:0", acceptor).value();
  std::vector<RawPeer> peers;
  peers.emplace_back(listener->address());
  ASSERT_TRUE(peers.back().Write(Greeting()));
  for (int lane = 0; lane < kTransportLanes; ++lane) {
    ASSERT_TRUE(peers.back().Write(OpenLane(lane)));
  }
  ASSERT_TRUE(WaitUntil([&] { return acceptor->count() == 1; }));
  EXPECT_TRUE(EndsWithin(
      kLingered, [&] { transport.reset(); }, [&] { peers.clear(); }));
}

TEST(RawPeersTest, WhoSaysNothingAfterItsGreetingHoldsNobodyUp) {
  auto transport = GrpcTransport::Create().value();
  const auto listener =
      transport->Listen("127.0.0.1:0", std::make_shared<RecordingAcceptor>())
          .value();
  std::vector<RawPeer> peers;
  peers.emplace_back(listener->address());
  ASSERT_TRUE(peers.back().Write(Greeting()));
  // It is answered: gRPC has the connection.
  ASSERT_EQ(ReadFrame(peers.back()), kSettings);
  EXPECT_TRUE(EndsWithin(
      kLingered, [&] { transport.reset(); }, [&] { peers.clear(); }));
}

TEST(RawPeersTest, FrozenNodeDoesNotHoldUpWhoItHasDialled) {
  auto transport = GrpcTransport::Create({.taken_within = kSoon}).value();
  const auto acceptor = std::make_shared<RecordingAcceptor>();
  const auto listener = transport->Listen("127.0.0.1:0", acceptor).value();
  std::vector<RawPeer> peers;
  peers.emplace_back(listener->address());
  ASSERT_TRUE(peers.back().Write(kPreface));
  ASSERT_TRUE(peers.back().Write(AnyNumberOfBytes()));
  for (int lane = 0; lane < kTransportLanes; ++lane) {
    ASSERT_TRUE(peers.back().Write(OpenLane(lane)));
  }
  ASSERT_TRUE(WaitUntil([&] { return acceptor->count() == 1; }));
  SendMuch(*acceptor->connection());
  EXPECT_TRUE(EndsSoon([&] { transport.reset(); }, [&] { peers.clear(); }));
}

// There is no limit of the system for sockets of Unix.
TEST(RawPeersTest, WhoTakesNothingOfAUnixSocketHoldsNobodyUp) {
  const ShortFolder folder;
  const std::string path = folder.path() + "/socket";
  auto transport = GrpcTransport::Create().value();
  const auto acceptor = std::make_shared<RecordingAcceptor>();
  const auto listener = transport->Listen("unix:" + path, acceptor).value();
  std::vector<RawPeer> peers;
  peers.push_back(RawPeer::ToUnix(path));
  RawPeer& node = peers.back();
  ASSERT_TRUE(node.Write(kPreface));
  ASSERT_TRUE(node.Write(AnyNumberOfBytes()));
  for (int lane = 0; lane < kTransportLanes; ++lane) {
    ASSERT_TRUE(node.Write(OpenLane(lane)));
  }
  ASSERT_TRUE(WaitUntil([&] { return acceptor->count() == 1; }));
  SendMuch(*acceptor->connection());
  peers.push_back(RawPeer::ToUnix(path));
  ASSERT_TRUE(peers.back().Write(Greeting()));
  ASSERT_TRUE(peers.back().Stuff(Http2Frame(kSettings, 0, 0, "")));
  EXPECT_TRUE(EndsSoon([&] { transport.reset(); }, [&] { peers.clear(); }));
}

// Connections that end leave nothing behind with the node.
TEST(RawPeersTest, EndedConnectionsOverUnixSocketsKeepNoDescriptors) {
  const ShortFolder folder;
  const std::string path = folder.path() + "/socket";
  auto transport = GrpcTransport::Create().value();
  const auto listener =
      transport->Listen("unix:" + path, std::make_shared<RecordingAcceptor>())
          .value();
  const size_t files_before = OpenFiles();
  {
    std::vector<RawPeer> peers;
    for (int i = 0; i < 50; ++i) peers.push_back(RawPeer::ToUnix(path));
    // All are accepted: here each has two.
    ASSERT_TRUE(WaitUntil(
        [&] { return OpenFiles() >= files_before + 3 * peers.size(); }));
    for (RawPeer& peer : peers) (void)peer.Write("nonsense\r\n\r\n");
    ASSERT_TRUE(AwaitAllClosed(peers));
  }
  // Nobody else comes.
  EXPECT_TRUE(WaitUntil([&] { return OpenFiles() <= files_before + 8; }))
      << OpenFiles();
}

TEST(RawPeersTest, FrozenNodeDoesNotHoldUpWhoDialsIt) {
  auto transport = GrpcTransport::Create({.taken_within = kSoon}).value();
  RawPeer listening;
  const auto connection =
      transport->Dial(listening.Listen(), std::make_shared<RecordingHandler>())
          .value();
  std::vector<RawPeer> peers;
  peers.push_back(listening.Accept());
  ASSERT_TRUE(peers.back().Write(AnyNumberOfBytes()));
  ASSERT_EQ(peers.back().Read(kPreface.size()), kPreface);
  for (int lane = 0; lane < kTransportLanes;) {
    if (ReadFrame(peers.back()) != kHeaders) continue;
    // 200, and what it is.
    ASSERT_TRUE(peers.back().Write(
        Http2Frame(kHeaders, 4, StreamOf(lane),
                   absl::StrCat("\x88\x0f\x10", Long("application/grpc")))));
    ++lane;
  }
  SendMuch(*connection);
  EXPECT_TRUE(EndsSoon([&] { transport.reset(); }, [&] { peers.clear(); }));
}

}  // namespace
}  // namespace troupe
