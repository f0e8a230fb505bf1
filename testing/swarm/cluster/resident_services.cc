// What a resident does with groups, ports, and starts on other nodes.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/node_report.h"
#include "troupe/cluster/spawn.h"
#include "troupe/registry/group_range.h"
#include "troupe/registry/groups.h"
#include "troupe/stream/pending_publish.h"
#include "troupe/stream/subscribe_options.h"
#include "troupe/testing/swarm/cluster/resident.h"

namespace troupe::cluster_swarm {
namespace {

constexpr uint32_t kMostReplayed = 2;

}  // namespace

// -- groups

Group<GroupApi> Resident::GroupOf(size_t group) {
  return Group<GroupApi>(Crowds::NameOf(group));
}

void Resident::Join() {
  const size_t group = world_.Uniform(Crowds::kGroups);
  if (world_.crowds.IsMember(group, number_)) return;
  // One that ends joins nothing.
  if (system().Get<Groups>().Join(GroupOf(group), self()).ok()) {
    world_.crowds.Joins(group, number_);
  }
}

void Resident::Leave() {
  const size_t group = world_.Uniform(Crowds::kGroups);
  if (!world_.crowds.IsMember(group, number_)) return;
  world_.crowds.Leaves(group, number_);
  (void)system().Get<Groups>().Leave(GroupOf(group), untyped_self());
}

void Resident::CryToAll() {
  const size_t group = world_.Uniform(Crowds::kGroups);
  Groups& groups = system().Get<Groups>();
  const auto known = groups.Members(GroupOf(group)).value();
  const std::vector<AnyActorRef> members(known.begin(), known.end());
  const uint32_t number = world_.crowds.Sends(
      number_, group, world_.features.outbox_is_large(), members);
  (void)groups.Send<Cry>(GroupOf(group), Counted(), number_,
                         static_cast<uint32_t>(group), number,
                         world_.mail.NextTick(number_));
}

void Resident::Handle(const Cry& cry) {
  world_.crowds.Hears(number_, cry.sender, cry.group, cry.number);
  if (world_.lives.counts(number_)) {
    world_.mail.HeardTick(cry.sender, number_, cry.tick);
  }
  DoSome();
}

void Resident::MonitorGroups() {
  if (!system().Get<Groups>().Monitor(GroupRange::All(), self()).ok()) return;
  monitors_groups_ = true;
  world_.crowds.Monitors(number_);
}

void Resident::DemonitorGroups() {
  if (!monitors_groups_) return;
  monitors_groups_ = false;
  world_.crowds.Demonitors(number_, system().Get<Groups>().Demonitor(
                                        GroupRange::All(), untyped_self()));
}

void Resident::Handle(const GroupChanged& change) {
  world_.crowds.Told(number_, change);
}

// -- ports

void Resident::SubscribeToSomebody() {
  constexpr size_t kMostSubscriptions = 3;
  constexpr Lag kLags[] = {Lag::kLossless, Lag::kLossless, Lag::kDropOldest,
                           Lag::kDropNewest, Lag::kConflate};
  const Acquaintance other = SomebodyKnown();
  if (subscriptions_.size() >= kMostSubscriptions) return;
  const SubscribeOptions options{
      .lag = kLags[world_.Uniform(5)],
      .limit = world_.PortLimit(),
      .replay = static_cast<uint32_t>(world_.Uniform(kMostReplayed + 1))};
  const uint32_t number = world_.readers.Subscribes(number_, other.number,
                                                    options, TakesAll(other));
  PortSubscription& kept = subscriptions_[number];
  kept = SubscribeTo<News>(
      RefTo(other), self(),
      [number](const News& news) {
        return Told{news, number};
      },
      options);
  world_.readers.Keeps(number, kept);
}

void Resident::Unsubscribe() {
  if (subscriptions_.empty()) return;
  auto entry = subscriptions_.begin();
  std::advance(entry, world_.Uniform(subscriptions_.size()));
  world_.readers.Unsubscribes(entry->first);
  subscriptions_.erase(entry);
}

void Resident::PublishSomething(bool at_rest) {
  const uint32_t number = world_.readers.Publishes(number_, /*waited=*/false);
  if (!at_rest && !world_.features.publishes_in_bounds()) {
    port().Publish(Counted(), number_, /*waited=*/false, number);
  } else if (!port().TryPublish(Counted(), number_, /*waited=*/false, number)) {
    world_.readers.FoundNoRoom(number_, at_rest);
  }
  world_.readers.CheckPort(number_, port().stats(),
                           std::max(world_.PortLimit(), kMostReplayed));
}

void Resident::Handle(Ring) { PublishSomething(/*at_rest=*/true); }

Task<void> Resident::AwaitPublish() {
  const uint32_t number = world_.readers.Publishes(number_, /*waited=*/true);
  auto publish =
      port().PublishWhenReady(Counted(), number_, /*waited=*/true, number);
  (void)co_await std::move(publish).Within(world_.SomeTime());
}

void Resident::Handle(const Told& told) {
  world_.readers.Told(told.subscription, number_, told.news.publisher,
                      told.news.waited, told.news.number);
  if (world_.Uniform(4) == 0) DoSome();
}

// -- other nodes

Task<void> Resident::AwaitStart() {
  if (home_.node == nullptr) co_return;  // It leaves.
  const std::string node =
      World::HostName(world_.Uniform(world_.features.nodes()));
  Acquaintance owner;
  switch (world_.Uniform(3)) {
    case 0:
      owner = Me();
      break;
    case 1:
      owner = SomebodyKnown();
      break;
    default:
      break;
  }
  const Resolving resolving(world_);
  const uint32_t start = world_.starts.Asked(home_.run, node, owner.number);
  const absl::StatusOr<ResidentRef> started = co_await SpawnOn<ResidentApi>(
      *home_.node, absl::StrCat(Rules::kFactory, "@", node),
      {.owner = owner.ref, .within = Starts::kWithin}, start, node);
  if (!started.ok()) {
    world_.starts.Answered(start, started.status());
    co_return;
  }
  const Number who = world_.lives.NumberOf(started->id());
  world_.starts.Answered(start, who);
  Meet({*started, who});
}

Task<void> Resident::AwaitReport() {
  if (home_.node == nullptr) co_return;  // It leaves.
  const std::string node =
      World::HostName(world_.Uniform(world_.features.nodes()));
  const absl::StatusOr<NodeReport> report =
      co_await ReportOf(*home_.node, node);
  const bool may = world_.rules.MayOn(home_.run, Verb::kIntrospect, node, "");
  if (report.ok() && !may) {
    world_.journal.Break(Rules::kNoTrace, report->ToString());
  } else if (may && absl::IsPermissionDenied(report.status())) {
    world_.journal.Break(Rules::kAllowed, report.status().ToString());
  } else if (report.ok() && report->name != node) {
    world_.journal.Break(kReachesNoOther, "a report of another node");
  }
}

}  // namespace troupe::cluster_swarm
