#include "troupe/cluster/security/cookie.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "openssl/crypto.h"
#include "openssl/evp.h"
#include "openssl/hmac.h"
#include "openssl/rand.h"
#include "openssl/sha.h"
#include "troupe/base/check.h"

namespace troupe {
namespace {

using internal::SecretBytes;

constexpr size_t kMinBytes = 32;
constexpr size_t kMaxBytes = 1024;
// Of a file, with what ends its lines.
constexpr size_t kMaxFileBytes = 2 * kMaxBytes + 16;
constexpr absl::string_view kHowToMake =
    "; openssl rand -hex 32 makes a cookie";

absl::Status CannotRead(const std::string& path, int error) {
  return absl::Status(error == ENOENT   ? absl::StatusCode::kNotFound
                      : error == EACCES ? absl::StatusCode::kPermissionDenied
                                        : absl::StatusCode::kInvalidArgument,
                      absl::StrCat("cannot read the cookie in '", path,
                                   "': ", std::strerror(error)));
}

absl::Status Check(const std::string& path, const struct stat& file) {
  if (!S_ISREG(file.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the cookie in '", path, "': it is no file"));
  }
  if (file.st_uid != ::geteuid() && file.st_uid != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("the cookie in '", path, "' belongs to user ", file.st_uid,
                     ", who could change it: chown it to user ", ::geteuid()));
  }
  if ((file.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("the cookie in '", path,
                     "' is open to others than its owner: chmod 600 it"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SecretBytes>> Parse(const std::string& path,
                                               absl::string_view content) {
  std::vector<SecretBytes> secrets;
  for (const absl::string_view line : absl::StrSplit(content, '\n')) {
    const absl::string_view secret = absl::StripAsciiWhitespace(line);
    if (secret.empty()) continue;
    if (secret.size() < kMinBytes || secret.size() > kMaxBytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a line of '", path, "' has ", secret.size(), " bytes: a cookie has ",
          kMinBytes, " to ", kMaxBytes, kHowToMake));
    }
    if (secrets.size() == SharedSecret::kMaxProofs) {
      return absl::InvalidArgumentError(
          absl::StrCat("there are more than ", SharedSecret::kMaxProofs,
                       " cookies in '", path, "': the new one and the old"));
    }
    secrets.emplace_back(secret);
  }
  if (secrets.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no cookie in '", path, "'", kHowToMake));
  }
  return secrets;
}

absl::StatusOr<std::vector<SecretBytes>> Read(const std::string& path) {
  // What is no file may keep who opens it waiting.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return CannotRead(path, errno);
  const absl::Cleanup close_file = [file] { ::close(file); };
  struct stat about = {};
  if (::fstat(file, &about) != 0) return CannotRead(path, errno);
  if (absl::Status status = Check(path, about); !status.ok()) return status;
  SecretBytes content(kMaxFileBytes + 1);
  size_t size = 0;
  while (size <= kMaxFileBytes) {
    const ssize_t more =
        ::read(file, content.data() + size, kMaxFileBytes + 1 - size);
    if (more == 0) return Parse(path, content.view().substr(0, size));
    if (more > 0) {
      size += static_cast<size_t>(more);
    } else if (errno != EINTR) {
      return CannotRead(path, errno);
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", path, "' has more than ", kMaxFileBytes,
                   " bytes: a file of cookies has a line or two", kHowToMake));
}

std::string Digest(const SecretBytes& secret, absl::string_view statement) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  unsigned int size = 0;
  const absl::string_view key = secret.view();
  TROUPE_CHECK(
      ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(statement.data()),
             statement.size(), reinterpret_cast<unsigned char*>(digest.data()),
             &size) != nullptr &&
          size == digest.size(),
      "OpenSSL has no memory for a digest");
  return digest;
}

}  // namespace

absl::StatusOr<std::shared_ptr<Cookie>> Cookie::FromFile(std::string path) {
  absl::StatusOr<std::vector<SecretBytes>> secrets = Read(path);
  if (!secrets.ok()) return std::move(secrets).status();
  return std::shared_ptr<Cookie>(
      new Cookie(std::move(path), *std::move(secrets)));
}

absl::Status Cookie::Reload() {
  absl::StatusOr<std::vector<SecretBytes>> secrets = Read(path_);
  if (!secrets.ok()) return std::move(secrets).status();
  absl::MutexLock lock(&mu_);
  secrets_ = *std::move(secrets);
  return absl::OkStatus();
}

std::string Cookie::NewNonce() {
  std::string nonce(kNonceBytes, '\0');
  TROUPE_CHECK(::RAND_bytes(reinterpret_cast<unsigned char*>(nonce.data()),
                            static_cast<int>(nonce.size())) == 1,
               "OpenSSL has no random bytes");
  return nonce;
}

std::vector<std::string> Cookie::Prove(absl::string_view statement) const {
  absl::ReaderMutexLock lock(&mu_);
  std::vector<std::string> proofs;
  for (const SecretBytes& secret : secrets_) {
    proofs.push_back(Digest(secret, statement));
  }
  return proofs;
}

bool Cookie::Accepts(absl::string_view statement,
                     const std::vector<std::string>& proofs) const {
  absl::ReaderMutexLock lock(&mu_);
  // All are compared, whatever the first ones say.
  int accepted = 0;
  for (const SecretBytes& secret : secrets_) {
    const std::string right = Digest(secret, statement);
    for (const std::string& proof : proofs) {
      if (proof.size() != right.size()) continue;
      accepted |= ::CRYPTO_memcmp(proof.data(), right.data(), right.size()) == 0
                      ? 1
                      : 0;
    }
  }
  return accepted != 0;
}

}  // namespace troupe
