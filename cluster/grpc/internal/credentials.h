// What gRPC calls credentials, of both ends.
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_CREDENTIALS_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_CREDENTIALS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/security/auth_context.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "troupe/cluster/grpc/tls.h"

namespace troupe::internal {

// Of a node with those files. Nothing: neither secret nor proven. With TLS each
// end shows a certificate, or there is no connection.
//
// A listener looks at the files by itself, in a thread of gRPC; who dials has
// what is in them now.
std::shared_ptr<grpc::ServerCredentials> ListenCredentials(
    const std::optional<TlsFiles>& files);
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> DialCredentials(
    const std::optional<TlsFiles>& files);

// The DNS names in the certificate of the other end; none if it is not valid
// now. Without TLS: nothing.
std::optional<std::vector<std::string>> ProvenNames(
    const grpc::AuthContext& context);

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_CREDENTIALS_H_
