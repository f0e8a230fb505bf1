// Why an actor ended: a value, given to hooks, events and waiters.
//
//   if (reason.kind() == ExitReason::Kind::kFailed) Report(reason.status());
#ifndef TROUPE_ACTOR_EXIT_REASON_H_
#define TROUPE_ACTOR_EXIT_REASON_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace troupe {

class ExitReason {
 public:
  enum class Kind : uint8_t {
    kNormal,    // It, or somebody who may, asked it to stop.
    kShutdown,  // Its supervisor or its system ends.
    kDrained,   // Drain() was asked for, and all was handled.
    kKilled,    // Kill() was asked for.
    kFailed,    // It threw, or failed with a status.
    kNoActor,   // It had ended before somebody asked.
  };

  // Normal.
  ExitReason() = default;

  // `detail` is for people.
  static ExitReason Normal(absl::string_view detail = "") {
    return ExitReason(Kind::kNormal, absl::OkStatus(), detail);
  }
  static ExitReason Shutdown(absl::string_view detail = "") {
    return ExitReason(Kind::kShutdown, absl::OkStatus(), detail);
  }
  static ExitReason Drained() {
    return ExitReason(Kind::kDrained, absl::OkStatus(), "");
  }
  static ExitReason Killed() {
    return ExitReason(Kind::kKilled, absl::OkStatus(), "");
  }
  // REQUIRES: !status.ok()
  static ExitReason Failed(absl::Status status) {
    return ExitReason(Kind::kFailed, std::move(status), "");
  }
  static ExitReason NoActor() {
    return ExitReason(Kind::kNoActor, absl::OkStatus(), "");
  }

  Kind kind() const { return kind_; }
  // What a failed actor failed with; OK for every other kind.
  const absl::Status& status() const { return status_; }
  const std::string& detail() const { return detail_; }

  // Asked for, not suffered: normal, shutdown, drained.
  bool IsGraceful() const { return IsGraceful(kind_); }
  static constexpr bool IsGraceful(Kind kind) {
    return kind == Kind::kNormal || kind == Kind::kShutdown ||
           kind == Kind::kDrained;
  }

  // Such as "normal", "shutdown (maintenance)", "failed: INTERNAL: no disk".
  std::string ToString() const;

  friend bool operator==(const ExitReason&, const ExitReason&) = default;
  friend std::ostream& operator<<(std::ostream& os, const ExitReason& reason) {
    return os << reason.ToString();
  }

 private:
  ExitReason(Kind kind, absl::Status status, absl::string_view detail)
      : kind_(kind), status_(std::move(status)), detail_(detail) {}

  Kind kind_ = Kind::kNormal;
  absl::Status status_;
  std::string detail_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_EXIT_REASON_H_
