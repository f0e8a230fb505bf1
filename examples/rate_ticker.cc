// A worker that may do three jobs in each period, and rests when none is left.
//
//   ./bazelw run //examples:rate_ticker
//
// prints
//
//   period 1: a b c
//   period 2: d e f
//   period 3: g
#include <deque>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/timer.h"

namespace {

struct Jobs {
  std::vector<std::string> names;
};
struct Tick {};

class Worker : public troupe::Actor<Jobs, Tick> {
 public:
  void Handle(const Jobs& m) {
    jobs_.insert(jobs_.end(), m.names.begin(), m.names.end());
    if (!ticker_.pending()) ticker_ = SendEvery<Tick>(kPeriod);
  }

  void Handle(Tick) {
    std::cout << "period " << ++periods_ << ":";
    for (int i = 0; i < kJobsPerPeriod && !jobs_.empty(); ++i) {
      std::cout << " " << jobs_.front();
      jobs_.pop_front();
    }
    std::cout << std::endl;
    if (!jobs_.empty()) return;
    ticker_.Cancel();  // Nothing arrives any more.
    StopAfter(kPeriod);
  }

 private:
  static constexpr absl::Duration kPeriod = absl::Milliseconds(20);
  static constexpr int kJobsPerPeriod = 3;

  std::deque<std::string> jobs_;
  int periods_ = 0;
  troupe::Timer ticker_;
};

}  // namespace

int main() {
  const auto system = troupe::ActorSystem::Create({}).value();
  const auto worker = system->Spawn<Worker>().value();
  worker.Send(Jobs{{"a", "b", "c", "d", "e", "f", "g"}});
  system->AwaitNoActors();
}
