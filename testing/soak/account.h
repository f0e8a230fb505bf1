// What becomes of messages, counted to the last one. Each message of a kind has
// a Token, which tells the Account of that kind when it is made, handled, or
// destroyed without having been handled.
//
//   struct Page {
//     explicit Page(Account& account) : token(account) {}
//     Token token;
//   };
//   void Handle(Page m) { m.token.Handle(); }
//
// Who learns why a message was not handled says so: Account::Add(Fate::kTold)
// where its sender was told, Fate::kDead for a dead letter. At rest
//   made = handled + unhandled + alive, and unhandled = dead + told.
//
// Thread safety: any thread.
#ifndef TROUPE_TESTING_SOAK_ACCOUNT_H_
#define TROUPE_TESTING_SOAK_ACCOUNT_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace troupe::testing {

enum class Fate : uint8_t {
  kMade,
  kHandled,
  kUnhandled,
  kDead,
  kTold,
};
inline constexpr int kFates = 5;

class Account {
 public:
  // `name` outlives the account.
  explicit Account(absl::string_view name) : name_(name) {}
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;

  absl::string_view name() const { return name_; }

  void Add(Fate fate, int64_t count = 1) {
    // Relaxed: sums are exact once those who add are joined, hints before.
    stripes_[StripeOfThisThread()].counts[static_cast<int>(fate)].fetch_add(
        count, std::memory_order_relaxed);
  }
  int64_t Count(Fate fate) const;

  // Not yet destroyed, nor handled.
  int64_t Alive() const {
    return Count(Fate::kMade) - Count(Fate::kHandled) - Count(Fate::kUnhandled);
  }

  // Empty if all is accounted for and nothing is alive; otherwise what is not.
  std::string Discrepancy() const;
  // "items: 12 made, 10 handled, 2 not (2 dead letters, 0 told)".
  std::string ToString() const;

 private:
  static constexpr int kStripes = 16;
  // A cache line apart. Not by alignas, which the stacks that g++ 12 gives to
  // AddressSanitizer do not keep.
  struct Stripe {
    std::atomic<int64_t> counts[kFates] = {};
    char apart[64] = {};
  };

  static int StripeOfThisThread();

  const absl::string_view name_;
  Stripe stripes_[kStripes];
};

// In a message. A moved one counts once.
class Token {
 public:
  // `account` outlives the token.
  explicit Token(Account& account) : account_(&account) {
    account.Add(Fate::kMade);
  }
  Token(Token&& other) noexcept
      : account_(std::exchange(other.account_, nullptr)) {}
  Token& operator=(Token&&) = delete;
  ~Token() {
    if (account_ != nullptr) account_->Add(Fate::kUnhandled);
  }

  // Once.
  void Handle() { std::exchange(account_, nullptr)->Add(Fate::kHandled); }

 private:
  Account* account_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SOAK_ACCOUNT_H_
