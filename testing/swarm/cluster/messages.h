// What the actors of the swarm of nodes say to each other. All of it crosses.
#ifndef TROUPE_TESTING_SWARM_CLUSTER_MESSAGES_H_
#define TROUPE_TESTING_SWARM_CLUSTER_MESSAGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/protocol.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/ports.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/stream/publishes.h"
#include "troupe/testing/swarm/cluster/journal.h"
#include "troupe/testing/swarm/cluster/mail.h"

namespace troupe::cluster_swarm {

// Counts what there is of it in this thread's run, copies and what is decoded
// included.
class Counted {
 public:
  Counted() { ++count(); }
  Counted(const Counted&) { ++count(); }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --count(); }

  static int64_t& count() {
    static thread_local int64_t count = 0;
    return count;
  }
};

// An actor that somebody knows.
struct Acquaintance {
  AnyActorRef ref;
  Number number = 0;
};

// Says that it has come, to whoever was named in a Parcel.
struct Nudge {
  static constexpr absl::string_view kWireName = "swarm.Nudge";
  Counted counted;
  Number sender = 0;
  Number target = 0;
};

// One way. Brings references along.
struct Parcel {
  static constexpr absl::string_view kWireName = "swarm.Parcel";
  Counted counted;
  Stamp stamp;
  std::vector<Acquaintance> brings;
  ActorRef<Nudge> nudged;
  Number nudged_number = 0;
  std::string padding;
};

struct Answer {
  Counted counted;
  uint32_t call = 0;
  Acquaintance brings;
};
struct Question {
  static constexpr absl::string_view kWireName = "swarm.Question";
  using Reply = Answer;
  Counted counted;
  uint32_t call = 0;
  Number callee = 0;
  uint32_t depth = 0;  // Of calls within calls.
  Acquaintance brings;
};

// The outcome of a call that was forwarded.
struct Outcome {
  static constexpr absl::string_view kWireName = "swarm.Outcome";
  Counted counted;
  uint32_t call = 0;
};

// Something that takes its time.
struct Errand {
  static constexpr absl::string_view kWireName = "swarm.Errand";
  Counted counted;
  uint64_t deeds = 0;
};

// To all members of a group.
struct Cry {
  static constexpr absl::string_view kWireName = "swarm.Cry";
  Counted counted;
  Number sender = 0;
  uint32_t group = 0;
  uint32_t number = 0;  // Of all from that sender to that group.
  uint64_t tick = 0;    // See Stamp.
};
struct GroupApi : Protocol<Cry> {};

// What a resident publishes.
struct News {
  static constexpr absl::string_view kWireName = "swarm.News";
  Counted counted;
  Number publisher = 0;
  bool waited = false;  // For room.
  uint32_t number = 0;  // Of all that it publishes in that way.
};
// What becomes of it for one subscription. Does not cross.
struct Told {
  News news;
  uint32_t subscription = 0;
};
// Tells a resident to publish something now. Does not cross.
struct Ring {};

struct ResidentApi : Protocol<Nudge, Parcel, Question, Outcome, Errand, Cry,
                              Subscribe<News>, Unsubscribe<News>> {};

using ResidentRef = ActorRef<ResidentApi>;

// Acquaintances are residents, all of them.
inline ResidentRef RefTo(const Acquaintance& acquaintance) {
  return ResidentRef(acquaintance.ref.cell(), acquaintance.ref.id().value());
}

}  // namespace troupe::cluster_swarm

template <>
struct troupe::Codec<troupe::cluster_swarm::Counted> {
  static void Encode(const cluster_swarm::Counted&, Encoder&) {}
  static void Decode(Decoder&, cluster_swarm::Counted&) {}
  static void Describe(ShapeBuilder& shape) { shape.Add("\"Counted\""); }
};

#endif  // TROUPE_TESTING_SWARM_CLUSTER_MESSAGES_H_
