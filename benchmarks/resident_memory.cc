#include "troupe/benchmarks/resident_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace troupe::benchmarks {
namespace {

constexpr absl::Duration kMoment = absl::Milliseconds(200);

// The number behind `label` in a file of the kernel's, which is in kB there.
int64_t FromFile(const char* path, const char* label) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
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

int64_t ResidentBytes() { return FromFile("/proc/self/status", "VmRSS:"); }

int64_t ExactResidentBytes() {
  return FromFile("/proc/self/smaps_rollup", "Rss:");
}

int64_t AwaitResidentBytes(int64_t at_most, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (ExactResidentBytes() > at_most && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  absl::SleepFor(kMoment);
  return ExactResidentBytes();
}

int64_t PeakResidentBytes() { return FromFile("/proc/self/status", "VmHWM:"); }

void ResetPeakResidentBytes() {
  const int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const ssize_t written = write(file, "5", 1);
  close(file);
}

}  // namespace troupe::benchmarks
