// The actors of a soak.
#ifndef TROUPE_TESTING_SOAK_ACTORS_H_
#define TROUPE_TESTING_SOAK_ACTORS_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/task.h"
#include "troupe/actor/timer.h"
#include "troupe/base/random.h"
#include "troupe/stream/port_subscription.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/soak/world.h"

namespace troupe::testing {

// Works, asks other clerks, has timers, a name and a place in a group, reads
// what the port publishes, and fails when it is told to.
class Clerk : public Actor<ClerkApi> {
 public:
  Clerk(World* world, int number);

  void PostStart();
  void OnChild(const ChildEvent&) {}

  void Handle(Item&& m);
  Task<absl::StatusOr<int64_t>> Handle(Ask m);
  void Handle(Tick&& m) { m.token.Handle(); }
  void Handle(Beat);
  void Handle(const News&) { world_.news.Add(Fate::kHandled); }
  void Handle(const Price& m);
  void Handle(Poison);
  void Handle(Stall m);

 private:
  // A clerk behind this one, so that no two wait for each other; null if this
  // is the last.
  ActorRef<ClerkApi> Later();
  void SetTimers();
  void TellNews();

  World& world_;
  const int number_;
  Random random_;
  bool is_lossless_;
  PortSubscription prices_;
  Timer cancelled_;
};

// Has a bounded mailbox.
class Press : public Actor<Page> {
 public:
  void Handle(Page&& m) { m.token.Handle(); }
};

// Publishes prices, and makes and ends trees of twigs.
class Gardener : public Actor<Beat, Item> {
 public:
  explicit Gardener(World* world);

  void PostStart();
  void OnChild(const ChildEvent&) {}
  void Handle(Beat);
  void Handle(Item&& m) { m.token.Handle(); }

 private:
  void Plant();
  void Fell();

  World& world_;
  Random random_;
  int64_t next_price_ = 1;
  std::deque<ActorRef<Item>> twigs_;
};

// Has others, `levels` deep, and sends on what it gets.
class Twig : public Actor<Item> {
 public:
  Twig(World* world, int levels);

  absl::Status PreStart();
  void OnChild(const ChildEvent&) {}
  void Handle(Item&& m);

 private:
  World& world_;
  const int levels_;
  Random random_;
  std::deque<ActorRef<Item>> twigs_;
};

// The tree of supervisors with the clerks; sets the references in `world`.
Supervisor::Spec MakeTree(World& world);

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SOAK_ACTORS_H_
