// The calls of one session that wait for their answers, in both directions.
//
// Thread safety: belongs to the session; answers come on any thread.
#ifndef TROUPE_CLUSTER_INTERNAL_CALL_BOOK_H_
#define TROUPE_CLUSTER_INTERNAL_CALL_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/internal/owed_answer.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/base/clock.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// What comes back to the session from actors here, for the peer.
struct AnswerReady {
  uint64_t number;
  const WireType* type;
  EnvelopePtr reply;
};
// There is no answer: the request reached nobody.
struct CallFailed {
  uint64_t number;
  absl::Status status;
};
// The peer may not end that actor here.
struct EndRefused {
  uint64_t id;
  absl::Status why;
};
// Nor be linked to it.
struct LinkRefused {
  LinkItem link;
  absl::Status why;
};
struct EndKnown {
  uint64_t number;
  ExitReason reason;
  absl::Status refused = {};  // Not OK: nothing has ended.
};

// By what an answer finds the one who asked, as a key of tables.
struct RouteKey {
  explicit RouteKey(const ReplyRoute& route)
      : where(route.where & ~ReplyRoute::kFlags),
        id(route.id),
        number(route.number) {}
  friend bool operator==(const RouteKey&, const RouteKey&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const RouteKey& key) {
    return H::combine(std::move(state), key.where, key.id, key.number);
  }
  uintptr_t where;
  uint64_t id;
  uint64_t number;
};

// Calls of actors here to actors of the peer's.
class CallsOut {
 public:
  struct Call {
    ReplyRoute route;
    const WireType* type;
    uint64_t to;  // There.
    MonotonicTime deadline;
  };

  // The number of the call, of which there never is another.
  uint64_t Begin(const Call& call);
  // Null: it is over.
  const Call* Look(uint64_t number) const;
  // It is over. Nothing: it was.
  std::optional<Call> Take(uint64_t number);
  // Its number, for who knows the route only; 0: it is over.
  uint64_t Find(const ReplyRoute& route) const;
  // The same, and it is over.
  uint64_t TakeByRoute(const ReplyRoute& route);
  size_t size() const { return calls_.size(); }
  // Takes calls whose deadline has passed, with their numbers: nobody waits for
  // them. Looks at some each time, and so in the end at all.
  std::vector<std::pair<uint64_t, Call>> TakeLate(MonotonicTime now);

  // No answer will come any more. Outside the seat.
  void FailAll(const FarCell& peer);

 private:
  static constexpr size_t kLookedAt = 1024;

  uint64_t last_ = 0;
  uint64_t looked_at_ = 0;  // The last one.
  // In the order in which they were made: that in which they fail.
  absl::btree_map<uint64_t, Call> calls_;
  absl::flat_hash_map<RouteKey, uint64_t> numbers_;
};

// Calls of the peer's actors to actors here, and their waits for ends.
class CallsIn {
 public:
  explicit CallsIn(FarCell& peer) : peer_(peer) {}
  // As FarCell::Open() has said; before anything else.
  void set_session_number(uint64_t number) { session_number_ = number; }

  // The request reached nobody.
  void Fail(uint64_t number, absl::Status why);
  // Where the answer is to go, for the actor `caller` there, 0 if it is none.
  // False: the number is in use.
  [[nodiscard]] bool Begin(uint64_t number, const AnyActorRef& callee,
                           const WireType& type, uint64_t caller,
                           ReplyRoute& route);
  // The same for who waits for the end of `actor`; begins to wait, too.
  [[nodiscard]] bool AwaitEnd(uint64_t number, const AnyActorRef& actor);
  // The peer may not wait for that, or ask for it; or not end the actor `id`.
  [[nodiscard]] bool RefuseWait(uint64_t number, const absl::Status& why);
  void RefuseEnd(uint64_t id, const absl::Status& why);
  void RefuseLink(const LinkItem& link, const absl::Status& why);
  // The actor there that waits for it; 0: none, or nobody any more.
  uint64_t CallerOf(uint64_t number) const;
  // Whether somebody waits for it.
  bool Waits(uint64_t number) const { return calls_.contains(number); }
  // It is answered. False: the caller has given up.
  [[nodiscard]] bool Take(uint64_t number) { return calls_.erase(number) != 0; }
  [[nodiscard]] bool TakeWait(uint64_t number) {
    return waits_.erase(number) != 0;
  }
  // The caller has given up. Outside the seat.
  void Cancel(uint64_t number);
  void CancelWait(uint64_t number);
  // All have.
  void CancelAll();
  size_t size() const { return calls_.size() + waits_.size(); }

 private:
  struct Call {
    AnyActorRef callee;
    ReplyRoute route;
    uint64_t caller = 0;
  };

  FarCell& peer_;
  uint64_t session_number_ = 0;
  absl::btree_map<uint64_t, Call> calls_;
  absl::btree_map<uint64_t, Call> waits_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_CALL_BOOK_H_
