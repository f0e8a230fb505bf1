#include "troupe/cluster/grpc/internal/credentials.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "openssl/bio.h"
#include "openssl/err.h"
#include "openssl/pem.h"
#include "openssl/x509.h"

namespace troupe::internal {
namespace {

// OpenSSL looks at a certificate when a session of TLS begins, and not when it
// is resumed, each time with a new ticket; gRPC cannot turn tickets off. Here
// it is looked at for each connection.
bool IsValidNow(const grpc::AuthContext& context) {
  const std::vector<grpc::string_ref> pem =
      context.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pem.size() != 1) return false;
  const std::unique_ptr<BIO, int (*)(BIO*)> in(
      BIO_new_mem_buf(pem[0].data(), static_cast<int>(pem[0].size())),
      &BIO_free);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(
      PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), &X509_free);
  if (certificate == nullptr) {
    ERR_clear_error();  // Or gRPC would find it in this thread.
    return false;
  }
  return X509_cmp_current_time(X509_get0_notBefore(certificate.get())) < 0 &&
         X509_cmp_current_time(X509_get0_notAfter(certificate.get())) > 0;
}

void WatchAll(grpc::experimental::TlsCredentialsOptions& options) {
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
}

}  // namespace

std::shared_ptr<grpc::ServerCredentials> ListenCredentials(
    const std::optional<TlsFiles>& files) {
  if (!files.has_value()) return grpc::InsecureServerCredentials();
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          files->key, files->certificate, files->authorities,
          static_cast<unsigned>(absl::ToInt64Seconds(files->reload_every))));
  WatchAll(options);
  // gRPC's REQUEST_CLIENT_CERTIFICATE_AND_VERIFY accepts who shows none.
  options.set_cert_request_type(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> DialCredentials(
    const std::optional<TlsFiles>& files) {
  if (!files.has_value()) return grpc::InsecureChannelCredentials();
  absl::StatusOr<TlsContent> content = ReadTlsFiles(*files);
  if (!content.ok()) return std::move(content).status();
  // Not one that looks at the files: gRPC may keep it, and its thread, for a
  // while after the channel.
  const auto provider =
      std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
          std::move(content->authorities),
          std::vector<grpc::experimental::IdentityKeyCertPair>{
              {.private_key = std::move(content->key),
               .certificate_chain = std::move(content->certificate)}});
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(provider);
  WatchAll(options);
  options.set_verify_server_certs(true);
  // The names of hosts are not compared: see ProvenNames().
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  return grpc::experimental::TlsCredentials(options);
}

std::optional<std::vector<std::string>> ProvenNames(
    const grpc::AuthContext& context) {
  if (!context.IsPeerAuthenticated()) return std::nullopt;
  std::vector<std::string> names;
  if (!IsValidNow(context)) return names;
  for (const grpc::string_ref& name :
       context.FindPropertyValues(GRPC_PEER_DNS_PROPERTY_NAME)) {
    names.emplace_back(name.data(), name.size());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace troupe::internal
