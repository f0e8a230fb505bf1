// How much memory Post() allocates; apart from post_test because it counts what
// the whole program allocates.
#include <cstddef>
#include <cstdlib>
#include <new>

#include "gtest/gtest.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/post.h"

namespace {

constinit thread_local size_t allocations = 0;
constinit thread_local size_t allocated_bytes = 0;

}  // namespace

void* operator new(size_t size) {
  ++allocations;
  allocated_bytes += size;
  void* const memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace troupe {
namespace {

struct Big {
  char bytes[200] = {};
};

TEST(PostAllocationTest, AllocatesOnceWithTheClosureInside) {
  DeterministicExecutor executor({.workers = 1});
  const Big captured;
  size_t count = 0;
  size_t bytes = 0;
  Post(executor, [&] {
    allocations = allocated_bytes = 0;
    Post(executor, [captured] { (void)captured; });
    count = allocations;
    bytes = allocated_bytes;
  });
  executor.RunUntilIdle();
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(bytes, 48 + sizeof(captured));
}

TEST(PostAllocationTest, AllocatesOnceFromOutside) {
  DeterministicExecutor executor({.workers = 1});
  int ran = 0;
  allocations = allocated_bytes = 0;
  Post(executor, [&ran] { ++ran; });
  EXPECT_EQ(allocations, 1u);
  EXPECT_EQ(allocated_bytes, 48 + sizeof(&ran));
  executor.RunUntilIdle();
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace troupe
