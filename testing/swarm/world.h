// All that the actors of one run share: what the seed decides, and what is
// known of what they do.
#ifndef TROUPE_TESTING_SWARM_WORLD_H_
#define TROUPE_TESTING_SWARM_WORLD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/pinned_thread.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/base/random.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_range.h"
#include "troupe/stream/output_port.h"
#include "troupe/stream/port_subscription.h"
#include "troupe/stream/subscribe_options.h"
#include "troupe/testing/swarm/bounds.h"
#include "troupe/testing/swarm/calls.h"
#include "troupe/testing/swarm/conservation.h"
#include "troupe/testing/swarm/features.h"
#include "troupe/testing/swarm/group_book.h"
#include "troupe/testing/swarm/group_watch.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"
#include "troupe/testing/swarm/messages.h"
#include "troupe/testing/swarm/name_book.h"
#include "troupe/testing/swarm/order.h"
#include "troupe/testing/swarm/port_book.h"
#include "troupe/testing/swarm/restarts.h"
#include "troupe/testing/swarm/ticks.h"
#include "troupe/testing/swarm/watches.h"

namespace troupe::swarm {

// What is thrown on purpose.
class Struck : public std::runtime_error {
 public:
  Struck() : std::runtime_error("struck") {}
};

struct World {
  explicit World(uint64_t seed)
      : random(seed), features(random), budget(features.budget()) {
    for (std::optional<OutputPort<News>>& port : ports) {
      port.emplace(PortOptions{.keeps = features.keeps()});
    }
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  static Group<CitizenApi> GroupOf(size_t group) {
    return Group<CitizenApi>(absl::StrCat("group", group));
  }

  static GroupRange RangeOf(size_t range) {
    return range == GroupWatch::kAll ? GroupRange::All() : GroupOf(range);
  }

  uint64_t Uniform(uint64_t bound) { return random.NextUint64() % bound; }
  absl::Duration SomeTime() {
    return absl::Microseconds(Uniform(features.longest_ms() * 1000));
  }
  int64_t After(absl::Duration time) const {
    return journal.now_ns() + absl::ToInt64Nanoseconds(time);
  }

  // Whether something more may be done: else all comes to rest.
  bool Spend() {
    if (budget == 0) return false;
    --budget;
    return true;
  }
  // Whether others may be ended just now.
  bool IsViolent() { return Uniform(1024) < features.violence(); }

  // One of all that there have ever been.
  Acquaintance Anybody() {
    if (roster.empty()) return {};
    return roster[Uniform(roster.size())];
  }
  void Introduce(const Acquaintance& one, const SpawnOptions& options) {
    lives.Register(one.number, one.ref);
    if (options.mailbox.messages != Capacity::kUnlimited) {
      bounds.Bounded(one.number, one.ref, options.mailbox.messages);
    }
    roster.push_back(one);
  }
  // Somebody asks it to drain. A bounded mailbox may have refused something.
  void Drains(Number number) {
    if (!bounds.IsBounded(number)) mail.DrainBegins(number);
  }
  // Its messages are counted for it alone.
  bool IsCountedApart(Number number) const {
    return number != 0 && !lives.is_supervised(number);
  }
  Parcel MakeParcel(Number sender, const Acquaintance& target, Way way) {
    return Parcel(Passage(mail, mail.Sent(sender, target.number,
                                          IsCountedApart(target.number))),
                  target.number, way);
  }

  Random random;
  Features features;
  Journal journal;
  Lives lives{journal};
  Conservation mail{journal, lives};
  Order order{journal};
  Calls calls{journal};
  Ticks ticks{journal, lives};
  Watches watches{journal, lives};
  Bounds bounds{journal};
  NameBook name_book{journal, lives, order};
  GroupBook group_book{journal, lives};
  GroupWatch group_watch{journal, lives};
  PortBook port_book{journal, lives};
  Restarts restarts{journal, lives, watches};

  ActorSystem* system = nullptr;
  uint64_t budget;
  int64_t payloads = 0;  // Messages that are counted.
  Counted counted{payloads};
  std::vector<Acquaintance> roster;
  std::vector<PinnedThread> threads;
  std::array<std::optional<OutputPort<News>>, PortBook::kPorts> ports;
  // By their numbers; those of actors that have ended stay.
  std::map<uint32_t, PortSubscription> subscriptions;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_WORLD_H_
