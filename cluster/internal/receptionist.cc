#include "troupe/cluster/internal/receptionist.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "troupe/actor/actor_status.h"
#include "troupe/cluster/codec/shape.h"

namespace troupe::internal {
namespace {

std::string_view ToStd(absl::string_view text) {
  return std::string_view(text.data(), text.size());
}

}  // namespace

absl::Status ExportedNames::Add(absl::string_view name,
                                const AnyActorRef& actor) {
  absl::MutexLock lock(&mu_);
  const auto [entry, is_new] = actors_.try_emplace(std::string(name), actor);
  if (!is_new && entry->second != actor) {
    if (entry->second.status() != ActorStatus::kStopped) {
      return absl::AlreadyExistsError(absl::StrCat(
          entry->second.ToString(), " is exported as '", name, "'"));
    }
    entry->second = actor;
  }
  return absl::OkStatus();
}

AnyActorRef ExportedNames::Find(absl::string_view name) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto found = actors_.find(ToStd(name));
  return found != actors_.end() ? found->second : AnyActorRef();
}

absl::StatusOr<AnyActorRef> Receptionist::Handle(const ResolveName& m) {
  const AnyActorRef actor = names_.Find(m.name);
  if (actor.messages().empty()) {
    return absl::NotFoundError(absl::StrCat(
        "'", node_.self().name, "' exports nothing as '", m.name, "'"));
  }
  for (const AskedType& asked : m.types) {
    if (absl::Status status = Check(asked, actor); !status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat("'", m.name, "' of '", node_.self().name,
                                       "': ", status.message()));
    }
  }
  return actor;
}

absl::Status Receptionist::Check(const AskedType& asked,
                                 const AnyActorRef& actor) {
  const WireType* const type =
      node_.types().Find(absl::string_view(asked.name));
  const auto messages = actor.messages();
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

}  // namespace troupe::internal
