#include "troupe/base/cpu_count.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace troupe {
namespace internal {
namespace {

enum class CgroupVersion { kV1, kV2 };

// Where a hierarchy of control groups is mounted.
struct CgroupMount {
  CgroupVersion version;
  std::string root;   // The group that `point` shows.
  std::string point;  // A folder.
};

std::optional<int> Least(std::optional<int> a, std::optional<int> b) {
  if (!a.has_value()) return b;
  if (!b.has_value()) return a;
  return std::min(*a, *b);
}

bool ListHas(absl::string_view comma_separated, absl::string_view wanted) {
  return absl::c_linear_search(absl::StrSplit(comma_separated, ','), wanted);
}

std::optional<int> CpusOf(int64_t quota_us, int64_t period_us) {
  if (quota_us <= 0 || period_us <= 0) return std::nullopt;
  const int64_t cpus = quota_us / period_us + (quota_us % period_us != 0);
  return static_cast<int>(
      std::min<int64_t>(cpus, std::numeric_limits<int>::max()));
}

// mountinfo writes space, tab, newline and backslash as three octal digits.
std::string UnescapeMountField(absl::string_view field) {
  std::string result;
  for (size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && i + 3 < field.size()) {
      int byte = 0;
      for (size_t digit = i + 1; digit <= i + 3; ++digit) {
        byte = byte * 8 + (field[digit] - '0');
      }
      result.push_back(static_cast<char>(byte));
      i += 3;
    } else {
      result.push_back(field[i]);
    }
  }
  return result;
}

// One line of mountinfo, see proc(5):
//   36 35 0:31 ROOT POINT rw,noatime shared:1 - TYPE SOURCE OPTIONS
std::optional<CgroupMount> ParseMount(absl::string_view line) {
  const std::vector<absl::string_view> halves =
      absl::StrSplit(line, absl::MaxSplits(" - ", 1));
  if (halves.size() != 2) return std::nullopt;
  const std::vector<absl::string_view> place = absl::StrSplit(halves[0], ' ');
  const std::vector<absl::string_view> kind = absl::StrSplit(halves[1], ' ');
  if (place.size() < 5 || kind.size() < 3) return std::nullopt;

  CgroupVersion version;
  if (kind[0] == "cgroup2") {
    version = CgroupVersion::kV2;
  } else if (kind[0] == "cgroup" && ListHas(kind[2], "cpu")) {
    version = CgroupVersion::kV1;
  } else {
    return std::nullopt;
  }
  return CgroupMount{version, UnescapeMountField(place[3]),
                     UnescapeMountField(place[4])};
}

// The process's group in the hierarchy of `version`, from /proc/self/cgroup:
// "0::/group" (version 2) or "4:cpu,cpuacct:/group" (version 1).
std::optional<std::string> ParseGroup(absl::string_view content,
                                      CgroupVersion version) {
  for (absl::string_view line : absl::StrSplit(content, '\n')) {
    const std::vector<absl::string_view> fields =
        absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    const bool matches = version == CgroupVersion::kV2
                             ? fields[0] == "0" && fields[1].empty()
                             : ListHas(fields[1], "cpu");
    if (matches) return std::string(fields[2]);
  }
  return std::nullopt;
}

// The folder of `group` below the mount point, "" or "/a/b". A group that the
// mount does not show (it lies outside of the mounted root, as in a container
// without a namespace of its own) leaves the mount point itself.
std::string FolderInMount(absl::string_view group, absl::string_view root) {
  if (root != "/" && !absl::ConsumePrefix(&group, root)) return "";
  if (!group.empty() && group[0] != '/') return "";
  if (absl::StrContains(group, "/..")) return "";
  return std::string(absl::StripSuffix(group, "/"));
}

std::optional<int> QuotaOfFolder(CgroupVersion version,
                                 const std::string& folder, FileReader read) {
  if (version == CgroupVersion::kV2) {
    const std::optional<std::string> max = read(folder + "/cpu.max");
    return max.has_value() ? ParseCpuMax(*max) : std::nullopt;
  }
  const std::optional<std::string> quota = read(folder + "/cpu.cfs_quota_us");
  const std::optional<std::string> period = read(folder + "/cpu.cfs_period_us");
  if (!quota.has_value() || !period.has_value()) return std::nullopt;
  return ParseCfsQuota(*quota, *period);
}

// The least quota of `folder` and the folders above it, up to the mount point.
std::optional<int> QuotaOfMount(const CgroupMount& mount, std::string folder,
                                FileReader read) {
  std::optional<int> least;
  while (true) {
    least =
        Least(least, QuotaOfFolder(mount.version, mount.point + folder, read));
    if (folder.empty()) return least;
    folder.resize(folder.rfind('/'));
  }
}

std::optional<std::string> ReadWholeFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file || !content) return std::nullopt;
  return content.str();
}

// The CPUs that the affinity mask allows; 0 if the kernel does not say.
int AffinityCpuCount() {
  // The kernel refuses a mask smaller than its own; the largest that any
  // kernel is built with has 8192.
  for (int cpus = 1024; cpus <= 65536; cpus *= 2) {
    cpu_set_t* const set = CPU_ALLOC(cpus);
    if (set == nullptr) return 0;
    const size_t size_bytes = CPU_ALLOC_SIZE(cpus);
    const bool known = sched_getaffinity(0, size_bytes, set) == 0;
    const bool too_small = !known && errno == EINVAL;
    const int count = known ? CPU_COUNT_S(size_bytes, set) : 0;
    CPU_FREE(set);
    if (!too_small) return count;
  }
  return 0;
}

}  // namespace

std::optional<int> ParseCpuMax(absl::string_view content) {
  const std::vector<absl::string_view> fields = absl::StrSplit(
      absl::StripAsciiWhitespace(content), ' ', absl::SkipEmpty());
  if (fields.size() != 2) return std::nullopt;
  int64_t quota_us;
  int64_t period_us;
  // "max" is no number.
  if (!absl::SimpleAtoi(fields[0], &quota_us)) return std::nullopt;
  if (!absl::SimpleAtoi(fields[1], &period_us)) return std::nullopt;
  return CpusOf(quota_us, period_us);
}

std::optional<int> ParseCfsQuota(absl::string_view quota_content,
                                 absl::string_view period_content) {
  int64_t quota_us;
  int64_t period_us;
  if (!absl::SimpleAtoi(quota_content, &quota_us)) return std::nullopt;
  if (!absl::SimpleAtoi(period_content, &period_us)) return std::nullopt;
  return CpusOf(quota_us, period_us);
}

std::optional<int> CgroupCpuQuota(FileReader read) {
  const std::optional<std::string> groups = read("/proc/self/cgroup");
  const std::optional<std::string> mounts = read("/proc/self/mountinfo");
  if (!groups.has_value() || !mounts.has_value()) return std::nullopt;

  std::optional<int> least;
  for (absl::string_view line : absl::StrSplit(*mounts, '\n')) {
    const std::optional<CgroupMount> mount = ParseMount(line);
    if (!mount.has_value()) continue;
    const std::optional<std::string> group =
        ParseGroup(*groups, mount->version);
    if (!group.has_value()) continue;
    least = Least(
        least, QuotaOfMount(*mount, FolderInMount(*group, mount->root), read));
  }
  return least;
}

}  // namespace internal

int AvailableCpuCount() {
  int count = internal::AffinityCpuCount();
  if (count == 0) {
    count = static_cast<int>(std::thread::hardware_concurrency());
  }
  const std::optional<int> quota =
      internal::CgroupCpuQuota(internal::ReadWholeFile);
  return std::max(1, quota.has_value() ? std::min(count, *quota) : count);
}

}  // namespace troupe
