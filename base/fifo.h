// A queue in one growing ring: unlike std::deque it allocates nothing while it
// is not longer than ever before.
//
// Thread safety: none.
#ifndef TROUPE_BASE_FIFO_H_
#define TROUPE_BASE_FIFO_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "troupe/base/check.h"

namespace troupe::internal {

// T is default constructible and movable. What was taken out is overwritten
// when its place is used again.
template <typename T>
class Fifo {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  void Push(T value) {
    if (size_ == ring_.size()) Grow();
    ring_[Place(size_)] = std::move(value);
    ++size_;
  }

  // REQUIRES: !empty()
  const T& front() const {
    TROUPE_DCHECK(!empty(), "an empty queue has no front");
    return ring_[first_];
  }

  // Calls f(const T&) for the `count` youngest, the oldest of them first.
  // REQUIRES: count <= size()
  template <typename F>
  void ForLast(size_t count, F&& f) const {
    TROUPE_DCHECK(count <= size_, "there are not so many");
    for (size_t i = size_ - count; i < size_; ++i) f(ring_[Place(i)]);
  }

  // REQUIRES: !empty()
  T Pop() {
    TROUPE_DCHECK(!empty(), "an empty queue has no front");
    T value = std::move(ring_[first_]);
    first_ = Place(1);
    --size_;
    return value;
  }

 private:
  // The sizes of the ring are powers of two.
  size_t Place(size_t offset) const {
    return (first_ + offset) & (ring_.size() - 1);
  }

  void Grow() {
    std::vector<T> larger(ring_.empty() ? 8 : 2 * ring_.size());
    for (size_t i = 0; i < size_; ++i) larger[i] = std::move(ring_[Place(i)]);
    ring_ = std::move(larger);
    first_ = 0;
  }

  std::vector<T> ring_;
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_BASE_FIFO_H_
