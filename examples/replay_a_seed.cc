// Finds an order of closures that goes wrong, and plays it again.
//
//   ./bazelw run //examples:replay_a_seed
//
// prints, besides the seed,
//
//   an order that overdraws: -20
//   the same seed again: -20
#include <cstdint>
#include <iostream>

#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/post.h"

namespace {

// Two withdrawals of 60. Each looks first, and takes in a later turn: one too
// many, if the other looks in between.
int BalanceAfter(uint64_t seed) {
  troupe::DeterministicExecutor executor({.seed = seed, .workers = 2});
  int balance = 100;
  for (int i = 0; i < 2; ++i) {
    troupe::Post(executor, [&executor, &balance] {
      if (balance < 60) return;
      troupe::Post(executor, [&balance] { balance -= 60; });
    });
  }
  executor.RunUntilIdle();
  return balance;
}

}  // namespace

int main() {
  uint64_t seed = 0;
  while (BalanceAfter(seed) >= 0) ++seed;
  std::cerr << "seed " << seed << "\n";
  std::cout << "an order that overdraws: " << BalanceAfter(seed) << "\n";
  std::cout << "the same seed again: " << BalanceAfter(seed) << "\n";
}
