#include "troupe/benchmarks/resident_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace troupe::benchmarks {
namespace {

// The number behind `label` in /proc/self/status, which is in kB there.
int64_t FromStatus(const char* label) {
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[4096];
  const ssize_t size = read(file, text, sizeof(text) - 1);
  close(file);
  if (size <= 0) return 0;
  text[size] = '\0';
  const char* const line = std::strstr(text, label);
  if (line == nullptr) return 0;
  return std::strtoll(line + std::strlen(label), nullptr, 10) * 1024;
}

}  // namespace

int64_t ResidentBytes() { return FromStatus("VmRSS:"); }

int64_t PeakResidentBytes() { return FromStatus("VmHWM:"); }

void ResetPeakResidentBytes() {
  const int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const ssize_t written = write(file, "5", 1);
  close(file);
}

}  // namespace troupe::benchmarks
