// What tests of calls have in common: actors that run what the test gives them,
// one that answers when it is told to, and a count of what lives.
//
// Example:
//
//   script.Send<Play>([&]() -> Task<void> {
//     outcome = co_await gate.Call<Pass>();
//   });
//   gate.Send<Open>();
#ifndef TROUPE_ACTOR_INTERNAL_CALL_TESTING_H_
#define TROUPE_ACTOR_INTERNAL_CALL_TESTING_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/request.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/deterministic_executor.h"

namespace troupe::internal {

// -- something that comes when the test says so, or never

struct Pass {
  using Reply = int;
};
struct Open {};  // Answers 1 to all that wait.

class Gate : public Actor<Pass, Open> {
 public:
  void Handle(Pass, ReplyTo<int> reply) {
    waiting_.push_back(std::move(reply));
  }
  void Handle(Open) {
    for (ReplyTo<int>& reply : waiting_) reply.Send(1);
    waiting_.clear();
  }

 private:
  std::vector<ReplyTo<int>> waiting_;
};

// -- code of the test's, run by an actor

// In a coroutine, for nobody.
struct Play {
  absl::AnyInvocable<Task<void>()> body;
};
// In a coroutine, for a caller.
struct Ask {
  absl::AnyInvocable<Task<absl::StatusOr<int>>(Request&)> body;
  using Reply = int;
};
// In a plain function, for a caller.
struct AskPlainly {
  absl::AnyInvocable<absl::StatusOr<int>(Request&)> body;
  using Reply = int;
};
// In a plain function, for nobody.
struct Do {
  absl::AnyInvocable<void()> body;
};

using ScriptMessages = Protocol<Play, Ask, AskPlainly, Do>;

// A body lives in its message, and that as long as the handler.
class Script : public Actor<ScriptMessages> {
 public:
  Task<void> Handle(Play&& m) { return m.body(); }
  Task<absl::StatusOr<int>> Handle(Ask&& m, Request& request) {
    return m.body(request);
  }
  absl::StatusOr<int> Handle(AskPlainly&& m, Request& request) {
    return m.body(request);
  }
  void Handle(Do&& m) { m.body(); }
};

// The same, and handles all of them beside each other.
class InterleavedScript : public Script {
 public:
  using Interleaved = ScriptMessages;
};

// -- what lives

// In messages, frames and actors of a test that counts them.
class Tracked {
 public:
  explicit Tracked(std::atomic<int>& living) : living_(&living) { ++*living_; }
  Tracked(const Tracked& other) : Tracked(*other.living_) {}
  Tracked& operator=(const Tracked&) { return *this; }  // Of the same test.
  ~Tracked() { --*living_; }

 private:
  std::atomic<int>* living_;
};

// A system without threads, under several seeds.
class CallsTest : public ::testing::TestWithParam<int> {
 protected:
  explicit CallsTest(ActorSystem::Options options = {})
      : executor_(new DeterministicExecutor(DeterministicExecutor::Options{
            .seed = static_cast<uint64_t>(GetParam())})),
        system_(ActorSystem::CreateOn(std::unique_ptr<Executor>(executor_),
                                      options)),
        expired_(system_->Subscribe<DeadLetter>([this](const DeadLetter& dead) {
          if (dead.reason == DeadLetter::Reason::kExpired) ++expired_letters_;
        })) {}

  template <typename A = Script>
  typename A::Ref Spawn() {
    return system_->Spawn<A>().value();
  }

  int expired_letters_ = 0;
  DeterministicExecutor* executor_;
  std::unique_ptr<ActorSystem> system_;
  Subscription expired_;  // Last: the first to go.
};

inline auto SomeSeeds() { return ::testing::Range(1, 9); }

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CALL_TESTING_H_
