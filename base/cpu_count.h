// How many CPUs this process may keep busy.
#ifndef TROUPE_BASE_CPU_COUNT_H_
#define TROUPE_BASE_CPU_COUNT_H_

#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace troupe {

// The least of the CPUs in the affinity mask of the calling thread and the CPU
// quotas of the process's control groups and their ancestors (versions 1 and
// 2), quotas rounded up; at least 1. Reads files: for start-up, not for loops.
int AvailableCpuCount();

namespace internal {

// The contents of a file, or nothing if it cannot be read.
using FileReader =
    absl::FunctionRef<std::optional<std::string>(const std::string& path)>;

// The least CPU quota that holds for the process whose /proc/self/cgroup,
// /proc/self/mountinfo and control-group files `read` finds, rounded up to
// whole CPUs. Nothing if there is no quota. What cannot be read or understood
// counts as no quota.
std::optional<int> CgroupCpuQuota(FileReader read);

// The quota in a version 2 `cpu.max`: "max 100000" or "150000 100000".
std::optional<int> ParseCpuMax(absl::string_view content);

// The quota of version 1: `cpu.cfs_quota_us` over `cpu.cfs_period_us`; none if
// the former is negative.
std::optional<int> ParseCfsQuota(absl::string_view quota_content,
                                 absl::string_view period_content);

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_BASE_CPU_COUNT_H_
