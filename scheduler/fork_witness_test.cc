#include "troupe/scheduler/fork_witness.h"

#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "absl/functional/function_ref.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

// Whether that holds in a child.
bool HoldsInChild(absl::FunctionRef<bool()> fact) {
  const pid_t child = fork();
  if (child == 0) _exit(fact() ? 0 : 1);
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status) == 0;
}

TEST(ForkWitnessTest, SeesForksInTheChildOnly) {
  const ForkWitness witness;
  EXPECT_FALSE(witness.forked());
  EXPECT_TRUE(HoldsInChild([&] { return witness.forked(); }));
  EXPECT_FALSE(witness.forked());
}

TEST(ForkWitnessTest, BornInTheChildIsNotForked) {
  EXPECT_TRUE(HoldsInChild([] { return !ForkWitness().forked(); }));
}

TEST(ForkWitnessTest, LivingWitnessesTellOfLostThreads) {
  std::optional<ForkWitness> witness;
  witness.emplace();
  EXPECT_TRUE(HoldsInChild([] { return ForkWitness::ThreadsWereLost(); }));
  witness.reset();
  EXPECT_TRUE(HoldsInChild([] { return !ForkWitness::ThreadsWereLost(); }));
}

TEST(ForkWitnessTest, GrandchildOfLostThreadsLacksThemToo) {
  std::optional<ForkWitness> witness;
  witness.emplace();
  EXPECT_TRUE(HoldsInChild([&] {
    witness.reset();
    return HoldsInChild([] { return ForkWitness::ThreadsWereLost(); });
  }));
}

}  // namespace
}  // namespace troupe
