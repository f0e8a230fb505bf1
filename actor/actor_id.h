// The identity of an actor, as one process knows it: never reused there.
//
// Thread safety: a value.
#ifndef TROUPE_ACTOR_ACTOR_ID_H_
#define TROUPE_ACTOR_ACTOR_ID_H_

#include <compare>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace troupe {

class ActorId {
 public:
  // No actor's.
  constexpr ActorId() = default;
  explicit constexpr ActorId(uint64_t value) : value_(value) {}

  constexpr uint64_t value() const { return value_; }
  constexpr bool IsNull() const { return value_ == 0; }

  friend constexpr auto operator<=>(ActorId, ActorId) = default;
  template <typename H>
  friend H AbslHashValue(H state, ActorId id) {
    return H::combine(std::move(state), id.value_);
  }

  // Such as "#12"; of an actor on another node "#12@3", the 3rd one that this
  // process has known.
  std::string ToString() const {
    const uint64_t node = value_ >> kBitsInNode;
    return node == 0
               ? absl::StrCat("#", value_)
               : absl::StrCat("#", value_ ^ (node << kBitsInNode), "@", node);
  }
  friend std::ostream& operator<<(std::ostream& os, ActorId id) {
    return os << id.ToString();
  }

 private:
  // As FarCell::kIdBits.
  static constexpr int kBitsInNode = 48;

  uint64_t value_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_ACTOR_ID_H_
