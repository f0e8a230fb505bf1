// What tests of supervisors have in common: children that do as they are told,
// and a journal of what they did.
#ifndef TROUPE_SUPERVISION_INTERNAL_SUPERVISION_TESTING_H_
#define TROUPE_SUPERVISION_INTERNAL_SUPERVISION_TESTING_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/executor.h"

namespace troupe::internal {

// What happened, in order. Thread safety: any thread.
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

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_SUPERVISION_TESTING_H_
