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
#include <cstdint>
#include <iostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/actor/when_all.h"

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

struct Offer {
  std::string shop;
  absl::StatusOr<int64_t> cents;
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
      shops_.emplace_back(name, *shop);
    }
    return absl::OkStatus();
  }

  troupe::Task<absl::StatusOr<int64_t>> Handle(BestPrice) {
    std::vector<troupe::Task<Offer>> asked;
    for (const auto& [name, shop] : shops_) asked.push_back(Ask(name, shop));
    absl::StatusOr<int64_t> best = absl::NotFoundError("no shop has answered");
    const std::vector<Offer> offers =
        co_await troupe::WhenAll(std::move(asked));
    for (const Offer& offer : offers) {
      if (!offer.cents.ok()) {
        std::cout << offer.shop << ": no answer: "
                  << absl::StatusCodeToString(offer.cents.status().code())
                  << "\n";
        continue;
      }
      std::cout << offer.shop << ": " << *offer.cents << "\n";
      if (!best.ok() || *offer.cents < *best) best = offer.cents;
    }
    co_return best;
  }

 private:
  static troupe::Task<Offer> Ask(std::string name,
                                 troupe::ActorRef<Price> shop) {
    absl::StatusOr<int64_t> cents =
        co_await shop.Call<Price>().Within(absl::Milliseconds(100));
    co_return Offer{name, cents};
  }

  std::vector<std::pair<std::string, troupe::ActorRef<Price>>> shops_;
};

}  // namespace

int main() {
  const auto system = troupe::ActorSystem::Create().value();
  const auto broker = system->Spawn<Broker>().value();
  const absl::StatusOr<int64_t> best = broker.Call<BestPrice>().Wait();
  std::cout << "the best price is " << best.value() << "\n";
}
