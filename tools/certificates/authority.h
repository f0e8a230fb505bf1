// A certificate authority for tests, and for clusters of one's own: it makes
// the certificates by which nodes know each other.
//
//   const auto authority = CertificateAuthority::Create("mine");
//   const Certificate node = authority.Issue({.names = {"a"}});
//
// Keys are on the curve P-256; certificates are for both ends of a connection.
// Errors: of OpenSSL, which lacks memory or random bytes, end the process.
#ifndef TROUPE_TOOLS_CERTIFICATES_AUTHORITY_H_
#define TROUPE_TOOLS_CERTIFICATES_AUTHORITY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace troupe {

// Both in PEM.
struct Certificate {
  std::string certificate;
  std::string key;
};

class CertificateAuthority {
 public:
  struct Order {
    // Of the node that has it, as DNS names among the alternative names of the
    // subject. Each is one that CheckNodeName() takes. The common name is the
    // beginning of the first one, and says nothing of who it is.
    std::vector<std::string> names;
    // For which ends of a connection, as OpenSSL calls them. A node is both.
    std::string use = "serverAuth,clientAuth";
    // From when it is valid, from now; a clock elsewhere may be behind.
    absl::Duration from = -absl::Hours(1);
    absl::Duration until = absl::Hours(24 * 365);
  };

  // How long it is valid itself.
  static constexpr absl::Duration kValidFor = absl::Hours(24 * 365 * 10);

  static CertificateAuthority Create(absl::string_view name);
  CertificateAuthority(CertificateAuthority&&);
  ~CertificateAuthority();

  // Who trusts this trusts what it issues.
  const std::string& certificate() const { return certificate_; }

  Certificate Issue(const Order& order) const;

 private:
  struct Own;

  CertificateAuthority(std::unique_ptr<Own> own, std::string certificate);

  std::unique_ptr<Own> own_;
  std::string certificate_;
};

}  // namespace troupe

#endif  // TROUPE_TOOLS_CERTIFICATES_AUTHORITY_H_
