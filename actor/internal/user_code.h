// Running user code from within the runtime.
#ifndef TROUPE_ACTOR_INTERNAL_USER_CODE_H_
#define TROUPE_ACTOR_INTERNAL_USER_CODE_H_

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

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_USER_CODE_H_
