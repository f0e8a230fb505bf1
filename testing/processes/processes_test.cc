// Nodes in processes of their own, which are killed, frozen, restarted and
// flooded, over TCP. What holds is the same in any order of events: each
// message that was accepted was handled, once and in order, by whom it was for,
// or went with a session of which the end was told.
//
//   bazel run //testing/processes:processes_test -- --rounds=50
//   bazel run //testing/processes:processes_test -- --messages=10000000
#include <signal.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/testing/processes/node_process.h"

ABSL_FLAG(int, rounds, 3, "How often nodes are killed, and frozen.");
ABSL_FLAG(int64_t, messages, 100'000, "Of a flood.");

namespace troupe::testing {
namespace {

// A peer is found to be gone by nothing but its connection.
constexpr absl::Duration kNever = absl::Hours(1);

// On a busy machine a window that is shorter might be missed too often to get
// anywhere.
const Cluster::Options kShortWindow = {.heartbeat = absl::Milliseconds(500),
                                       .silence = absl::Milliseconds(2000)};

// Words of "up NAME INCARNATION", and of others that begin so.
uint64_t Incarnation(const std::vector<std::string>& words) {
  uint64_t incarnation = 0;
  EXPECT_TRUE(absl::SimpleAtoi(words[2], &incarnation)) << words[2];
  return incarnation;
}

void Meet(NodeProcess& a, NodeProcess& b) {
  (void)a.Take("up b");
  (void)b.Take("up a");
}

void Flood(NodeProcess& from, const std::string& to, int64_t messages) {
  from.Say(absl::StrCat("flood ", to, " ", messages, " 100"));
  (void)from.Take("sent " + to);
}

// Of a settled account, where so many sessions have ended.
void ExpectAllAccountedFor(const Account& account, size_t downs) {
  EXPECT_EQ(account.handled + account.missed, account.accepted);
  EXPECT_LE(account.gaps, downs);
  EXPECT_EQ(account.disorder, 0);
  EXPECT_EQ(account.astray, 0);
}

// A node that is killed is missed at once, by its connection; the one
// that takes its place, at its address, is another one, and gets nothing that
// was for the first.
TEST(ProcessesTest, KilledNodesAreMissedAtOnce) {
  Cluster cluster({"a", "b"}, {.silence = kNever});
  NodeProcess& a = cluster.Start("a");
  absl::Duration longest;
  uint64_t before = 0;
  for (int i = 0; i < absl::GetFlag(FLAGS_rounds); ++i) {
    NodeProcess& b = cluster.Start("b");
    const uint64_t incarnation = Incarnation(a.Take("up b"));
    EXPECT_GT(incarnation, before);
    EXPECT_EQ(Watch(a, "b"), incarnation);
    a.Say("load b");
    (void)a.Take("loading b");
    const absl::Time killed = absl::Now();
    b.Signal(SIGKILL);
    EXPECT_EQ(Incarnation(a.Take("down b")), incarnation);
    longest = std::max(longest, absl::Now() - killed);
    EXPECT_EQ(Incarnation(a.Take("gone b")), incarnation);
    a.Say("rest");
    (void)a.Take("rested");
    before = incarnation;
  }
  cluster.Start("b");
  EXPECT_GT(Incarnation(a.Take("up b")), before);
  Aim(a, "b");
  Flood(a, "b", 1000);
  const Account account = SettledAccountOf(a, "b");
  EXPECT_EQ(account.handled, 1001);
  ExpectAllAccountedFor(account, 0);
  EXPECT_EQ(a.Left("down b"), 0);
  EXPECT_EQ(a.Left("gone b"), 0);
  EXPECT_TRUE(cluster.LeaveAll());
  std::cerr << "A kill was noticed within " << longest << "\n";
}

// A node that is frozen for longer than the window is gone. When it goes on, it
// is the same incarnation in another session.
TEST(ProcessesTest, FrozenNodesComeBackInAnotherSession) {
  Cluster cluster({"a", "b"}, kShortWindow);
  NodeProcess& a = cluster.Start("a");
  NodeProcess& b = cluster.Start("b");
  const uint64_t incarnation = Incarnation(a.Take("up b"));
  (void)b.Take("up a");
  a.Say("load b");
  // On a busy machine sessions may end that are not meant to.
  size_t downs = 0;
  for (; downs < static_cast<size_t>(absl::GetFlag(FLAGS_rounds)); ++downs) {
    (void)a.Take("loading b");
    b.Signal(SIGSTOP);
    EXPECT_EQ(Incarnation(a.Take("down b")), incarnation);
    b.Signal(SIGCONT);
    EXPECT_EQ(Incarnation(a.Take("up b")), incarnation);
    (void)b.Take("down a");
    (void)b.Take("up a");
  }
  a.Say("rest");
  (void)a.Take("rested");
  const Account account = SettledAccountOf(a, "b");
  ExpectAllAccountedFor(account, downs + a.Left("down b"));
  EXPECT_EQ(account.incarnation, incarnation);
  EXPECT_TRUE(cluster.LeaveAll());
  std::cerr << account.handled << " of " << account.accepted
            << " messages were handled, " << account.missed << " were lost in "
            << account.gaps << " gaps, with " << downs << " sessions\n";
}

// Each monitor hears of one end, and no more when the node goes on.
TEST(ProcessesTest, MonitorsOfAFrozenNodeHearOnce) {
  Cluster cluster({"a", "b"}, kShortWindow);
  NodeProcess& a = cluster.Start("a");
  NodeProcess& b = cluster.Start("b");
  Meet(a, b);
  constexpr size_t kMonitors = 10;
  for (size_t i = 0; i < kMonitors; ++i) (void)Watch(a, "b");
  b.Signal(SIGSTOP);
  for (size_t i = 0; i < kMonitors; ++i) (void)a.Take("gone b");
  b.Signal(SIGCONT);
  (void)a.Take("up b");
  (void)AccountOf(a, "b");
  EXPECT_EQ(a.Left("gone b"), 0);
  EXPECT_TRUE(cluster.LeaveAll());
}

// Who does not read is owed no more than a bounded number of messages; the rest
// is refused, nobody else waits, and nothing that was accepted is lost.
TEST(ProcessesTest, PeerThatDoesNotReadHoldsUpNobody) {
  // More than the outbox, the credit and the network take together.
  constexpr uint64_t kBurst = 400'000;
  Cluster cluster({"a", "b", "c"}, {.silence = kNever});
  NodeProcess& a = cluster.Start("a");
  NodeProcess& b = cluster.Start("b");
  NodeProcess& c = cluster.Start("c");
  Meet(a, b);
  (void)a.Take("up c");
  (void)c.Take("up a");
  Aim(a, "b");
  Aim(a, "c");
  b.Signal(SIGSTOP);
  a.Say(absl::StrCat("burst b ", kBurst, " 100"));
  (void)a.Take("sent b");
  Flood(a, "c", 1000);
  EXPECT_EQ(AccountOf(a, "c").handled, 1000);
  EXPECT_EQ(c.Left("down a"), 0);
  b.Signal(SIGCONT);
  const Account account = SettledAccountOf(a, "b");
  EXPECT_LT(account.accepted, kBurst);
  EXPECT_EQ(account.handled, account.accepted);
  ExpectAllAccountedFor(account, 0);
  EXPECT_EQ(a.Left("down b"), 0);
  EXPECT_TRUE(cluster.LeaveAll());
}

TEST(ProcessesTest, FloodIsHandledToTheLast) {
  const int64_t messages = absl::GetFlag(FLAGS_messages);
  Cluster cluster({"a", "b"}, {.silence = kNever});
  NodeProcess& a = cluster.Start("a");
  NodeProcess& b = cluster.Start("b");
  Meet(a, b);
  Aim(a, "b");
  Aim(b, "a");
  const absl::Time begun = absl::Now();
  a.Say(absl::StrCat("flood b ", messages, " 100"));
  b.Say(absl::StrCat("flood a ", messages, " 100"));
  (void)a.Take("sent b");
  (void)b.Take("sent a");
  for (const Account& account :
       {SettledAccountOf(a, "b"), SettledAccountOf(b, "a")}) {
    EXPECT_EQ(account.handled, messages + 1);
    ExpectAllAccountedFor(account, 0);
  }
  std::cerr << "A flood of 2 x " << messages << " took " << absl::Now() - begun
            << "; " << (a.resident_bytes() >> 20) << " MiB are resident\n";
  EXPECT_TRUE(cluster.LeaveAll());
}

// What cannot be decoded is a dead letter where it arrives, and nothing else.
TEST(ProcessesTest, UndecodableMessageHarmsNobody) {
  Cluster cluster({"a", "b"}, {.silence = kNever});
  NodeProcess& a = cluster.Start("a");
  NodeProcess& b = cluster.Start("b");
  Meet(a, b);
  Aim(a, "b");
  for (int i = 0; i < 10; ++i) {
    Flood(a, "b", 100);
    a.Say("riddle b");
    (void)a.Take("sent riddle");
  }
  const Account account = SettledAccountOf(a, "b");
  EXPECT_EQ(account.handled, 1001);
  ExpectAllAccountedFor(account, 0);
  b.Say("letters");
  EXPECT_EQ(b.Take("letters"),
            std::vector<std::string>({"letters", "0", "10", "0"}));
  EXPECT_EQ(a.Left("down b"), 0);
  EXPECT_TRUE(cluster.LeaveAll());
}

// A node that goes as soon as it has come, again and again, is up when it
// stays; each incarnation that was up is down once, and before the next.
TEST(ProcessesTest, FlappingNodeIsUpWhenItStays) {
  Cluster cluster({"a", "b"}, {.silence = kNever});
  NodeProcess& a = cluster.Start("a");
  for (int i = 0; i < 3 * absl::GetFlag(FLAGS_rounds); ++i) {
    cluster.Start("b").Signal(SIGKILL);
  }
  NodeProcess& b = cluster.Start("b");
  (void)b.Take("up a");
  Aim(a, "b");
  Flood(a, "b", 1000);
  const Account account = SettledAccountOf(a, "b");
  EXPECT_EQ(account.handled, 1001);
  ExpectAllAccountedFor(account, 0);
  // All that were up before are down.
  EXPECT_EQ(a.Left("up b"), a.Left("down b") + 1);
  EXPECT_TRUE(cluster.LeaveAll());
}

}  // namespace
}  // namespace troupe::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  return RUN_ALL_TESTS();
}
