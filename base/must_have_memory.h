// For what cannot be refused: what others were promised, and tables that would
// be left half changed.
//
//   MustHaveMemory("the names", [&] { table.Insert(name, owner); });
//
// Costs nothing where there is memory.
#ifndef TROUPE_BASE_MUST_HAVE_MEMORY_H_
#define TROUPE_BASE_MUST_HAVE_MEMORY_H_

#include <new>
#include <utility>

#include "troupe/base/allocation_gate.h"

namespace troupe::internal {

// Ends the process with "out of memory: <what_for>".
[[noreturn]] void EndWithoutMemory(const char* what_for);

// Calls `function` and returns what it does. If it throws std::bad_alloc, the
// process ends.
template <typename F>
decltype(auto) MustHaveMemory(const char* what_for, F&& function) {
#ifdef __cpp_exceptions
  try {
    const GateForMusts gate;
    return std::forward<F>(function)();
  } catch (const std::bad_alloc&) {
    EndWithoutMemory(what_for);
  }
#else
  (void)what_for;
  return std::forward<F>(function)();
#endif
}

}  // namespace troupe::internal

#endif  // TROUPE_BASE_MUST_HAVE_MEMORY_H_
