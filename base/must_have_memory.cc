#include "troupe/base/must_have_memory.h"

#include <cstdio>
#include <cstdlib>

namespace troupe::internal {

void EndWithoutMemory(const char* what_for) {
  // There is none for more than this.
  std::fprintf(stderr, "out of memory: %s\n", what_for);
  std::abort();
}

}  // namespace troupe::internal
