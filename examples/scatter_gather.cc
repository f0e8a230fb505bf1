// Asks several shops for their prices at once, and takes what has come before
// the deadline.
//
//   ./bazelw run //examples:scatter_gather
//
// prints
//
//   Ann: 120
//   Bob: 95
//   Cem: no answer: DEADLINE_EXCEEDED
//   the best price is 95
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call_all.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"

namespace {

struct Price {
  using Reply = int64_t;
};

class Shop : public troupe::Actor<Price> {
 public:
  Shop(int64_t cents, absl::Duration thinks_for)
      : cents_(cents), thinks_for_(thinks_for) {}

  troupe::Task<absl::StatusOr<int64_t>> Handle(Price) {
    // False: nobody waits for the answer any more.
    const bool slept = co_await troupe::Sleep(thinks_for_);
    if (!slept) {
      co_return absl::DeadlineExceededError("too slow");
    }
    co_return cents_;
  }

 private:
  const int64_t cents_;
  const absl::Duration thinks_for_;
};

struct BestPrice {
  using Reply = int64_t;
};

class Broker : public troupe::Actor<BestPrice> {
 public:
  absl::Status PreStart() {
    for (const auto& [name, cents, time] :
         {std::tuple("Ann", 120, absl::Milliseconds(1)),
          std::tuple("Bob", 95, absl::ZeroDuration()),
          std::tuple("Cem", 80, absl::Hours(1))}) {
      const auto shop = Spawn<Shop>(cents, time);
      if (!shop.ok()) return shop.status();
      names_.push_back(name);
      shops_.push_back(*shop);
    }
    return absl::OkStatus();
  }

  troupe::Task<absl::StatusOr<int64_t>> Handle(BestPrice) {
    const std::vector<absl::StatusOr<int64_t>> offers =
        co_await troupe::CallAll<Price>(shops_).Within(absl::Seconds(1));
    absl::StatusOr<int64_t> best = absl::NotFoundError("no shop has answered");
    for (size_t i = 0; i < offers.size(); ++i) {  // In the order of the shops.
      if (!offers[i].ok()) {
        std::cout << names_[i] << ": no answer: "
                  << absl::StatusCodeToString(offers[i].status().code())
                  << "\n";
        continue;
      }
      std::cout << names_[i] << ": " << *offers[i] << "\n";
      if (!best.ok() || *offers[i] < *best) best = offers[i];
    }
    co_return best;
  }

 private:
  std::vector<std::string> names_;
  std::vector<troupe::ActorRef<Price>> shops_;
};

}  // namespace

int main() {
  const auto system = troupe::ActorSystem::Create().value();
  const auto broker = system->Spawn<Broker>().value();
  const absl::StatusOr<int64_t> best = broker.Call<BestPrice>().Wait();
  std::cout << "the best price is " << best.value() << "\n";
}
