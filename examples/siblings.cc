// A teller that needs the account of the moment: with kRestForOne it is
// restarted with it.
//
//   ./bazelw run //examples:siblings
//
// prints
//
//   deposited: 105
//   after a crash: 100
#include <cstdint>
#include <iostream>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/retry.h"
#include "troupe/actor/task.h"
#include "troupe/supervision/supervisor.h"

struct Deposit {
  int64_t cents;
  using Reply = void;
};
struct Balance {
  using Reply = int64_t;
};
struct Burn {};

class Account : public troupe::Actor<Deposit, Balance, Burn> {
 public:
  explicit Account(int64_t opening_cents) : cents_(opening_cents) {}

  void Handle(Deposit m) { cents_ += m.cents; }
  int64_t Handle(Balance) { return cents_; }
  absl::Status Handle(Burn) { return absl::DataLossError("the books burn"); }

 private:
  int64_t cents_;
};

struct Report {
  using Reply = int64_t;
};

class Teller : public troupe::Actor<Report> {
 public:
  explicit Teller(troupe::ActorRef<Balance> account) : account_(account) {}

  troupe::Task<absl::StatusOr<int64_t>> Handle(Report) {
    co_return co_await account_.Call<Balance>();
  }

 private:
  const troupe::ActorRef<Balance> account_;
};

int main() {
  auto system = troupe::ActorSystem::Create();
  if (!system.ok()) return 1;
  troupe::Supervisor::Spec bank{.name = "bank",
                                .strategy = troupe::kRestForOne};
  const troupe::ChildRef<Deposit, Balance, Burn> account =
      bank.Add<Account>({.id = "account"}, /*opening_cents=*/100);
  const auto teller =
      bank.Add({.id = "teller"}, [account](troupe::StartContext& start) {
        return start.Spawn<Teller>(account.ref());  // The instance of now.
      });
  if (!troupe::Supervisor::Start(**system, std::move(bank)).ok()) return 1;

  // Waits: what is sent to the account is not in order with what is sent to the
  // instance that the teller knows.
  (void)account.Call<Deposit>(5).Wait();
  std::cout << "deposited: " << teller.Call<Report>().Wait().value_or(-1)
            << "\n";

  const auto before = account.ref();
  account.Send<Burn>();
  (void)before.Wait();
  // Until the teller, too, is the next one, it tells what became of its
  // account.
  const absl::StatusOr<int64_t> cents =
      teller.Call<Report>()
          .Retry({.attempts = 100,
                  .when =
                      [](const absl::Status&) {
                        return true;  // Whatever it is.
                      }})
          .Wait();
  std::cout << "after a crash: " << cents.value_or(-1) << "\n";
}
