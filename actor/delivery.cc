#include "troupe/actor/delivery.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/types/optional.h"

namespace troupe {
namespace {

// Not answered: "0" if it was not delivered, "1" if it may have been.
constexpr char kPayloadUrl[] = "type.troupe/delivery";

}  // namespace

absl::string_view DeliveryStateName(DeliveryState state) {
  switch (state) {
    case DeliveryState::kNotDelivered:
      return "not delivered";
    case DeliveryState::kUnknown:
      return "unknown";
    case DeliveryState::kAnswered:
      return "answered";
  }
  return "invalid";
}

DeliveryState Delivery(const absl::Status& status) {
  if (status.ok()) return DeliveryState::kAnswered;
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return DeliveryState::kAnswered;
  return *payload == "0" ? DeliveryState::kNotDelivered
                         : DeliveryState::kUnknown;
}

namespace internal {

absl::Status WithDelivery(absl::Status status, DeliveryState state) {
  if (state == DeliveryState::kAnswered) {
    status.ErasePayload(kPayloadUrl);
  } else {
    status.SetPayload(
        kPayloadUrl,
        absl::Cord(state == DeliveryState::kNotDelivered ? "0" : "1"));
  }
  return status;
}

}  // namespace internal
}  // namespace troupe
