#include "troupe/cluster/internal/asked_type.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/cluster/codec/shape.h"

namespace troupe::internal {
namespace {

absl::Status CheckOne(const WireTypes& types,
                      absl::Span<const MessageType* const> messages,
                      const AskedType& asked) {
  const WireType* const type = types.Find(absl::string_view(asked.name));
  if (type == nullptr || std::find(messages.begin(), messages.end(),
                                   type->type) == messages.end()) {
    return absl::FailedPreconditionError(
        absl::StrCat("it does not take ", asked.name));
  }
  absl::Status same = CompareShapes(type->shape, asked.shape);
  if (same.ok() && (!type->reply_shape.empty() || !asked.reply_shape.empty())) {
    same = CompareShapes(type->reply_shape, asked.reply_shape);
  }
  if (same.ok()) return same;
  return absl::FailedPreconditionError(
      absl::StrCat(asked.name, ": ", same.message()));
}

}  // namespace

std::vector<AskedType> AskedTypes(WireTypeList types) {
  std::vector<AskedType> asked;
  asked.reserve(types.size());
  for (const WireType* const type : types) {
    asked.push_back({std::string(type->name), type->shape, type->reply_shape});
  }
  return asked;
}

absl::Status CheckAsked(const WireTypes& types,
                        absl::Span<const MessageType* const> messages,
                        const std::vector<AskedType>& asked) {
  for (const AskedType& each : asked) {
    absl::Status status = CheckOne(types, messages, each);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace troupe::internal
