// What a citizen does at once.
#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/call.h"
#include "troupe/actor/send_result.h"
#include "troupe/testing/swarm/citizen.h"

namespace troupe::swarm {
namespace {

constexpr size_t kMostTimers = 4;
constexpr size_t kMostMonitors = 8;

}  // namespace

void Citizen::DoSome() {
  for (uint64_t i = world_.Uniform(5); i > 0; --i) {
    if (!world_.Spend()) return;
    Do(world_.features.PickDeed(world_.random));
  }
}

void Citizen::Do(Deed deed) {
  switch (deed) {
    case Deed::kSend:
      return Send(Way::kNormal);
    case Deed::kSendUrgent:
      return Send(Way::kUrgent);
    case Deed::kTrySend: {
      const Acquaintance other = SomebodyKnown();
      Parcel parcel = world_.MakeParcel(number_, other, Way::kNormal);
      const uint32_t message = parcel.passage.message();
      if (IsRefused(RefTo(other).TrySend(std::move(parcel)))) {
        world_.mail.Refused(message);
      }
      return;
    }
    case Deed::kSendErrand:
      return RefTo(SomebodyKnown())
          .Send<Errand>(world_.counted, 1 + world_.Uniform(3));
    case Deed::kSpawn:
      return Bear(/*instantly=*/false);
    case Deed::kSpawnInstant:
      return Bear(/*instantly=*/true);
    case Deed::kForward:
      return ForwardCall();
    case Deed::kAnswer: {
      if (duties_.empty()) return;
      Duty duty = std::move(duties_.back());
      duties_.pop_back();
      return Fulfil(std::move(duty));
    }
    case Deed::kSetTimer:
      return SetTimer();
    case Deed::kSetTimerForOther:
      return SetTimerForOther();
    case Deed::kRepeat:
      return Repeat();
    case Deed::kCancelTimer:
      return CancelSomeTimer();
    case Deed::kEndLater:
      return EndLater();
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
    case Deed::kFail:
      return EndSomebody(deed);
    case Deed::kTakeName:
      return TakeName();
    case Deed::kGiveName:
      return GiveName();
    case Deed::kFindName:
      return FindName();
    case Deed::kJoin:
      return JoinGroup();
    case Deed::kLeave:
      return LeaveGroup();
    case Deed::kCryToGroup:
      return CryToGroup();
    case Deed::kPick:
      return PickMember();
    case Deed::kMonitorGroup:
      return MonitorGroup();
    case Deed::kDemonitorGroup:
      return DemonitorGroup();
    case Deed::kUnstash:
      stash_order_.Unstashed();
      return stash_.Unstash();
    case Deed::kPublish:
      return PublishNow();
    case Deed::kSubscribe:
      return SubscribeToPort();
    case Deed::kUnsubscribe:
      return UnsubscribeFromPort();
    case Deed::kCount:
      return;
  }
}

void Citizen::Send(Way way) {
  const Acquaintance other = SomebodyKnown();
  Parcel parcel = world_.MakeParcel(number_, other, way);
  for (Acquaintance& one : parcel.brings) {
    if (world_.Uniform(2) == 0) one = SomebodyKnown();
  }
  const uint32_t message = parcel.passage.message();
  if (way == Way::kUrgent) {
    RefTo(other).SendUrgent<Parcel>(std::move(parcel));
  } else {
    RefTo(other).Send(std::move(parcel));
  }
  world_.mail.IsSent(message);
}

void Citizen::Bear(bool instantly) {
  if (world_.lives.count() >= world_.features.most_actors()) return;
  const Number child = world_.lives.Conceive(number_, /*is_supervised=*/false);
  SpawnOptions options = SomeOptions(world_, child);
  const size_t name = world_.Uniform(4 * NameBook::kNames);
  if (name < NameBook::kNames) options.name = NameBook::Spelled(name);
  // To begin elsewhere takes time.
  instantly |= options.dedicated_thread || !options.thread.IsNull();
  const Kind kind = static_cast<Kind>(world_.Uniform(4));
  absl::StatusOr<CitizenRef> ref = [&]() -> absl::StatusOr<CitizenRef> {
    switch (kind) {
      case Kind::kPlain:
        return instantly ? SpawnInstant<Plain>(options, &world_, child)
                         : Spawn<Plain>(options, &world_, child);
      case Kind::kTrapper:
        return instantly ? SpawnInstant<Trapper>(options, &world_, child)
                         : Spawn<Trapper>(options, &world_, child);
      case Kind::kJuggler:
        return instantly ? SpawnInstant<Juggler>(options, &world_, child)
                         : Spawn<Juggler>(options, &world_, child);
      case Kind::kSluggard:
        return SpawnInstant<Sluggard>(options, &world_, child);
    }
    return absl::InternalError("no such kind");
  }();
  if (!ref.ok()) return world_.lives.SpawnFailed(child);
  if (name < NameBook::kNames) world_.name_book.Taken(name, child);
  world_.Introduce({*ref, child}, options);
  Meet({*ref, child});
}

void Citizen::ForwardCall() {
  const Acquaintance other = SomebodyKnown();
  const absl::Duration within = world_.SomeTime();
  OpenCall open(world_.calls,
                world_.calls.Made(number_, other.number, world_.After(within)));
  const uint32_t call = open.number();
  RefTo(other)
      .Call<Favor>(world_.counted, call, 0)
      .Within(within)
      .Forward(self(), [open = std::move(open), counted = world_.counted](
                           absl::StatusOr<int64_t> outcome) mutable {
        open.End(outcome);
        return Outcome(counted);
      });
}

// -- timers

void Citizen::SetTimer() {
  if (timers_.size() >= kMostTimers) return;
  const absl::Duration delay = world_.SomeTime();
  const uint32_t timer =
      world_.ticks.SetOwn(number_, absl::ToInt64Nanoseconds(delay), 0);
  const Timer handle = SendAfter<Tick>(delay, world_.counted, timer);
  if (handle.pending()) {
    timers_.push_back({timer, handle});
  } else {
    world_.ticks.Cancelled(timer);  // This actor is ending.
  }
}

void Citizen::SetTimerForOther() {
  const Acquaintance other = SomebodyKnown();
  const absl::Duration delay = world_.SomeTime();
  const uint32_t timer = world_.ticks.SetFor(number_, other.number,
                                             absl::ToInt64Nanoseconds(delay));
  SendAfter<Tick>(RefTo(other), delay, world_.counted, timer);
}

void Citizen::Repeat() {
  if (timers_.size() >= kMostTimers) return;
  const absl::Duration period = absl::Milliseconds(1) + world_.SomeTime();
  const Every every{.period = period,
                    .missed = world_.Uniform(2) == 0 ? MissedTicks::kCoalesce
                                                     : MissedTicks::kBurst};
  const int64_t ns = absl::ToInt64Nanoseconds(period);
  const uint32_t timer = world_.ticks.SetOwn(number_, ns, ns);
  const Timer handle = SendEvery<Tick>(every, world_.counted, timer);
  if (handle.pending()) {
    timers_.push_back({timer, handle});
  } else {
    world_.ticks.Cancelled(timer);
  }
}

void Citizen::CancelSomeTimer() {
  if (timers_.empty()) return;
  std::swap(timers_[world_.Uniform(timers_.size())], timers_.back());
  OwnTimer timer = timers_.back();
  timers_.pop_back();
  timer.handle.Cancel();
  world_.ticks.Cancelled(timer.number);
}

void Citizen::EndLater() {
  if (!world_.IsViolent()) return;
  const absl::Duration delay = world_.SomeTime();
  Timer timer = world_.Uniform(2) == 0 ? StopAfter(delay) : KillAfter(delay);
  if (!timer.pending() || world_.Uniform(2) == 0) {
    timer.Cancel();
  } else {
    world_.lives.AskedToEnd(number_, number_);
  }
}

// -- others' ends

void Citizen::MonitorSomebody() {
  if (monitors_.size() >= kMostMonitors) return;
  const Acquaintance other = SomebodyKnown();
  // One that ends begins nothing.
  if (other.number == number_ || other.number == 0) return;
  const MonitorHandle handle = Monitor(other.ref);
  if (handle == MonitorHandle()) return;
  monitors_.push_back(
      {world_.watches.Monitored(number_, other.number), handle});
}

void Citizen::DemonitorSomebody() {
  if (monitors_.empty()) return;
  std::swap(monitors_[world_.Uniform(monitors_.size())], monitors_.back());
  const OwnMonitor monitor = monitors_.back();
  monitors_.pop_back();
  world_.watches.Demonitored(monitor.number, Demonitor(monitor.handle));
}

void Citizen::LinkSomebody() {
  const Acquaintance other = SomebodyKnown();
  if (other.number == number_ || other.number == 0) return;
  // One that ends begins nothing.
  if (world_.lives.is_stopping(number_)) return;
  world_.watches.Linked(number_, other.number);
  Link(other.ref);
}

void Citizen::UnlinkSomebody() {
  const Acquaintance other = SomebodyKnown();
  if (other.number == number_ || other.number == 0) return;
  world_.watches.Unlinked(number_, other.number);
  Unlink(other.ref);
}

void Citizen::EndSomebody(Deed deed) {
  if (!world_.IsViolent()) return;
  const Acquaintance other =
      deed == Deed::kStopSelf || deed == Deed::kFail ? Me() : SomebodyKnown();
  world_.lives.AskedToEnd(number_, other.number);
  switch (deed) {
    case Deed::kStop:
      return other.ref.Stop();
    case Deed::kKill:
      return other.ref.Kill();
    case Deed::kDrain:
      world_.Drains(other.number);
      return other.ref.Drain();
    case Deed::kFail:
      world_.lives.Fails(number_);
      return Fail(absl::DataLossError("gives up"));
    default:
      return StopSelf(ExitReason::Normal());
  }
}

}  // namespace troupe::swarm
