#include "troupe/testing/soak/fault.h"

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/run_blocking.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/event.h"

namespace troupe::testing {
namespace {

constexpr int kBurst = 100'000;
constexpr size_t kMemoryBytes = size_t{64} << 20;
constexpr size_t kPageBytes = 4096;
constexpr int kBlockers = 200;

ChildRef<ClerkApi>& AnyClerk(World& world, Random& random) {
  return world.clerks[random.Uniform(world.clerks.size())];
}

void TakeMemory() {
  std::vector<char> memory(kMemoryBytes);
  volatile char* const bytes = memory.data();
  for (size_t i = 0; i < kMemoryBytes; i += kPageBytes) bytes[i] = 1;
}

struct Begin {};

// Blocks a thread of the pool for some time, then ends.
class Blocker : public Actor<Begin> {
 public:
  Task<void> Handle(Begin) {
    (void)co_await RunBlocking(&Block);
    StopSelf();
  }

 private:
  static void Block() {
    const Event never;
    (void)never.WaitWithTimeout(absl::Milliseconds(1));
  }
};

void BeginBlockingWork(World& world, ActorSystem& system) {
  for (int i = 0; i < kBlockers; ++i) {
    const auto blocker = system.Spawn<Blocker>();
    if (!blocker.ok()) return world.Complain(blocker.status().message());
    blocker->Send<Begin>();
  }
}

}  // namespace

absl::string_view FaultName(Fault fault) {
  switch (fault) {
    case Fault::kKillSupervisor:
      return "kill of a supervisor";
    case Fault::kKillClerk:
      return "kill of a clerk";
    case Fault::kStopClerk:
      return "stop of a clerk";
    case Fault::kPoison:
      return "handlers that throw";
    case Fault::kBurst:
      return "burst";
    case Fault::kSlowHandler:
      return "slow handler";
    case Fault::kStalledAll:
      return "slow handlers everywhere";
    case Fault::kMemory:
      return "memory taken";
    case Fault::kBlockingWork:
      return "blocking work";
  }
  return "none";
}

void Inject(Fault fault, World& world, ActorSystem& system, Random& random) {
  switch (fault) {
    case Fault::kKillSupervisor:
      world.branches[random.Uniform(kBranches)].ref().Kill();
      break;
    case Fault::kKillClerk:
      AnyClerk(world, random).ref().Kill();
      break;
    case Fault::kStopClerk:
      AnyClerk(world, random).ref().Stop();
      break;
    case Fault::kPoison:
      for (int i = 0; i < 20; ++i) AnyClerk(world, random).Send<Poison>();
      break;
    case Fault::kBurst: {
      const ActorRef<Item> clerk = AnyClerk(world, random);
      for (int i = 0; i < kBurst; ++i) clerk.Send<Item>(world.items, 0, -1, 0);
      break;
    }
    case Fault::kSlowHandler:
      AnyClerk(world, random)
          .Send<Stall>(absl::Milliseconds(200), random.Bernoulli(0.5));
      break;
    case Fault::kStalledAll:
      for (const ChildRef<ClerkApi>& clerk : world.clerks) {
        clerk.Send<Stall>(absl::Milliseconds(30), random.Bernoulli(0.5));
      }
      break;
    case Fault::kMemory:
      TakeMemory();
      break;
    case Fault::kBlockingWork:
      BeginBlockingWork(world, system);
      break;
  }
}

}  // namespace troupe::testing
