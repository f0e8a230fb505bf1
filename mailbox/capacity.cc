#include "troupe/mailbox/capacity.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/mailbox/envelope_pool.h"

namespace troupe {

absl::Status Validate(const Capacity& capacity) {
  if (capacity.messages == 0) {
    return absl::InvalidArgumentError(
        "capacity: messages is 0; a mailbox that holds nothing receives "
        "nothing");
  }
  if (capacity.bytes < EnvelopePool::kSmallest) {
    return absl::InvalidArgumentError(
        absl::StrCat("capacity: bytes is ", capacity.bytes,
                     "; the smallest envelope has ", EnvelopePool::kSmallest));
  }
  switch (capacity.policy) {
    case OverflowPolicy::kReject:
    case OverflowPolicy::kDropNewest:
    case OverflowPolicy::kDropOldest:
    case OverflowPolicy::kAwait:
      return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("capacity: policy is ", static_cast<int>(capacity.policy),
                   ", which is no OverflowPolicy"));
}

}  // namespace troupe
