// What actors and messages leave behind when all is quiet.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/cell_pool.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_pool.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/thread_executor.h"

namespace troupe {
namespace {

constexpr MonotonicTime kNoDeadline = MonotonicTime::InfiniteFuture();

struct Leave {};
class Member : public Actor<Leave> {
 public:
  void Handle(Leave) { StopSelf(); }
};

struct Gather {
  int size;
};
struct Disperse {};
class Host : public Actor<Gather, Disperse> {
 public:
  void Handle(Gather gather) {
    for (int i = 0; i < gather.size; ++i) {
      members_.push_back(Spawn<Member>().value());
    }
  }
  // One in the middle stays.
  void Handle(Disperse) {
    for (size_t i = 0; i < members_.size(); ++i) {
      if (i != members_.size() / 2) members_[i].Send<Leave>();
    }
    members_ = {};
  }

 private:
  std::vector<Member::Ref> members_;
};

bool Await(ActorSystem& system, absl::FunctionRef<bool()> condition) {
  return system.executor().RunUntil(condition, kNoDeadline);
}

TEST(TidyUpTest, StoppedActorsLeaveNoMemory) {
  constexpr int kMembers = 50'000;
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 2}).value();
  const Host::Ref host = system->Spawn<Host>().value();
  const size_t before = internal::CellPool::HeldBytes();
  host.Send<Gather>(kMembers);
  ASSERT_TRUE(
      Await(*system, [&] { return system->live_actors() == kMembers + 1; }));
  const size_t all = internal::CellPool::HeldBytes();
  EXPECT_GE(all, before + kMembers * sizeof(internal::Cell));
  host.Send<Disperse>();
  ASSERT_TRUE(Await(*system, [&] { return system->live_actors() == 2; }));
  // A batch stays for the one that does.
  const size_t batch = 64 * 192;
  EXPECT_TRUE(Await(*system, [&] {
    return internal::CellPool::HeldBytes() <= before + batch;
  }));
}

struct Number {
  int64_t value;
};
class Counter : public Actor<Number> {
 public:
  Counter(int64_t expected, Event& done) : expected_(expected), done_(done) {}
  void Handle(Number) {
    if (++count_ == expected_) done_.Set();
  }

 private:
  const int64_t expected_;
  Event& done_;
  int64_t count_ = 0;
};

struct Flood {};
class Flooder : public Actor<Flood> {
 public:
  Flooder(Counter::Ref counter, int64_t messages)
      : counter_(counter), messages_(messages) {}
  void Handle(Flood) {
    for (int64_t i = 0; i < messages_; ++i) counter_.Send<Number>(i);
    EXPECT_GE(EnvelopePool::HeldBytes(), size_t(messages_) * sizeof(Envelope));
  }

 private:
  const Counter::Ref counter_;
  const int64_t messages_;
};

TEST(TidyUpTest, HandledMessagesLeaveNoMemory) {
  constexpr int64_t kMessages = 500'000;
  // With one thread, so that the last is sent before the first is handled.
  const std::unique_ptr<ActorSystem> system = ActorSystem::CreateOn(
      ThreadExecutor::Create(
          {.workers = 1, .take_over_after = absl::InfiniteDuration()})
          .value(),
      {});
  Event done;
  const Counter::Ref counter = system->Spawn<Counter>(kMessages, done).value();
  const Flooder::Ref flooder =
      system->Spawn<Flooder>(counter, kMessages).value();
  flooder.Send<Flood>();
  ASSERT_TRUE(system->executor().WaitFor(done, kNoDeadline));
  // What this thread's own cache keeps, and the header of its slab.
  EXPECT_TRUE(Await(*system, [&] {
    return EnvelopePool::HeldBytes() <= size_t{200} * 1024;
  }));
}

}  // namespace
}  // namespace troupe
