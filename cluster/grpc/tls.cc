#include "troupe/cluster/grpc/tls.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "openssl/bio.h"
#include "openssl/evp.h"
#include "openssl/pem.h"
#include "openssl/x509.h"

namespace troupe {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* owned) const {
    kFree(owned);
  }
};
using X509Ptr = std::unique_ptr<X509, Free<&X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<&EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Free<&BIO_free_all>>;

absl::StatusOr<std::string> Read(const std::string& path) {
  if (path.empty()) {
    return absl::InvalidArgumentError(
        "TLS needs three files: authorities, certificate and key");
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (file) content << file.rdbuf();
  if (!file || content.str().empty()) {
    const int error = errno != 0 ? errno : ENODATA;
    return absl::Status(
        error == ENOENT   ? absl::StatusCode::kNotFound
        : error == EACCES ? absl::StatusCode::kPermissionDenied
                          : absl::StatusCode::kInvalidArgument,
        absl::StrCat("cannot read '", path, "': ", std::strerror(error)));
  }
  return content.str();
}

Bio ToBio(const std::string& content) {
  return Bio(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
}

absl::StatusOr<X509Ptr> ParseCertificate(const std::string& path,
                                         const std::string& content) {
  X509Ptr certificate(
      PEM_read_bio_X509(ToBio(content).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no certificate in PEM in '", path, "'"));
  }
  return certificate;
}

absl::StatusOr<Key> ParseKey(const std::string& path,
                             const std::string& content) {
  // Nobody is there to be asked for a password.
  const auto no_password = [](char*, int, int, void*) { return 0; };
  Key key(PEM_read_bio_PrivateKey(ToBio(content).get(), nullptr, no_password,
                                  nullptr));
  if (key == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no key in PEM, without a password, in '", path, "'"));
  }
  return key;
}

absl::Status CheckContent(const TlsFiles& files, const TlsContent& content) {
  const absl::StatusOr<X509Ptr> authority =
      ParseCertificate(files.authorities, content.authorities);
  if (!authority.ok()) return authority.status();
  const absl::StatusOr<X509Ptr> certificate =
      ParseCertificate(files.certificate, content.certificate);
  if (!certificate.ok()) return certificate.status();
  const absl::StatusOr<Key> key = ParseKey(files.key, content.key);
  if (!key.ok()) return key.status();
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the key in '", files.key, "' is not that of the certificate in '",
        files.certificate, "'"));
  }
  const int until =
      X509_cmp_current_time(X509_get0_notAfter(certificate->get()));
  const int from =
      X509_cmp_current_time(X509_get0_notBefore(certificate->get()));
  if (until == 0 || from == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the certificate in '", files.certificate,
                     "' has no time that can be read: have it issued anew"));
  }
  if (until < 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the certificate in '", files.certificate,
                     "' has expired: have it issued anew"));
  }
  if (from > 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the certificate in '", files.certificate,
                     "' is not valid yet: look at this machine's clock"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TlsContent> ReadTlsFiles(const TlsFiles& files) {
  if (files.reload_every < absl::Seconds(1) ||
      files.reload_every > absl::Hours(24)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "TLS files are looked at every ",
        absl::FormatDuration(files.reload_every), ": choose 1s to 24h"));
  }
  TlsContent content;
  for (const auto& [path, read] :
       {std::pair(&files.authorities, &content.authorities),
        std::pair(&files.certificate, &content.certificate),
        std::pair(&files.key, &content.key)}) {
    absl::StatusOr<std::string> in_file = Read(*path);
    if (!in_file.ok()) return std::move(in_file).status();
    *read = *std::move(in_file);
  }
  absl::Status status = CheckContent(files, content);
  if (!status.ok()) return status;
  return content;
}

}  // namespace troupe
