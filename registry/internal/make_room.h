// Room for what is to be put into one of absl's hash tables, which are lost if
// they find no memory while they grow.
//
//   MakeRoom(names_, 1);                    // May throw std::bad_alloc.
//   names_.emplace(std::move(name), actor); // Does not ask for memory.
//
// Errors: what throws changes nothing.
#ifndef TROUPE_REGISTRY_INTERNAL_MAKE_ROOM_H_
#define TROUPE_REGISTRY_INTERNAL_MAKE_ROOM_H_

#include <algorithm>
#include <cstddef>

namespace troupe::internal {

// As many as `count` entries can be put into `table` now without asking for
// memory. REQUIRES: its entries are moved and hashed without throwing.
template <typename Table>
void MakeRoom(Table& table, size_t count) {
  // A table of more than 16 places that is up to 25/32 full makes room among
  // the places of what was erased, without memory; so absl says.
  constexpr size_t kFewestPlaces = 31;
  const size_t size = table.size() + count;
  const size_t places = table.bucket_count();
  if (places >= kFewestPlaces && size * 32 <= places * 25) return;
  // The memory is asked for before there is a table that could be lost.
  Table larger(std::max({kFewestPlaces, places * 2 + 1, size * 2}));
  larger.merge(table);
  table.swap(larger);
}

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_MAKE_ROOM_H_
