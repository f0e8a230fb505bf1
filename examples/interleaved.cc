// A desk that goes on answering while its other answers wait for the market.
//
//   ./bazelw run //examples:interleaved
//
// prints
//
//   2 are asked for
//   apples: 30
//   pears: 25
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/task.h"

namespace {

struct Price {
  std::string fruit;
  using Reply = int;
};
struct CountAsked {
  using Reply = int;
};
struct Open {};

// Answers when it opens.
class Market : public troupe::Actor<Price, Open> {
 public:
  void Handle(const Price& m, troupe::ReplyTo<int> reply) {
    asked_.push_back({m.fruit, std::move(reply)});
  }
  void Handle(Open) {
    for (Asked& asked : asked_) {
      asked.reply.Send(asked.fruit == "apples" ? 30 : 25);
    }
  }

 private:
  struct Asked {
    std::string fruit;
    troupe::ReplyTo<int> reply;
  };
  std::vector<Asked> asked_;
};

class Desk : public troupe::Actor<Price, CountAsked> {
 public:
  using Interleaved = troupe::Protocol<Price, CountAsked>;

  explicit Desk(troupe::ActorRef<Price> market) : market_(market) {}

  troupe::Task<absl::StatusOr<int>> Handle(const Price& m) {
    ++asked_;
    const absl::StatusOr<int> cents =
        co_await market_.Call<Price>(m.fruit).Within(absl::InfiniteDuration());
    --asked_;
    co_return cents;
  }
  int Handle(CountAsked) { return asked_; }

 private:
  const troupe::ActorRef<Price> market_;
  int asked_ = 0;
};

}  // namespace

int main() {
  const auto system =
      troupe::ActorSystem::Create({.call_timeout = absl::Seconds(30)}).value();
  const auto market = system->Spawn<Market>().value();
  const auto desk = system->Spawn<Desk>(market).value();
  auto apples = desk.Call<Price>("apples").Start();
  auto pears = desk.Call<Price>("pears").Start();
  std::cout << desk.Call<CountAsked>().Wait().value() << " are asked for\n";
  market.Send<Open>();
  std::cout << "apples: " << std::move(apples).Wait().value() << "\n";
  std::cout << "pears: " << std::move(pears).Wait().value() << "\n";
}
