#include "troupe/base/check.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/string_view.h"

namespace troupe::internal {

void CheckFailed(const char* file, int line, const char* condition,
                 absl::string_view message) {
  // No allocation and no lock of our own: the heap may be what is broken.
  std::fprintf(stderr, "%s:%d: check failed: %s: %.*s\n", file, line, condition,
               static_cast<int>(message.size()), message.data());
  std::abort();
}

}  // namespace troupe::internal
