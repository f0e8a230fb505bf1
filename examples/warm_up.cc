// A cache that sets requests aside until it has loaded.
//
//   ./bazelw run //examples:warm_up
//
// prints
//
//   loading
//   loaded
//   Ada: 1815
//   Grace: 1906
#include <iostream>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/stash.h"
#include "troupe/actor/timer.h"

namespace {

struct BornIn {
  std::string name;
  using Reply = int;
};
struct Loaded {
  std::map<std::string, int> years;
};

class Cache : public troupe::Actor<BornIn, Loaded> {
 public:
  void PostStart() {
    std::cout << "loading" << std::endl;
    SendAfter<Loaded>(absl::Milliseconds(20), std::map<std::string, int>{
                                                  {"Ada", 1815},
                                                  {"Grace", 1906},
                                              });
  }

  void Handle(BornIn m, troupe::ReplyTo<int> reply) {
    if (years_.empty()) {
      absl::Status kept = stash_.Put(std::move(m), std::move(reply));
      if (!kept.ok()) reply.Send(kept);  // It is full.
      return;
    }
    reply.Send(years_.at(m.name));
  }

  void Handle(Loaded m) {
    std::cout << "loaded" << std::endl;
    years_ = std::move(m.years);
    stash_.Unstash();
  }

 private:
  std::map<std::string, int> years_;
  troupe::Stash<BornIn> stash_{this, 1000};
};

}  // namespace

int main() {
  const auto system = troupe::ActorSystem::Create({}).value();
  const auto cache = system->Spawn<Cache>().value();
  for (const char* name : {"Ada", "Grace"}) {
    const absl::StatusOr<int> year = cache.Call<BornIn>(name).Wait();
    std::cout << name << ": " << year.value() << std::endl;
  }
}
