// Actors that watch each other, for tests of monitors and links.
#ifndef TROUPE_ACTOR_INTERNAL_WATCH_TESTING_H_
#define TROUPE_ACTOR_INTERNAL_WATCH_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/thread_context.h"

namespace troupe::internal {

// What actors have noted, in the order in which they did. Thread-safe.
class Journal {
 public:
  void Add(std::string line) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return lines_;
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mu_);
};

// How many watch an actor, by whose code this is called. Nothing: its worker
// went on without it, and the table is the worker's.
inline std::optional<size_t> WatchersOf(Cell& cell) {
  std::optional<size_t> watchers;
  const uint64_t tag = EnterSeat();
  if (OwnerTag::IsOfWorker(tag)) {
    watchers = cell.extras != nullptr ? cell.extras->watchers.size() : 0;
  }
  LeaveSeat();
  return watchers;
}

class Person;

// What a Person is to do. A closure of it lives as long as its Task.
struct Act {
  using Reply = absl::Status;
  using Work = std::function<Task<absl::Status>(Person&)>;

  explicit Act(Work what) : work(std::move(what)) {}
  Work work;
};
struct Note {
  int number;
};

class Person : public Actor<Act, Note> {
 public:
  using Actor::cell;
  using Actor::Demonitor;
  using Actor::Fail;
  using Actor::Link;
  using Actor::Monitor;
  using Actor::self;
  using Actor::Spawn;
  using Actor::StopSelf;
  using Actor::Unlink;

  explicit Person(Journal& journal) : journal(journal) {}

  Task<absl::Status> Handle(const Act& m) { return m.work(*this); }
  void Handle(Note m) { journal.Add(absl::StrCat("note ", m.number)); }

  Journal& journal;
};

// Notes who is down.
class Watcher : public Person {
 public:
  using Person::Person;
  void OnDown(const Down& down) {
    downs.push_back(down);
    journal.Add(absl::StrCat("down ", down.reason.ToString()));
  }
  std::vector<Down> downs;
};

// Is told of exits, and lives on.
class Trapper : public Person {
 public:
  using Person::Person;
  void OnExit(const Exit& exit) {
    exits.push_back(exit);
    journal.Add(absl::StrCat("exit ", exit.reason.ToString()));
  }
  std::vector<Exit> exits;
};

// Has `actor` do something that waits for nothing, and waits until it has.
template <typename F>
void Have(const ActorRef<Act>& actor, F&& what) {
  const absl::Status done =
      actor
          .Call<Act>([&what](Person& person) -> Task<absl::Status> {
            what(person);
            co_return absl::OkStatus();
          })
          .Wait();
  EXPECT_TRUE(done.ok()) << done;
}

// Waits until `actor` has handled what has reached it.
inline void AwaitHandled(const ActorRef<Act>& actor) {
  Have(actor, [](Person&) {});
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_WATCH_TESTING_H_
