// A monitor: a lock that is free again when its holder ends, however that ends.
//
//   ./bazelw run //examples:lock_holder
//
// prints
//
//   ann has the lock
//   ann has ended: failed: INTERNAL: out of paper
//   bob has the lock
#include <deque>
#include <iostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/down.h"

namespace {

struct Granted {};
struct Acquire {
  std::string name;
  troupe::ActorRef<Granted> by;
};
struct Release {};

class Lock : public troupe::Actor<Acquire, Release> {
 public:
  void Handle(Acquire m) {
    waiting_.push_back(std::move(m));
    if (waiting_.size() == 1) Grant();
  }
  void Handle(Release) {
    Demonitor(holder_);  // Nothing of it arrives any more.
    Pass();
  }
  void OnDown(const troupe::Down& down) {
    std::cout << waiting_.front().name << " has ended: " << down.reason << "\n";
    Pass();
  }

 private:
  void Grant() {
    std::cout << waiting_.front().name << " has the lock\n";
    holder_ = Monitor(waiting_.front().by);  // Also if that has ended already.
    waiting_.front().by.Send<Granted>();
  }
  void Pass() {
    waiting_.pop_front();
    if (!waiting_.empty()) Grant();
  }

  std::deque<Acquire> waiting_;  // The first one holds the lock.
  troupe::MonitorHandle holder_;
};

class Printer : public troupe::Actor<Granted> {
 public:
  Printer(troupe::ActorRef<Release> lock, bool has_paper)
      : lock_(lock), has_paper_(has_paper) {}

  absl::Status Handle(Granted) {
    if (!has_paper_) return absl::InternalError("out of paper");
    lock_.Send<Release>();
    StopSelf();
    return absl::OkStatus();
  }

 private:
  troupe::ActorRef<Release> lock_;
  const bool has_paper_;
};

}  // namespace

int main() {
  auto system = troupe::ActorSystem::Create({.workers = 1}).value();
  const auto lock = system->Spawn<Lock>().value();
  const auto ann = system->Spawn<Printer>(lock, false).value();
  const auto bob = system->Spawn<Printer>(lock, true).value();
  lock.Send<Acquire>("ann", ann);
  lock.Send<Acquire>("bob", bob);
  (void)bob.Wait();
  (void)lock.DrainAndWait();
}
