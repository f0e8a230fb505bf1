#include "troupe/supervision/start_context.h"

#include "absl/strings/str_cat.h"

namespace troupe {

absl::Status StartContext::CheckFirst() const {
  if (spawned_.IsNull()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the start of child '", id_, "' has spawned its actor already, ",
      spawned_.ToString(), "; others are children of their own"));
}

}  // namespace troupe
