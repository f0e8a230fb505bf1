// Requests and replies: accounts, and a teller that waits for their answers in
// a coroutine.
//
//   ./bazelw run //examples:transfer
//
// prints
//
//   paid 60: OK
//   paid 60: FAILED_PRECONDITION: overdrawn
//   left 40, arrived 60
#include <cstdint>
#include <iostream>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/task.h"

namespace {

struct Deposit {
  int64_t cents;
};
struct Withdraw {
  int64_t cents;
  using Reply = absl::Status;  // A request names its reply.
};
struct Balance {
  using Reply = int64_t;
};
struct AccountApi : troupe::Protocol<Deposit, Withdraw, Balance> {};

class Account : public troupe::Actor<AccountApi> {
 public:
  explicit Account(int64_t opening_cents) : cents_(opening_cents) {}

  void Handle(Deposit m) { cents_ += m.cents; }
  absl::Status Handle(Withdraw m) {  // The return value is the reply.
    if (m.cents > cents_) return absl::FailedPreconditionError("overdrawn");
    cents_ -= m.cents;
    return absl::OkStatus();
  }
  int64_t Handle(Balance) { return cents_; }

 private:
  int64_t cents_;
};

struct Transfer {
  troupe::ActorRef<Deposit> to;
  int64_t cents;
  using Reply = absl::Status;
};

class Teller : public troupe::Actor<Transfer> {
 public:
  explicit Teller(troupe::ActorRef<Withdraw> from) : from_(from) {}

  troupe::Task<absl::Status> Handle(Transfer t) {
    absl::Status paid = co_await from_.Call<Withdraw>(t.cents);
    if (paid.ok()) t.to.Send<Deposit>(t.cents);
    co_return paid;
  }

 private:
  troupe::ActorRef<Withdraw> from_;
};

}  // namespace

int main() {
  const auto system = troupe::ActorSystem::Create().value();
  const auto from = system->Spawn<Account>(100).value();
  const auto to = system->Spawn<Account>(0).value();
  const auto teller = system->Spawn<Teller>(from).value();
  for (int i = 0; i < 2; ++i) {
    std::cout << "paid 60: " << teller.Call<Transfer>(to, 60).Wait() << "\n";
  }
  std::cout << "left " << from.Call<Balance>().Wait().value() << ", arrived "
            << to.Call<Balance>().Wait().value() << "\n";
}
