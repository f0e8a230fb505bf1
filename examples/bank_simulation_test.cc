// Finds the moment at which a crash loses money, and shows that the cure helps:
// a bank in a simulation that kills its teller at points that a seed decides.
//
//   ./bazelw test //examples:bank_simulation_test
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/task.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/run_simulation.h"
#include "troupe/testing/shrink.h"
#include "troupe/testing/simulation.h"
#include "troupe/testing/status_matchers.h"
#include "troupe/testing/trace.h"

namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using troupe::testing::FailingSeed;
using troupe::testing::FindFailingSeed;
using troupe::testing::ForEachSeed;
using troupe::testing::Shrink;
using troupe::testing::Shrunk;
using troupe::testing::Simulation;
using troupe::testing::StatusIs;
using troupe::testing::Trace;

constexpr int kAccounts = 3;
constexpr int64_t kOpeningCents = 100;
constexpr int64_t kTotalCents = kAccounts * kOpeningCents;

struct Transfer {
  int number;  // No two have the same.
  int from;
  int to;
  int64_t cents;
};

// What is on disk: it survives who writes it.
struct Books {
  int64_t Sum() const {
    return std::accumulate(cents.begin(), cents.end(), int64_t{0});
  }

  std::vector<int64_t> cents = std::vector<int64_t>(kAccounts, kOpeningCents);
  std::set<std::pair<int, int>> booked;  // Account, number of the transfer.
  std::map<int, Transfer> open;          // By number; careful tellers only.
  int resumed = 0;
};

struct Withdraw {
  int number;
  int64_t cents;
  using Reply = absl::Status;
};
struct Deposit {
  int number;
  int64_t cents;
  using Reply = absl::Status;
};
struct AccountApi : troupe::Protocol<Withdraw, Deposit> {};

// Books each transfer once, however often it is asked to.
class Account : public troupe::Actor<AccountApi> {
 public:
  Account(Books& books, int index) : books_(books), index_(index) {}

  absl::Status Handle(Withdraw m) {
    if (IsBooked(m.number)) return absl::OkStatus();
    if (m.cents > cents()) return absl::FailedPreconditionError("overdrawn");
    return Book(m.number, -m.cents);
  }
  absl::Status Handle(Deposit m) {
    if (IsBooked(m.number)) return absl::OkStatus();
    return Book(m.number, m.cents);
  }

 private:
  int64_t& cents() { return books_.cents[index_]; }
  bool IsBooked(int number) const {
    return books_.booked.contains({index_, number});
  }
  absl::Status Book(int number, int64_t change) {
    cents() += change;
    books_.booked.insert({index_, number});
    return absl::OkStatus();
  }

  Books& books_;
  const int index_;
};
using Accounts = std::vector<troupe::ActorRef<AccountApi>>;

// Believes that it lives to the end of its handler.
class HastyTeller : public troupe::Actor<Transfer> {
 public:
  HastyTeller(Accounts accounts, Books&) : accounts_(std::move(accounts)) {}

  troupe::Task<void> Handle(Transfer t) {
    const absl::Status paid =
        co_await accounts_[t.from].Call<Withdraw>(t.number, t.cents);
    // Who dies here takes the money along.
    if (!paid.ok()) co_return;
    (void)co_await accounts_[t.to].Call<Deposit>(t.number, t.cents);
  }

 private:
  const Accounts accounts_;
};

// Writes down what it is about to do. The next instance does what this one
// could not end; that accounts book a transfer only once makes it safe.
class CarefulTeller : public troupe::Actor<Transfer> {
 public:
  CarefulTeller(Accounts accounts, Books& books)
      : accounts_(std::move(accounts)), books_(books) {}

  troupe::Task<absl::Status> PostStart() {
    while (!books_.open.empty()) {
      ++books_.resumed;
      const absl::Status done = co_await Execute(books_.open.begin()->second);
      if (!done.ok()) co_return done;
    }
    co_return absl::OkStatus();
  }
  troupe::Task<absl::Status> Handle(Transfer t) {
    books_.open[t.number] = t;
    co_return co_await Execute(t);
  }

 private:
  // Not OK: nobody knows what was done; the teller fails with it, and the next
  // one tries again.
  troupe::Task<absl::Status> Execute(Transfer t) {
    absl::Status done =
        co_await accounts_[t.from].Call<Withdraw>(t.number, t.cents);
    if (done.ok()) {
      done = co_await accounts_[t.to].Call<Deposit>(t.number, t.cents);
    } else if (absl::IsFailedPrecondition(done)) {
      done = absl::OkStatus();  // It was refused.
    }
    if (done.ok()) books_.open.erase(t.number);
    co_return done;
  }

  const Accounts accounts_;
  Books& books_;
};

template <typename Teller>
Books& MoveMoney(Simulation& sim) {
  Books& books = sim.Make<Books>();
  Accounts accounts;
  for (int i = 0; i < kAccounts; ++i) {
    accounts.push_back(sim.system().Spawn<Account>(std::ref(books), i).value());
  }
  troupe::Supervisor::Spec spec{.name = "bank", .intensity = {.restarts = 3}};
  const troupe::ChildRef<Transfer> teller =
      spec.Add<Teller>({.id = "teller"}, accounts, std::ref(books));
  const absl::StatusOr<troupe::SupervisorRef> bank =
      troupe::Supervisor::Start(sim.system(), std::move(spec));
  sim.Check("the bank opens", [&bank] { return bank.status(); });

  sim.Always("no money is made",
             [&books] { return books.Sum() <= kTotalCents; });
  sim.AtRest("no money is lost", [&books]() -> absl::Status {
    const int64_t missing = kTotalCents - books.Sum();
    if (missing == 0) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(missing, " cents are missing"));
  });
  sim.MayKill("the teller", [teller] { return teller.ref(); },
              {.probability = 0.05, .at_most_times = 3});

  for (int number = 0; number < 5; ++number) {
    const int from = static_cast<int>(sim.random().Uniform(kAccounts));
    const int to = (from + 1) % kAccounts;
    teller.Send<Transfer>(number, from, to, /*cents=*/60);
  }
  sim.Play();
  return books;
}

TEST(BankSimulationTest, SomeSeedKillsTheHastyTellerAtTheWrongTime) {
  const std::optional<FailingSeed> found =
      FindFailingSeed(100, &MoveMoney<HastyTeller>);
  ASSERT_TRUE(found.has_value());
  EXPECT_THAT(found->failure, StatusIs(absl::StatusCode::kDataLoss,
                                       HasSubstr("60 cents are missing")));
}

// What else happened on that day has nothing to do with it.
TEST(BankSimulationTest, OneCrashAtTheWrongTimeIsEnough) {
  const std::optional<FailingSeed> found =
      FindFailingSeed(100, &MoveMoney<HastyTeller>);
  ASSERT_TRUE(found.has_value());
  const std::optional<Shrunk> shrunk =
      Shrink(found->seed, &MoveMoney<HastyTeller>);
  ASSERT_TRUE(shrunk.has_value());
  const Trace& trace = shrunk->run.trace;
  EXPECT_THAT(trace.faults,
              ElementsAre(Field(&Trace::Fault::name, "kill the teller")));
  EXPECT_THAT(trace.choices, IsEmpty());
}

TEST(BankSimulationTest, NoSeedMakesTheCarefulTellerLoseMoney) {
  ForEachSeed(1000, [](Simulation& sim) { MoveMoney<CarefulTeller>(sim); });
}

// That test says something: there are transfers which a crash interrupts.
TEST(BankSimulationTest, SomeSeedMakesTheCarefulTellerResume) {
  const auto never_resumes = [](Simulation& sim) {
    const Books& books = MoveMoney<CarefulTeller>(sim);
    sim.Check("no transfer is resumed", [&] { return books.resumed == 0; });
  };
  EXPECT_TRUE(FindFailingSeed(100, never_resumes).has_value());
}

}  // namespace
