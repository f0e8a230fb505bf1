#include "troupe/testing/schedule/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "troupe/base/check.h"

#if defined(__has_feature)
#define TROUPE_HAS_FEATURE(x) __has_feature(x)
#else
#define TROUPE_HAS_FEATURE(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || TROUPE_HAS_FEATURE(address_sanitizer)
#define TROUPE_FIBER_ASAN 1
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__SANITIZE_THREAD__) || TROUPE_HAS_FEATURE(thread_sanitizer)
#define TROUPE_FIBER_TSAN 1
#include <sanitizer/tsan_interface.h>
#endif

namespace troupe::schedule::internal {
namespace {

// Sanitizers make frames several times as large.
constexpr size_t kStackBytes = 256 * 1024;

// Whom the current fiber was switched from. One thread only, as all of this.
thread_local Fiber* left = nullptr;

}  // namespace

Fiber::Fiber() : home_(nullptr), begun_(true), ended_(true) {
#ifdef TROUPE_FIBER_TSAN
  tsan_fiber_ = __tsan_get_current_fiber();
#endif
}

Fiber::Fiber(Fiber& home, std::function<void()> body)
    : home_(&home), body_(std::move(body)) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  mapping_ = mmap(nullptr, page + kStackBytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  TROUPE_CHECK(mapping_ != MAP_FAILED, "no memory for the stack of a fiber");
  // The lowest page, into which a stack that is too small runs.
  TROUPE_CHECK(mprotect(mapping_, page, PROT_NONE) == 0,
               "the guard page of a fiber's stack cannot be protected");
  stack_ = static_cast<char*>(mapping_) + page;
  stack_bytes_ = kStackBytes;
  TROUPE_CHECK(getcontext(&context_) == 0, "getcontext failed");
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = stack_bytes_;
  context_.uc_link = nullptr;
  // makecontext hands over ints only.
  const uint64_t self = reinterpret_cast<uintptr_t>(this);
  makecontext(&context_, reinterpret_cast<void (*)()>(&Fiber::Entry), 2,
              static_cast<unsigned>(self >> 32), static_cast<unsigned>(self));
#ifdef TROUPE_FIBER_TSAN
  tsan_fiber_ = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
  TROUPE_CHECK(!begun_ || ended_, "a fiber is destroyed in the middle");
  if (mapping_ == nullptr) return;
#ifdef TROUPE_FIBER_TSAN
  __tsan_destroy_fiber(tsan_fiber_);
#endif
  char* const end = static_cast<char*>(stack_) + stack_bytes_;
  munmap(mapping_, static_cast<size_t>(end - static_cast<char*>(mapping_)));
}

void Fiber::Leave(Fiber& from, Fiber& to, [[maybe_unused]] bool for_ever) {
  left = &from;
#ifdef TROUPE_FIBER_ASAN
  __sanitizer_start_switch_fiber(for_ever ? nullptr : &from.asan_fake_stack_,
                                 to.stack_, to.stack_bytes_);
#endif
#ifdef TROUPE_FIBER_TSAN
  __tsan_switch_to_fiber(to.tsan_fiber_, 0);
#endif
  swapcontext(&from.context_, &to.context_);
  Arrive(from);
}

void Fiber::Arrive([[maybe_unused]] Fiber& at) {
#ifdef TROUPE_FIBER_ASAN
  const void* bottom = nullptr;
  size_t size = 0;
  __sanitizer_finish_switch_fiber(at.asan_fake_stack_, &bottom, &size);
  // How the bounds of the thread's own stack become known.
  left->stack_ = const_cast<void*>(bottom);
  left->stack_bytes_ = size;
#endif
}

void Fiber::Entry(unsigned high, unsigned low) {
  Fiber& self = *reinterpret_cast<Fiber*>(
      static_cast<uintptr_t>(uint64_t{high} << 32 | low));
  Arrive(self);
  self.begun_ = true;
  self.body_();
  self.ended_ = true;
  Leave(self, *self.home_, true);
}

}  // namespace troupe::schedule::internal
