#include "troupe/testing/swarm/cluster/resident.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"

namespace troupe::cluster_swarm {

// -- life

Resident::Resident(Home* home, Number number)
    : Publishes<News>({.keeps = 3}),
      home_(*home),
      world_(home->world),
      number_(number) {}

Resident::~Resident() {
  for (const auto& [number, kept] : subscriptions_) {
    world_.readers.Unsubscribes(number);
  }
  world_.lives.Ended(number_);
}

void Resident::Traps() {
  traps_ = true;
  world_.lives.Traps(number_);
}

Started::Started(Home& home)
    : Resident(&home, home.world.lives.Conceive(home.run)) {
  Traps();
}

Started::Started(uint32_t start, const std::string& host)
    : Started(*World::OfRun()->homes.at(host)) {
  world().starts.Begins(start, number());
}

void Resident::PostStart() {
  world_.lives.Born(number_, untyped_self());
  for (uint64_t i = 0; i < 2 && !home_.founders.empty(); ++i) {
    Meet(home_.founders[world_.Uniform(home_.founders.size())]);
  }
}

// -- who is known

Acquaintance Resident::SomebodyKnown() {
  if (known_.empty() || world_.Uniform(16) == 0) return Me();
  const Acquaintance& one = known_[world_.Uniform(known_.size())];
  // Others are of more interest.
  return one.ref.IsRemote() || world_.Uniform(2) == 0
             ? one
             : known_[world_.Uniform(known_.size())];
}

bool Resident::KnowsTheWorld() const {
  return std::any_of(known_.begin(), known_.end(), [](const Acquaintance& one) {
    return one.ref.IsRemote();
  });
}

void Resident::Meet(const Acquaintance& one) {
  if (one.number == 0) return;
  if (known_.size() < kMostKnown) {
    known_.push_back(one);
  } else {
    known_[world_.Uniform(kMostKnown)] = one;
  }
}

// -- messages

void Resident::Handle(const Nudge& nudge) {
  world_.journal.Note("is nudged as", number_, nudge.target);
  if (nudge.target != number_) {
    world_.journal.Break(kReachesNoOther, "a nudge reaches another one");
  }
  if (!world_.rules.May(world_.lives.run(nudge.sender), Verb::kSend, number_)) {
    world_.journal.Break(Rules::kNoTrace, "a nudge comes");
  }
}

void Resident::Handle(const Parcel& parcel) {
  world_.mail.Handled(number_, parcel.stamp);
  for (const Acquaintance& one : parcel.brings) Meet(one);
  if (!parcel.nudged.IsNull()) {
    parcel.nudged.Send<Nudge>(Counted(), number_, parcel.nudged_number);
  }
  DoSome();
}

void Resident::Handle(const Outcome& outcome) {
  world_.journal.Note("gets the outcome of", number_, outcome.call);
  DoSome();
}

Task<void> Resident::Handle(Errand errand) {
  co_await DoAndAwait(errand.deeds, 0);
}

Task<void> Resident::Handle(Question question, ReplyTo<Answer> reply) {
  world_.calls.Served(question.call, question.callee, number_);
  Meet(question.brings);
  Duty duty{question.call, std::move(reply)};
  if (world_.Uniform(2) == 0) {
    Fulfil(std::move(duty));
    DoSome();
    co_return;
  }
  co_await DoAndAwait(1 + world_.Uniform(2), question.depth + 1);
  Fulfil(std::move(duty));
}

void Resident::Fulfil(Duty duty) {
  constexpr size_t kMostDuties = 8;
  if (world_.features.patience() > absl::ZeroDuration() &&
      duties_.size() < kMostDuties && world_.Uniform(4) != 0) {
    duties_.push_back(std::move(duty));
    return;
  }
  switch (world_.Uniform(8)) {
    case 0:  // Keep it.
    case 3:
    case 4:
      if (duties_.size() < kMostDuties) duties_.push_back(std::move(duty));
      return;
    case 1:  // Drop it.
      return;
    case 2:
      duty.reply.Send(absl::NotFoundError("no such thing"));
      return;
    default: {
      Answer answer{
          .counted = {}, .call = duty.call, .brings = SomebodyKnown()};
      duty.reply.Send(std::move(answer));
    }
  }
}

void Resident::DoSome() {
  for (uint64_t i = world_.Uniform(4); i > 0 && MayAct(); --i) {
    // So that some is owed longer than the session lasts, and not for ever.
    Do(!duties_.empty() && world_.Uniform(4) == 0
           ? Deed::kAnswer
           : world_.features.PickDeed(world_.random));
  }
}

Task<void> Resident::DoAndAwait(uint64_t deeds, uint32_t depth) {
  for (uint64_t i = 0; i < deeds && MayAct(); ++i) {
    const Deed deed = KnowsTheWorld() || world_.Uniform(4) == 0
                          ? world_.features.PickDeed(world_.random)
                          : Deed::kResolve;
    if (deed >= kFirstAwaited) {
      co_await Await(deed, depth);
    } else {
      Do(deed);
    }
  }
}

// -- ends of others

void Resident::OnDown(const Down& down) {
  uint32_t monitor = 0;
  for (size_t i = 0; i < monitors_.size(); ++i) {
    if (monitors_[i].handle != down.monitor) continue;
    monitor = monitors_[i].number;
    monitors_.erase(monitors_.begin() + static_cast<ptrdiff_t>(i));
    break;
  }
  world_.watches.HearsDown(monitor, number_,
                           world_.lives.NumberOf(down.actor.id()), down.reason);
  DoSome();
}

void Resident::HearsExit(const Exit& exit) {
  world_.watches.HearsExit(number_, world_.lives.NumberOf(exit.actor.id()),
                           exit.reason);
  DoSome();
}

}  // namespace troupe::cluster_swarm
