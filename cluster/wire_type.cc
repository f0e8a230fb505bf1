#include "troupe/cluster/wire_type.h"

#include "absl/strings/str_cat.h"

namespace troupe {

absl::Status WireTypes::Learn(WireTypeList types) {
  absl::MutexLock lock(&mu_);
  if (learned_.contains(types.data())) return absl::OkStatus();
  for (const WireType* const type : types) {
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
