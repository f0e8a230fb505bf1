// A coroutine of another kind, which nobody resumes as Tasks are.
#include <coroutine>
#include <exception>

#include "troupe/actor/task.h"

struct Other {
  struct promise_type {
    Other get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

troupe::Task<void> Do() { co_return; }

Other Bad() { co_await Do(); }
