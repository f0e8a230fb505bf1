#include "troupe/base/membarrier.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "troupe/base/check.h"

namespace troupe {
namespace {

long Membarrier(int command) {
  return syscall(__NR_membarrier, command, /*flags=*/0, /*cpu_id=*/0);
}

bool Register() {
  const long supported = Membarrier(MEMBARRIER_CMD_QUERY);
  return supported >= 0 &&
         (supported & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
         Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

}  // namespace

bool AsymmetricBarrierAvailable() {
  static const bool available = Register();
  return available;
}

void AsymmetricHeavyBarrier() {
  TROUPE_CHECK(Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0,
               "membarrier fails after its registration succeeded");
}

}  // namespace troupe
