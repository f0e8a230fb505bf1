// The deadlines of the entries of a table, at most one each: which comes next,
// and which have passed. For tables whose entries are named by small numbers.
//
//   DeadlineHeap deadlines;
//   deadlines.Set(3, now + absl::Seconds(5));
//   ...
//   while (!deadlines.empty() && deadlines.next() <= now) {
//     Expired(deadlines.Pop());
//   }
//
// Costs: Set(), Cancel() and Pop() are logarithmic in the number of deadlines,
// next() and IsSet() constant.
// Memory: 4 bytes per entry of the table, 16 more per deadline; nothing is
// allocated while there are no more than ever before.
// Thread safety: none.
#ifndef TROUPE_SUPERVISION_INTERNAL_DEADLINE_HEAP_H_
#define TROUPE_SUPERVISION_INTERNAL_DEADLINE_HEAP_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "troupe/base/clock.h"

namespace troupe::internal {

class DeadlineHeap {
 public:
  // Replaces the deadline that the entry may have.
  void Set(uint32_t entry, MonotonicTime deadline);

  // Does nothing if the entry has none.
  void Cancel(uint32_t entry);

  bool IsSet(uint32_t entry) const {
    return entry < places_.size() && places_[entry] != kNowhere;
  }

  bool empty() const { return heap_.empty(); }

  // InfiniteFuture() if there is none.
  MonotonicTime next() const;

  // Removes the deadline that comes next and returns its entry; of equal ones
  // that of the lower entry.
  // REQUIRES: !empty()
  uint32_t Pop();

 private:
  static constexpr uint32_t kNowhere = std::numeric_limits<uint32_t>::max();

  struct Node {
    MonotonicTime deadline;
    uint32_t entry;

    friend auto operator<=>(const Node&, const Node&) = default;
  };

  void Put(size_t place, const Node& node);
  // Puts `node` where it belongs, from the free `place` towards the root or the
  // leaves.
  void PutUpwards(size_t place, const Node& node);
  void PutDownwards(size_t place, const Node& node);
  void Remove(size_t place);

  std::vector<Node> heap_;
  std::vector<uint32_t> places_;  // Of each entry in heap_.
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_DEADLINE_HEAP_H_
