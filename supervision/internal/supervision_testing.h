// What tests of supervisors have in common: children that do as they are told,
// and a journal of what they did.
#ifndef TROUPE_SUPERVISION_INTERNAL_SUPERVISION_TESTING_H_
#define TROUPE_SUPERVISION_INTERNAL_SUPERVISION_TESTING_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/executor.h"
#include "troupe/supervision/supervision_report.h"

namespace troupe::internal {

// What happened, in order.
//
// Thread safety: any thread.
class Journal {
 public:
  void Add(std::string entry) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    entries_.push_back(std::move(entry));
  }
  std::vector<std::string> entries() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return entries_;
  }
  size_t CountOf(absl::string_view entry) const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return std::count(entries_.begin(), entries_.end(), entry);
  }
  void Clear() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    entries_.clear();
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<std::string> entries_ ABSL_GUARDED_BY(mu_);
};

// What supervisors of a system report.
//
// Thread safety: any thread.
class Reports {
 public:
  explicit Reports(ActorSystem& system)
      : subscription_(system.Subscribe<SupervisionReport>(
            [this](const SupervisionReport& report) {
              absl::MutexLock lock(&mu_);
              reports_.push_back(report);
            })) {}

  std::vector<SupervisionReport> Get() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return reports_;
  }
  void Clear() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    reports_.clear();
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<SupervisionReport> reports_ ABSL_GUARDED_BY(mu_);
  Subscription subscription_;  // Last: the first to go.
};

// Lets the system play until `done`. REQUIRES: not in a handler.
inline void PlayUntil(ActorSystem& system, std::function<bool()> done) {
  EXPECT_TRUE(system.executor().RunUntil([&] { return done(); },
                                         MonotonicTime::InfiniteFuture()));
}

struct Hurt {  // Fails it.
  absl::Status how;
};
struct Throw {};
struct Leave {};  // Stops it.
struct Note {     // Goes into the journal.
  std::string text;
};
struct Ask {
  using Reply = int;  // How often it was asked.
};
struct WorkerApi : Protocol<Hurt, Throw, Leave, Note, Ask> {};

// Notes its starts and ends: "+a", "-a".
class Worker : public Actor<WorkerApi> {
 public:
  Worker(Journal& journal, std::string name)
      : journal_(journal), name_(std::move(name)) {}
  ~Worker() { journal_.Add(absl::StrCat("-", name_)); }

  void PreStart() { journal_.Add(absl::StrCat("+", name_)); }
  absl::Status Handle(Hurt m) { return m.how; }
  void Handle(Throw) { throw std::runtime_error("thrown"); }
  void Handle(Leave) { StopSelf(); }
  void Handle(Note m) { journal_.Add(absl::StrCat(name_, ": ", m.text)); }
  int Handle(Ask) { return ++asked_; }

 private:
  Journal& journal_;
  const std::string name_;
  int asked_ = 0;
};

// Tells when it begins to start, and takes a while to; fails in its first turn
// if told to.
class Late : public Actor<Ask> {
 public:
  Late(std::function<void(AnyActorRef)> begins, absl::Duration delay,
       absl::Status first_turn)
      : begins_(std::move(begins)), delay_(delay), first_turn_(first_turn) {}
  Task<void> PreStart() {
    begins_(self());
    (void)co_await Sleep(delay_);
  }
  absl::Status PostStart() { return first_turn_; }
  int Handle(Ask) { return 1; }

 private:
  const std::function<void(AnyActorRef)> begins_;
  const absl::Duration delay_;
  const absl::Status first_turn_;
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_SUPERVISION_TESTING_H_
