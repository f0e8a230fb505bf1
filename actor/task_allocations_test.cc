// That Tasks allocate nothing on the heap once the pool of their frames is
// warm.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "gtest/gtest.h"
#include "troupe/actor/internal/task_testing.h"
#include "troupe/actor/task.h"
#include "troupe/mailbox/envelope_pool.h"

namespace {

// Of this program, which has one thread.
int64_t allocations = 0;

}  // namespace

void* operator new(size_t size_bytes) {
  ++allocations;
  void* const memory = std::malloc(size_bytes);
  if (memory == nullptr) std::abort();
  return memory;
}
void* operator new(size_t size_bytes, std::align_val_t alignment) {
  ++allocations;
  const auto unit = static_cast<size_t>(alignment);
  void* const memory =
      std::aligned_alloc(unit, (size_bytes + unit - 1) / unit * unit);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}

namespace troupe {
namespace {

Task<int> Leaf(Event* event) {
  if (event != nullptr) co_await *event;
  co_return 1;
}
Task<int> Middle(Event* event) {
  const int first = co_await Leaf(nullptr);
  co_return first + co_await Leaf(event);
}
Task<int> Descend(int depth, Event* event) {
  if (depth == 0) co_return co_await Middle(event);
  co_return 1 + co_await Descend(depth - 1, event);
}

void RunMany(Event& event) {
  for (int i = 0; i < 1000; ++i) {
    Root<int> ends(Descend(100, &event));
    ends.Start();
    event.Fire();
    Root<int> destroyed(Descend(100, &event));
    destroyed.Start();
  }
}

TEST(TaskAllocationsTest, SteadyStateAllocatesNothing) {
  Event event;
  RunMany(event);
  const int64_t allocations_before = allocations;
  const size_t held_before = EnvelopePool::HeldBytes();

  RunMany(event);

  EXPECT_EQ(allocations - allocations_before, 0);
  EXPECT_EQ(EnvelopePool::HeldBytes(), held_before);
}

// Somebody may look at the memory from now on: so the frame has to hold it.
void Publish(void* memory) { asm volatile("" : : "g"(memory) : "memory"); }

// Not inlined: a compiler that sees the whole life of a frame needs no memory.
[[gnu::noinline]] Task<int> Big(Event& event) {
  char big[2 * EnvelopePool::SizeOf(EnvelopePool::kClasses - 1)];
  Publish(big);
  co_await event;
  Publish(big);
  co_return big[0];
}

// ... and that the count counts.
TEST(TaskAllocationsTest, FrameBeyondThePoolIsOneAllocation) {
  Event event;
  RunMany(event);
  const int64_t before = allocations;
  {
    Root<int> root(Big(event));
    root.Start();
  }
  EXPECT_EQ(allocations - before, 1);
}

}  // namespace
}  // namespace troupe
