#include "troupe/cluster/grpc/internal/credentials.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "grpc/grpc.h"
#include "grpc/grpc_security.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/auth_context.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "gtest/gtest.h"
#include "troupe/cluster/grpc/grpc_transport.h"
#include "troupe/cluster/grpc/internal/grpc_testing.h"
#include "troupe/cluster/grpc/internal/lane_call.h"
#include "troupe/cluster/grpc/internal/peers_testing.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/transport_conformance.h"
#include "troupe/tools/certificates/authority.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::LaneOf;
using ::testing::Optional;
using testing::RawCall;
using testing::RecordingAcceptor;
using testing::TlsFolder;
using testing::WaitUntil;

// What gRPC says of a peer with that certificate, and these names in it.
class Peer final : public grpc::AuthContext {
 public:
  explicit Peer(const std::string& certificate) : certificate_(certificate) {}

  bool IsPeerAuthenticated() const override { return true; }
  std::vector<grpc::string_ref> GetPeerIdentity() const override { return {}; }
  std::string GetPeerIdentityPropertyName() const override { return ""; }
  std::vector<grpc::string_ref> FindPropertyValues(
      const std::string& name) const override {
    if (name == GRPC_PEER_DNS_PROPERTY_NAME) return {"b", "a"};
    if (name == GRPC_X509_PEM_CERT_PROPERTY_NAME && !certificate_.empty()) {
      return {certificate_};
    }
    return {};
  }
  grpc::AuthPropertyIterator begin() const override { return Nowhere(); }
  grpc::AuthPropertyIterator end() const override { return Nowhere(); }
  void AddProperty(const std::string&, const grpc::string_ref&) override {}
  bool SetPeerIdentityPropertyName(const std::string&) override {
    return false;
  }

 private:
  struct Nowhere : grpc::AuthPropertyIterator {};

  const std::string certificate_;
};

std::optional<std::vector<std::string>> NamesOf(absl::Duration from,
                                                absl::Duration until) {
  const auto authority = CertificateAuthority::Create("test");
  return ProvenNames(
      Peer(authority.Issue({.names = {"a", "b"}, .from = from, .until = until})
               .certificate));
}

TEST(ProvenNamesTest, CertificateProvesItsNamesWhileItIsValid) {
  EXPECT_THAT(NamesOf(-absl::Hours(1), absl::Hours(1)),
              Optional(ElementsAre("a", "b")));
  EXPECT_THAT(NamesOf(-absl::Hours(2), -absl::Hours(1)), Optional(IsEmpty()));
  EXPECT_THAT(NamesOf(absl::Hours(1), absl::Hours(2)), Optional(IsEmpty()));
}

TEST(ProvenNamesTest, NoCertificateProvesNone) {
  EXPECT_THAT(ProvenNames(Peer("")), Optional(IsEmpty()));
  EXPECT_THAT(ProvenNames(Peer("no PEM")), Optional(IsEmpty()));
}

// Who has connected before may go on with the session of TLS: nobody looks at
// his certificate then, and each time he is given the means for the next one.
TEST(ProvenNamesTest, ResumedSessionDoesNotOutliveItsCertificate) {
  TlsFolder folder;
  const auto transport =
      GrpcTransport::Create({.tls = folder.Issue({.names = {"a"}})}).value();
  const auto acceptor = std::make_shared<RecordingAcceptor>();
  const auto listener = transport->Listen("127.0.0.1:0", acceptor).value();

  const Certificate certificate =
      folder.authority().Issue({.names = {"b"}, .until = absl::Seconds(5)});
  const TlsFiles files =
      folder.Write(folder.authority().certificate(), certificate);
  const std::unique_ptr<grpc_ssl_session_cache,
                        void (*)(grpc_ssl_session_cache*)>
      sessions(grpc_ssl_session_cache_create_lru(1),
               &grpc_ssl_session_cache_destroy);
  const grpc_arg kept =
      grpc_ssl_session_cache_create_channel_arg(sessions.get());
  grpc::ChannelArguments settings;
  settings.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  settings.SetSslTargetNameOverride("a");
  settings.SetPointerWithVtable(kept.key, kept.value.pointer.p,
                                kept.value.pointer.vtable);
  const auto credentials =
      grpc::SslCredentials({folder.authority().certificate(), certificate.key,
                            certificate.certificate});

  const auto names_of_connection = [&](size_t index) {
    const auto channel = grpc::CreateCustomChannel(
        "ipv4:" + listener->address(), credentials, settings);
    std::vector<std::unique_ptr<RawCall>> lanes;
    for (int lane = 0; lane < kTransportLanes; ++lane) {
      lanes.push_back(std::make_unique<RawCall>(
          channel, std::string(kLaneMethod), LaneOf(lane, "lanes")));
      EXPECT_TRUE(lanes.back()->Start());
    }
    EXPECT_TRUE(WaitUntil([&] { return acceptor->count() > index; }));
    return acceptor->connection(index)->proven_names();
  };
  EXPECT_THAT(names_of_connection(0), Optional(ElementsAre("b")));
  ASSERT_TRUE(WaitUntil([&] {
    return ReadTlsFiles(files).status().code() ==
           absl::StatusCode::kFailedPrecondition;
  }));
  EXPECT_THAT(names_of_connection(1), Optional(IsEmpty()));
}

}  // namespace
}  // namespace troupe::internal
