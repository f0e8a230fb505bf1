// Actors that monitor and link each other at random and end at any moment, for
// tests that run them by seeds and on threads. What an actor hears is checked
// on the way: of each monitor one Down, unless it was ended; nothing of one
// that was; no message of an actor behind the news of its end. At rest the
// tables of both sides agree.
#ifndef TROUPE_ACTOR_INTERNAL_WATCH_WORLD_H_
#define TROUPE_ACTOR_INTERNAL_WATCH_WORLD_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/task.h"
#include "troupe/base/log.h"
#include "troupe/base/random.h"

namespace troupe::internal {

class WatchWorld;

// Most actors of the world fail in the end.
class QuietLog : public LogSink {
 public:
  void Send(const LogEntry&) override {}
};

// What an actor has in its tables, by the ids of the others.
struct WatchSnapshot {
  std::set<uint64_t> links;
  std::set<std::pair<uint64_t, uint64_t>> monitors;  // Actor, serial.
  std::set<std::pair<uint64_t, uint64_t>> watchers;  // Watcher, serial.

  friend bool operator==(const WatchSnapshot&, const WatchSnapshot&) = default;
};

// Does something at random.
struct Stir {};
struct Hello {
  uint64_t from;
};
struct LookAtTables {
  // Nothing: they could not be looked at just now.
  using Reply = std::optional<WatchSnapshot>;
};
using PeerRef = ActorRef<Stir, Hello, LookAtTables>;

// One that ends with those it is linked to.
class Peer : public Actor<Stir, Hello, LookAtTables> {
 public:
  Peer(WatchWorld& world, uint64_t seed) : world_(world), random_(seed) {}
  ~Peer();

  void PreStart();
  Task<void> Handle(Stir);
  void Handle(Hello hello);
  std::optional<WatchSnapshot> Handle(LookAtTables);
  void OnDown(const Down& down);

 protected:
  void HearOfEnd(const AnyActorRef& actor);

 private:
  struct Monitored {
    MonitorHandle monitor;
    AnyActorRef actor;
  };

  void EndSomeMonitor();
  void End();

  WatchWorld& world_;
  Random random_;
  std::vector<Monitored> monitors_;
  std::set<uint64_t> gone_;
};

// One that lives on.
class TrappingPeer : public Peer {
 public:
  using Peer::Peer;
  void OnExit(const Exit& exit) { HearOfEnd(exit.actor); }
};

class WatchWorld {
 public:
  static constexpr int kPeers = 4;

  WatchWorld(ActorSystem& system, uint64_t seed);

  // -- outside: one thread at a time

  // Has something happen.
  void Step();
  // Whether the tables of all agree, each having been looked at after all had
  // something to do last. Nothing but what that caused may be under way.
  bool TablesAgree();

  // -- any thread

  // One of those that live, or have ended.
  PeerRef SomePeer(Random& random) const ABSL_LOCKS_EXCLUDED(mu_);

  std::atomic<int64_t> begun{0};  // Monitors.
  std::atomic<int64_t> downs{0};
  std::atomic<int64_t> ended{0};    // Demonitored.
  std::atomic<int64_t> dropped{0};  // By the end of the watcher.
  std::atomic<int64_t> linked{0};
  std::atomic<int64_t> exits{0};  // That were trapped.

 private:
  PeerRef Spawn();

  ActorSystem& system_;
  Random random_;
  mutable absl::Mutex mu_;
  std::vector<PeerRef> peers_ ABSL_GUARDED_BY(mu_);
  std::vector<PeerRef> former_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_WATCH_WORLD_H_
