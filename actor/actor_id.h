// The identity of an actor within its node: never reused in a process.
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

  std::string ToString() const { return absl::StrCat("#", value_); }
  friend std::ostream& operator<<(std::ostream& os, ActorId id) {
    return os << id.ToString();
  }

 private:
  uint64_t value_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_ACTOR_ID_H_
