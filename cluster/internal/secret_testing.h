// A secret without cryptography, for exact tests: what it proves can be read,
// and its nonces are numbers.
#ifndef TROUPE_CLUSTER_INTERNAL_SECRET_TESTING_H_
#define TROUPE_CLUSTER_INTERNAL_SECRET_TESTING_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/cluster/shared_secret.h"

namespace troupe::internal {

class PlainSecret final : public SharedSecret {
 public:
  // `whose` is in its nonces.
  PlainSecret(std::string whose, std::vector<std::string> words)
      : whose_(std::move(whose)), words_(std::move(words)) {}

  void Replace(std::vector<std::string> words) {
    absl::MutexLock lock(&mu_);
    words_ = std::move(words);
  }
  // Such as "a 1", padded.
  static std::string Nonce(absl::string_view whose, int number) {
    std::string nonce = absl::StrCat(whose, " ", number);
    nonce.resize(kNonceBytes, '.');
    return nonce;
  }

  std::string NewNonce() override {
    absl::MutexLock lock(&mu_);
    return Nonce(whose_, ++nonces_);
  }
  std::vector<std::string> Prove(absl::string_view statement) const override {
    absl::MutexLock lock(&mu_);
    std::vector<std::string> proofs;
    for (const std::string& word : words_) {
      proofs.push_back(absl::StrCat(word, ":", statement));
    }
    return proofs;
  }
  bool Accepts(absl::string_view statement,
               const std::vector<std::string>& proofs) const override {
    const std::vector<std::string> right = Prove(statement);
    return std::any_of(proofs.begin(), proofs.end(), [&](const auto& proof) {
      return std::find(right.begin(), right.end(), proof) != right.end();
    });
  }

 private:
  const std::string whose_;
  mutable absl::Mutex mu_;
  std::vector<std::string> words_ ABSL_GUARDED_BY(mu_);
  int nonces_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_SECRET_TESTING_H_
