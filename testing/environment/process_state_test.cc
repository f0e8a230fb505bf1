#include "troupe/testing/environment/process_state.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "troupe/scheduler/thread_factory.h"

namespace troupe::testing {
namespace {

TEST(ProcessStateTest, CountsThreadsUntilTheyAreGone) {
  // With the first thread a sanitizer may start one of its own.
  RealThreadFactory().Start("first", [] {}).value()->Join();
  const int before = ReadProcessState().threads;
  absl::Notification go_on;
  const auto thread = RealThreadFactory()
                          .Start("t", [&go_on] { go_on.WaitForNotification(); })
                          .value();
  EXPECT_TRUE(AwaitThreads(before + 1));
  go_on.Notify();
  thread->Join();
  EXPECT_TRUE(AwaitThreads(before));
}

TEST(ProcessStateTest, CountsOpenFiles) {
  const int before = ReadProcessState().open_files;
  const int file = open("/dev/null", O_RDONLY);
  ASSERT_GE(file, 0);
  EXPECT_EQ(ReadProcessState().open_files, before + 1);
  close(file);
  EXPECT_EQ(ReadProcessState().open_files, before);
}

TEST(ProcessStateTest, TellsMappedMemoryFromUsedMemory) {
  constexpr size_t kBytes = size_t{64} << 20;
  const ProcessState before = ReadProcessState();
  void* const memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const ProcessState mapped = ReadProcessState();
  EXPECT_GE(mapped.address_space_bytes,
            before.address_space_bytes + int64_t{kBytes});
  EXPECT_LT(mapped.resident_bytes, before.resident_bytes + int64_t{kBytes} / 2);
  std::memset(memory, 1, kBytes);
  EXPECT_GE(ReadProcessState().resident_bytes,
            mapped.resident_bytes + int64_t{kBytes} / 2);
  munmap(memory, kBytes);
}

}  // namespace
}  // namespace troupe::testing
