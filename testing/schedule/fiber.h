// A flow of control with a stack of its own. Fibers take turns on one thread,
// and each switch is an explicit call.
//
// Thread safety: none; all fibers that switch to one another live on one
// thread. AddressSanitizer and ThreadSanitizer are told of each switch.
#ifndef TROUPE_TESTING_SCHEDULE_FIBER_H_
#define TROUPE_TESTING_SCHEDULE_FIBER_H_

#include <ucontext.h>

#include <cstddef>
#include <functional>

namespace troupe::schedule::internal {

class Fiber {
 public:
  // Stands for the caller's own stack.
  Fiber();
  // Calls `body` on a stack of its own when it is first switched to. When
  // `body` returns, `home` goes on; it outlives the fiber.
  Fiber(Fiber& home, std::function<void()> body);
  // REQUIRES: never switched to, or `body` has returned.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Whether `body` has been called.
  bool begun() const { return begun_; }

  // Goes on with `to`. Returns when somebody switches to `from`.
  // REQUIRES: `from` is running, `to` is another.
  static void Switch(Fiber& from, Fiber& to) { Leave(from, to, false); }

 private:
  static void Leave(Fiber& from, Fiber& to, bool for_ever);
  static void Arrive(Fiber& at);
  static void Entry(unsigned high, unsigned low);

  Fiber* const home_;
  const std::function<void()> body_;
  bool begun_ = false;
  bool ended_ = false;
  ucontext_t context_;
  void* mapping_ = nullptr;  // The stack and its guard page.
  void* stack_ = nullptr;    // Of the thread's own fiber: known to ASan only.
  size_t stack_bytes_ = 0;
  void* asan_fake_stack_ = nullptr;
  void* tsan_fiber_ = nullptr;
};

}  // namespace troupe::schedule::internal

#endif  // TROUPE_TESTING_SCHEDULE_FIBER_H_
