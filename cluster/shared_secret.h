// How nodes prove to each other that they belong together, by a secret that
// both know and neither says: the seam behind which cryptography lies. Programs
// use Cookie (cluster/security).
//
// Thread safety: any thread.
// Blocking: nothing blocks; sessions call it in their turns.
#ifndef TROUPE_CLUSTER_SHARED_SECRET_H_
#define TROUPE_CLUSTER_SHARED_SECRET_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace troupe {

class SharedSecret {
 public:
  static constexpr size_t kNonceBytes = 32;
  // While a secret is replaced, there are the new one and the old one.
  static constexpr size_t kMaxProofs = 2;

  virtual ~SharedSecret() = default;

  // kNonceBytes that nobody can guess, and that never come again.
  virtual std::string NewNonce() = 0;
  // What nobody can say of `statement` who does not know the secret, for each
  // one that is valid now: 1 to kMaxProofs.
  virtual std::vector<std::string> Prove(absl::string_view statement) const = 0;
  // Whether one of them is the proof of that, by a secret that is valid now.
  // How long that takes does not tell how much of a proof is right.
  virtual bool Accepts(absl::string_view statement,
                       const std::vector<std::string>& proofs) const = 0;
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_SHARED_SECRET_H_
