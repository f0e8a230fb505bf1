#include "troupe/testing/soak/account.h"

#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/scheduler/thread_factory.h"

namespace troupe::testing {
namespace {

TEST(AccountTest, BalancesWhenEachFateIsKnown) {
  Account account("pages");
  Token(account).Handle();
  { const Token dead(account); }
  account.Add(Fate::kDead);
  { const Token refused(account); }
  account.Add(Fate::kTold);
  EXPECT_EQ(account.Discrepancy(), "");
  EXPECT_EQ(account.ToString(),
            "pages: 3 made, 1 handled, 2 not (1 dead letters, 1 told)");
}

TEST(AccountTest, MovedTokenCountsOnce) {
  Account account("pages");
  Token first(account);
  Token second(std::move(first));
  EXPECT_EQ(account.Alive(), 1);
  Token third(std::move(second));
  third.Handle();
  EXPECT_EQ(account.Count(Fate::kMade), 1);
  EXPECT_EQ(account.Discrepancy(), "");
}

TEST(AccountTest, NamesWhatIsStillAlive) {
  Account account("pages");
  const Token alive(account);
  EXPECT_EQ(account.Discrepancy(), "pages: 1 are neither handled nor gone");
}

TEST(AccountTest, NamesWhatWasLostSilently) {
  Account account("pages");
  { const Token lost(account); }
  EXPECT_EQ(account.Discrepancy(),
            "pages: 1 more were lost than became dead letters or were told of");
}

TEST(AccountTest, SumsWhatThreadsAdd) {
  constexpr int kThreads = 20;
  constexpr int kTokens = 1000;
  Account account("pages");
  std::vector<std::unique_ptr<JoinableThread>> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.push_back(RealThreadFactory()
                          .Start("t",
                                 [&account] {
                                   for (int k = 0; k < kTokens; ++k) {
                                     Token(account).Handle();
                                   }
                                 })
                          .value());
  }
  for (const auto& thread : threads) thread->Join();
  EXPECT_EQ(account.Count(Fate::kHandled), kThreads * kTokens);
  EXPECT_EQ(account.Discrepancy(), "");
}

}  // namespace
}  // namespace troupe::testing
