// What tests of awaitables have in common: an actor that runs whatever Task it
// is given, and ways for the test to follow it.
#ifndef TROUPE_ACTOR_INTERNAL_AWAIT_TESTING_H_
#define TROUPE_ACTOR_INTERNAL_AWAIT_TESTING_H_

#include <atomic>
#include <functional>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/event.h"

namespace troupe::internal {

class Runner;

// What a Runner is to do. A closure of it lives as long as its Task.
struct Do {
  using Reply = absl::Status;
  using Work = std::function<Task<absl::Status>(Runner&)>;

  explicit Do(Work what) : work(std::move(what)) {}
  Work work;
};

// Handles one after the other.
class Runner : public Actor<Do> {
 public:
  using Actor::self;
  using Actor::Spawn;
  using Actor::SpawnAsync;
  using Actor::StopSelf;
  using Actor::system;

  Task<absl::Status> Handle(const Do& m) { return m.work(*this); }
};

// Handles all at once.
class InterleavedRunner : public Runner {
 public:
  using Interleaved = Do;
};

// Something that a Task gives to the test.
template <typename T>
class Handed {
 public:
  void Put(T value) {
    value_ = std::move(value);
    put_.Set();
  }
  // Waits for it. REQUIRES: not in a handler.
  T& Await(ActorSystem& system) {
    EXPECT_TRUE(
        system.executor().WaitFor(put_, MonotonicTime::InfiniteFuture()));
    return *value_;
  }
  bool IsPut() const { return put_.IsSet(); }

 private:
  std::optional<T> value_;  // Written before the event is set.
  Event put_;
};

// Runs a Task that waits for nothing, outside of any actor.
template <typename T>
T RunOutside(Task<T> task) {
  const auto root = task.Release();
  RunCoroutine(root);
  EXPECT_TRUE(root.done());
  T result = root.promise().TakeResult();
  root.destroy();
  return result;
}

// Counts itself.
class Counted {
 public:
  explicit Counted(std::atomic<int>& count) : count_(&count) { ++*count_; }
  Counted(const Counted& other) : count_(other.count_) { ++*count_; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*count_; }

 private:
  std::atomic<int>* count_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_AWAIT_TESTING_H_
