#include "troupe/supervision/child_options.h"

#include <cmath>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/supervision/strategy.h"

namespace troupe {
namespace {

// What is wrong with it; nothing if nothing is.
std::optional<std::string> Fault(const RestartBackoff& backoff) {
  if (backoff.initial <= absl::ZeroDuration()) {
    return absl::StrCat("backoff.initial is ",
                        absl::FormatDuration(backoff.initial),
                        "; no delay is no backoff");
  }
  if (backoff.max < backoff.initial) {
    return absl::StrCat("backoff.max is ", absl::FormatDuration(backoff.max),
                        ", less than initial, which is ",
                        absl::FormatDuration(backoff.initial));
  }
  if (backoff.max == absl::InfiniteDuration()) {
    return "backoff.max is inf; the delays would end nowhere";
  }
  if (!std::isfinite(backoff.factor) || backoff.factor < 1) {
    return absl::StrCat("backoff.factor is ", backoff.factor,
                        "; delays grow, or stay, from 1 on");
  }
  if (!(backoff.jitter >= 0 && backoff.jitter <= 1)) {
    return absl::StrCat("backoff.jitter is ", backoff.jitter,
                        "; it is a part, from 0 to 1");
  }
  if (backoff.reset_after <= absl::ZeroDuration()) {
    return absl::StrCat("backoff.reset_after is ",
                        absl::FormatDuration(backoff.reset_after),
                        "; no failures would ever be in a row");
  }
  return std::nullopt;
}

std::optional<std::string> Fault(const ChildOptions& options,
                                 AutoShutdown auto_shutdown) {
  if (options.restart > kTemporary) {
    return absl::StrCat("restart is ", static_cast<int>(options.restart),
                        ", which is no Restart");
  }
  if (options.kind > kSupervisor) {
    return absl::StrCat("kind is ", static_cast<int>(options.kind),
                        ", which is no ChildKind");
  }
  const Shutdown shutdown = options.shutdown.For(options.kind);
  if (shutdown.limit() < absl::ZeroDuration()) {
    return absl::StrCat("shutdown is ", ToString(shutdown),
                        "; Shutdown::Brutal() kills at once");
  }
  if (options.significant && options.restart == kPermanent) {
    return "significant is true and restart permanent; a child that is always "
           "restarted never ends its supervisor";
  }
  if (options.significant && auto_shutdown == kNever) {
    return "significant is true and the supervisor's auto_shutdown never; "
           "nobody would ask";
  }
  if (options.backoff.has_value()) return Fault(*options.backoff);
  return std::nullopt;
}

}  // namespace

absl::Status Validate(const ChildOptions& options, AutoShutdown auto_shutdown) {
  if (auto fault = Fault(options, auto_shutdown); fault.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("child \"", options.id, "\": ", *fault));
  }
  return absl::OkStatus();
}

absl::string_view ToString(Restart restart) {
  switch (restart) {
    case kPermanent:
      return "permanent";
    case kTransient:
      return "transient";
    case kTemporary:
      return "temporary";
  }
  return "no restart type";
}

absl::string_view ToString(ChildKind kind) {
  switch (kind) {
    case kWorker:
      return "worker";
    case kSupervisor:
      return "supervisor";
  }
  return "no kind";
}

std::string ToString(const Shutdown& shutdown) {
  if (shutdown.IsDefault()) return "as its kind has it";
  if (shutdown.IsBrutal()) return "brutal";
  if (shutdown.limit() == absl::InfiniteDuration()) return "infinite";
  return absl::StrCat("within ", absl::FormatDuration(shutdown.limit()));
}

}  // namespace troupe
