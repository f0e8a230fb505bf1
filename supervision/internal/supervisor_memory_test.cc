// What the machine allocates with many dynamic children; apart from the other
// tests because it counts what the whole program allocates.
#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <new>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/internal/child_table.h"
#include "troupe/supervision/internal/supervisor_command.h"
#include "troupe/supervision/internal/supervisor_machine.h"
#include "troupe/supervision/strategy.h"

namespace {

constinit size_t allocations = 0;
constinit size_t live_bytes = 0;

}  // namespace

void* operator new(size_t size) {
  void* const memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  ++allocations;
  live_bytes += malloc_usable_size(memory);
  return memory;
}
void operator delete(void* memory) noexcept {
  live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept { operator delete(memory); }

namespace troupe::internal {
namespace {

constexpr int kChildren = 1 << 16;  // What a vector doubles to.
constexpr ChildRules kRules = {.restart = kTransient};

class World {
 public:
  explicit World(const Intensity& intensity = {})
      : machine({.strategy = kDynamic, .intensity = intensity}, random_) {
    machine.Start(now);
    Settle();
  }

  // Carries out starts, and forgets answers.
  void Settle() {
    while (machine.HasCommand()) {
      const SupervisorCommand command = machine.TakeCommand();
      if (command.kind == SupervisorCommand::Kind::kStart) {
        machine.ChildStarted(command.child, now);
      }
    }
  }

  void StartMany() {
    for (int i = 0; i < kChildren; ++i) {
      machine.StartChild(machine.Add(kRules), now, i);
      Settle();
    }
  }

  void FailSome(int count) {
    for (int i = 0; i < count; ++i) {
      machine.ChildEnded(i, ExitReason::Kind::kFailed, now);
      Settle();
    }
  }

  void TerminateAll() {
    for (ChildKey key = machine.first(); key != kNoChild;
         key = machine.next(key)) {
      machine.TerminateChild(key, now, key);
      Settle();
    }
    while (machine.first() != kNoChild) {
      machine.ChildEnded(machine.first(), ExitReason::Kind::kShutdown, now);
      Settle();
    }
  }

 private:
  Random random_{1};

 public:
  MonotonicTime now;
  SupervisorMachine machine;
};

TEST(SupervisorMemoryTest, RunningChildCosts64Bytes) {
  World world;
  const size_t before = live_bytes;
  world.StartMany();
  EXPECT_EQ(world.machine.size(), kChildren);
  EXPECT_LE(live_bytes - before, 64 * kChildren + 4096);
}

TEST(SupervisorMemoryTest, NothingIsAllocatedOnceItHasBeenThatLarge) {
  World world({.restarts = 400});
  const auto live = [&] {
    world.StartMany();
    world.FailSome(400);
    EXPECT_FALSE(world.machine.ending());
    world.TerminateAll();
    world.now += absl::Hours(1);
  };
  live();
  const size_t before = allocations;
  live();
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace troupe::internal
