// How much a peer may send, as this end has granted it: looked at where a frame
// arrives, before it waits for the session. Who was granted nothing more must
// not send; the last frame may be longer than what was left. Heartbeats and
// credit wait for none, so in the control lane as much more may come.
//
// Thread safety: any thread.
#ifndef TROUPE_CLUSTER_INTERNAL_ARRIVAL_CREDIT_H_
#define TROUPE_CLUSTER_INTERNAL_ARRIVAL_CREDIT_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "troupe/cluster/transport.h"

namespace troupe::internal {

class ArrivalCredit {
 public:
  ArrivalCredit(uint64_t control_bytes, uint64_t data_bytes,
                uint64_t bulk_bytes) {
    bytes_[static_cast<int>(TransportLane::kControl)] =
        2 * static_cast<int64_t>(control_bytes);
    bytes_[static_cast<int>(TransportLane::kData)] =
        static_cast<int64_t>(data_bytes);
    bytes_[static_cast<int>(TransportLane::kBulk)] =
        static_cast<int64_t>(bulk_bytes);
  }

  // A frame has come. False: it must not have, now or ever since.
  [[nodiscard]] bool Take(TransportLane lane, size_t frame_bytes)
      ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    int64_t& left = bytes_[static_cast<int>(lane)];
    if (left <= 0 || overrun_) {
      overrun_ = true;
      return false;
    }
    left -= static_cast<int64_t>(frame_bytes);
    return true;
  }

  // The peer will be told that it may send as much more.
  void Grant(TransportLane lane, uint64_t bytes) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    bytes_[static_cast<int>(lane)] += static_cast<int64_t>(bytes);
  }

 private:
  absl::Mutex mu_;
  std::array<int64_t, kTransportLanes> bytes_ ABSL_GUARDED_BY(mu_) = {};
  bool overrun_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_ARRIVAL_CREDIT_H_
