#include "troupe/testing/environment/process_state.h"

#include <dirent.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <thread>

#include "absl/time/time.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"

namespace troupe::testing {
namespace {

int CountEntries(const char* folder) {
  DIR* const entries = opendir(folder);
  TROUPE_CHECK(entries != nullptr, folder);
  int count = 0;
  while (const dirent* const entry = readdir(entries)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(entries);
  return count;
}

}  // namespace

ProcessState ReadProcessState() {
  ProcessState state;
  state.threads = CountEntries("/proc/self/task");
  // Without the one that looks.
  state.open_files = CountEntries("/proc/self/fd") - 1;
  FILE* const file = std::fopen("/proc/self/statm", "r");
  TROUPE_CHECK(file != nullptr, "the kernel tells how much memory there is");
  int64_t pages = 0;
  int64_t resident_pages = 0;
  const int read =
      std::fscanf(file, "%" SCNd64 " %" SCNd64, &pages, &resident_pages);
  std::fclose(file);
  TROUPE_CHECK(read == 2, "statm begins with two numbers");
  const int64_t page_bytes = sysconf(_SC_PAGESIZE);
  state.address_space_bytes = pages * page_bytes;
  state.resident_bytes = resident_pages * page_bytes;
  return state;
}

bool AwaitThreads(int threads) {
  const MonotonicTime deadline = RealClock().Now() + absl::Seconds(10);
  while (CountEntries("/proc/self/task") != threads) {
    if (RealClock().Now() >= deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace troupe::testing
