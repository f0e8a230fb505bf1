// Puts together what a peer sends in parts, because it is longer than a frame.
//
// Memory: grows with what has come, not on a peer's word: at most twice that.
// All that is under way is at most `max_bytes` when it is whole, and at most
// kMaxUnderWayInParts, as both ends know; a peer that begins more than that
// makes no sense.
// Thread safety: belongs to the session.
#ifndef TROUPE_CLUSTER_INTERNAL_REASSEMBLY_H_
#define TROUPE_CLUSTER_INTERNAL_REASSEMBLY_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/cluster/internal/pieces.h"

namespace troupe::internal {

class Reassembly {
 public:
  explicit Reassembly(uint64_t max_bytes) : max_bytes_(max_bytes) {}

  // The next part of what has that number; `left` bytes are to come behind it.
  // Numbers grow. Returns all of it with the last part; else nothing.
  // kDataLoss: it is no part of anything. kResourceExhausted: it would be more
  // than may be under way.
  absl::StatusOr<std::optional<Pieces>> Add(uint64_t number, uint64_t left,
                                            absl::string_view part);
  // No more of that comes, if it is under way.
  void Abandon(uint64_t number);

  // Whether nothing is under way.
  bool empty() const { return wholes_.empty(); }
  // What all that is under way will have when it is whole.
  uint64_t promised_bytes() const { return promised_bytes_; }

 private:
  struct Whole {
    Pieces bytes;
    uint64_t left = 0;
  };

  const uint64_t max_bytes_;
  uint64_t promised_bytes_ = 0;
  uint64_t last_number_ = 0;
  absl::flat_hash_map<uint64_t, Whole> wholes_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_REASSEMBLY_H_
