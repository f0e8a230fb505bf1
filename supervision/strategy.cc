#include "troupe/supervision/strategy.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace troupe {

absl::Status Validate(const Intensity& intensity) {
  if (intensity.restarts < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("intensity: restarts is ", intensity.restarts,
                     "; 0 gives up at the first failure"));
  }
  if (intensity.within <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "intensity: within is ", absl::FormatDuration(intensity.within),
        "; it is a time that passes"));
  }
  return absl::OkStatus();
}

absl::string_view ToString(Strategy strategy) {
  switch (strategy) {
    case kOneForOne:
      return "one_for_one";
    case kOneForAll:
      return "one_for_all";
    case kRestForOne:
      return "rest_for_one";
    case kDynamic:
      return "dynamic";
  }
  return "no strategy";
}

absl::string_view ToString(AutoShutdown auto_shutdown) {
  switch (auto_shutdown) {
    case kNever:
      return "never";
    case kAnySignificant:
      return "any_significant";
    case kAllSignificant:
      return "all_significant";
  }
  return "no auto_shutdown";
}

}  // namespace troupe
