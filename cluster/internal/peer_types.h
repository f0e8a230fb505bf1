// The types of messages that a peer has introduced, in one lane, compared with
// those of the same names here.
//
// Thread safety: belongs to the session.
#ifndef TROUPE_CLUSTER_INTERNAL_PEER_TYPES_H_
#define TROUPE_CLUSTER_INTERNAL_PEER_TYPES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/wire_type.h"

namespace troupe::internal {

struct PeerType {
  std::string name;
  std::string shape;
  std::string reply_shape;
  const WireType* type = nullptr;  // Null: not known here, as yet.
  absl::Status differs = {};
};

class PeerTypes {
 public:
  // `ours` outlives it.
  explicit PeerTypes(WireTypes& ours) : ours_(ours) {}

  // kDataLoss: its number is not the next one, or it is too long, or all of
  // them together are.
  absl::Status Add(TypeItem item);
  // The one with that number, compared with ours; null: it was not introduced.
  // Until the next is.
  PeerType* Find(uint64_t number);
  // The same: the type here; null: there is none that is the same, and where
  // there is one of that name, `why` says how they differ.
  const WireType* Same(uint64_t number, absl::Status& why);

 private:
  // A peer that introduces more types than this means no good.
  static constexpr size_t kMaxTypes = 1 << 16;
  // So does one whose names and shapes, which are kept, are longer together.
  static constexpr size_t kMaxBytes = size_t{64} << 20;
  // Of what is said of where its shapes differ.
  static constexpr size_t kMaxDifferenceBytes = size_t{1} << 10;

  WireTypes& ours_;
  std::vector<PeerType> types_;
  size_t bytes_ = 0;  // Of their names and shapes.
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_PEER_TYPES_H_
