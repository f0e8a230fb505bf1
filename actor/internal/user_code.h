// Running user code from within the runtime, and the runtime from within that.
#ifndef TROUPE_ACTOR_INTERNAL_USER_CODE_H_
#define TROUPE_ACTOR_INTERNAL_USER_CODE_H_

#include <cstdint>
#include <utility>

#include "troupe/scheduler/worker.h"

namespace troupe::internal {

// Runs user code outside the seat. False: the seat is lost.
template <typename F>
[[nodiscard]] bool OutsideSeat(F&& user_code) {
  LeaveForUserCode();
  std::forward<F>(user_code)();
  return ReturnFromUserCode();
}

// A step of the runtime that user code asked for. Leaves the seat also if the
// step throws: memory may not be had.
struct InSeat {
  InSeat() : tag(EnterSeat()) {}
  ~InSeat() { LeaveSeat(); }
  InSeat(const InSeat&) = delete;
  InSeat& operator=(const InSeat&) = delete;
  const uint64_t tag;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_USER_CODE_H_
