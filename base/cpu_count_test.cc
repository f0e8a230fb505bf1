#include "troupe/base/cpu_count.h"

#include <sched.h>

#include <map>
#include <optional>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace troupe {
namespace {

using internal::CgroupCpuQuota;
using internal::ParseCfsQuota;
using internal::ParseCpuMax;

using Files = std::map<std::string, std::string>;

constexpr char kV2Mount[] =
    "24 1 0:22 / /proc rw shared:5 - proc proc rw\n"
    "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

std::optional<int> QuotaIn(const Files& files) {
  return CgroupCpuQuota(
      [&files](const std::string& path) -> std::optional<std::string> {
        const auto it = files.find(path);
        if (it == files.end()) return std::nullopt;
        return it->second;
      });
}

TEST(ParseCpuMaxTest, RoundsUpToWholeCpus) {
  EXPECT_EQ(ParseCpuMax("200000 100000\n"), 2);
  EXPECT_EQ(ParseCpuMax("200001 100000\n"), 3);
  EXPECT_EQ(ParseCpuMax("50000 100000\n"), 1);
  EXPECT_EQ(ParseCpuMax("1000 100000"), 1);
}

TEST(ParseCpuMaxTest, ReadsMaxAsNoQuota) {
  EXPECT_EQ(ParseCpuMax("max 100000\n"), std::nullopt);
}

TEST(ParseCpuMaxTest, TakesWhatItDoesNotUnderstandAsNoQuota) {
  EXPECT_EQ(ParseCpuMax(""), std::nullopt);
  EXPECT_EQ(ParseCpuMax("\n"), std::nullopt);
  EXPECT_EQ(ParseCpuMax("200000"), std::nullopt);
  EXPECT_EQ(ParseCpuMax("200000 x"), std::nullopt);
  EXPECT_EQ(ParseCpuMax("200000 0"), std::nullopt);
  EXPECT_EQ(ParseCpuMax("0 100000"), std::nullopt);
  EXPECT_EQ(ParseCpuMax("-5 100000"), std::nullopt);
  EXPECT_EQ(ParseCpuMax("1 2 3"), std::nullopt);
  EXPECT_EQ(ParseCpuMax("99999999999999999999 100000"), std::nullopt);
}

TEST(ParseCpuMaxTest, SurvivesHugeQuotas) {
  EXPECT_EQ(ParseCpuMax("9223372036854775807 1"), 2147483647);
}

TEST(ParseCfsQuotaTest, DividesQuotaByPeriod) {
  EXPECT_EQ(ParseCfsQuota("150000\n", "100000\n"), 2);
  EXPECT_EQ(ParseCfsQuota("400000\n", "100000\n"), 4);
}

TEST(ParseCfsQuotaTest, ReadsNegativeAsNoQuota) {
  EXPECT_EQ(ParseCfsQuota("-1\n", "100000\n"), std::nullopt);
  EXPECT_EQ(ParseCfsQuota("", "100000\n"), std::nullopt);
  EXPECT_EQ(ParseCfsQuota("100000", ""), std::nullopt);
}

TEST(CgroupCpuQuotaTest, ReadsTheGroupOfTheProcess) {
  EXPECT_EQ(QuotaIn({{"/proc/self/cgroup", "0::/app\n"},
                     {"/proc/self/mountinfo", kV2Mount},
                     {"/sys/fs/cgroup/app/cpu.max", "300000 100000\n"}}),
            3);
}

TEST(CgroupCpuQuotaTest, ReadsTheRootInsideAContainer) {
  EXPECT_EQ(QuotaIn({{"/proc/self/cgroup", "0::/\n"},
                     {"/proc/self/mountinfo", kV2Mount},
                     {"/sys/fs/cgroup/cpu.max", "300000 100000\n"}}),
            3);
}

// What cannot be understood is not looked for below the mount.
TEST(CgroupCpuQuotaTest, GroupThatIsNoPathIsTheRoot) {
  EXPECT_EQ(QuotaIn({{"/proc/self/cgroup", "0::app/x\n"},
                     {"/proc/self/mountinfo", kV2Mount},
                     {"/sys/fs/cgroup/cpu.max", "300000 100000\n"}}),
            3);
}

TEST(CgroupCpuQuotaTest, TakesTheLeastOfTheAncestors) {
  EXPECT_EQ(QuotaIn({{"/proc/self/cgroup", "0::/a/b/c\n"},
                     {"/proc/self/mountinfo", kV2Mount},
                     {"/sys/fs/cgroup/a/cpu.max", "200000 100000\n"},
                     {"/sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
                     {"/sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n"}}),
            2);
}

TEST(CgroupCpuQuotaTest, ReadsVersionOne) {
  EXPECT_EQ(
      QuotaIn({{"/proc/self/cgroup",
                "5:memory:/docker/1f\n4:cpu,cpuacct:/docker/1f\n"},
               {"/proc/self/mountinfo",
                "31 30 0:27 /docker/1f /sys/fs/cgroup/cpu rw - cgroup cgroup "
                "rw,cpu,cpuacct\n"},
               {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "250000\n"},
               {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}}),
      3);
}

TEST(CgroupCpuQuotaTest, IgnoresOtherControllersOfVersionOne) {
  EXPECT_EQ(QuotaIn({{"/proc/self/cgroup", "3:cpuset:/x\n4:cpuacct:/x\n"},
                     {"/proc/self/mountinfo",
                      "31 30 0:27 / /cg rw - cgroup cgroup rw,cpuset\n"
                      "32 30 0:28 / /cg rw - cgroup cgroup rw,cpuacct\n"},
                     {"/cg/x/cpu.cfs_quota_us", "100000\n"},
                     {"/cg/x/cpu.cfs_period_us", "100000\n"}}),
            std::nullopt);
}

TEST(CgroupCpuQuotaTest, TakesTheLeastOfBothVersions) {
  EXPECT_EQ(QuotaIn({{"/proc/self/cgroup", "4:cpu:/x\n0::/x\n"},
                     {"/proc/self/mountinfo",
                      "31 30 0:27 / /one rw - cgroup cgroup rw,cpu\n"
                      "32 30 0:28 / /two rw - cgroup2 cgroup2 rw\n"},
                     {"/one/x/cpu.cfs_quota_us", "500000\n"},
                     {"/one/x/cpu.cfs_period_us", "100000\n"},
                     {"/two/x/cpu.max", "400000 100000\n"}}),
            4);
}

TEST(CgroupCpuQuotaTest, LooksAtTheMountIfItDoesNotShowTheGroup) {
  const std::string mount =
      "31 30 0:27 /docker/1 /cg rw - cgroup2 cgroup2 rw\n";

  for (const char* group : {"0::/other\n", "0::/docker/12\n", "0::/../x\n"}) {
    EXPECT_EQ(QuotaIn({{"/proc/self/cgroup", group},
                       {"/proc/self/mountinfo", mount},
                       {"/cg/cpu.max", "100000 100000\n"}}),
              1)
        << group;
  }
}

TEST(CgroupCpuQuotaTest, UnescapesMountPoints) {
  EXPECT_EQ(QuotaIn({{"/proc/self/cgroup", "0::/x\n"},
                     {"/proc/self/mountinfo",
                      "31 30 0:27 / /my\\040groups rw - cgroup2 cgroup2 rw\n"},
                     {"/my groups/x/cpu.max", "100000 100000\n"}}),
            1);
}

TEST(CgroupCpuQuotaTest, HasNoneWithoutFiles) {
  EXPECT_EQ(QuotaIn({}), std::nullopt);
  EXPECT_EQ(QuotaIn({{"/proc/self/cgroup", "0::/\n"}}), std::nullopt);
  EXPECT_EQ(QuotaIn({{"/proc/self/cgroup", "garbage\n:\n\n"},
                     {"/proc/self/mountinfo", "garbage - x\n - \n"}}),
            std::nullopt);
}

TEST(AvailableCpuCountTest, FollowsTheAffinityMask) {
  int count = 0;

  std::thread pinned([&count] {
    cpu_set_t allowed;
    ASSERT_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &allowed)) ++cpu;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    count = AvailableCpuCount();
  });
  pinned.join();

  EXPECT_EQ(count, 1);
}

TEST(AvailableCpuCountTest, IsAtLeastOne) { EXPECT_GE(AvailableCpuCount(), 1); }

}  // namespace
}  // namespace troupe
