#include "troupe/cluster/internal/pieces.h"

namespace troupe::internal {

void Pieces::Append(absl::string_view part) {
  size_ += part.size();
  const bool is_own = pieces_.empty() || part.size() >= kOwnPieceBytes ||
                      pieces_.back().size() + part.size() > kMaxPieceBytes;
  if (is_own) {
    pieces_.emplace_back(part);
  } else {
    pieces_.back().append(part.data(), part.size());
  }
}

std::string Pieces::Join() && {
  std::string all;
  if (pieces_.size() == 1) {
    all = std::move(pieces_.front());
  } else {
    all.reserve(size_);
    for (std::string& piece : pieces_) {
      all += piece;
      piece = std::string();
    }
  }
  pieces_.clear();
  size_ = 0;
  return all;
}

}  // namespace troupe::internal
