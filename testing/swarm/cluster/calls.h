// Calls across nodes (clauses 17 and 18).
//
// Invariants:
//   a call ends once                 with its own answer, or a failure that
//   says
//                                    the truth of what became of the request
//   a request is handled once        by the one that it was for
//   calls end with their session     not at their deadline
#ifndef TROUPE_TESTING_SWARM_CLUSTER_CALLS_H_
#define TROUPE_TESTING_SWARM_CLUSTER_CALLS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/testing/swarm/cluster/journal.h"
#include "troupe/testing/swarm/cluster/lives.h"
#include "troupe/testing/swarm/cluster/rules.h"
#include "troupe/testing/swarm/cluster/sessions.h"

namespace troupe::cluster_swarm {

class Calls {
 public:
  // `in_time`: nothing delays who waits for the end of a call.
  Calls(Journal& journal, Lives& lives, Sessions& sessions, const Rules& rules,
        bool in_time)
      : journal_(journal),
        lives_(lives),
        sessions_(sessions),
        rules_(rules),
        in_time_(in_time) {}

  // The number of the call. Calls within calls end at the outer's deadline.
  uint32_t Made(Number caller, Number callee, absl::Duration within);
  // The handler of `who` gets it.
  void Served(uint32_t call, Number callee, Number who);
  // `answered`: the number of the call that the answer is to.
  void Ended(uint32_t call, const absl::StatusOr<uint32_t>& answered);
  // A call to a node that lasts longer than any fault has failed at its
  // deadline.
  void WaitedInVain(Number caller);
  // The one who waited is gone, or has given up.
  void Dropped(uint32_t call);

  void CheckAtRest() const;

 private:
  struct Call {
    Number caller;
    Number callee;
    Epoch epoch;
    absl::Duration deadline;
    bool served = false;
    bool ended = false;
    bool must_not_be_served = false;
  };

  Call& Get(uint32_t call) { return calls_[call - 1]; }

  Journal& journal_;
  Lives& lives_;
  Sessions& sessions_;
  const Rules& rules_;
  const bool in_time_;
  std::vector<Call> calls_;
};

// A call that somebody waits for: unless it ends, it is dropped.
class OpenCall {
 public:
  OpenCall(Calls& calls, uint32_t number) : calls_(&calls), number_(number) {}
  OpenCall(OpenCall&& other) noexcept
      : calls_(other.calls_), number_(other.number_) {
    other.number_ = 0;
  }
  OpenCall& operator=(OpenCall&&) = delete;
  ~OpenCall() {
    if (number_ != 0) calls_->Dropped(number_);
  }

  uint32_t number() const { return number_; }
  void End(const absl::StatusOr<uint32_t>& answered) {
    calls_->Ended(number_, answered);
    number_ = 0;
  }

 private:
  Calls* calls_;
  uint32_t number_;
};

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_CALLS_H_
