// What 10,000 groups of 10 members take of the machine's memory, besides the
// actors, when all of them have been looked at. A process of its own: in
// another one there might be memory to reuse.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/benchmarks/resident_memory.h"
#include "troupe/benchmarks/sanitized.h"
#include "troupe/registry/groups.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::benchmarks {
namespace {

using ::testing::Ge;
using ::testing::Le;
using ::troupe::testing::IsOk;

struct Work {};
class Worker : public Actor<Work> {
 public:
  void Handle(Work) {}
};

TEST(GroupMemoryTest, MembershipTakesAtMostFiveLines) {
  constexpr int64_t kGroups = 10'000;
  constexpr int64_t kMembers = 10;
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  Groups& groups = system->Get<Groups>();
  // Each in 10 groups, among other companions in each of them.
  std::vector<Worker::Ref> workers;
  for (int64_t w = 0; w < kGroups; ++w) {
    workers.push_back(system->Spawn<Worker>().value());
  }
  const int64_t before = ExactResidentBytes();
  for (int64_t g = 0; g < kGroups; ++g) {
    const Group<Work> group(absl::StrCat("workers for ", g));
    for (int64_t m = 0; m < kMembers; ++m) {
      ASSERT_THAT(groups.Join(group, workers[(g + m * m * 37) % kGroups]),
                  IsOk());
    }
    ASSERT_EQ(groups.Members(group)->size(), static_cast<size_t>(kMembers));
  }
  const int64_t bytes = (ExactResidentBytes() - before) / (kGroups * kMembers);
  RecordProperty("bytes_per_membership", std::to_string(bytes));
  // With less than the references in the list and its copy, something else
  // would have been measured.
  EXPECT_THAT(bytes, Ge(32));
#ifndef TROUPE_SANITIZED
  // 64 MiB would be 671.
  EXPECT_THAT(bytes, Le(320));
#endif
}

}  // namespace
}  // namespace troupe::benchmarks
