#include "troupe/benchmarks/waits.h"

#include <algorithm>

namespace troupe::benchmarks {

Waits::Waits(size_t lists, size_t each) : lists_(lists) {
  for (std::vector<uint32_t>& list : lists_) list.reserve(each);
}

void Waits::Sort() {
  for (const std::vector<uint32_t>& list : lists_) {
    sorted_.insert(sorted_.end(), list.begin(), list.end());
  }
  lists_.clear();
  std::sort(sorted_.begin(), sorted_.end());
}

double Waits::AtPermille(size_t permille) const {
  const size_t rank = (permille * sorted_.size() + 999) / 1000;
  return sorted_[std::max<size_t>(1, rank) - 1] / 1e3;
}

}  // namespace troupe::benchmarks
