#include "troupe/testing/swarm/citizen.h"

#include <utility>

#include "troupe/actor/sleep.h"
#include "troupe/mailbox/capacity.h"

namespace troupe::swarm {
namespace {

constexpr size_t kMostKnown = 8;
constexpr size_t kMostDuties = 4;
constexpr size_t kMostAside = 4;

}  // namespace

// -- life

Citizen::Citizen(World* world, Number number)
    : world_(*world),
      number_(number),
      stash_(this, kMostAside),
      stash_order_(world->journal, world->calls, number) {
  if (world_.features.Strikes(Fault::kConstructor, world_.random)) {
    throw Struck();
  }
  world_.lives.Constructed(number);
}

Citizen::~Citizen() { world_.lives.Destroyed(number_); }

absl::Status Citizen::PreStart() {
  const Inside inside(*this);
  world_.lives.PreStarts(number_);
  world_.lives.Register(number_, untyped_self());
  if (world_.features.Strikes(Fault::kPreStart, world_.random)) {
    world_.lives.StartFails(number_);
    if (world_.Uniform(2) == 0) throw Struck();
    return absl::UnavailableError("struck");
  }
  Meet(world_.Anybody());
  Meet(world_.Anybody());
  if (world_.Uniform(2) == 0) DoSome();
  return absl::OkStatus();
}

void Citizen::PostStart() {
  const Inside inside(*this);
  world_.lives.PostStarts(number_);
  MayBeStruck(Fault::kPostStart);
  DoSome();
}

absl::Status Citizen::PostStop(const ExitReason& reason) {
  const Inside inside(*this);
  world_.lives.PostStops(number_);
  world_.restarts.Stops(number_, reason.kind());
  if (world_.Uniform(2) == 0) DoSome();
  return MayFail(Fault::kPostStop);
}

void Citizen::MayBeStruck(Fault fault) {
  if (!world_.features.Strikes(fault, world_.random)) return;
  world_.lives.Fails(number_);
  throw Struck();
}

absl::Status Citizen::MayFail(Fault fault) {
  if (!world_.features.Strikes(fault, world_.random)) return absl::OkStatus();
  world_.lives.Fails(number_);
  if (world_.Uniform(2) == 0) throw Struck();
  return absl::DataLossError("struck");
}

// -- who is known

Acquaintance Citizen::SomebodyKnown() {
  if (known_.empty() || world_.Uniform(16) == 0) return Me();
  return known_[world_.Uniform(known_.size())];
}

void Citizen::Meet(const Acquaintance& one) {
  if (one.number == 0) return;
  if (known_.size() < kMostKnown) {
    known_.push_back(one);
  } else {
    known_[world_.Uniform(kMostKnown)] = one;
  }
}

// -- messages

absl::Status Citizen::Receive(Parcel& parcel) {
  const Inside inside(*this);
  const uint32_t message = parcel.passage.message();
  const bool was_aside = world_.mail.IsAside(message);
  if (was_aside || parcel.way != Way::kUrgent) {
    stash_order_.Handled(message, was_aside);
  }
  if (!was_aside) {
    world_.order.Handled(world_.mail.sender(message), parcel.target, parcel.way,
                         message);
  }
  if (SetAside(parcel)) return absl::OkStatus();
  world_.mail.Handled(message, number_);
  for (const Acquaintance& one : parcel.brings) Meet(one);
  if (parcel.duty.call != 0) Fulfil(std::move(parcel.duty));
  DoSome();
  return MayFail(Fault::kHandler);
}

Task<absl::Status> Citizen::Handle(Errand errand) {
  Frame frame(*this);
  DoSome();
  for (uint64_t i = 0; i < errand.waits && world_.Spend(); ++i) {
    co_await AwaitOne(frame, 0, Calls::kNever);
  }
  co_return MayFail(Fault::kHandler);
}

void Citizen::Handle(const Tick& tick) {
  const Inside inside(*this);
  world_.ticks.Ticked(tick.timer, number_);
  MayBeStruck(Fault::kTimer);
  DoSome();
  // So that all ends some day.
  if (world_.budget == 0) {
    while (!timers_.empty()) CancelSomeTimer();
  }
}

absl::StatusOr<int64_t> Citizen::Handle(const Inquiry& inquiry,
                                        Request& request) {
  const Inside inside(*this);
  world_.calls.Served(inquiry.call, number_,
                      request.deadline().ToNanoseconds());
  DoSome();
  MayBeStruck(Fault::kHandler);
  if (world_.Uniform(8) == 0) return absl::NotFoundError("no such thing");
  return Calls::AnswerTo(inquiry.call);
}

Task<absl::StatusOr<int64_t>> Citizen::Handle(Question question,
                                              Request& request) {
  Frame frame(*this);
  const int64_t deadline_ns = request.deadline().ToNanoseconds();
  world_.calls.Served(question.call, number_, deadline_ns);
  DoSome();
  for (uint64_t i = world_.Uniform(3); i > 0 && world_.Spend(); --i) {
    co_await AwaitOne(frame, question.depth + 1, deadline_ns);
  }
  MayBeStruck(Fault::kHandler);
  if (world_.Uniform(8) == 0) co_return absl::NotFoundError("no such thing");
  co_return Calls::AnswerTo(question.call);
}

void Citizen::Handle(Favor favor, ReplyTo<int64_t> reply) {
  const Inside inside(*this);
  stash_order_.Handled(favor.aside, favor.aside != 0);
  if (SetAside(favor, reply)) return;
  world_.calls.Served(favor.call, number_, reply.deadline().ToNanoseconds());
  Fulfil({favor.call, std::move(reply)});
  DoSome();
  MayBeStruck(Fault::kHandler);
}

void Citizen::Handle(const Outcome&) {
  const Inside inside(*this);
  DoSome();
}

void Citizen::Handle(const Cry& cry) {
  const Inside inside(*this);
  world_.journal.Note(What::kHandles, number_, cry.sender, cry.number);
  // Who is supervised has an address besides, and with it another order.
  if (!world_.lives.is_supervised(number_)) {
    world_.order.Handled(cry.sender, number_, Way::kNormal, cry.number,
                         /*again=*/true);
  }
  world_.group_book.Handled();
  DoSome();
}

void Citizen::Handle(const Told& told) {
  const Inside inside(*this);
  world_.port_book.Told(told.subscription, number_, told.news.publisher,
                        told.news.number, told.news.when_ready);
  if (world_.Uniform(4) == 0) DoSome();
}

void Citizen::Handle(const GroupChanged& change) {
  const Inside inside(*this);
  world_.group_watch.Told(number_, change);
  if (world_.Uniform(4) == 0) DoSome();
}

bool Citizen::SetAside(Parcel& parcel) {
  // A stash takes parcels only.
  if (parcel.way == Way::kWhenReady ||
      world_.Uniform(64) >= world_.features.stashes() || !world_.Spend()) {
    return false;
  }
  const uint32_t message = parcel.passage.message();
  if (!stash_.Put(std::move(parcel)).ok()) return false;
  world_.mail.SetAside(message, number_);
  stash_order_.SetAside(message);
  return true;
}

bool Citizen::SetAside(Favor& favor, ReplyTo<int64_t>& reply) {
  if (world_.Uniform(64) >= world_.features.stashes() || !world_.Spend()) {
    return false;
  }
  world_.calls.Seen(favor.call, reply.deadline().ToNanoseconds());
  favor.aside = world_.mail.NextNumber();
  const uint32_t message = favor.aside;
  const uint32_t call = favor.call;
  if (!stash_.Put(std::move(favor), std::move(reply)).ok()) return false;
  stash_order_.SetAside(message, call);
  world_.journal.Note(What::kSetsAside, number_, 0, message);
  return true;
}

void Citizen::Fulfil(Duty duty) {
  switch (world_.Uniform(6)) {
    case 0:  // Keep it.
      if (duties_.size() < kMostDuties) duties_.push_back(std::move(duty));
      return;
    case 1:  // Drop it.
      return;
    case 2: {  // Hand it on.
      const Acquaintance other = SomebodyKnown();
      Parcel parcel = world_.MakeParcel(number_, other, Way::kNormal);
      parcel.duty = std::move(duty);
      RefTo(other).Send(std::move(parcel));
      return;
    }
    case 3:
      duty.reply.Send(absl::NotFoundError("no such thing"));
      return;
    default:
      duty.reply.Send(Calls::AnswerTo(duty.call));
  }
}

void Citizen::OnDown(const Down& down) {
  const Inside inside(*this);
  uint32_t monitor = 0;
  for (size_t i = 0; i < monitors_.size(); ++i) {
    if (monitors_[i].handle != down.monitor) continue;
    monitor = monitors_[i].number;
    monitors_.erase(monitors_.begin() + static_cast<ptrdiff_t>(i));
    break;
  }
  world_.watches.HearsDown(monitor, number_, down.reason);
  const Number gone = world_.lives.NumberOf(down.actor.id());
  if (gone != 0) world_.order.HearsOfEnd(gone, number_);
  MayBeStruck(Fault::kDown);
  DoSome();
}

void Citizen::HearsExit(const Exit& exit) {
  const Inside inside(*this);
  const Number gone = world_.lives.NumberOf(exit.actor.id());
  world_.watches.HearsExit(number_, gone, exit.reason);
  if (gone != 0) world_.order.HearsOfEnd(gone, number_);
  MayBeStruck(Fault::kDown);
  DoSome();
}

// -- kinds

Trapper::Trapper(World* world, Number number) : Citizen(world, number) {
  world->watches.Traps(number);
}

void Trapper::OnExit(const Exit& exit) { HearsExit(exit); }

void Trapper::OnChild(const ChildEvent& event) {
  const Inside inside(*this);
  const Number child = world().lives.NumberOf(event.child.id());
  world().journal.Note(What::kHearsNews, number(), child,
                       static_cast<uint64_t>(event.kind));
}

Juggler::Juggler(World* world, Number number) : Citizen(world, number) {
  world->watches.Traps(number);
  Juggles();
}

Task<absl::Status> Sluggard::PreStart() {
  Frame frame(*this);
  frame.Leave();
  (void)co_await Sleep(world().SomeTime());
  co_return Citizen::PreStart();
}

Task<absl::Status> Sluggard::PostStop(const ExitReason& reason) {
  absl::Status status = Citizen::PostStop(reason);
  Frame frame(*this);
  frame.Leave();
  (void)co_await Sleep(world().SomeTime());
  co_return status;
}

SpawnOptions SomeOptions(World& world, Number number) {
  SpawnOptions options;
  if (world.Uniform(8) < world.features.bounded()) {
    constexpr OverflowPolicy kPolicies[] = {
        OverflowPolicy::kReject, OverflowPolicy::kDropNewest,
        OverflowPolicy::kDropOldest, OverflowPolicy::kAwait};
    options.mailbox.messages = 1 + world.Uniform(4);
    options.mailbox.policy = kPolicies[world.Uniform(4)];
  }
  if (world.Uniform(8) < world.features.pinned()) {
    const size_t thread = world.Uniform(world.threads.size() + 1);
    if (thread == 0) {
      options.dedicated_thread = true;
    } else {
      options.thread = world.threads[thread - 1];
    }
    world.lives.Pinned(number, static_cast<uint32_t>(thread));
  }
  return options;
}

}  // namespace troupe::swarm
