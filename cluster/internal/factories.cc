#include "troupe/cluster/internal/factories.h"

#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace troupe::internal {

absl::Status Factories::Add(Factory factory) {
  if (factory.name.empty() || absl::StrContains(factory.name, '@')) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", factory.name,
                     "' is no name of a factory: it has one "
                     "character or more, and no '@'"));
  }
  absl::MutexLock lock(&mu_);
  std::string name = factory.name;
  const auto [added, is_new] =
      factories_.try_emplace(std::move(name), std::move(factory));
  if (!is_new) {
    return absl::AlreadyExistsError(
        absl::StrCat("a factory is exported as '", added->first, "'"));
  }
  return absl::OkStatus();
}

const Factory* Factories::Find(absl::string_view name) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto found =
      factories_.find(std::string_view(name.data(), name.size()));
  return found != factories_.end() ? &found->second : nullptr;
}

}  // namespace troupe::internal
