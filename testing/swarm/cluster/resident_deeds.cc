// What a resident does at once.
#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/call.h"
#include "troupe/actor/send_result.h"
#include "troupe/testing/swarm/cluster/resident.h"

namespace troupe::cluster_swarm {
namespace {

constexpr size_t kMostMonitors = 8;

}  // namespace

void Resident::Do(Deed deed) {
  switch (deed) {
    case Deed::kSend:
      return Send(Way::kNormal);
    case Deed::kSendUrgent:
      return Send(Way::kUrgent);
    case Deed::kTrySend:
      return TryToSend();
    case Deed::kSendMany:
      for (uint64_t i = world_.Uniform(32); i > 0; --i) TryToSend();
      return;
    case Deed::kForward:
      return ForwardCall();
    case Deed::kAnswer: {
      if (duties_.empty()) return;
      // The oldest: its session may be over, and the next one has calls too.
      Duty duty = std::move(duties_.front());
      duties_.erase(duties_.begin());
      return Fulfil(std::move(duty));
    }
    case Deed::kBear:
      return Bear();
    case Deed::kMonitor:
      return MonitorSomebody();
    case Deed::kDemonitor:
      return DemonitorSomebody();
    case Deed::kLink:
      return LinkSomebody();
    case Deed::kUnlink:
      return UnlinkSomebody();
    case Deed::kStop:
    case Deed::kKill:
    case Deed::kDrain:
    case Deed::kStopSelf:
      return EndSomebody(deed);
    case Deed::kJoin:
      return Join();
    case Deed::kLeave:
      return Leave();
    case Deed::kCry:
      return CryToAll();
    case Deed::kMonitorGroups:
      return MonitorGroups();
    case Deed::kDemonitorGroups:
      return DemonitorGroups();
    case Deed::kSubscribe:
      return SubscribeToSomebody();
    case Deed::kUnsubscribe:
      return Unsubscribe();
    case Deed::kPublish:
      return PublishSomething(/*at_rest=*/false);
    default:
      return;  // To be awaited.
  }
}

// -- messages

Parcel Resident::PackFor(const Acquaintance& other, Way way, bool surely) {
  Parcel parcel;
  for (uint64_t i = world_.Uniform(3); i > 0; --i) {
    parcel.brings.push_back(SomebodyKnown());
  }
  if (world_.Uniform(4) == 0) {
    const Acquaintance nudged = SomebodyKnown();
    parcel.nudged = RefTo(nudged);
    parcel.nudged_number = nudged.number;
  }
  if (world_.features.padding() != 0 && world_.Uniform(4) == 0) {
    parcel.padding.resize(world_.Uniform(world_.features.padding()));
  }
  parcel.stamp = world_.mail.Sends(number_, other.number, way, surely);
  return parcel;
}

bool Resident::TakesAll(const Acquaintance& other) const {
  return world_.features.outbox_is_large() || !other.ref.IsRemote();
}

void Resident::Send(Way way) {
  const Acquaintance other = SomebodyKnown();
  Parcel parcel = PackFor(other, way, TakesAll(other));
  if (way == Way::kUrgent) {
    RefTo(other).SendUrgent<Parcel>(std::move(parcel));
  } else {
    RefTo(other).Send(std::move(parcel));
  }
}

void Resident::TryToSend() {
  const Acquaintance other = SomebodyKnown();
  Parcel parcel = PackFor(other, Way::kNormal, /*surely=*/true);
  const Stamp stamp = parcel.stamp;
  if (IsRefused(RefTo(other).TrySend(std::move(parcel)))) {
    world_.mail.Refused(stamp);
  }
}

void Resident::ForwardCall() {
  const Acquaintance other = SomebodyKnown();
  const absl::Duration within = world_.SomeTime() + world_.features.patience();
  const uint32_t call = world_.calls.Made(number_, other.number, within);
  RefTo(other)
      .Call<Question>(Counted(), call, other.number, kDeepest, SomebodyKnown())
      .Within(within)
      .Forward(self(), [open = OpenCall(world_.calls, call)](
                           absl::StatusOr<Answer> outcome) mutable {
        const uint32_t number = open.number();
        if (outcome.ok()) {
          open.End(outcome->call);
        } else {
          open.End(outcome.status());
        }
        return Outcome{.counted = {}, .call = number};
      });
}

// -- lives and ends

void Resident::Bear() {
  if (world_.lives.alive(home_.run) >= world_.features.most_actors()) return;
  const uint64_t kind = world_.Uniform(3);
  const Acquaintance child = SpawnResident(home_, [&](Number number) {
    return kind == 0 ? absl::StatusOr<ResidentRef>(Spawn<Plain>(&home_, number))
           : kind == 1
               ? absl::StatusOr<ResidentRef>(Spawn<Trapper>(&home_, number))
               : absl::StatusOr<ResidentRef>(Spawn<Juggler>(&home_, number));
  });
  if (child.number != 0) world_.lives.BornBy(child.number, number_);
  Meet(child);
}

void Resident::MonitorSomebody() {
  const Acquaintance other = SomebodyKnown();
  if (monitors_.size() >= kMostMonitors || other.number == number_) return;
  const MonitorHandle handle = Monitor(other.ref);
  if (handle == MonitorHandle()) return;  // One that ends begins nothing.
  monitors_.push_back(
      {world_.watches.Monitored(number_, other.number), handle});
}

void Resident::DemonitorSomebody() {
  if (monitors_.empty()) return;
  std::swap(monitors_[world_.Uniform(monitors_.size())], monitors_.back());
  const OwnMonitor monitor = monitors_.back();
  monitors_.pop_back();
  world_.watches.Demonitored(monitor.number);
  (void)Demonitor(monitor.handle);  // Its Down may wait in the mailbox.
}

void Resident::LinkSomebody() {
  const Acquaintance other = SomebodyKnown();
  if (other.number == number_) return;
  world_.watches.Linked(number_, other.number, traps_);
  Link(other.ref);
}

void Resident::UnlinkSomebody() {
  const Acquaintance other = SomebodyKnown();
  if (other.number == number_) return;
  world_.watches.Unlinked(number_, other.number);
  Unlink(other.ref);
}

void Resident::EndSomebody(Deed deed) {
  const Acquaintance other = deed == Deed::kStopSelf ? Me() : SomebodyKnown();
  const Verb verb = deed == Deed::kKill ? Verb::kKill : Verb::kStop;
  if (world_.rules.May(home_.run, verb, other.number)) {
    world_.lives.AskedToEnd(
        home_.run, other.number,
        world_.rules.SurelyMay(home_.run, verb, other.number));
  }
  switch (deed) {
    case Deed::kStop:
      return other.ref.Stop();
    case Deed::kKill:
      return other.ref.Kill();
    case Deed::kDrain:
      return other.ref.Drain();
    default:
      return StopSelf(ExitReason::Normal());
  }
}

}  // namespace troupe::cluster_swarm
