// How long something waited, many times.
#ifndef TROUPE_BENCHMARKS_WAITS_H_
#define TROUPE_BENCHMARKS_WAITS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace troupe::benchmarks {

// As lists hold it: of 4.29 s and more, that much.
inline uint32_t WaitOf(int64_t nanoseconds) {
  return static_cast<uint32_t>(std::clamp<int64_t>(
      nanoseconds, 0, std::numeric_limits<uint32_t>::max()));
}

// One list for each actor, so that they share none.
//
// Thread safety: each list belongs to one actor; the rest to whoever made this,
// when all actors have ended.
class Waits {
 public:
  // With space for `each` waits in each list.
  Waits(size_t lists, size_t each);

  std::vector<uint32_t>& list(size_t index) { return lists_[index]; }

  // Brings all in order; then AtPermille() may be called.
  void Sort();
  size_t count() const { return sorted_.size(); }
  // In microseconds: `permille` of all waits were no longer; 1000: the longest.
  // REQUIRES: count() > 0.
  double AtPermille(size_t permille) const;

 private:
  std::vector<std::vector<uint32_t>> lists_;  // Nanoseconds.
  std::vector<uint32_t> sorted_;
};

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_WAITS_H_
