// The actors of the swarm of nodes. Each does at random, when it gets a
// message, what actors can do, and says so to those who check.
#ifndef TROUPE_TESTING_SWARM_CLUSTER_RESIDENT_H_
#define TROUPE_TESTING_SWARM_CLUSTER_RESIDENT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/task.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_changed.h"
#include "troupe/stream/port_subscription.h"
#include "troupe/stream/publishes.h"
#include "troupe/testing/swarm/cluster/calls.h"
#include "troupe/testing/swarm/cluster/messages.h"
#include "troupe/testing/swarm/cluster/world.h"

namespace troupe::cluster_swarm {

class Resident : public Actor<ResidentApi, GroupChanged, Told, Ring>,
                 public Publishes<News> {
 public:
  using Publishes<News>::Handle;

  Resident(Home* home, Number number);

  ~Resident();

  void PostStart();
  void OnDown(const Down& down);

  void Handle(const Nudge& nudge);
  void Handle(const Parcel& parcel);
  void Handle(const Outcome&);
  void Handle(const Cry& cry);
  void Handle(const GroupChanged& change);
  void Handle(const Told& told);
  void Handle(Ring);
  Task<void> Handle(Errand errand);
  Task<void> Handle(Question question, ReplyTo<Answer> reply);

 protected:
  World& world() { return world_; }
  Number number() const { return number_; }
  void Traps();
  void HearsExit(const Exit& exit);

 private:
  // To answer a call.
  struct Duty {
    uint32_t call;
    ReplyTo<Answer> reply;
  };
  struct OwnMonitor {
    uint32_t number;
    MonitorHandle handle;
  };
  static constexpr size_t kMostKnown = 8;
  static constexpr uint32_t kDeepest = 3;

  // -- resident.cc
  Acquaintance Me() const { return {untyped_self(), number_}; }
  Acquaintance SomebodyKnown();
  bool KnowsTheWorld() const;
  void Meet(const Acquaintance& one);
  void Fulfil(Duty duty);
  // Deeds; those that are awaited are passed over, or not.
  bool MayAct() { return world_.lives.counts(number_) && world_.Spend(); }
  void DoSome();
  Task<void> DoAndAwait(uint64_t deeds, uint32_t depth);

  // -- resident_deeds.cc
  void Do(Deed deed);
  Parcel PackFor(const Acquaintance& other, Way way, bool surely);
  // Whether nothing that is sent there is refused, in a session.
  bool TakesAll(const Acquaintance& other) const;
  void Send(Way way);
  void TryToSend();
  void ForwardCall();
  void Bear();
  void MonitorSomebody();
  void DemonitorSomebody();
  void LinkSomebody();
  void UnlinkSomebody();
  void EndSomebody(Deed deed);

  // -- resident_services.cc
  static Group<GroupApi> GroupOf(size_t group);
  void Join();
  void Leave();
  void CryToAll();
  void MonitorGroups();
  void DemonitorGroups();
  void SubscribeToSomebody();
  void Unsubscribe();
  void PublishSomething(bool at_rest);
  Task<void> AwaitPublish();
  Task<void> AwaitStart();
  Task<void> AwaitReport();

  // -- resident_waits.cc
  Task<void> Await(Deed deed, uint32_t depth);
  Task<void> AwaitCall(uint32_t depth);
  Task<void> AwaitNothing(uint32_t depth);
  Task<void> AwaitSpace();
  Task<void> AwaitEnd();
  Task<void> AwaitName(uint32_t depth);

  Home& home_;
  World& world_;
  const Number number_;
  bool traps_ = false;
  std::vector<Acquaintance> known_;
  std::vector<Duty> duties_;
  std::vector<OwnMonitor> monitors_;
  bool monitors_groups_ = false;
  std::map<uint32_t, PortSubscription> subscriptions_;
};

// Does not know of exits.
class Plain final : public Resident {
 public:
  using Resident::Resident;
};

// Hears of exits.
class Trapper final : public Resident {
 public:
  Trapper(Home* home, Number number) : Resident(home, number) { Traps(); }
  void OnExit(const Exit& exit) { HearsExit(exit); }
};

// Handles several things at a time.
class Juggler final : public Resident {
 public:
  using Interleaved = Protocol<Errand, Question>;

  Juggler(Home* home, Number number) : Resident(home, number) { Traps(); }
  void OnExit(const Exit& exit) { HearsExit(exit); }
};

// Is started by other nodes, on the host of that name.
class Started final : public Resident {
 public:
  Started(uint32_t start, const std::string& host);
  void OnExit(const Exit& exit) { HearsExit(exit); }

 private:
  explicit Started(Home& home);
};

// Spawns one of these by `spawn`, a call of Spawn<T>(&home, number). Not born:
// the number is 0.
template <typename F>
Acquaintance SpawnResident(Home& home, F&& spawn) {
  const Number number = home.world.lives.Conceive(home.run);
  const absl::StatusOr<ResidentRef> ref = spawn(number);
  if (!ref.ok()) {
    home.world.lives.Unborn(number);
    return {};
  }
  home.world.lives.Born(number, *ref);
  return {*ref, number};
}

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_RESIDENT_H_
