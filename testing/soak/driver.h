// A thread that is no actor, and makes actors work: it sends, calls, waits for
// space, and looks up names.
//
// Ownership: it joins its thread when it is destroyed.
// Thread safety: belongs to one thread.
#ifndef TROUPE_TESTING_SOAK_DRIVER_H_
#define TROUPE_TESTING_SOAK_DRIVER_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/thread_factory.h"
#include "troupe/testing/soak/world.h"

namespace troupe::testing {

class Driver {
 public:
  // Drives until the world calms down. `system` and `world` outlive it.
  Driver(World* world, ActorSystem* system, int number);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  ~Driver() { thread_->Join(); }

 private:
  void Drive();
  void Step();
  void SendItems();
  void SendByName();
  void SendPage();
  void SendPageWhenReady();
  void Call();

  World& world_;
  ActorSystem& system_;
  const int number_;
  Random random_;
  std::array<int64_t, kClerks> next_number_;
  std::unique_ptr<JoinableThread> thread_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SOAK_DRIVER_H_
