// What a citizen does with names, groups and ports.
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_system.h"
#include "troupe/registry/group_pick.h"
#include "troupe/registry/group_range.h"
#include "troupe/registry/groups.h"
#include "troupe/registry/names.h"
#include "troupe/stream/pending_publish.h"
#include "troupe/stream/port_subscription.h"
#include "troupe/stream/subscribe_options.h"
#include "troupe/testing/swarm/citizen.h"

namespace troupe::swarm {

// -- names

void Citizen::TakeName() {
  const size_t name = world_.Uniform(NameBook::kNames);
  if (!system().Get<Names>().Register(NameBook::Spelled(name), self()).ok()) {
    return;
  }
  names_.push_back(name);
  world_.name_book.Taken(name, number_);
}

void Citizen::GiveName() {
  if (names_.empty()) return;
  const size_t name = names_.back();
  names_.pop_back();
  const absl::Status given =
      system().Get<Names>().Unregister(NameBook::Spelled(name), self());
  world_.name_book.GivenBack(name, number_, given.ok());
}

void Citizen::FindName() {
  const size_t name = world_.Uniform(NameBook::kNames);
  const absl::StatusOr<AnyActorRef> found =
      system().Get<Names>().FindAny(NameBook::Spelled(name));
  if (!found.ok()) return;
  const Number owner = world_.lives.NumberOf(found->id());
  if (owner == 0) return;
  world_.name_book.Found(name, number_, owner);
  Meet({*found, owner});
}

Task<void> Citizen::AwaitName(Frame& frame) {
  const size_t name = world_.Uniform(NameBook::kNames);
  auto wait = system().Get<Names>().WaitFor<CitizenApi>(NameBook::Spelled(name),
                                                        world_.SomeTime());
  frame.Leave();
  const absl::StatusOr<CitizenRef> found = co_await std::move(wait);
  frame.Enter();
  if (!found.ok()) co_return;
  const Number owner = world_.lives.NumberOf(found->id());
  if (owner != 0) Meet({*found, owner});
}

// -- groups

void Citizen::JoinGroup() {
  const size_t group = world_.Uniform(GroupBook::kGroups);
  const Acquaintance other = world_.Uniform(2) == 0 ? Me() : SomebodyKnown();
  const absl::Status joined =
      system().Get<Groups>().Join(World::GroupOf(group), RefTo(other));
  if (joined.ok()) world_.group_book.Joined(group, other.number);
}

void Citizen::LeaveGroup() {
  const size_t group = world_.Uniform(GroupBook::kGroups);
  const Acquaintance other = world_.Uniform(2) == 0 ? Me() : SomebodyKnown();
  const size_t times =
      system().Get<Groups>().Leave(World::GroupOf(group).name(), other.ref);
  world_.group_book.Left(group, other.number, times);
}

void Citizen::CryToGroup() {
  const size_t group = world_.Uniform(GroupBook::kGroups);
  const uint32_t number = world_.mail.NextNumber();
  world_.journal.Note(What::kPublishes, number_, 0, number);
  world_.group_book.Sent(system().Get<Groups>().Send<Cry>(
      World::GroupOf(group), world_.counted, number_, number));
}

void Citizen::PickMember() {
  constexpr GroupPick kHow[] = {GroupPick::kRandom, GroupPick::kRoundRobin,
                                GroupPick::kLocalFirst};
  const size_t group = world_.Uniform(GroupBook::kGroups);
  const absl::StatusOr<CitizenRef> picked = system().Get<Groups>().Pick(
      World::GroupOf(group), kHow[world_.Uniform(3)]);
  if (!picked.ok()) return;
  const Number member = world_.lives.NumberOf(picked->id());
  if (member != 0) Meet({*picked, member});
}

void Citizen::MonitorGroup() {
  const size_t range = world_.Uniform(GroupBook::kGroups + 1);
  // What it monitors twice it monitors once.
  if (monitored_.has_value() && *monitored_ != range) return;
  const absl::Status begun =
      system().Get<Groups>().Monitor(World::RangeOf(range), self());
  if (!begun.ok() || monitored_.has_value()) return;
  monitored_ = range;
  world_.group_watch.Begins(number_, range);
}

void Citizen::DemonitorGroup() {
  if (!monitored_.has_value()) return;
  const bool was_on = system().Get<Groups>().Demonitor(
      World::RangeOf(*monitored_), untyped_self());
  monitored_.reset();
  world_.group_watch.Ends(number_, was_on);
}

// -- ports

void Citizen::PublishNow() {
  const size_t port = world_.Uniform(PortBook::kPorts);
  const uint32_t number =
      world_.port_book.Published(number_, port, /*later=*/false);
  world_.ports[port]->Publish(world_.counted, number_, number,
                              /*waited=*/false);
  world_.port_book.PublishEnds();
}

void Citizen::SubscribeToPort() {
  constexpr size_t kMostSubscriptions = 2;
  constexpr Lag kLags[] = {Lag::kLossless, Lag::kDropOldest, Lag::kDropNewest,
                           Lag::kConflate};
  // One that ends begins nothing.
  if (subscriptions_.size() >= kMostSubscriptions ||
      world_.lives.is_stopping(number_)) {
    return;
  }
  SubscribeOptions options;
  options.lag = kLags[world_.Uniform(4)];
  options.limit = 1 + static_cast<uint32_t>(world_.Uniform(4));
  options.replay = static_cast<uint32_t>(world_.Uniform(6));
  const size_t port = world_.Uniform(PortBook::kPorts);
  const uint32_t number = world_.port_book.Subscribed(
      number_, port, options.lag,
      std::min(options.replay, world_.features.keeps()));
  PortSubscription subscription = world_.ports[port]->Subscribe(
      self(),
      [&world = world_, number](const News& news) {
        world.port_book.Offered(number, news.number);
        return Told(news, number);
      },
      options);
  world_.port_book.SubscribeEnds();
  world_.subscriptions.emplace(number, std::move(subscription));
  subscriptions_.push_back(number);
}

void Citizen::UnsubscribeFromPort() {
  if (subscriptions_.empty()) return;
  const uint32_t number = subscriptions_.back();
  subscriptions_.pop_back();
  PortSubscription subscription =
      std::move(world_.subscriptions.find(number)->second);
  world_.subscriptions.erase(number);
  subscription.Unsubscribe();
  world_.port_book.Unsubscribed(number);
}

Task<void> Citizen::AwaitPublish(Frame& frame) {
  const size_t port = world_.Uniform(PortBook::kPorts);
  const uint32_t number =
      world_.port_book.Published(number_, port, /*later=*/true);
  auto publish = world_.ports[port]->PublishWhenReady(world_.counted, number_,
                                                      number, /*waited=*/true);
  const absl::Duration within = world_.SomeTime();
  frame.Leave();
  (void)co_await std::move(publish).Within(within);
  frame.Enter();
}

}  // namespace troupe::swarm
