// How nodes know each other: by certificates of an authority that they trust.
//
//   const TlsFiles files = {.authorities = "/etc/troupe/ca.pem",
//                           .certificate = "/etc/troupe/a.pem",
//                           .key = "/etc/troupe/a.key"};
//   auto transport = GrpcTransport::Create({.tls = files});
//
// Both ends show a certificate (mutual TLS). The name of a node stands among
// the DNS names of its certificate's subject (subject alternative names), and
// is what the node that it talks to compares with the name that it claims.
// Names of hosts are not compared: nodes move.
//
// Files may change while a program runs: new connections use what is there
// then, at most `reload_every` late. To change a certificate and its key, write
// both into a new folder, and let a symbolic link point to that. To change the
// authority, let the file have both until all nodes have certificates of the
// new one.
#ifndef TROUPE_CLUSTER_GRPC_TLS_H_
#define TROUPE_CLUSTER_GRPC_TLS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace troupe {

// Paths of files in PEM.
struct TlsFiles {
  // Certificates of those who may vouch for nodes.
  std::string authorities;
  // This node's, and those between it and its authority.
  std::string certificate;
  std::string key;
  // At least a second.
  absl::Duration reload_every = absl::Minutes(1);
};

// What is in the files.
struct TlsContent {
  std::string authorities;
  std::string certificate;
  std::string key;
};

// kNotFound, kPermissionDenied: a file cannot be read. kInvalidArgument: it is
// not what it should be, or two do not fit. kFailedPrecondition: the
// certificate is not valid now.
absl::StatusOr<TlsContent> ReadTlsFiles(const TlsFiles& files);

}  // namespace troupe

#endif  // TROUPE_CLUSTER_GRPC_TLS_H_
