// A cookie: a secret that all nodes of a cluster have in a file, and by which
// they know that they belong together.
//
//   openssl rand -hex 32 > cookie && chmod 600 cookie
//
//   absl::StatusOr<std::shared_ptr<Cookie>> cookie =
//       Cookie::FromFile("/etc/troupe/cookie");
//   Node::Start(system, {.name = "a", .cookie = *cookie, ...});
//
// It never crosses: each end proves that it has it, by HMAC-SHA256 of what both
// have said in this one connection. That says that the other end is of the
// cluster, not which node it is: all who have the cookie are equal. It hides
// nothing of what is sent afterwards. So it is for one machine, or inside TLS,
// which does both; the transport refuses other addresses.
//
// The file has a line of 32 to 1024 bytes, or two: then both are good, and it
// proves both. So a cookie is replaced without a node that is refused: first
// all nodes get a file with the new and the old one, then one with the new one.
// Nobody but the owner of the file, who is the user of the process or root, may
// have any right to it.
//
// Ownership: of the bytes, which are wiped when it goes, and never logged.
// Blocking: FromFile() and Reload() read a file.
// Thread safety: any thread.
// Errors: of OpenSSL, which lacks memory or random bytes, end the process.
#ifndef TROUPE_CLUSTER_SECURITY_COOKIE_H_
#define TROUPE_CLUSTER_SECURITY_COOKIE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/cluster/security/internal/secret_bytes.h"
#include "troupe/cluster/shared_secret.h"

namespace troupe {

class Cookie final : public SharedSecret {
 public:
  // kNotFound: there is no such file. kPermissionDenied: it cannot be read, or
  // others could. kInvalidArgument: it is no file, or has no cookie.
  static absl::StatusOr<std::shared_ptr<Cookie>> FromFile(std::string path);

  // Reads the file anew, for sessions that begin from now on. Errors as above;
  // then it is what it was.
  absl::Status Reload() ABSL_LOCKS_EXCLUDED(mu_);

  std::string NewNonce() override;
  std::vector<std::string> Prove(absl::string_view statement) const override
      ABSL_LOCKS_EXCLUDED(mu_);
  bool Accepts(absl::string_view statement,
               const std::vector<std::string>& proofs) const override
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Cookie(std::string path, std::vector<internal::SecretBytes> secrets)
      : path_(std::move(path)), secrets_(std::move(secrets)) {}

  const std::string path_;
  mutable absl::Mutex mu_;
  std::vector<internal::SecretBytes> secrets_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_SECURITY_COOKIE_H_
