// Bounded mailboxes between threads, actors that move, and ends at any moment.
// Checked: whatever was admitted is handled or a dead letter, in the order of
// its sender, and nobody waits for ever.
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/send_result.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/base/random.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

constexpr int kThreads = 3;
constexpr int kActors = 3;

struct Item {
  int sender;
  int64_t number;
};

struct Tally {
  std::atomic<int64_t> admitted{0};
  std::atomic<int64_t> handled{0};
  std::atomic<int64_t> out_of_order{0};
  std::atomic<int64_t> waited_in_vain{0};
  std::atomic<int64_t> lost{0};
};

class Sink : public Actor<Item> {
 public:
  explicit Sink(Tally& tally) : tally_(tally) {}
  void Handle(Item item) {
    // Numbers may be missing: those were refused or dropped.
    int64_t& next = next_from_[item.sender];
    if (item.number < next) tally_.out_of_order.fetch_add(1);
    next = item.number + 1;
    tally_.handled.fetch_add(1);
  }

 private:
  Tally& tally_;
  int64_t next_from_[kThreads + kActors] = {};
};

struct Go {};

// Sends without waiting, a few at a time, until the sink is gone.
class Source : public Actor<Go> {
 public:
  Source(int sender, ActorRef<Item> sink, Tally& tally)
      : sender_(sender), sink_(sink), tally_(tally) {}
  void Handle(Go) {
    for (int i = 0; i < 4; ++i) {
      const SendResult result = sink_.TrySend(Item{sender_, number_++});
      if (!IsRefused(result)) tally_.admitted.fetch_add(1);
      if (result == SendResult::kNoActor) return;
    }
    self().Send<Go>();
  }

 private:
  const int sender_;
  const ActorRef<Item> sink_;
  Tally& tally_;
  int64_t number_ = 0;
};

enum class End { kStop, kDrain, kKill };

void RunRound(OverflowPolicy policy, End end, Random& random) {
  Tally tally;
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 3}).value();
  Sink::Ref sink =
      system
          ->Spawn<Sink>({.mailbox = {.messages = 1 + random.Uniform(8),
                                     .policy = policy}},
                        tally)
          .value();
  Subscription dead =
      system->Subscribe<DeadLetter>([&tally, sink](const DeadLetter& letter) {
        if (letter.target == sink.id()) tally.lost.fetch_add(1);
      });
  for (int i = 0; i < kActors; ++i) {
    system->Spawn<Source>(kThreads + i, sink, tally).value().Send<Go>();
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&tally, sink, t] {
      for (int64_t number = 0;; ++number) {
        const absl::Status sent =
            sink.SendWhenReady<Item>(t, number).Within(absl::Minutes(5)).Wait();
        // kResourceExhausted is a full mailbox too, with other policies; what
        // kDropNewest dropped is among them, and counted by its dead letter.
        if (sent.ok()) tally.admitted.fetch_add(1);
        if (sent.code() == absl::StatusCode::kDeadlineExceeded) {
          tally.waited_in_vain.fetch_add(1);
        }
        if (sent.code() == absl::StatusCode::kNotFound ||
            sent.code() == absl::StatusCode::kAborted) {
          return;
        }
      }
    });
  }
  const int64_t enough = 200 + static_cast<int64_t>(random.Uniform(2000));
  while (tally.handled.load() < enough) std::this_thread::yield();
  switch (end) {
    case End::kStop:
      sink.Stop();
      break;
    case End::kDrain:
      sink.Drain();
      break;
    case End::kKill:
      sink.Kill();
      break;
  }
  for (std::thread& thread : threads) thread.join();
  // A shutdown would overtake the drain.
  EXPECT_THAT(sink.Wait(), testing::IsOk());
  EXPECT_THAT(system->Shutdown(), testing::IsOk());

  EXPECT_EQ(tally.out_of_order.load(), 0);
  EXPECT_EQ(tally.waited_in_vain.load(), 0);
  const int64_t lost = tally.lost.load();
  switch (policy) {
    case OverflowPolicy::kAwait:
    case OverflowPolicy::kReject:
    case OverflowPolicy::kDropOldest:
      EXPECT_EQ(tally.admitted.load(), tally.handled.load() + lost);
      if (end == End::kDrain && policy != OverflowPolicy::kDropOldest) {
        EXPECT_EQ(lost, 0);
      }
      break;
    case OverflowPolicy::kDropNewest:
      // The threads' own count leaves out what was dropped.
      EXPECT_LE(tally.admitted.load(), tally.handled.load() + lost);
      break;
  }
}

// §13, §18, §21.
TEST(BoundedMailboxStressTest, AdmittedIsHandledOrADeadLetter) {
  for (const uint64_t seed : testing::TestSeeds(3)) {
    SCOPED_TRACE(seed);
    Random random(seed);
    for (OverflowPolicy policy :
         {OverflowPolicy::kAwait, OverflowPolicy::kReject,
          OverflowPolicy::kDropNewest, OverflowPolicy::kDropOldest}) {
      for (End end : {End::kStop, End::kDrain, End::kKill}) {
        SCOPED_TRACE(static_cast<int>(policy));
        SCOPED_TRACE(static_cast<int>(end));
        RunRound(policy, end, random);
      }
    }
  }
}

}  // namespace
}  // namespace troupe
