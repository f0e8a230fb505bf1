// Which ends an actor is to hear of, and who is to hear of its own.
//
// Monitors. The watcher keeps a slot for each in its WatchTable, and the actor
// that is watched keeps the duty to tell in its Watchers. Both are keyed by the
// serial of the monitor, so that a Down of one that is over finds nothing.
//
// Links. Each side keeps an entry for the other in its WatchTable while it is
// linked, and tells that one when it ends. Requests to link have serials:
//
//   Link()           an entry, if there is none: mine = new serial, which is
//                    told
//   told of a link   an entry, if there is none; known = that serial
//   Unlink()         no entry; `known` is told
//   told of that     no entry, unless it is mine, and newer than what the other
//                    side knew: then that will hear of it, and be linked
//
// Between nodes a request may be refused, and a link lost with its connection:
// then it is over, which is told. If the other side has linked anew before that
// is heard of, the new link stays, by the request of that side alone.
//
// So when all has arrived both sides are linked or none is, whoever linked and
// unlinked at the same time (link_sim_test).
//
// Thread safety: a WatchTable belongs to the thread that runs its actor's code,
// as HandlerState, which owns it. Watchers belong to the worker that owns the
// actor.
#ifndef TROUPE_ACTOR_INTERNAL_WATCH_TABLE_H_
#define TROUPE_ACTOR_INTERNAL_WATCH_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/notice.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// A monitor, as the actor that is watched knows it: in the order in which they
// are told.
struct WatchKey {
  uint64_t watcher;
  uint64_t serial;
  friend auto operator<=>(const WatchKey&, const WatchKey&) = default;
};
// Ordered, not hashed: the order in which watchers hear is to depend on nothing
// but what happened.
using Watchers = absl::btree_map<WatchKey, OwedNotice>;

// Signals.
struct BeginWatch {
  WatchKey key;
  OwedNotice down;
};
struct EndWatch {
  WatchKey key;
};
// Controls; see reply.h.
struct LinkRequest {
  AnyActorRef from;
  uint64_t serial;
  OwedNotice exit;  // For `from`.
};
struct UnlinkRequest {
  uint64_t from;
  uint64_t known_serial;  // The last one that `from` knew of.
};

class WatchTable {
 public:
  explicit WatchTable(Cell& cell) : cell_(cell) {}
  WatchTable(const WatchTable&) = delete;
  WatchTable& operator=(const WatchTable&) = delete;
  ~WatchTable();

  // -- by the actor's code, outside the seat
  MonitorHandle Monitor(const AnyActorRef& actor);
  [[nodiscard]] bool Demonitor(const MonitorHandle& monitor);
  void Link(const AnyActorRef& actor);
  [[nodiscard]] bool Unlink(const AnyActorRef& actor);

  // -- a notice has come: what it is about, which is over now; nothing if that
  // was over before
  std::optional<AnyActorRef> TakeMonitor(uint32_t slot, uint64_t serial);
  std::optional<AnyActorRef> TakeLink(uint64_t id);
  // The same of a loss: nothing, too, if this side has linked since.
  std::optional<AnyActorRef> TakeLostLink(const Notice& loss);

  // -- the other side has linked, or unlinked
  void OnLink(LinkRequest& request);
  void OnUnlink(const UnlinkRequest& request);

  // The actor has ended: tells up to `limit` others, and takes off as much.
  // Returns how many. In the seat with `tag`.
  size_t TellSome(const ExitReason& reason, uint64_t tag, size_t limit);

  size_t monitors() const { return monitors_; }
  const auto& links() const { return links_; }
  bool empty() const { return monitors_ == 0 && links_.empty(); }

 private:
  struct Slot {
    AnyActorRef actor;
    uint64_t serial = 0;  // 0: free.
    uint32_t next_free = 0;
  };
  struct LinkEntry {
    AnyActorRef actor;
    OwedNotice exit;     // For it.
    uint64_t mine = 0;   // Of the request that made it; 0: it was the other's.
    uint64_t known = 0;  // Of the last request of the other's; 0: none.
  };
  using Links = absl::btree_map<uint64_t, LinkEntry>;
  static constexpr uint32_t kNone = ~uint32_t{0};

  bool IsOn(uint32_t slot, uint64_t serial) const {
    return serial != 0 && slot < slots_.size() && slots_[slot].serial == serial;
  }
  AnyActorRef Release(uint32_t slot);
  void Forget(Links::iterator entry);

  Cell& cell_;
  uint64_t next_serial_ = 1;
  std::vector<Slot> slots_;
  uint32_t free_ = kNone;
  size_t monitors_ = 0;
  size_t told_slots_ = 0;  // Those before are free; only at the end.
  Links links_;
};

// -- the actor that is watched; by its owner, in the seat

// Has `watch` told of the end; at once, if all others have been told. In the
// seat with `tag`.
void AddWatcher(Cell& cell, BeginWatch& watch, uint64_t tag);
void RemoveWatcher(Cell& cell, const WatchKey& key);

// What an actor says of its end, apart from its parent, in its last turns: up
// to some number at a time. False: there is more. In the seat with `tag`.
bool TellOthersOfEnd(Cell& cell, uint64_t tag);
// Whether there is anything to say.
bool OthersHearOfEnd(const Cell& cell);

// As HandleControl(): whether it was a LinkRequest or an UnlinkRequest.
bool HandleLinkControl(Cell& cell, Envelope& envelope);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_WATCH_TABLE_H_
