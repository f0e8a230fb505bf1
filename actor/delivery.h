// What is safe to do after a call has failed: whether the request can have run.
//
//   absl::Status paid = co_await account.Call<Withdraw>(100);
//   if (Delivery(paid) == DeliveryState::kNotDelivered) { ...ask again... }
#ifndef TROUPE_ACTOR_DELIVERY_H_
#define TROUPE_ACTOR_DELIVERY_H_

#include <cstdint>
#include <ostream>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace troupe {

enum class DeliveryState : uint8_t {
  kNotDelivered,  // No handler saw the request: asking again repeats nothing.
  kUnknown,       // Its handler may have run, wholly or in part.
  kAnswered,      // The status is the handler's own answer.
};

absl::string_view DeliveryStateName(DeliveryState state);
inline std::ostream& operator<<(std::ostream& os, DeliveryState state) {
  return os << DeliveryStateName(state);
}

// From the status that a call yielded. A status that no call made counts as
// answered.
DeliveryState Delivery(const absl::Status& status);
template <typename T>
DeliveryState Delivery(const absl::StatusOr<T>& result) {
  return Delivery(result.status());
}

namespace internal {

// `status`, which says so from now on. REQUIRES: not OK.
absl::Status WithDelivery(absl::Status status, DeliveryState state);

// Makes `outcome` an answer: it says nothing of the calls that led to it.
// REQUIRES: not OK.
inline void MarkAnswered(absl::Status& outcome) {
  outcome = WithDelivery(std::move(outcome), DeliveryState::kAnswered);
}
template <typename T>
void MarkAnswered(absl::StatusOr<T>& outcome) {
  outcome = WithDelivery(std::move(outcome).status(), DeliveryState::kAnswered);
}

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTOR_DELIVERY_H_
