// What several threads send, each after the one before, arrives in that order
// (internal/send.h): a lock decides it, although an actor on the receiver's
// worker, one elsewhere and a plain thread send, each by the way that is open
// to it.
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/send_result.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;

struct Numbered {
  int64_t number;
};
struct HowMany {
  using Reply = int64_t;
};

class Reader : public Actor<Numbered, HowMany> {
 public:
  void Handle(Numbered m) { EXPECT_EQ(m.number, ++last_); }
  int64_t Handle(HowMany) { return last_; }

 private:
  int64_t last_ = 0;
};

// Sends numbers, one at a time whoever calls Next().
class Counter {
 public:
  Counter(Reader::Ref reader, Lane lane) : reader_(reader), lane_(lane) {}

  void Next() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    internal::Cell& cell = *reader_.cell();
    const uint64_t id = reader_.id().value();
    Envelope* const envelope = MakeEnvelope<Numbered>(++last_);
    if (lane_ == Lane::kNormal) {
      internal::SendBehindAll(cell, id, envelope);
    } else {
      EXPECT_EQ(internal::PushBehindAll(cell, id, envelope), SendResult::kSent);
    }
  }

 private:
  const Reader::Ref reader_;
  const Lane lane_;
  absl::Mutex mu_;
  int64_t last_ ABSL_GUARDED_BY(mu_) = 0;
};

struct Go {
  int64_t left;
};
class Sender : public Actor<Go> {
 public:
  explicit Sender(Counter& counter) : counter_(counter) {}
  void Handle(Go m) {
    for (int i = 0; i < 8 && m.left > 0; ++i, --m.left) counter_.Next();
    if (m.left > 0) {
      self().Send<Go>(m.left);
    } else {
      StopSelf();
    }
  }

 private:
  Counter& counter_;
};

void ExpectOrderOfTheCalls(Lane lane, const SpawnOptions& options) {
  constexpr int64_t kEach = 20000;
  constexpr int kSenders = 4;
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 2}).value();
  const auto reader = system->Spawn<Reader>(options).value();
  Counter counter(reader, lane);
  std::vector<Sender::Ref> senders;
  for (int i = 0; i < kSenders; ++i) {
    senders.push_back(system->Spawn<Sender>(counter).value());
    senders.back().Send<Go>(kEach);
  }
  std::thread outside([&] {
    for (int64_t i = 0; i < kEach; ++i) counter.Next();
  });
  outside.join();
  for (const Sender::Ref& sender : senders) EXPECT_THAT(sender.Wait(), IsOk());
  EXPECT_THAT(reader.Call<HowMany>().Wait(),
              IsOkAndHolds((kSenders + 1) * kEach));
}

TEST(SendBehindAllStressTest, NormalLaneKeepsTheOrderOfTheCalls) {
  ExpectOrderOfTheCalls(Lane::kNormal, {});
}

TEST(SendBehindAllStressTest, BoundedMailboxKeepsTheOrderOfTheCalls) {
  ExpectOrderOfTheCalls(Lane::kNormal, {.mailbox = {.messages = 1'000'000}});
}

TEST(SendBehindAllStressTest, UrgentLaneKeepsTheOrderOfTheCalls) {
  ExpectOrderOfTheCalls(Lane::kUrgent, {});
}

TEST(SendBehindAllStressTest, TheDeadRefuse) {
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  const auto reader = system->Spawn<Reader>().value();
  EXPECT_THAT(reader.StopAndWait(), IsOk());
  internal::Cell& cell = *reader.cell();
  const uint64_t id = reader.id().value();
  const EnvelopePtr kept(MakeEnvelope<Numbered>(1));
  EXPECT_EQ(internal::PushBehindAll(cell, id, kept.get()),
            SendResult::kNoActor);

  std::vector<DeadLetter::Reason> reasons;
  const Subscription letters = system->Subscribe<DeadLetter>(
      [&](const DeadLetter& letter) { reasons.push_back(letter.reason); });
  internal::SendBehindAll(cell, id, MakeEnvelope<Numbered>(2));
  EXPECT_THAT(reasons, ::testing::ElementsAre(DeadLetter::Reason::kNoActor));
}

}  // namespace
}  // namespace troupe
