// What a supervisor does about one of its children: when it restarts it, how
// long it waits before, and how it ends it.
//
//   spec.Add<Account>({.id = "account",
//                      .restart = kTransient,
//                      .shutdown = Shutdown::Within(absl::Seconds(1)),
//                      .backoff = RestartBackoff{.max = absl::Seconds(5)}},
//                     100);
//
// Thread safety: values.
#ifndef TROUPE_SUPERVISION_CHILD_OPTIONS_H_
#define TROUPE_SUPERVISION_CHILD_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/supervision/strategy.h"

namespace troupe {

// Which ends of a child, other than those that its supervisor asked for, are
// followed by a restart.
enum class Restart : uint8_t {
  kPermanent,  // All.
  kTransient,  // Those that are not graceful: it failed, or was killed.
  kTemporary,  // None; and it is forgotten when it ends, for whatever reason.
};
using enum Restart;

enum class ChildKind : uint8_t {
  kWorker,
  kSupervisor,  // Has children of its own.
};
using enum ChildKind;

// How a child is ended.
class Shutdown {
 public:
  // As its kind has it: a worker within 5 s, a supervisor without a limit.
  constexpr Shutdown() = default;

  // Killed at once.
  static constexpr Shutdown Brutal() {
    return Shutdown(Mode::kBrutal, absl::ZeroDuration());
  }
  // Asked to stop; killed if it has not ended after `limit`.
  static constexpr Shutdown Within(absl::Duration limit) {
    return Shutdown(Mode::kLimited, limit);
  }
  // Asked to stop, and waited for however long it takes.
  static constexpr Shutdown Infinite() {
    return Within(absl::InfiniteDuration());
  }

  // The same, with the default replaced by what it stands for.
  constexpr Shutdown For(ChildKind kind) const {
    if (!IsDefault()) return *this;
    return kind == kSupervisor ? Infinite() : Within(absl::Seconds(5));
  }

  constexpr bool IsDefault() const { return mode_ == Mode::kDefault; }
  constexpr bool IsBrutal() const { return mode_ == Mode::kBrutal; }
  // How long it may take. Zero for the default and for brutal.
  constexpr absl::Duration limit() const { return limit_; }

  friend constexpr bool operator==(const Shutdown&, const Shutdown&) = default;

 private:
  enum class Mode : uint8_t { kDefault, kBrutal, kLimited };

  constexpr Shutdown(Mode mode, absl::Duration limit)
      : mode_(mode), limit_(limit) {}

  Mode mode_ = Mode::kDefault;
  absl::Duration limit_ = absl::ZeroDuration();
};

// Exponential delays between the restarts of one child. The k-th failure in a
// row is followed by `initial` * `factor`^(k-1), `max` at most, give or take a
// random part: with a `jitter` of 0.1 up to a tenth.
//
// Failures are in a row until an instance has run for `reset_after`. The
// supervisor gives up when more of them are than Intensity::restarts says,
// however long they took; they do not count together with those of siblings.
struct RestartBackoff {
  absl::Duration initial = absl::Milliseconds(100);
  absl::Duration max = absl::Seconds(10);
  double factor = 2;
  double jitter = 0.1;
  absl::Duration reset_after = absl::Minutes(1);

  friend bool operator==(const RestartBackoff&,
                         const RestartBackoff&) = default;
};

struct ChildOptions {
  // Unlike that of every sibling.
  std::string id = {};
  Restart restart = kPermanent;
  Shutdown shutdown = {};
  // Its end may end the supervisor: see AutoShutdown.
  bool significant = false;
  // Without it, restarts are made at once.
  std::optional<RestartBackoff> backoff = {};
  ChildKind kind = kWorker;
  // Messages sent through its ChildRef while no instance runs wait for the next
  // one; more than so many become dead letters.
  size_t hold_messages = 1000;
};

// kInvalidArgument, naming the child, field and value: an enum is out of range,
// a duration or factor makes no sense, or the child is significant although it
// is permanent, or although `auto_shutdown` is kNever. Whether the id is taken,
// the supervisor knows.
absl::Status Validate(const ChildOptions& options, AutoShutdown auto_shutdown);

// Such as "transient", "supervisor", "within 5s".
absl::string_view ToString(Restart restart);
absl::string_view ToString(ChildKind kind);
std::string ToString(const Shutdown& shutdown);

inline std::ostream& operator<<(std::ostream& os, Restart restart) {
  return os << ToString(restart);
}
inline std::ostream& operator<<(std::ostream& os, ChildKind kind) {
  return os << ToString(kind);
}
inline std::ostream& operator<<(std::ostream& os, const Shutdown& shutdown) {
  return os << ToString(shutdown);
}

}  // namespace troupe

#endif  // TROUPE_SUPERVISION_CHILD_OPTIONS_H_
