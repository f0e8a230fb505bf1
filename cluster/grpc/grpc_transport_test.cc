#include "troupe/cluster/grpc/grpc_transport.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "grpc/grpc.h"
#include "gtest/gtest.h"
#include "troupe/cluster/grpc/internal/grpc_testing.h"
#include "troupe/cluster/grpc/internal/peers_testing.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/transport_conformance.h"
#include "troupe/scheduler/thread_factory.h"
#include "troupe/testing/status_matchers.h"
#include "troupe/tools/certificates/authority.h"

namespace troupe {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FreeAddress;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::OpenFiles;
using ::testing::Optional;
using testing::RecordingAcceptor;
using testing::RecordingHandler;
using testing::ShortFolder;
using testing::StatusIs;
using testing::TlsFolder;
using testing::WaitUntil;

constexpr TransportLane kData = TransportLane::kData;

// One that listens, and one that dials.
class Pair {
 public:
  explicit Pair(const GrpcTransportOptions& listening = {},
                const GrpcTransportOptions& dialling = {},
                const std::string& address = "127.0.0.1:0")
      : listening_(GrpcTransport::Create(listening).value()),
        dialling_(GrpcTransport::Create(dialling).value()),
        acceptor_(std::make_shared<RecordingAcceptor>()),
        listener_(listening_->Listen(address, acceptor_).value()) {}

  void Dial() {
    handler_ = std::make_shared<RecordingHandler>();
    connection_ = dialling_->Dial(listener_->address(), handler_).value();
  }
  // Until a frame has gone both ways; or the end.
  bool Meet() {
    const size_t index = acceptor_->count();
    Dial();
    connection_->Send(kData, "there");
    const auto is_heard = [&] {
      return handler_->is_closed() ||
             (acceptor_->count() > index &&
              acceptor_->handler(index)->count(kData) > 0);
    };
    if (!WaitUntil(is_heard) || handler_->is_closed()) return false;
    acceptor_->connection(index)->Send(kData, "back");
    return WaitUntil([&] { return handler_->count(kData) > 0; });
  }
  // What the end says that a Dial() comes to.
  absl::Status FateOfDial() {
    Dial();
    EXPECT_TRUE(WaitUntil([&] { return handler_->is_closed(); }));
    return handler_->closed().value_or(absl::OkStatus());
  }

  GrpcTransport& dialling() { return *dialling_; }
  RecordingAcceptor& acceptor() { return *acceptor_; }
  Listener& listener() { return *listener_; }
  Connection& connection() { return *connection_; }

 private:
  const std::unique_ptr<GrpcTransport> listening_;
  const std::unique_ptr<GrpcTransport> dialling_;
  const std::shared_ptr<RecordingAcceptor> acceptor_;
  const std::unique_ptr<Listener> listener_;
  std::shared_ptr<RecordingHandler> handler_;
  std::unique_ptr<Connection> connection_;
};

// -- options and addresses ----------------------------------------------------

TEST(GrpcTransportTest, OptionsThatMakeNoSenseAreRefused) {
  EXPECT_THAT(GrpcTransport::Create({.max_frame_bytes = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bytes")));
  EXPECT_THAT(GrpcTransport::Create({.max_frame_bytes = size_t{1} << 40}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bytes")));
  EXPECT_THAT(
      GrpcTransport::Create({.max_incoming_bytes = size_t{31} << 20}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("8 frames")));
  EXPECT_THAT(
      GrpcTransport::Create({.max_incoming_bytes = size_t{1} << 63}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most")));
  EXPECT_THAT(GrpcTransport::Create({.open_within = absl::ZeroDuration()}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("limit")));
  EXPECT_THAT(
      GrpcTransport::Create({.linger = absl::InfiniteDuration()}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("limit of inf")));
  EXPECT_THAT(GrpcTransport::Create({.taken_within = absl::ZeroDuration()}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("limit")));
  EXPECT_THAT(GrpcTransport::Create({.tls = TlsFiles()}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("TLS")));
}

TEST(GrpcTransportTest, OpenPortIsChosenAndTold) {
  Pair pair;
  EXPECT_TRUE(absl::StartsWith(pair.listener().address(), "127.0.0.1:"));
  EXPECT_FALSE(absl::EndsWith(pair.listener().address(), ":0"));
  EXPECT_TRUE(pair.Meet());
}

// Its threads and descriptors go, and not with the transport only.
TEST(GrpcTransportTest, ListenersThatEndedLeaveNothing) {
  const auto transport = GrpcTransport::Create().value();
  const auto listen = [&] {
    return transport->Listen("127.0.0.1:0",
                             std::make_shared<RecordingAcceptor>());
  };
  EXPECT_THAT(listen(), IsOk());
  const size_t files_before = OpenFiles();
  for (int round = 0; round < 100; ++round) ASSERT_THAT(listen(), IsOk());
  size_t fewest = OpenFiles();
  EXPECT_TRUE(WaitUntil([&] {
    // The next one that listens finds those that are over.
    (void)listen();
    fewest = std::min(fewest, OpenFiles());
    return fewest <= files_before + 8;
  })) << fewest
      << " files are open, " << files_before << " were";
}

TEST(GrpcTransportTest, AddressOfIpVersion6IsListenedAt) {
  const auto transport = GrpcTransport::Create().value();
  const auto listener =
      transport->Listen("[::1]:0", std::make_shared<RecordingAcceptor>());
  if (!listener.ok()) GTEST_SKIP() << listener.status();
  EXPECT_TRUE(absl::StartsWith((*listener)->address(), "[::1]:"));
  const auto handler = std::make_shared<RecordingHandler>();
  EXPECT_THAT(transport->Dial((*listener)->address(), handler), IsOk());
}

// who is not on this machine is reached with TLS, or not at all.
TEST(GrpcTransportTest, OtherMachinesNeedTls) {
  const auto transport = GrpcTransport::Create().value();
  EXPECT_THAT(
      transport->Listen("0.0.0.0:0", std::make_shared<RecordingAcceptor>()),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("GrpcTransportOptions::tls")));
  EXPECT_THAT(
      transport->Dial("192.0.2.1:80", std::make_shared<RecordingHandler>()),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("192.0.2.1:80")));
}

// §34
TEST(GrpcTransportTest, AddressInUseIsNamed) {
  Pair pair;
  EXPECT_THAT(pair.dialling().Listen(pair.listener().address(),
                                     std::make_shared<RecordingAcceptor>()),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       HasSubstr(pair.listener().address())));
}

// Starts so many threads, and notes their names.
class CountedThreads final : public ThreadFactory {
 public:
  explicit CountedThreads(int there_are) : left_(there_are) {}

  absl::StatusOr<std::unique_ptr<JoinableThread>> Start(
      absl::string_view name, absl::AnyInvocable<void() &&> body) override {
    absl::MutexLock lock(&mu_);
    if (left_-- <= 0) {
      return absl::ResourceExhaustedError("no thread to be had");
    }
    names_.emplace_back(name);
    return RealThreadFactory().Start(name, std::move(body));
  }

  std::vector<std::string> names() const {
    absl::MutexLock lock(&mu_);
    return names_;
  }

 private:
  mutable absl::Mutex mu_;
  int left_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> names_ ABSL_GUARDED_BY(mu_);
};

// §34: nothing is left half started.
TEST(GrpcTransportTest, MissingThreadIsAnError) {
  const std::string address = FreeAddress();
  // One that polls, one that stands by, and one that accepts.
  for (const int there_are : {0, 1, 2}) {
    CountedThreads few(there_are);
    const auto transport = GrpcTransport::Create({.threads = &few}).value();
    EXPECT_THAT(
        transport->Listen(address, std::make_shared<RecordingAcceptor>()),
        StatusIs(absl::StatusCode::kResourceExhausted));
  }
  const auto another = GrpcTransport::Create().value();
  EXPECT_THAT(another->Listen(address, std::make_shared<RecordingAcceptor>()),
              IsOk());
  // Who dials and does not listen needs the first two.
  for (const int there_are : {0, 1}) {
    CountedThreads few(there_are);
    const auto transport = GrpcTransport::Create({.threads = &few}).value();
    EXPECT_THAT(transport->Dial(address, std::make_shared<RecordingHandler>()),
                StatusIs(absl::StatusCode::kResourceExhausted));
  }
}

// A thread more would be woken for each frame: docs/design/cluster.md.
TEST(GrpcTransportTest, WhoListensPollsThereForWhatItDials) {
  CountedThreads threads(100);
  Pair pair({}, {.threads = &threads});
  std::unique_ptr<Listener> listener =
      pair.dialling()
          .Listen("127.0.0.1:0", std::make_shared<RecordingAcceptor>())
          .value();
  ASSERT_TRUE(pair.Meet());
  EXPECT_THAT(threads.names(),
              ElementsAre("grpc-server", "grpc-server", "grpc-accept"));
  // The connection stays when listening ends, and another one is polled for
  // elsewhere.
  listener.reset();
  pair.connection().Send(kData, "more");
  EXPECT_TRUE(
      WaitUntil([&] { return pair.acceptor().handler()->count(kData) > 1; }));
  ASSERT_TRUE(pair.Meet());
  EXPECT_THAT(threads.names(), Contains("grpc-dial"));
}

TEST(GrpcTransportTest, PathMayHaveAnyCharacters) {
  const ShortFolder folder;
  for (const char* name : {"a b", "a%41", "a?b#c", "a:b@c", "/a", "\xc3\xa4"}) {
    Pair pair({}, {}, "unix:" + folder.path() + "/" + name);
    EXPECT_TRUE(pair.Meet()) << name;
  }
  // Two slashes in front.
  Pair pair({}, {}, "unix:/" + folder.path() + "/b");
  EXPECT_TRUE(pair.Meet());
}

// Or the last one would wait for the threads of gRPC.
TEST(GrpcTransportTest, LibraryStaysWhenNobodyUsesIt) {
  { Pair pair; }
  EXPECT_EQ(grpc_is_initialized(), 1);
}

TEST(GrpcTransportTest, CloseTellsTheOtherEndItsStatus) {
  const GrpcTransportOptions patient = {.linger = absl::Minutes(1)};
  Pair pair(patient, patient);
  ASSERT_TRUE(pair.Meet());
  pair.connection().Send(kData, "last");
  pair.connection().Close(absl::DataLossError("what is this?"));
  RecordingHandler& other = *pair.acceptor().handler();
  ASSERT_TRUE(WaitUntil([&] { return other.is_closed(); }));
  EXPECT_EQ(*other.closed(), absl::DataLossError("what is this?"));
  // What was sent before has come before.
  EXPECT_THAT(other.frames(kData), ElementsAre("there", "last"));
}

TEST(GrpcTransportTest, WithoutTlsNobodyHasProvenAnything) {
  Pair pair;
  ASSERT_TRUE(pair.Meet());
  EXPECT_EQ(pair.connection().proven_names(), std::nullopt);
  EXPECT_EQ(pair.acceptor().connection()->proven_names(), std::nullopt);
}

// -- who is who ---------------------------------------------------------------

TEST(GrpcTlsTest, EachEndKnowsTheOthersNames) {
  TlsFolder folder;
  Pair pair({.tls = folder.Issue({.names = {"a", "alias"}})},
            {.tls = folder.Issue({.names = {"b"}})});
  ASSERT_TRUE(pair.Meet());
  EXPECT_THAT(pair.connection().proven_names(),
              Optional(ElementsAre("a", "alias")));
  EXPECT_THAT(pair.acceptor().connection()->proven_names(),
              Optional(ElementsAre("b")));
}

TEST(GrpcTlsTest, CertificateWithoutNamesProvesNone) {
  TlsFolder folder;
  Pair pair({.tls = folder.Issue({.names = {"a"}})},
            {.tls = folder.Issue({.names = {}})});
  ASSERT_TRUE(pair.Meet());
  EXPECT_THAT(pair.acceptor().connection()->proven_names(),
              Optional(IsEmpty()));
}

TEST(GrpcTlsTest, WhoShowsNoCertificateIsRefused) {
  TlsFolder folder;
  Pair pair({.tls = folder.Issue({.names = {"a"}})});
  EXPECT_THAT(pair.FateOfDial(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(pair.acceptor().count(), 0);
}

TEST(GrpcTlsTest, WhoExpectsACertificateDoesWithNoOther) {
  TlsFolder folder;
  Pair pair({}, {.tls = folder.Issue({.names = {"b"}})});
  EXPECT_THAT(pair.FateOfDial(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(pair.acceptor().count(), 0);
}

TEST(GrpcTlsTest, CertificateOfAnotherAuthorityIsRefusedAtBothEnds) {
  TlsFolder ours;
  TlsFolder theirs;
  Pair stranger_dials({.tls = ours.Issue({.names = {"a"}})},
                      {.tls = theirs.Issue({.names = {"b"}})});
  EXPECT_THAT(stranger_dials.FateOfDial(),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(stranger_dials.acceptor().count(), 0);
  // Who trusts both, and is trusted by neither.
  const std::string both =
      ours.authority().certificate() + theirs.authority().certificate();
  Pair stranger_trusts_us(
      {.tls = ours.Issue({.names = {"a"}})},
      {.tls = theirs.Write(both, theirs.authority().Issue({.names = {"b"}}))});
  EXPECT_THAT(stranger_trusts_us.FateOfDial(),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(stranger_trusts_us.acceptor().count(), 0);
}

// To go from one authority to the next, all trust both for a while.
TEST(GrpcTlsTest, OldAndNewAuthorityAreTrustedTogether) {
  TlsFolder old;
  TlsFolder anew;
  const std::string both =
      old.authority().certificate() + anew.authority().certificate();
  Pair pair(
      {.tls = old.Write(both, old.authority().Issue({.names = {"a"}}))},
      {.tls = anew.Write(both, anew.authority().Issue({.names = {"b"}}))});
  EXPECT_TRUE(pair.Meet());
}

TEST(GrpcTlsTest, NewCertificateIsUsedWithoutARestart) {
  TlsFolder folder;
  const TlsFiles files = folder.Issue({.names = {"before"}});
  Pair pair({.tls = files}, {.tls = folder.Issue({.names = {"b"}})});
  ASSERT_TRUE(pair.Meet());
  ASSERT_THAT(pair.connection().proven_names(),
              Optional(ElementsAre("before")));
  const Certificate anew = folder.authority().Issue({.names = {"after"}});
  testing::WriteFile(files.key, anew.key);
  testing::WriteFile(files.certificate, anew.certificate);
  EXPECT_TRUE(WaitUntil([&] {
    return pair.Meet() && pair.connection().proven_names()->front() == "after";
  }));
}

TEST(GrpcTlsTest, OneListenerTakesBothVersionsOfIp) {
  TlsFolder folder;
  const auto transport =
      GrpcTransport::Create({.tls = folder.Issue({.names = {"a"}})}).value();
  const auto acceptor = std::make_shared<RecordingAcceptor>();
  const auto listener = transport->Listen("[::]:0", acceptor);
  if (!listener.ok()) GTEST_SKIP() << listener.status();
  const absl::string_view all = "[::]";
  ASSERT_TRUE(absl::StartsWith((*listener)->address(), all));
  const std::string port = (*listener)->address().substr(all.size());
  size_t accepted = 0;
  for (const std::string host : {"127.0.0.1", "[::1]"}) {
    const auto connection =
        transport->Dial(host + port, std::make_shared<RecordingHandler>())
            .value();
    connection->Send(kData, host);
    ASSERT_TRUE(WaitUntil([&] {
      return acceptor->count() > accepted &&
             acceptor->handler(accepted)->count(kData) == 1;
    })) << host;
    EXPECT_THAT(acceptor->handler(accepted)->frames(kData), ElementsAre(host));
    ++accepted;
  }
}

TEST(GrpcTlsTest, OtherMachinesMayBeReached) {
  TlsFolder folder;
  const auto transport =
      GrpcTransport::Create({.tls = folder.Issue({.names = {"a"}})}).value();
  EXPECT_THAT(
      transport->Listen("0.0.0.0:0", std::make_shared<RecordingAcceptor>()),
      IsOk());
}

}  // namespace
}  // namespace troupe
