// What one node tells another of the messages that it wants to send.
#ifndef TROUPE_CLUSTER_INTERNAL_ASKED_TYPE_H_
#define TROUPE_CLUSTER_INTERNAL_ASKED_TYPE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/mailbox/message_type.h"

namespace troupe::internal {

struct AskedType {
  std::string name;
  std::string shape;
  std::string reply_shape;
};

std::vector<AskedType> AskedTypes(WireTypeList types);

// Whether an actor that takes `messages`, as this node knows them, takes all
// that are asked for. kFailedPrecondition: says which it does not, or where the
// types of that name differ.
absl::Status CheckAsked(const WireTypes& types,
                        absl::Span<const MessageType* const> messages,
                        const std::vector<AskedType>& asked);

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_ASKED_TYPE_H_
