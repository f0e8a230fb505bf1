// Actors that watch each other, for tests of monitors and links.
#ifndef TROUPE_ACTOR_INTERNAL_WATCH_TESTING_H_
#define TROUPE_ACTOR_INTERNAL_WATCH_TESTING_H_

#include <functional>
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
#include "troupe/actor/task.h"

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
