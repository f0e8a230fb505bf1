// All that one run of the swarm of nodes shares: what it is made of, and who
// checks what.
#ifndef TROUPE_TESTING_SWARM_CLUSTER_WORLD_H_
#define TROUPE_TESTING_SWARM_CLUSTER_WORLD_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/base/random.h"
#include "troupe/cluster/node.h"
#include "troupe/testing/simulation.h"
#include "troupe/testing/swarm/cluster/calls.h"
#include "troupe/testing/swarm/cluster/crowds.h"
#include "troupe/testing/swarm/cluster/features.h"
#include "troupe/testing/swarm/cluster/journal.h"
#include "troupe/testing/swarm/cluster/lives.h"
#include "troupe/testing/swarm/cluster/mail.h"
#include "troupe/testing/swarm/cluster/messages.h"
#include "troupe/testing/swarm/cluster/readers.h"
#include "troupe/testing/swarm/cluster/rules.h"
#include "troupe/testing/swarm/cluster/sessions.h"
#include "troupe/testing/swarm/cluster/starts.h"
#include "troupe/testing/swarm/cluster/watches.h"

namespace troupe::cluster_swarm {

struct Home;

struct World {
  explicit World(testing::Simulation& sim)
      : random(sim.random()),
        features(random),
        journal([&sim] { return sim.now(); }),
        budget(features.budget()) {}

  uint64_t Uniform(uint64_t n) { return random.Uniform(n); }
  absl::Duration SomeTime() {
    return absl::Microseconds(Uniform(
        1 +
        static_cast<uint64_t>(absl::ToInt64Microseconds(features.longest()))));
  }
  // One more thing is done, if any may be.
  bool Spend() {
    if (budget == 0) return false;
    --budget;
    return true;
  }

  static std::string HostName(uint64_t i) { return absl::StrCat("n", i); }
  std::vector<std::string> HostNames() const {
    std::vector<std::string> names;
    for (uint64_t i = 0; i < features.nodes(); ++i) {
      names.push_back(HostName(i));
    }
    return names;
  }
  // Of all subscriptions of this run.
  uint32_t PortLimit() const { return 1 + (features.budget() % 12); }
  // Of the run of this thread: what is made from what has crossed is made
  // there.
  static World*& OfRun() {
    static thread_local World* world = nullptr;
    return world;
  }

  Random& random;
  const Features features;
  Journal journal;
  Sessions sessions{journal, features.sessions_last()};
  Lives lives{journal, sessions};
  const Rules rules{lives, sessions, random, HostNames(), features.has_rules()};
  Mail mail{journal, lives, sessions, rules};
  // Nothing delays who waits.
  const bool in_time = features.pauses() == 0 && features.standstills() == 0 &&
                       !features.late_timers();
  Calls calls{journal, lives, sessions, rules, in_time};
  Watches watches{journal, lives, sessions, rules};
  Crowds crowds{journal, lives, sessions, rules};
  Readers readers{journal, lives, sessions, rules,
                  features.publishes_in_bounds()};
  Starts starts{journal,
                lives,
                sessions,
                rules,
                features.sessions_last() && features.outbox_is_large(),
                in_time};
  // What runs on each host, or ran there last.
  std::map<std::string, Home*> homes;
  uint64_t budget;
  // How many resolve names, or start actors, just now. There is no rest before
  // they have ended.
  uint64_t resolving = 0;
};

// Says so as long as it lives.
class Resolving {
 public:
  explicit Resolving(World& world) : world_(world) { ++world_.resolving; }
  ~Resolving() { --world_.resolving; }
  Resolving(const Resolving&) = delete;
  Resolving& operator=(const Resolving&) = delete;

 private:
  World& world_;
};

// A node, and what runs there. Ends with the node.
struct Home {
  World& world;
  NodeRun run = 0;
  ActorSystem& system;
  Node* node = nullptr;
  // Those that were there at the start, in the order of their names.
  std::vector<Acquaintance> founders = {};
  // Those that others there have been spawned for, at random.
  std::vector<Acquaintance> known = {};
  // The one that has supervisors; null: there is none.
  AnyActorRef overseer = {};
};

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_WORLD_H_
