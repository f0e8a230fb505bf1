#include "troupe/testing/soak/account.h"

#include "absl/strings/str_cat.h"

namespace troupe::testing {

int Account::StripeOfThisThread() {
  static std::atomic<int> threads{0};
  // Relaxed: any stripe will do.
  static thread_local const int stripe =
      threads.fetch_add(1, std::memory_order_relaxed) % kStripes;
  return stripe;
}

int64_t Account::Count(Fate fate) const {
  int64_t sum = 0;
  for (const Stripe& stripe : stripes_) {
    sum +=
        stripe.counts[static_cast<int>(fate)].load(std::memory_order_relaxed);
  }
  return sum;
}

std::string Account::Discrepancy() const {
  std::string text;
  if (const int64_t alive = Alive(); alive != 0) {
    absl::StrAppend(&text, name_, ": ", alive, " are neither handled nor gone");
  }
  const int64_t unexplained =
      Count(Fate::kUnhandled) - Count(Fate::kDead) - Count(Fate::kTold);
  if (unexplained != 0) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", name_, ": ", unexplained,
                    " more were lost than became dead letters or were told of");
  }
  return text;
}

std::string Account::ToString() const {
  return absl::StrCat(name_, ": ", Count(Fate::kMade), " made, ",
                      Count(Fate::kHandled), " handled, ",
                      Count(Fate::kUnhandled), " not (", Count(Fate::kDead),
                      " dead letters, ", Count(Fate::kTold), " told)");
}

}  // namespace troupe::testing
