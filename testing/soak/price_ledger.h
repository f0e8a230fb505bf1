// What the readers of a port have seen, and what they must see: by numbers, of
// which the port's one publisher gives each price the next. It tells of gaps,
// and of subscriptions that nothing comes by any more.
//
//   ledger.Publish(number);  // Before the port does.
//   port.Publish(number);
//   ...
//   subscription = port.Subscribe(self(), {.lag = Lag::kLossless});
//   ledger.Subscribe(reader, /*is_lossless=*/true);  // After the port has.
//   ...
//   const std::string wrong = ledger.See(reader, number);
//
// By the order of these calls a reader without loss is promised all numbers
// above those that were published when it subscribed. In the end they come:
//
//   const int64_t last = ledger.published();
//   ...wait until ledger.Missing(last) is empty...
//
// Thread safety: any thread.
#ifndef TROUPE_TESTING_SOAK_PRICE_LEDGER_H_
#define TROUPE_TESTING_SOAK_PRICE_LEDGER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace troupe::testing {

class PriceLedger {
 public:
  // For the readers 0 to `readers` - 1.
  explicit PriceLedger(int readers) : readers_(readers) {}
  PriceLedger(const PriceLedger&) = delete;
  PriceLedger& operator=(const PriceLedger&) = delete;

  // Numbers begin with 1, and each follows the one before.
  void Publish(int64_t number) ABSL_LOCKS_EXCLUDED(mu_);
  // The last one; 0: none yet.
  int64_t published() const ABSL_LOCKS_EXCLUDED(mu_);

  // The reader begins, or an instance of it that follows another: what came by
  // the subscription before counts no more.
  void Subscribe(int reader, bool is_lossless) ABSL_LOCKS_EXCLUDED(mu_);
  // What is wrong with this number, if it comes now; empty if it is right.
  std::string See(int reader, int64_t number) ABSL_LOCKS_EXCLUDED(mu_);

  // Who has not got yet what was promised up to this number; empty if all have.
  std::string Missing(int64_t up_to) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Reader {
    bool is_lossless = false;
    int64_t promised_after = 0;
    int64_t seen = 0;
  };

  mutable absl::Mutex mu_;
  int64_t published_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<Reader> readers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SOAK_PRICE_LEDGER_H_
