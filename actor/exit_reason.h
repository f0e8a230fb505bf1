// Why an actor ended: a value, given to hooks, events and waiters. Cheap to
// copy: what few reasons have beyond their kind is shared between the copies.
//
//   if (reason.kind() == ExitReason::Kind::kFailed) Report(reason.status());
//
// Thread safety: a value.
#ifndef TROUPE_ACTOR_EXIT_REASON_H_
#define TROUPE_ACTOR_EXIT_REASON_H_

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>

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
    // What became of it cannot be known: the connection with its node is lost.
    kNoConnection,
  };

  // Normal.
  ExitReason() = default;

  // `detail` is for people.
  static ExitReason Normal() { return ExitReason(Kind::kNormal); }
  static ExitReason Normal(absl::string_view detail) {
    return WithDetail(Kind::kNormal, detail);
  }
  static ExitReason Shutdown() { return ExitReason(Kind::kShutdown); }
  static ExitReason Shutdown(absl::string_view detail) {
    return WithDetail(Kind::kShutdown, detail);
  }
  static ExitReason Drained() { return ExitReason(Kind::kDrained); }
  static ExitReason Killed() { return ExitReason(Kind::kKilled); }
  // `message_type` outlives the reason; empty: not while handling a message.
  // REQUIRES: !status.ok()
  static ExitReason Failed(absl::Status status,
                           absl::string_view message_type = {});
  static ExitReason NoActor() { return ExitReason(Kind::kNoActor); }
  static ExitReason NoConnection() { return ExitReason(Kind::kNoConnection); }
  // Of that kind, with nothing beyond it.
  // REQUIRES: not kFailed
  static ExitReason Plain(Kind kind) { return ExitReason(kind); }

  Kind kind() const { return kind_; }
  // What a failed actor failed with; OK for every other kind.
  const absl::Status& status() const { return rest().status; }
  const std::string& detail() const { return rest().detail; }
  // Which message a failed actor was handling when it failed. Empty: none, or a
  // plain function that handles a one-way message called Fail().
  absl::string_view message_type() const { return rest().message_type; }
  // Whether the kind says it all: no status, no detail.
  bool IsPlain() const { return rest_ == nullptr; }

  // Asked for, not suffered: normal, shutdown, drained.
  bool IsGraceful() const { return IsGraceful(kind_); }
  static constexpr bool IsGraceful(Kind kind) {
    return kind == Kind::kNormal || kind == Kind::kShutdown ||
           kind == Kind::kDrained;
  }

  // Such as "normal", "shutdown (maintenance)", "failed: INTERNAL: no disk".
  std::string ToString() const;

  // Where it failed is not compared.
  friend bool operator==(const ExitReason& a, const ExitReason& b) {
    return a.kind_ == b.kind_ &&
           (a.rest_ == b.rest_ ||
            (a.status() == b.status() && a.detail() == b.detail()));
  }
  friend std::ostream& operator<<(std::ostream& os, const ExitReason& reason) {
    return os << reason.ToString();
  }

 private:
  struct Rest {
    absl::Status status;
    std::string detail;
    absl::string_view message_type;
  };

  explicit ExitReason(Kind kind) : kind_(kind) {}
  static ExitReason WithDetail(Kind kind, absl::string_view detail);
  const Rest& rest() const;

  Kind kind_ = Kind::kNormal;
  std::shared_ptr<const Rest> rest_;  // Null: nothing.
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_EXIT_REASON_H_
