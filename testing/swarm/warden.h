// The supervisors of the swarm: random trees of them, with citizens as their
// children, some of which come at run time.
#ifndef TROUPE_TESTING_SWARM_WARDEN_H_
#define TROUPE_TESTING_SWARM_WARDEN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/task.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_ref.h"
#include "troupe/supervision/child_spec.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/supervision/supervisor_api.h"
#include "troupe/testing/swarm/messages.h"
#include "troupe/testing/swarm/world.h"

namespace troupe::swarm {

// A supervisor that says what becomes of it.
class Warden final : public Supervisor {
 public:
  Warden(World* world, Number number, uint32_t supervisor,
         std::shared_ptr<Spec> spec, std::string path);
  ~Warden();

  Task<absl::Status> PreStart();
  void PostStart();
  Task<void> PostStop(const ExitReason& reason);

 private:
  World& world_;
  const Number number_;
  const uint32_t supervisor_;
};

// A child that has an address.
struct Door {
  Number number;
  ChildRef<CitizenApi> child;
};

// Spawns one, with all that is below it. Adds the addresses that its children
// are to have.
void FoundWarden(World& world, std::vector<Door>& doors);

// A child for it that its Spec does not have.
ChildSpec MakeAddedChild(World& world, uint32_t supervisor);

// Null if there is none, or none any more.
SupervisorRef WardenRef(const World& world, uint32_t supervisor);

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_WARDEN_H_
