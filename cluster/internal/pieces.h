// Bytes that come part by part, and are copied no more until they are all
// there: those that one string would copy when it grows are too many for one
// turn.
//
// Memory: at most twice what has come.
// Thread safety: none.
#ifndef TROUPE_CLUSTER_INTERNAL_PIECES_H_
#define TROUPE_CLUSTER_INTERNAL_PIECES_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace troupe::internal {

class Pieces {
 public:
  Pieces() = default;
  Pieces(Pieces&& other) noexcept
      : pieces_(std::move(other.pieces_)),
        size_(std::exchange(other.size_, 0)) {}
  Pieces& operator=(Pieces&& other) noexcept {
    pieces_ = std::move(other.pieces_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  void Append(absl::string_view part);
  size_t size() const { return size_; }

  // All of it. Frees each piece when it has been copied.
  std::string Join() &&;

 private:
  // Parts that are shorter share pieces, up to the other length.
  static constexpr size_t kOwnPieceBytes = size_t{4} << 10;
  static constexpr size_t kMaxPieceBytes = size_t{64} << 10;

  std::vector<std::string> pieces_;
  size_t size_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_PIECES_H_
