// Messages that are pushed under a lock: the lock decides their order, although
// an actor on the receiver's worker, one elsewhere and a plain thread send
// them, each on the way that is open to it.
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

class Counter {
 public:
  explicit Counter(Reader::Ref reader) : reader_(reader) {}

  void Push() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    EXPECT_EQ(internal::PushUrgent(*reader_.cell(), reader_.id().value(),
                                   MakeEnvelope<Numbered>(++last_)),
              SendResult::kSent);
  }

 private:
  const Reader::Ref reader_;
  absl::Mutex mu_;
  int64_t last_ ABSL_GUARDED_BY(mu_) = 0;
};

struct Go {
  int64_t left;
};
class Pusher : public Actor<Go> {
 public:
  explicit Pusher(Counter& counter) : counter_(counter) {}
  void Handle(Go m) {
    for (int i = 0; i < 8 && m.left > 0; ++i, --m.left) counter_.Push();
    if (m.left > 0) {
      self().Send<Go>(m.left);
    } else {
      StopSelf();
    }
  }

 private:
  Counter& counter_;
};

TEST(UrgentPushStressTest, OrderIsThatOfTheCallsWhoeverSends) {
  constexpr int64_t kEach = 20000;
  constexpr int kPushers = 4;
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 2}).value();
  const auto reader = system->Spawn<Reader>().value();
  Counter counter(reader);
  std::vector<Pusher::Ref> pushers;
  for (int i = 0; i < kPushers; ++i) {
    pushers.push_back(system->Spawn<Pusher>(counter).value());
    pushers.back().Send<Go>(kEach);
  }
  std::thread outside([&] {
    for (int64_t i = 0; i < kEach; ++i) counter.Push();
  });
  outside.join();
  for (const Pusher::Ref& pusher : pushers) EXPECT_THAT(pusher.Wait(), IsOk());
  EXPECT_THAT(reader.Call<HowMany>().Wait(),
              IsOkAndHolds((kPushers + 1) * kEach));
}

TEST(UrgentPushStressTest, TheDeadRefuse) {
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  const auto reader = system->Spawn<Reader>().value();
  EXPECT_THAT(reader.StopAndWait(), IsOk());
  const EnvelopePtr envelope(MakeEnvelope<Numbered>(1));
  EXPECT_EQ(
      internal::PushUrgent(*reader.cell(), reader.id().value(), envelope.get()),
      SendResult::kNoActor);
}

}  // namespace
}  // namespace troupe
