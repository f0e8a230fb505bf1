#include "troupe/cluster/wire_type.h"

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

absl::Status CheckLength(const WireType& type, absl::string_view what,
                         size_t bytes, size_t most) {
  if (bytes <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      absl::string_view(type.type->name.data(), type.type->name.size()),
      " has a ", what, ", and may have ", most));
}

// What is longer, no peer takes.
absl::Status CheckLengths(const WireType& type) {
  absl::Status status = CheckLength(
      type, absl::StrCat("name of ", type.name.size(), " bytes on the wire"),
      type.name.size(), kMaxTypeNameBytes);
  for (const std::string* const shape : {&type.shape, &type.reply_shape}) {
    if (!status.ok()) break;
    status =
        CheckLength(type, absl::StrCat("shape of ", shape->size(), " bytes"),
                    shape->size(), kMaxShapeBytes);
  }
  return status;
}

}  // namespace

absl::Status WireTypes::Learn(WireTypeList types) {
  absl::MutexLock lock(&mu_);
  if (learned_.contains(types.data())) return absl::OkStatus();
  for (const WireType* const type : types) {
    if (absl::Status status = CheckLengths(*type); !status.ok()) return status;
    const auto known = by_name_.find(type->name);
    if (known != by_name_.end() && known->second != type) {
      return absl::AlreadyExistsError(absl::StrCat(
          "two messages have the name ", type->name, " on the wire: ",
          absl::string_view(known->second->type->name.data(),
                            known->second->type->name.size()),
          " and ",
          absl::string_view(type->type->name.data(), type->type->name.size()),
          "; a name is for one"));
    }
  }
  for (const WireType* const type : types) {
    by_name_.emplace(type->name, type);
    by_type_.emplace(type->type, type);
    if (type->shared != nullptr) by_type_.emplace(type->shared, type);
  }
  learned_.insert(types.data());
  return absl::OkStatus();
}

const WireType* WireTypes::Find(const MessageType* type) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto found = by_type_.find(type);
  return found != by_type_.end() ? found->second : nullptr;
}

const WireType* WireTypes::Find(absl::string_view name) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto found = by_name_.find(name);
  return found != by_name_.end() ? found->second : nullptr;
}

}  // namespace troupe
