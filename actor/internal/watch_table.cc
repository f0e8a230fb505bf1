#include "troupe/actor/internal/watch_table.h"

#include <utility>

#include "troupe/actor/actor_status.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/user_code.h"
#include "troupe/base/check.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {
namespace {

// How many are told in one turn of an actor that has ended.
constexpr size_t kToldAtOnce = 128;

Cell& CellOf(const AnyActorRef& actor) {
  return actor.cell() != nullptr ? *actor.cell() : NoCell();
}

// Takes a watch off the actor that is watched. In the seat with `tag`.
void TakeOff(const AnyActorRef& actor, const WatchKey& key, uint64_t tag) {
  Cell& cell = CellOf(actor);
  const uint64_t id = actor.id().value();
  switch (ReachFromSeat(cell, id, tag)) {
    case Reach::kHere:
      return RemoveWatcher(cell, key);
    case Reach::kElsewhere:
      return PushSignalFromSeat(cell, id, MakeEnvelope<EndWatch>(key), tag);
    case Reach::kGone:
      return;
  }
}

void SendLinkControl(const AnyActorRef& to, Envelope* control) {
  control->tag = kControlTag;
  SendControl(CellOf(to), to.id().value(), control);
}

}  // namespace

WatchTable::~WatchTable() {
  TROUPE_DCHECK(empty(), "an actor takes its watches off before it goes");
}

// -- monitors

MonitorHandle WatchTable::Monitor(const AnyActorRef& actor) {
  if (free_ == kNone) {
    slots_.push_back({AnyActorRef(), 0, kNone});
    free_ = static_cast<uint32_t>(slots_.size() - 1);
  }
  const uint32_t index = free_;
  const WatchKey key{cell_.CurrentId(), next_serial_++};
  BeginWatch watch{key,
                   OwedNotice::OfDown(cell_, key.watcher, key.serial, index)};
  Slot& slot = slots_[index];
  free_ = slot.next_free;
  slot = {actor, key.serial, kNone};
  ++monitors_;

  // From here on it would be half begun.
  MustHaveMemory("a monitor", [&] {
    Cell& cell = CellOf(actor);
    const InSeat seat;
    switch (ReachFromSeat(cell, actor.id().value(), seat.tag)) {
      case Reach::kHere:
        AddWatcher(cell, watch, seat.tag);
        break;
      case Reach::kElsewhere:
        PushSignalFromSeat(cell, actor.id().value(),
                           MakeEnvelope<BeginWatch>(std::move(watch)),
                           seat.tag);
        break;
      case Reach::kGone:
        break;  // The duty that is dropped tells so.
    }
  });
  return MonitorHandle(key.watcher, key.serial, index);
}

AnyActorRef WatchTable::Release(uint32_t index) {
  Slot& slot = slots_[index];
  slot.serial = 0;
  slot.next_free = std::exchange(free_, index);
  --monitors_;
  return slot.actor;
}

bool WatchTable::Demonitor(const MonitorHandle& monitor) {
  if (!IsOn(monitor.slot(), monitor.serial())) return false;
  const AnyActorRef actor = Release(monitor.slot());
  MustHaveMemory("the end of a monitor", [&] {
    const InSeat seat;
    TakeOff(actor, {cell_.CurrentId(), monitor.serial()}, seat.tag);
  });
  return true;
}

std::optional<AnyActorRef> WatchTable::TakeMonitor(uint32_t slot,
                                                   uint64_t serial) {
  if (!IsOn(slot, serial)) return std::nullopt;
  return Release(slot);
}

// -- links

void WatchTable::Link(const AnyActorRef& actor) {
  const uint64_t id = actor.id().value();
  if (links_.contains(id)) return;
  const uint64_t me = cell_.CurrentId();
  const uint64_t serial = next_serial_++;
  // All that can fail first.
  EnvelopePtr request(MakeEnvelope<LinkRequest>(
      AnyActorRef(&cell_, me), serial, OwedNotice::OfExit(cell_, me, id)));
  MustHaveMemory("a link", [&] {
    LinkEntry& link = links_[id];
    link.actor = actor;
    link.mine = serial;
    link.exit = OwedNotice::OfExit(CellOf(actor), id, me);
    SendLinkControl(actor, request.release());
  });
}

void WatchTable::Forget(Links::iterator entry) {
  entry->second.exit.Forget();
  links_.erase(entry);
}

bool WatchTable::Unlink(const AnyActorRef& actor) {
  const auto entry = links_.find(actor.id().value());
  if (entry == links_.end()) return false;
  const uint64_t known = entry->second.known;
  Forget(entry);
  MustHaveMemory("the end of a link", [&] {
    SendLinkControl(actor,
                    MakeEnvelope<UnlinkRequest>(cell_.CurrentId(), known));
  });
  return true;
}

std::optional<AnyActorRef> WatchTable::TakeLink(uint64_t id) {
  const auto entry = links_.find(id);
  if (entry == links_.end()) return std::nullopt;
  const AnyActorRef actor = entry->second.actor;
  Forget(entry);
  return actor;
}

std::optional<AnyActorRef> WatchTable::TakeLostLink(const Notice& loss) {
  const auto entry = links_.find(loss.key);
  if (entry == links_.end()) return std::nullopt;
  LinkEntry& link = entry->second;
  if (static_cast<uint32_t>(link.mine) != loss.slot) return std::nullopt;
  if (static_cast<uint16_t>(link.known) == loss.known) {
    return TakeLink(loss.key);
  }
  link.mine = 0;  // The other side has linked since.
  return link.actor;
}

void WatchTable::OnLink(LinkRequest& request) {
  LinkEntry& link = links_[request.from.id().value()];
  link.actor = request.from;
  link.known = request.serial;
  link.exit.Forget();
  link.exit = std::move(request.exit);
}

void WatchTable::OnUnlink(const UnlinkRequest& request) {
  const auto entry = links_.find(request.from);
  if (entry == links_.end()) return;
  if (entry->second.mine <= request.known_serial) Forget(entry);
}

// -- the end

size_t WatchTable::TellSome(const ExitReason& reason, uint64_t tag,
                            size_t limit) {
  size_t told = 0;
  while (told < limit && !links_.empty()) {
    std::move(links_.begin()->second.exit).Give(reason, tag);
    links_.erase(links_.begin());
    ++told;
  }
  for (; told < limit && monitors_ > 0; ++told_slots_) {
    const uint64_t serial = slots_[told_slots_].serial;
    if (serial == 0) continue;
    const AnyActorRef actor = Release(static_cast<uint32_t>(told_slots_));
    TakeOff(actor, {cell_.CurrentId(), serial}, tag);
    ++told;
  }
  return told;
}

namespace {

WatchTable* TableOf(const Cell& cell) {
  return cell.handler != nullptr ? cell.handler->watches() : nullptr;
}

bool HasWatches(const Cell& cell) {
  const WatchTable* const table = TableOf(cell);
  return table != nullptr && !table->empty();
}
bool HasWatchers(const Cell& cell) {
  return cell.extras != nullptr && !cell.extras->watchers.empty();
}

}  // namespace

bool OthersHearOfEnd(const Cell& cell) {
  return HasWatches(cell) || HasWatchers(cell);
}

bool TellOthersOfEnd(Cell& cell, uint64_t tag) {
  const ExitReason reason = ExitReasonOf(cell);
  // Whoever hears of the end finds that the actor has ended.
  SetStatus(cell, ActorStatus::kStopped);
  size_t told = 0;
  if (WatchTable* const table = TableOf(cell)) {
    told = table->TellSome(reason, tag, kToldAtOnce);
  }
  if (cell.extras != nullptr) {
    Watchers& watchers = cell.extras->watchers;
    for (; told < kToldAtOnce && !watchers.empty(); ++told) {
      std::move(watchers.begin()->second).Give(reason, tag);
      watchers.erase(watchers.begin());
    }
  }
  return !OthersHearOfEnd(cell);
}

void AddWatcher(Cell& cell, BeginWatch& watch, uint64_t tag) {
  if (cell.phase >= Phase::kEnding) {
    return std::move(watch.down).Give(ExitReasonOf(cell), tag);
  }
  cell.Extras().watchers.try_emplace(watch.key, std::move(watch.down));
}

void RemoveWatcher(Cell& cell, const WatchKey& key) {
  if (cell.extras == nullptr) return;
  Watchers& watchers = cell.extras->watchers;
  const auto watcher = watchers.find(key);
  if (watcher == watchers.end()) return;
  watcher->second.Forget();
  watchers.erase(watcher);
}

bool HandleLinkControl(Cell& cell, Envelope& envelope) {
  if (auto* const link = envelope.TryAs<LinkRequest>()) {
    HandlerState::Of(cell).Watches().OnLink(*link);
  } else if (auto* const unlink = envelope.TryAs<UnlinkRequest>()) {
    if (WatchTable* const table = TableOf(cell)) table->OnUnlink(*unlink);
  } else {
    return false;
  }
  return true;
}

}  // namespace troupe::internal
