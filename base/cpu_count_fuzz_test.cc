// What the kernel says of control groups, with any bytes in its files: a quota
// of at least one CPU, or none.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "troupe/base/cpu_count.h"
#include "troupe/tools/fuzz/input.h"

namespace troupe {
namespace {

void CheckQuota(std::optional<int> quota) { EXPECT_GE(quota.value_or(1), 1); }

void Check(FuzzInput& input) {
  const std::string group(input.Text());
  const std::string quota(input.Text());
  const std::string mounts(input.TakeAll());
  CheckQuota(internal::ParseCpuMax(quota));
  CheckQuota(internal::ParseCfsQuota(quota, group));
  int reads = 0;
  CheckQuota(internal::CgroupCpuQuota(
      [&](const std::string& path) -> std::optional<std::string> {
        EXPECT_LT(++reads, 100'000);
        if (path == "/proc/self/cgroup") return group;
        if (path == "/proc/self/mountinfo") return mounts;
        if (absl::EndsWith(path, "period_us")) return "100000";
        return quota;
      }));
}

}  // namespace
}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::FuzzInput input(data, size);
  troupe::Check(input);
  return 0;
}
