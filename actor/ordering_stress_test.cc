// Actors on several workers that send to each other at random, with everything
// that moves an actor or its worker going on: hand-overs, claims, handlers that
// block until their worker has another thread, children that come and go, and
// threads from outside. Some mailboxes are bounded, if never full. Checked: the
// order of each pair, and that no message is lost or handled twice.
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/base/ownership.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

constexpr int kNodes = 24;
constexpr int kThreads = 3;
constexpr int kTokens = 16;
constexpr int kHops = 10000;
constexpr int kFromOutside = 20000;
constexpr int kSenders = kNodes + kThreads;
constexpr int kMoreThanAreSent = 1'000'000;

struct Token {
  int sender;
  int64_t number;  // Counts what the sender has sent to this receiver.
  int hops;
};
struct Neighbours {
  const std::vector<ActorRef<Token>>* nodes;
};
struct Greeting {};

// Shared by all of one run.
struct Tally {
  std::atomic<int64_t> left{0};
  std::atomic<int64_t> out_of_order{0};
  std::atomic<int64_t> greetings{0};
  absl::Notification done;

  void Handled() {
    if (left.fetch_sub(1) == 1) done.Notify();
  }
};

struct Child : Actor<Greeting> {
  explicit Child(ActorRef<Greeting> to_greet) : parent_ref(to_greet) {}
  void PostStart() { parent_ref.Send<Greeting>(); }
  void Handle(Greeting) { StopSelf(); }
  ActorRef<Greeting> parent_ref;
};

class Node : public Actor<Token, Neighbours, Greeting> {
 public:
  Node(int index, uint64_t seed, Tally& tally)
      : index_(index), random_(seed + index), tally_(tally) {}

  void Handle(Neighbours m) { nodes_ = m.nodes; }
  void Handle(Greeting) { tally_.greetings.fetch_add(1); }
  void Handle(Token token) {
    if (token.number != next_from_[token.sender]++) {
      tally_.out_of_order.fetch_add(1);
    }
    if (random_.Uniform(2000) == 0) BlockUntilTakenOver();
    if (random_.Uniform(200) == 0) {
      ActorRef<Greeting> child = Spawn<Child>(self()).value();
      child.Send<Greeting>();
    }
    if (token.hops > 0) {
      const uint64_t to = random_.Uniform(kNodes);
      (*nodes_)[to].Send<Token>(index_, next_to_[to]++, token.hops - 1);
    }
    tally_.Handled();
  }

 private:
  void BlockUntilTakenOver() {
    // Not by counting take-overs: this one may have come already.
    while (this_thread.seat.tag() != OwnerTag::kNoSeat) {
      std::this_thread::yield();
    }
  }

  const int index_;
  Random random_;
  Tally& tally_;
  const std::vector<ActorRef<Token>>* nodes_ = nullptr;
  int64_t next_from_[kSenders] = {};
  int64_t next_to_[kNodes] = {};
};

// §17, §18, §19: order per pair, nothing lost, blocking handlers strand nobody.
TEST(OrderingStressTest, KeepsOrderPerPairWhateverMoves) {
  for (const uint64_t seed : testing::TestSeeds(5)) {
    SCOPED_TRACE(seed);
    Tally tally;
    tally.left = int64_t{kTokens} * kHops + int64_t{kThreads} * kFromOutside;
    std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 3}).value();
    std::vector<ActorRef<Token>> nodes;
    for (int i = 0; i < kNodes; ++i) {
      SpawnOptions options;
      if (i % 3 == 0) options.mailbox.messages = kMoreThanAreSent;
      ActorRef<Token, Neighbours> node =
          system->Spawn<Node>(options, i, seed, tally).value();
      node.Send<Neighbours>(&nodes);
      nodes.push_back(node);
    }
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        Random random(seed + 1000 + t);
        int64_t next_to[kNodes] = {};
        for (int i = 0; i < kFromOutside; ++i) {
          const uint64_t to = random.Uniform(kNodes);
          // The first thread starts the tokens that go from node to node.
          const int hops = t == 0 && i < kTokens ? kHops : 0;
          nodes[to].Send<Token>(kNodes + t, next_to[to]++, hops);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    tally.done.WaitForNotification();

    EXPECT_THAT(system->Shutdown(), testing::IsOk());
    EXPECT_EQ(tally.out_of_order.load(), 0);
    EXPECT_EQ(tally.left.load(), 0);
    EXPECT_EQ(system->live_actors(), 0u);
  }
}

}  // namespace
}  // namespace troupe
