#include "troupe/cluster/grpc/internal/grpc_testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/base/check.h"

namespace troupe::testing {

bool WaitUntil(absl::FunctionRef<bool()> done) {
  absl::Mutex mu;
  const auto never = [] { return false; };
  for (int i = 0; i < 60'000 && !done(); ++i) {
    absl::MutexLock lock(&mu);
    mu.AwaitWithTimeout(absl::Condition(&never), absl::Milliseconds(1));
  }
  return done();
}

std::string FreeAddress() {
  sockaddr_in where = {};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(where);
  auto* const any = reinterpret_cast<sockaddr*>(&where);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool bound = socket >= 0 && ::bind(socket, any, size) == 0 &&
                     ::getsockname(socket, any, &size) == 0;
  TROUPE_CHECK(bound, "a test needs a free port");
  ::close(socket);
  return absl::StrCat("127.0.0.1:", ntohs(where.sin_port));
}

ShortFolder::ShortFolder() : path_("/tmp/troupe.XXXXXX") {
  TROUPE_CHECK(::mkdtemp(path_.data()) != nullptr, "a test needs a folder");
}

ShortFolder::~ShortFolder() { std::filesystem::remove_all(path_); }

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  TROUPE_CHECK(file.flush().good(), "a test writes a file");
}

TlsFiles TlsFolder::Issue(const CertificateAuthority::Order& order) {
  return Write(authority_.certificate(), authority_.Issue(order));
}

TlsFiles TlsFolder::Write(const std::string& authorities,
                          const Certificate& certificate) {
  const std::string stem = FileOf(absl::StrCat(++written_));
  const TlsFiles files = {.authorities = stem + ".ca.pem",
                          .certificate = stem + ".pem",
                          .key = stem + ".key",
                          .reload_every = absl::Seconds(1)};
  WriteFile(files.authorities, authorities);
  WriteFile(files.certificate, certificate.certificate);
  WriteFile(files.key, certificate.key);
  return files;
}

}  // namespace troupe::testing
