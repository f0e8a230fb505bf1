// What the actors of the swarm say to each other.
#ifndef TROUPE_TESTING_SWARM_MESSAGES_H_
#define TROUPE_TESTING_SWARM_MESSAGES_H_

#include <array>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/reply_to.h"
#include "troupe/registry/group_changed.h"
#include "troupe/testing/swarm/calls.h"
#include "troupe/testing/swarm/conservation.h"
#include "troupe/testing/swarm/lives.h"
#include "troupe/testing/swarm/order.h"

namespace troupe::swarm {

// Counts what there is of it, copies included.
class Counted {
 public:
  explicit Counted(int64_t& count) : count_(&count) { ++*count_; }
  Counted(const Counted& other) : count_(other.count_) { ++*count_; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*count_; }

 private:
  int64_t* count_;
};

// An actor that somebody knows.
struct Acquaintance {
  AnyActorRef ref;
  Number number = 0;
};

// The duty to answer a call.
struct Duty {
  uint32_t call = 0;
  ReplyTo<int64_t> reply;
};

// One way, never copied. Brings references along, and perhaps a duty.
struct Parcel {
  Parcel(Passage its_passage, Number to, Way by) noexcept
      : passage(std::move(its_passage)), target(to), way(by) {}
  Parcel(Parcel&&) noexcept = default;

  Passage passage;
  Number target;
  Way way;
  std::array<Acquaintance, 2> brings = {};
  Duty duty = {};
};

// The same, sent when there is space for it.
struct Freight : Parcel {
  using Parcel::Parcel;
};

// Something that takes its time.
struct Errand {
  Errand(const Counted& counts, uint64_t how_many)
      : counted(counts), waits(how_many) {}

  Counted counted;
  uint64_t waits;
};

// Comes of a timer.
struct Tick {
  Tick(const Counted& counts, uint32_t its_timer)
      : counted(counts), timer(its_timer) {}

  Counted counted;
  uint32_t timer;
};

// Requests. All are answered by Calls::AnswerTo(), or not at all.
struct Asked {
  Asked(const Counted& counts, uint32_t its_call, uint32_t how_deep)
      : counted(counts), call(its_call), depth(how_deep) {}

  Counted counted;
  uint32_t call;
  uint32_t depth;  // Of calls within calls.
};
// Handled by a plain function.
struct Inquiry : Asked {
  using Asked::Asked;
  using Reply = int64_t;
};
// By a coroutine.
struct Question : Asked {
  using Asked::Asked;
  using Reply = int64_t;
};
// By whoever is given the duty.
struct Favor : Asked {
  using Asked::Asked;
  using Reply = int64_t;

  uint32_t aside = 0;  // Its number as a message, if it was set aside.
};

// The outcome of a call that was forwarded.
struct Outcome {
  explicit Outcome(const Counted& counts) : counted(counts) {}

  Counted counted;
};

// Sent to a group, or to whoever is in its place.
struct Cry {
  Cry(const Counted& counts, Number from, uint32_t its_number)
      : counted(counts), sender(from), number(its_number) {}

  Counted counted;
  Number sender;
  uint32_t number;
};

// What ports publish, and what it becomes for each subscription.
struct News {
  News(const Counted& counts, Number from, uint32_t its_number, bool waited)
      : counted(counts),
        publisher(from),
        number(its_number),
        when_ready(waited) {}

  Counted counted;
  Number publisher;
  uint32_t number;
  bool when_ready;  // It waited until there was room.
};
struct Told {
  Told(const News& its_news, uint32_t its_subscription)
      : news(its_news), subscription(its_subscription) {}

  News news;
  uint32_t subscription;
};

struct CitizenApi : Protocol<Parcel, Freight, Errand, Tick, Inquiry, Question,
                             Favor, Outcome, Cry, Told, GroupChanged> {};

using CitizenRef = ActorRef<CitizenApi>;

// Acquaintances are citizens, all of them.
inline CitizenRef RefTo(const Acquaintance& acquaintance) {
  return CitizenRef(acquaintance.ref.cell(), acquaintance.ref.id().value());
}

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_MESSAGES_H_
