#include "troupe/cluster/internal/watch_book.h"

#include <utility>

#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/send.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {
namespace {

// Tells `reason`, behind all that has reached the one who is told.
void Tell(OwedNotice notice, const ExitReason& reason) {
  notice.SetDefault(reason);
}

void SendControlTo(const AnyActorRef& actor, Envelope* control) {
  control->tag = kControlTag;
  SendControl(*actor.cell(), actor.id().value(), control);
}

}  // namespace

// -- actors here, of ends there

MonitorItem WatchBook::Monitor(uint64_t to, BeginWatch watch) {
  watches_.insert_or_assign(watch.key, std::move(watch.down));
  return {to, watch.key.watcher, watch.key.serial};
}

DemonitorItem WatchBook::Demonitor(uint64_t to, const EndWatch& watch) {
  const auto found = watches_.find(watch.key);
  if (found != watches_.end()) {
    found->second.Forget();
    watches_.erase(found);
  }
  return {to, watch.key.watcher, watch.key.serial};
}

LinkItem WatchBook::Link(uint64_t to, LinkRequest request) {
  const uint64_t from = request.from.id().value();
  Linked& link = links_[{from, to}];
  link.exit.Forget();
  link.exit = std::move(request.exit);
  link.serials.mine = request.serial;
  return {to, from, request.serial};
}

UnlinkItem WatchBook::Unlink(uint64_t to, const UnlinkRequest& request) {
  const auto found = links_.find({request.from, to});
  if (found != links_.end()) {
    Linked& link = found->second;
    if (link.serials.known > request.known_serial) {
      link.serials.mine = 0;  // The other one's, of which it did not know.
    } else {
      link.exit.Forget();
      links_.erase(found);
    }
  }
  return {to, request.from, request.known_serial};
}

AwaitEndItem WatchBook::AwaitEnd(uint64_t to, struct AwaitEnd wait) {
  const uint64_t number = ++last_wait_;
  const ReplyRoute route = wait.why.route();
  waits_.emplace(number, Wait{std::move(wait.why), route});
  wait_numbers_.emplace(RouteKey(route), number);
  return {to, number, static_cast<uint8_t>(wait.next)};
}

uint64_t WatchBook::AwaitEndNoMore(const ReplyRoute& route) {
  const auto found = wait_numbers_.find(RouteKey(route));
  if (found == wait_numbers_.end()) return 0;
  const uint64_t number = found->second;
  wait_numbers_.erase(found);
  waits_.erase(number);  // Answers: the one who asked is gone or waits for it.
  return number;
}

void WatchBook::OnDown(const DownItem& item) {
  const auto found = watches_.find({item.to, item.serial});
  if (found == watches_.end()) return;
  OwedNotice notice = std::move(found->second);
  watches_.erase(found);
  Tell(std::move(notice), item.reason);
}

void WatchBook::OnExit(const ExitItem& item) {
  const auto found = links_.find({item.to, item.from});
  if (found == links_.end()) return;
  const LinkSerials serials = found->second.serials;
  if (item.refused != 0 && serials.mine != item.refused) return;
  OwedNotice notice = std::move(found->second.exit);
  links_.erase(found);
  if (item.refused != 0) return notice.SetLoss(serials, item.reason);
  Tell(std::move(notice), item.reason);
}

void WatchBook::OnEnded(const EndedItem& item) {
  const auto found = waits_.find(item.number);
  if (found == waits_.end()) return;
  Wait wait = std::move(found->second);
  wait_numbers_.erase(RouteKey(wait.route));
  waits_.erase(found);
  if (item.refused.ok()) return std::move(wait.why).Give(item.reason);
  wait.why.Forget();
  SendReply(wait.route, MakeFailure(item.refused));
}

// -- actors there, of ends here

bool WatchBook::OnMonitor(const MonitorItem& item, const AnyActorRef& target) {
  const AnyActorRef watcher = peer_.RefTo(item.from);
  const WatchKey key{watcher.id().value(), item.serial};
  // It is taken off one actor.
  if (!watched_.try_emplace(key, target).second) return false;
  PushSignal(*target.cell(), target.id().value(),
             MakeEnvelope<BeginWatch>(
                 key, OwedNotice::OfDown(*watcher.cell(), key.watcher,
                                         key.serial, /*slot=*/0)));
  return true;
}

void WatchBook::OnDemonitor(const DemonitorItem& item) {
  const auto found = watched_.find({peer_.IdOf(item.from), item.serial});
  if (found == watched_.end()) return;
  const AnyActorRef target = found->second;
  PushSignal(*target.cell(), target.id().value(),
             MakeEnvelope<EndWatch>(found->first));
  watched_.erase(found);
}

void WatchBook::RefuseMonitor(const MonitorItem& item,
                              const absl::Status& why) {
  const AnyActorRef watcher = peer_.RefTo(item.from);
  Tell(OwedNotice::OfDown(*watcher.cell(), watcher.id().value(), item.serial,
                          /*slot=*/0),
       ExitReason::Failed(why));
}

void WatchBook::OnLink(const LinkItem& item, const AnyActorRef& target) {
  const AnyActorRef from = peer_.RefTo(item.from);
  Linked& link = links_[{item.to, item.from}];
  link.exit.Forget();
  link.exit = OwedNotice::OfExit(*target.cell(), item.to, from.id().value());
  link.serials.known = item.serial;
  SendControlTo(target, MakeEnvelope<LinkRequest>(
                            from, item.serial,
                            OwedNotice::OfExit(*from.cell(), from.id().value(),
                                               item.to)));
}

void WatchBook::OnUnlink(const UnlinkItem& item, const AnyActorRef& target) {
  const auto found = links_.find({item.to, item.from});
  // As WatchTable::OnUnlink(): a newer request of the one here stays.
  if (found != links_.end() &&
      found->second.serials.mine <= item.known_serial) {
    found->second.exit.Forget();
    links_.erase(found);
  }
  SendControlTo(target, MakeEnvelope<UnlinkRequest>(peer_.IdOf(item.from),
                                                    item.known_serial));
}

DownItem WatchBook::Down(uint64_t to, const Notice& notice) {
  watched_.erase({peer_.IdOf(to), notice.key});
  return {to, notice.key, notice.reason};
}

ExitItem WatchBook::Exit(uint64_t to, const Notice& notice) {
  const auto found = links_.find({notice.key, to});
  if (found != links_.end()) {
    found->second.exit.Forget();  // It is the one here that has ended.
    links_.erase(found);
  }
  return {to, notice.key, notice.reason};
}

void WatchBook::End() {
  const ExitReason reason = ExitReason::NoConnection();
  while (!watches_.empty()) {
    OwedNotice notice = std::move(watches_.begin()->second);
    watches_.erase(watches_.begin());
    Tell(std::move(notice), reason);
  }
  while (!links_.empty()) {
    Linked link = std::move(links_.begin()->second);
    links_.erase(links_.begin());
    link.exit.SetLoss(link.serials, reason);
  }
  wait_numbers_.clear();
  while (!waits_.empty()) {
    OwedAnswer<ExitReason> why = std::move(waits_.begin()->second.why);
    waits_.erase(waits_.begin());
    std::move(why).Give(reason);
  }
  while (!watched_.empty()) {
    const auto [key, target] = *watched_.begin();
    watched_.erase(watched_.begin());
    PushSignal(*target.cell(), target.id().value(),
               MakeEnvelope<EndWatch>(key));
  }
}

}  // namespace troupe::internal
