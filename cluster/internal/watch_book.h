// Who of the two nodes of a session is to hear of whose end.
//
// An end there is told here by what the watcher or the link left with us; so
// when the session ends, all are told that there is no connection. An end here
// is told there by a notice that goes the way of all that is sent.
//
// Thread safety: belongs to the session. Outside the seat.
#ifndef TROUPE_CLUSTER_INTERNAL_WATCH_BOOK_H_
#define TROUPE_CLUSTER_INTERNAL_WATCH_BOOK_H_

#include <compare>
#include <cstddef>
#include <cstdint>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/internal/notice.h"
#include "troupe/actor/internal/owed_answer.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/cluster/internal/call_book.h"
#include "troupe/cluster/internal/items.h"

namespace troupe::internal {

class WatchBook {
 public:
  explicit WatchBook(FarCell& peer) : peer_(peer) {}

  // -- actors here, of ends there

  MonitorItem Monitor(uint64_t to, BeginWatch watch);
  DemonitorItem Demonitor(uint64_t to, const EndWatch& watch);
  LinkItem Link(uint64_t to, LinkRequest request);
  UnlinkItem Unlink(uint64_t to, const UnlinkRequest& request);
  AwaitEndItem AwaitEnd(uint64_t to, struct AwaitEnd wait);
  // 0: it is over.
  uint64_t AwaitEndNoMore(const ReplyRoute& route);

  void OnDown(const DownItem& item);
  void OnExit(const ExitItem& item);
  void OnEnded(const EndedItem& item);

  // -- actors there, of ends here; `target` may be gone

  // False: that watcher has begun one with that serial before, which is not
  // over. None of us does, as a watcher numbers its monitors.
  bool OnMonitor(const MonitorItem& item, const AnyActorRef& target);
  void OnDemonitor(const DemonitorItem& item);
  // The peer may not: its actor is told so.
  void RefuseMonitor(const MonitorItem& item, const absl::Status& why);
  // Whether one is linked that lives here, or wants to be.
  bool AreLinked(uint64_t here, uint64_t there) const {
    return links_.contains({here, there});
  }
  void OnLink(const LinkItem& item, const AnyActorRef& target);
  void OnUnlink(const UnlinkItem& item, const AnyActorRef& target);
  // A notice for the actor `to` there is on its way.
  DownItem Down(uint64_t to, const Notice& notice);
  ExitItem Exit(uint64_t to, const Notice& notice);

  // The session is over: all here are told, and those there watch no more.
  void End();

  // What the peer has us keep, links of either side.
  size_t kept() const { return links_.size() + watched_.size(); }
  // What is not over.
  size_t size() const {
    return watches_.size() + links_.size() + waits_.size() + watched_.size();
  }

 private:
  struct Pair {
    uint64_t here;
    uint64_t there;
    friend auto operator<=>(const Pair&, const Pair&) = default;
  };
  struct Linked {
    OwedNotice exit;      // For the one here.
    LinkSerials serials;  // Its own, of what has crossed in this session.
  };
  struct Wait {
    OwedAnswer<ExitReason> why;
    ReplyRoute route;
  };

  FarCell& peer_;
  absl::btree_map<WatchKey, OwedNotice> watches_;
  absl::btree_map<Pair, Linked> links_;
  absl::btree_map<uint64_t, Wait> waits_;
  absl::flat_hash_map<RouteKey, uint64_t> wait_numbers_;
  uint64_t last_wait_ = 0;
  // Of actors here, by watchers there.
  absl::btree_map<WatchKey, AnyActorRef> watched_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_WATCH_BOOK_H_
