// What tests of the transport over gRPC need of the machine.
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_GRPC_TESTING_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_GRPC_TESTING_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "troupe/cluster/grpc/tls.h"
#include "troupe/tools/certificates/authority.h"

namespace troupe::testing {

// Until it becomes true, by what other threads do; false if that takes a
// minute. Looks every millisecond, since nothing tells of what a test waits
// for.
bool WaitUntil(absl::FunctionRef<bool()> done);

// "127.0.0.1:port", where nobody listened a moment ago.
std::string FreeAddress();

// A folder with a short path, which that of a socket must have. Goes with all
// that is in it.
class ShortFolder {
 public:
  ShortFolder();
  ShortFolder(const ShortFolder&) = delete;
  ShortFolder& operator=(const ShortFolder&) = delete;
  ~ShortFolder();

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void WriteFile(const std::string& path, const std::string& content);

// Certificates of an authority of its own, in files.
class TlsFolder {
 public:
  TlsFolder() : authority_(CertificateAuthority::Create("test")) {}

  const CertificateAuthority& authority() const { return authority_; }
  std::string FileOf(const std::string& name) const {
    return folder_.path() + "/" + name;
  }

  // In new files.
  TlsFiles Issue(const CertificateAuthority::Order& order);
  // Who trusts `authorities` (PEM), and has that certificate.
  TlsFiles Write(const std::string& authorities,
                 const Certificate& certificate);

 private:
  const ShortFolder folder_;
  const CertificateAuthority authority_;
  int written_ = 0;
};

}  // namespace troupe::testing

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_GRPC_TESTING_H_
