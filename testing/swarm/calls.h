// Invariant "a call ends once" (§22-26): with the answer to itself or with a
// status that is true of it, not before its deadline and not after it; and no
// handler sees a request whose deadline has passed.
#ifndef TROUPE_TESTING_SWARM_CALLS_H_
#define TROUPE_TESTING_SWARM_CALLS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"

namespace troupe::swarm {

class Calls {
 public:
  static constexpr std::string_view kName = "a call ends once";
  static constexpr std::string_view kExpired = "no expired request is handled";
  static constexpr int64_t kNever = int64_t{1} << 62;

  explicit Calls(Journal& journal) : journal_(journal), calls_(1) {}

  // A call is made, which may be attempted several times. `deadline_ns`: the
  // latest; what the handler that makes it is bounded by may come earlier.
  uint32_t Made(Number caller, Number callee, int64_t deadline_ns,
                uint32_t attempts = 1);
  // A handler has the request, and does nothing about it yet.
  void Seen(uint32_t call, int64_t deadline_ns);
  // It has not come back from where it was set aside: nobody waits for it.
  void Vanished(uint32_t call);
  // A handler begins with the request.
  void Served(uint32_t call, Number by, int64_t deadline_ns);
  // The caller has the outcome. Only of OK: whether it is the right one.
  void Ended(uint32_t call, const absl::Status& outcome, int64_t answer);
  void Ended(uint32_t call, const absl::StatusOr<int64_t>& outcome) {
    Ended(call, outcome.status(), outcome.ok() ? *outcome : 0);
  }
  // The same of one that was made to several.
  void EndedTogether(uint32_t call,
                     const std::vector<absl::StatusOr<int64_t>>& outcomes,
                     size_t asked);
  // The caller gives up, or is gone.
  void Dropped(uint32_t call);

  // The right answer.
  static int64_t AnswerTo(uint32_t call) {
    return static_cast<int64_t>(call) * 0x1000193 + 7;
  }

  uint64_t open() const { return open_; }
  void CheckAtRest();

 private:
  struct Call {
    Number caller;
    Number callee;
    int64_t deadline_ns;
    uint32_t attempts;
    uint32_t served = 0;
    int64_t vanished_ns = 0;  // 0: it has not.
    bool over = false;
  };

  // Whoever waited does no more.
  void CheckVanished(uint32_t call);
  void Break(std::string_view invariant, uint32_t call, absl::string_view how);

  Journal& journal_;
  std::vector<Call> calls_;
  uint64_t open_ = 0;
};

// A call as its caller has it: given up, unless it has ended before.
class OpenCall {
 public:
  OpenCall(Calls& calls, uint32_t call) : calls_(&calls), call_(call) {}
  OpenCall(OpenCall&& other) noexcept
      : calls_(std::exchange(other.calls_, nullptr)), call_(other.call_) {}
  OpenCall& operator=(OpenCall&&) = delete;
  ~OpenCall() {
    if (calls_ != nullptr) calls_->Dropped(call_);
  }

  uint32_t number() const { return call_; }
  void End(const absl::StatusOr<int64_t>& outcome) {
    calls_->Ended(call_, outcome);
    calls_ = nullptr;
  }
  // By one that is no citizen: the answer says nothing of who gave it.
  void EndByOther() {
    calls_->Ended(call_, absl::UnknownError("by another"), 0);
    calls_ = nullptr;
  }
  void EndAll(const std::vector<absl::StatusOr<int64_t>>& outcomes,
              size_t asked) {
    calls_->EndedTogether(call_, outcomes, asked);
    calls_ = nullptr;
  }

 private:
  Calls* calls_;
  uint32_t call_;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_CALLS_H_
