// Whether a peer is gone, by how long nothing was heard of it. Time in which
// this end did not listen is no silence of the other one: so it is looked
// often, and a look that comes late tells how long this end stood still.
//
// What is counted of a time in which it stood still is a step at most. That is
// no excuse for ever: who was not heard in four times as many looks as silence
// takes is gone, however late they came.
// Thread safety: belongs to the session.
#ifndef TROUPE_CLUSTER_INTERNAL_FAILURE_DETECTOR_H_
#define TROUPE_CLUSTER_INTERNAL_FAILURE_DETECTOR_H_

#include <cstdint>

#include "absl/time/time.h"
#include "troupe/base/clock.h"

namespace troupe::internal {

class FailureDetector {
 public:
  // Looks in the time of a heartbeat. More would see shorter standstills, and
  // cost each session more timers.
  static constexpr int kLooks = 4;

  // A peer says something in each `heartbeat`, and is gone when nothing was
  // heard for longer than `silence`.
  FailureDetector(absl::Duration heartbeat, absl::Duration silence,
                  MonotonicTime now)
      : heartbeat_(heartbeat), silence_(silence), heard_(now), looked_(now) {}

  // From one look to the next.
  absl::Duration step() const { return heartbeat_ / kLooks; }

  void Heard(MonotonicTime now) {
    heard_ = now;
    looks_ = 0;
  }

  // Looks. True: the peer is gone.
  [[nodiscard]] bool Look(MonotonicTime now);

 private:
  const absl::Duration heartbeat_;
  const absl::Duration silence_;
  // When something came last, and as much later as did not count.
  MonotonicTime heard_;
  MonotonicTime looked_;
  // Since something came.
  int64_t looks_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_FAILURE_DETECTOR_H_
