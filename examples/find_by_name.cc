// A cashier that knows its account by name only: it is there before the account
// is, and outlives it.
//
//   ./bazelw run //examples:find_by_name
//
// prints
//
//   nobody has the name yet
//   paid: 70 left
//   the account burns
//   paid: 70 left
#include <cstdint>
#include <iostream>
#include <utility>

#include "troupe/troupe.h"

struct Withdraw {
  int64_t cents;
  using Reply = int64_t;  // What is left.
};
struct Burn {};

class Account : public troupe::Actor<Withdraw, Burn> {
 public:
  explicit Account(int64_t opening_cents) : cents_(opening_cents) {}

  int64_t Handle(Withdraw m) { return cents_ -= m.cents; }
  absl::Status Handle(Burn) { return absl::DataLossError("the books burn"); }

 private:
  int64_t cents_;
};

struct Pay {
  int64_t cents;
  using Reply = int64_t;
};

class Cashier : public troupe::Actor<Pay> {
 public:
  troupe::Task<absl::StatusOr<int64_t>> Handle(Pay pay) {
    auto& names = system().Get<troupe::Names>();
    // Whoever has the name now, or has it next.
    auto account =
        co_await names.WaitFor<Withdraw>("bank/account", absl::Seconds(5));
    if (!account.ok()) co_return account.status();
    co_return co_await account->Call<Withdraw>(pay.cents);
  }
};

int main() {
  auto system = troupe::CreateSystem();
  if (!system.ok()) return 1;
  auto& names = (*system)->Get<troupe::Names>();

  const auto cashier = (*system)->Spawn<Cashier>();
  if (!names.Find<Withdraw>("bank/account").ok()) {
    std::cout << "nobody has the name yet\n";
  }
  auto paid = cashier->Call<Pay>(30).Start();

  troupe::Supervisor::Spec bank{.name = "bank"};
  bank.Add({.id = "account"}, [](troupe::StartContext& start) {
    return start.Spawn<Account>({.name = "bank/account"}, 100);
  });
  if (!troupe::Supervisor::Start(**system, std::move(bank)).ok()) return 1;
  std::cout << "paid: " << std::move(paid).Wait().value_or(-1) << " left\n";

  const auto first = names.Find<Burn>("bank/account");
  if (!first.ok()) return 1;
  first->Send<Burn>();
  (void)first->Wait();  // From here on nobody finds this one.
  std::cout << "the account burns\n";
  std::cout << "paid: " << cashier->Call<Pay>(30).Wait().value_or(-1)
            << " left\n";
}
