// Actors that await whatever can be awaited, for tests that run them by seeds
// and on threads. What each await may come to is checked on the way; in the end
// nothing may be left: no frame, no message, no actor.
#ifndef TROUPE_ACTOR_INTERNAL_AWAITS_WORLD_H_
#define TROUPE_ACTOR_INTERNAL_AWAITS_WORLD_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/task.h"
#include "troupe/base/random.h"
#include "troupe/mailbox/capacity.h"

namespace troupe::internal {

class AwaitsWorld;

struct Page {
  Page(std::atomic<int>& alive, int from, int64_t its_number)
      : counted(alive), sender(from), number(its_number) {}
  Page(Page&&) = default;

  Counted counted;
  int sender;
  int64_t number;
};

struct Walk {
  int steps;
};

// Takes few pages at a time.
class PageReader : public Actor<Page> {
 public:
  explicit PageReader(AwaitsWorld& world) : world_(world) {}
  void Handle(const Page& page);

 private:
  AwaitsWorld& world_;
  std::vector<int64_t> next_;  // Of each sender.
};

// Starts when somebody outside says so.
class SlowChild : public Actor<Walk> {
 public:
  explicit SlowChild(AwaitsWorld& world) : world_(world) {}
  Task<absl::Status> PreStart();
  void Handle(Walk) {}

 private:
  AwaitsWorld& world_;
};

// Awaits one thing after the other, and several walks at a time.
class Walker : public Actor<Walk> {
 public:
  using Interleaved = Walk;

  Walker(AwaitsWorld& world, int number, uint64_t seed)
      : world_(world), number_(number), random_(seed) {}
  Task<void> Handle(Walk walk);

 private:
  Task<void> AwaitOne();
  Task<void> AwaitCompletion();
  Task<void> AwaitSpace();
  Task<void> AwaitEnd();
  Task<void> AwaitStart();
  Task<void> AwaitBlocking();
  Task<void> AwaitAny();
  // Some, none, or as long as it takes.
  absl::Duration AnyTime();

  AwaitsWorld& world_;
  const int number_;
  Random random_;
  int64_t pages_ = 0;
};

class AwaitsWorld {
 public:
  static constexpr int kWalkers = 5;

  AwaitsWorld(ActorSystem& system, uint64_t seed)
      : system_(system), random_(seed) {
    for (int i = 0; i < kWalkers; ++i) Replace(i);
    ReplaceReader();
  }

  // -- outside: one thread at a time

  // One of the things that happen to actors.
  void Step() {
    const uint64_t chance = random_.Uniform(100);
    const int number = static_cast<int>(random_.Uniform(kWalkers));
    if (chance < 40) {
      if (std::optional<Completer<Counted>> one = TakeCompleter()) {
        Finish(*std::move(one), random_);
      }
    } else if (chance < 90) {
      walker(number).Send<Walk>(static_cast<int>(random_.Uniform(4)));
    } else if (chance < 94) {
      walker(number).Kill();
      Replace(number);
    } else if (chance < 96) {
      walker(number).Stop();
      Replace(number);
    } else if (chance < 97) {
      reader().Stop();
      ReplaceReader();
    }
  }
  // Nothing is left to come: whoever waits is told.
  void Close() ABSL_LOCKS_EXCLUDED(mu_) {
    std::vector<Completer<Counted>> dropped;
    absl::MutexLock lock(&mu_);
    closed_ = true;
    dropped.swap(completers_);
  }

  // -- any thread

  ActorRef<Walk> walker(int number) const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return walkers_[static_cast<size_t>(number)];
  }
  ActorRef<Page> reader() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return reader_;
  }
  // For somebody outside to complete.
  void Leave(Completer<Counted> completer) ABSL_LOCKS_EXCLUDED(mu_) {
    // One that is dropped goes without the lock.
    absl::MutexLock lock(&mu_);
    if (!closed_) completers_.push_back(std::move(completer));
  }
  std::optional<Completer<Counted>> TakeCompleter() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    if (completers_.empty()) return std::nullopt;
    std::optional<Completer<Counted>> one(std::move(completers_.back()));
    completers_.pop_back();
    return one;
  }
  // Completes, fails or drops it.
  void Finish(Completer<Counted> completer, Random& random) {
    const uint64_t chance = random.Uniform(4);
    if (chance == 0) (void)completer.Complete(absl::DataLossError("lost"));
    if (chance > 1) (void)completer.Complete(Counted(alive));
  }
  void Expect(const absl::Status& status,
              std::initializer_list<absl::StatusCode> allowed) {
    awaits.fetch_add(1);
    for (const absl::StatusCode code : allowed) {
      if (status.code() == code) return;
    }
    ADD_FAILURE() << status;
  }

  std::atomic<int> alive{0};  // Frames, pages, closures, values.
  std::atomic<int64_t> awaits{0};
  std::atomic<int64_t> pages_admitted{0};
  std::atomic<int64_t> pages_read{0};

 private:
  void Replace(int number) ABSL_LOCKS_EXCLUDED(mu_) {
    const ActorRef<Walk> walker =
        system_.Spawn<Walker>(*this, ++walkers_made_, random_.NextUint64())
            .value();
    absl::MutexLock lock(&mu_);
    walkers_[static_cast<size_t>(number)] = walker;
  }
  void ReplaceReader() ABSL_LOCKS_EXCLUDED(mu_) {
    const ActorRef<Page> reader =
        system_.Spawn<PageReader>({.mailbox = {.messages = 2}}, *this).value();
    absl::MutexLock lock(&mu_);
    reader_ = reader;
  }

  ActorSystem& system_;
  Random random_;
  int walkers_made_ = 0;
  mutable absl::Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::array<ActorRef<Walk>, kWalkers> walkers_ ABSL_GUARDED_BY(mu_);
  ActorRef<Page> reader_ ABSL_GUARDED_BY(mu_);
  std::vector<Completer<Counted>> completers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_AWAITS_WORLD_H_
