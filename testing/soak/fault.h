// What a soak does to its system from time to time.
#ifndef TROUPE_TESTING_SOAK_FAULT_H_
#define TROUPE_TESTING_SOAK_FAULT_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/random.h"
#include "troupe/testing/soak/world.h"

namespace troupe::testing {

enum class Fault : uint8_t {
  kKillSupervisor,  // With the clerks below it.
  kKillClerk,
  kStopClerk,
  kPoison,        // Handlers of several clerks throw.
  kBurst,         // Many items for one clerk at once.
  kSlowHandler,   // One clerk's handler blocks, or works, for long.
  kStalledAll,    // Those of all clerks at once do.
  kMemory,        // Memory that is taken and given back.
  kBlockingWork,  // More of that than there are threads for it.
};
inline constexpr int kFaults = 9;

absl::string_view FaultName(Fault fault);

// `random` says to whom, how much and how long. By a thread that is no actor.
void Inject(Fault fault, World& world, ActorSystem& system, Random& random);

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SOAK_FAULT_H_
