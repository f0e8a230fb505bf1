// Bytes that are wiped before their memory is given back, and never copied.
#ifndef TROUPE_CLUSTER_SECURITY_INTERNAL_SECRET_BYTES_H_
#define TROUPE_CLUSTER_SECURITY_INTERNAL_SECRET_BYTES_H_

#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "openssl/crypto.h"

namespace troupe::internal {

class SecretBytes {
 public:
  explicit SecretBytes(size_t size)
      : bytes_(std::make_unique<char[]>(size)), size_(size) {}
  explicit SecretBytes(absl::string_view copied) : SecretBytes(copied.size()) {
    std::memcpy(bytes_.get(), copied.data(), copied.size());
  }
  SecretBytes(SecretBytes&& other) noexcept { Swap(other); }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    SecretBytes(std::move(other)).Swap(*this);
    return *this;
  }
  ~SecretBytes() {
    if (bytes_ != nullptr) OPENSSL_cleanse(bytes_.get(), size_);
  }

  char* data() { return bytes_.get(); }
  absl::string_view view() const {
    return absl::string_view(bytes_.get(), size_);
  }

 private:
  void Swap(SecretBytes& other) {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
  }

  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_SECURITY_INTERNAL_SECRET_BYTES_H_
