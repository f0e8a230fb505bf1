// What all who take part in a soak share: their messages, the accounts of
// these, and where they find each other.
#ifndef TROUPE_TESTING_SOAK_WORLD_H_
#define TROUPE_TESTING_SOAK_WORLD_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/protocol.h"
#include "troupe/registry/group.h"
#include "troupe/stream/output_port.h"
#include "troupe/supervision/child_ref.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/soak/account.h"
#include "troupe/testing/soak/price_ledger.h"
#include "troupe/testing/soak/receipt.h"

namespace troupe::testing {

// -- messages

// From a driver, with a number that grows for each clerk, or from a clerk: then
// `driver` is -1.
struct Item {
  Item(Account& account, int hops_left, int from_driver, int64_t its_number)
      : token(account),
        hops(hops_left),
        driver(from_driver),
        number(its_number) {}
  Token token;
  int hops;  // How often it is sent on.
  int driver;
  int64_t number;
};
// To be answered after some work, which may be to ask another.
struct Ask {
  Ask(Receipt& receipt, int levels) : token(receipt), depth(levels) {}
  RequestToken token;
  int depth;
  using Reply = int64_t;
};
// For a press, whose mailbox is bounded.
struct Page {
  explicit Page(Account& account) : token(account) {}
  Token token;
};
// By a timer.
struct Tick {
  explicit Tick(Account& account) : token(account) {}
  Token token;
};
struct Beat {};
// To all of a group.
struct News {
  int64_t number;
};
// By a port.
struct Price {
  int64_t number;
};
// A fault: the handler throws.
struct Poison {};
// A fault: the handler takes that long, blocked or at work.
struct Stall {
  absl::Duration duration;
  bool at_work;
};

struct ClerkApi : Protocol<Item, Ask, Tick, Beat, News, Price, Poison, Stall> {
};

inline constexpr int kBranches = 4;
inline constexpr int kClerksPerBranch = 4;
inline constexpr int kClerks = kBranches * kClerksPerBranch;
inline constexpr int kDrivers = 2;

// -- what they share

// Outlives the system. The references are set before anybody uses them.
class World {
 public:
  World(uint64_t seed, bool has_deaf_clerk)
      : seed_(seed), has_deaf_clerk_(has_deaf_clerk) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Account items{"items"};
  Account asks{"asks"};
  Account pages{"pages"};
  // A timer that ends with its actor, or is cancelled, leaves no dead letter.
  Account ticks{"ticks"};
  Account news{"news"};

  std::vector<ChildRef<ClerkApi>> clerks;
  std::vector<ChildRef<SupervisorApi>> branches;
  // One lets senders wait, one drops what is old.
  ActorRef<Page> waiting_press;
  ActorRef<Page> dropping_press;
  const Group<News> readers{"soak/readers"};
  OutputPort<Price> prices{{.keeps = 16}};
  PriceLedger price_ledger{kClerks};

  // Has each dead letter counted in its account, as long as it is kept.
  Subscription CountDeadLetters(ActorSystem& system);
  // Those that this thread published since it last asked.
  static int64_t TakeDeadLettersOfThisThread();

  // What must not be: the first of it is kept.
  void Complain(absl::string_view what) ABSL_LOCKS_EXCLUDED(mu_);
  std::string complaint() const ABSL_LOCKS_EXCLUDED(mu_);

  // A driver's items reach a clerk in order, over all its instances.
  void CheckOrder(const Item& item, int clerk);

  // From now on nobody begins anything.
  void CalmDown() { calm_.store(true, std::memory_order_relaxed); }
  // Relaxed: a late look begins one thing more.
  bool is_calm() const { return calm_.load(std::memory_order_relaxed); }

  // SoakOptions::has_deaf_clerk.
  bool IsDeaf(int clerk) const { return has_deaf_clerk_ && clerk == 0; }

  // For an actor or a thread.
  uint64_t NewSeed() {
    return seed_ + next_seed_.fetch_add(1, std::memory_order_relaxed);
  }

  // Calls and what became of them, all told.
  std::atomic<int64_t> answers{0};
  std::atomic<int64_t> failed_calls{0};
  std::atomic<int64_t> instances{0};  // Clerks that have started.
  std::atomic<int64_t> prices_seen{0};

  // Messages of all kinds that somebody has to handle yet.
  int64_t Waiting() const {
    return items.Alive() + asks.Alive() + pages.Alive();
  }
  int64_t Handled() const;

 private:
  const uint64_t seed_;
  const bool has_deaf_clerk_;
  std::atomic<uint64_t> next_seed_{0};
  std::atomic<bool> calm_{false};
  std::array<std::array<std::atomic<int64_t>, kClerks>, kDrivers> last_ = {};
  mutable absl::Mutex mu_;
  std::string complaint_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SOAK_WORLD_H_
