#include "troupe/base/ownership_world.h"

#include <algorithm>
#include <utility>

#include "gtest/gtest.h"

namespace troupe::ownership_model {

using schedule::Check;
using schedule::PauseOrEnd;

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

Message& World::MakeMessage(Message::Content content) {
  Message& message = messages_.emplace_back();
  message.content = content;
  return message;
}

Worker& World::Find(uint64_t tag) {
  Check(OwnerTag::Slot(tag) != OwnerTag::kNobody,
        "a wake for an actor that nobody owns");
  return *workers_[OwnerTag::Slot(tag)];
}

// -- Actor --------------------------------------------------------------------

Actor::Actor(World& world) { world.run().Label(word, kMailLabel); }

void Actor::BelongTo(Worker& worker, bool token_inside) {
  owner.store(worker.tag(), kRelaxed);
  own.Write().token = !token_inside;
  word.Open(token_inside);
}

void Actor::Put(Worker& worker, Message::Content content) {
  own.Write().list.push_back(&worker.world_.MakeMessage(content));
  if (!own.Read().scheduled) worker.Schedule(*this);
}

void Actor::CheckIdle() const {
  Check(own.Read().list.empty() && !word.HasMail(), "it has mail, and waits");
  Check(!own.Read().scheduled, "it is ready, and waits");
}

// -- Worker -------------------------------------------------------------------

Worker::Worker(World& world) : world_(world), tag_(world.NextTag()) {
  world.AddWorker(*this);
}

void Worker::Deliver(Actor& actor) {
  // As an executor unparks, under its lock.
  if (inbox_.Push(&actor, &actor)) {
    unparked_.store(1, std::memory_order_release);
  }
}

void Worker::WakeOwner(World& world, Actor& actor) {
  world.Find(actor.owner.load(kRelaxed)).Deliver(actor);
}

void Worker::GiveBack(Actor& entry, Actor& actor) {
  entry.returning = &actor;
  Deliver(entry);
}

void Worker::Schedule(Actor& actor) {
  actor.own.Write().scheduled = true;
  ready_.Write().push_back(&actor);
}

void Worker::Append(Actor& actor, Message& message) {
  const bool current = actor.owner.load(kRelaxed) == tag_;
  if (!current && !world_.has(Flaw::kAppendWithoutDraining) &&
      !world_.has(Flaw::kAppendBeforeDraining)) {
    Drain(actor);
  }
  actor.own.Write().list.push_back(&message);
  if (!current) {
    if (world_.has(Flaw::kAppendBeforeDraining)) Drain(actor);
    actor.owner.store(tag_, kRelaxed);
  }
  if (!actor.own.Read().scheduled) Schedule(actor);
}

void Worker::RaiseEpoch() {
  tag_ = OwnerTag::NextEpoch(tag_);
  if (thread_.Read() != nullptr) thread_.Read()->Settle(tag_);
}

void Worker::Arrive(Actor& actor, Flaw same_epoch, Flaw fresh_tag) {
  if (!world_.has(same_epoch)) RaiseEpoch();
  actor.owner.store(world_.has(fresh_tag) ? tag_ : OwnerTag::Stale(tag_),
                    kRelaxed);
}

void Worker::Woken(Actor& actor) {
  Check(!actor.own.Read().token, "a second wake token");
  actor.own.Write().token = true;
  if (actor.own.Read().zombie) {
    Release(actor);
  } else if (!actor.own.Read().scheduled) {
    Schedule(actor);
  }
}

bool Worker::Claim(Actor& actor) {
  const uint64_t tag = actor.owner.load(kRelaxed);
  Worker& owner = world_.Find(tag);
  const bool locks = !world_.has(Flaw::kClaimWithoutLock);
  if (&owner == this ||
      !(locks ? owner.inbox_.TryLock() : owner.inbox_.LooksQuiet())) {
    return false;
  }
  const bool idle =
      world_.has(Flaw::kClaimWhatRuns) || !actor.own.Read().scheduled;
  if (idle) {
    actor.owner.store(world_.has(Flaw::kFreshTagAtClaim)
                          ? OwnerTag::NextEpoch(tag_)
                          : OwnerTag::Stale(tag_),
                      kRelaxed);
  }
  if (locks) owner.inbox_.Unlock();
  if (!idle) return false;
  if (!world_.has(Flaw::kSameEpochAtClaim)) RaiseEpoch();
  Woken(actor);
  return true;
}

bool Worker::GiveTo(Worker& receiver, Actor& actor) {
  std::vector<Actor*>& ready = ready_.Write();
  const auto at = std::find(ready.begin(), ready.end(), &actor);
  if (at == ready.end()) return false;
  Actor::Own& own = actor.own.Write();
  if (!own.token && !actor.word.Disarm() &&
      !world_.has(Flaw::kGiveWithoutToken)) {
    return false;
  }
  ready.erase(at);
  own.token = false;
  own.scheduled = false;
  actor.owner.store(OwnerTag::kUnowned, kRelaxed);
  receiver.Deliver(actor);
  return true;
}

void Worker::SeatThread(Thread& thread) {
  thread_ = &thread;
  thread.set_worker(this);
  thread.Settle(tag_);
}

void Worker::TakeBack(Actor& actor) {
  Arrive(actor, Flaw::kSameEpochAtReturn, Flaw::kFreshTagAtReturn);
  ready_.Write().push_back(&actor);
}

void Worker::Poll() {
  std::vector<Actor*> arrived;
  for (Actor* at = inbox_.Take(); at != nullptr; at = at->next) {
    arrived.insert(arrived.begin(), at);
  }
  for (Actor* const actor : arrived) {
    if (actor->returning != nullptr) {
      TakeBack(*actor->returning);
      continue;
    }
    const uint64_t tag = actor->owner.load(kRelaxed);
    if (!OwnerTag::SameOwner(tag, tag_)) {
      Check(tag == OwnerTag::kUnowned, "it came to one who does not own it");
      Arrive(*actor, Flaw::kSameEpochAtArrival, Flaw::kFreshTagAtArrival);
    }
    Woken(*actor);
  }
}

Actor* Worker::Next() {
  std::vector<Actor*>& ready = ready_.Write();
  if (ready.empty()) return nullptr;
  const int chosen = world_.run().Choose(static_cast<int>(ready.size()));
  Actor* const actor = ready[chosen];
  ready.erase(ready.begin() + chosen);
  return actor;
}

void Worker::Drain(Actor& actor) {
  for (Message* const message : OldestFirst(actor.word.Take())) {
    if (message->content.Read().is_signal) {
      actor.own.Write().ending = true;
    } else {
      actor.own.Write().list.push_back(message);
    }
  }
}

bool Worker::Run(Actor& actor, Thread& thread) {
  if (actor.own.Read().token && actor.word.HasMail()) Drain(actor);
  // What waits now; then others get their turn.
  for (size_t left = actor.own.Read().list.size();
       left > 0 && !actor.own.Read().ending; --left) {
    std::vector<Message*>& list = actor.own.Write().list;
    const Message::Content content = list.front()->content;
    list.erase(list.begin());
    if (content.is_signal) {
      // A request by somebody on this worker.
      actor.word.Shut();
      actor.own.Write().ending = true;
      continue;
    }
    thread.LeaveSeat();
    actor.object.Write().arrivals.Add(content);
    if (actor.handler != nullptr) actor.handler(thread, content);
    // Nobody else handled something meanwhile.
    (void)actor.object.Read();
    if (thread.EnterSeat() == OwnerTag::kNoSeat) return false;
  }
  Finish(actor);
  return true;
}

void Worker::Finish(Actor& actor) {
  Actor::Own& own = actor.own.Write();
  if (own.ending) return End(actor);
  if (!own.list.empty()) return Schedule(actor);
  if (own.token) {
    own.token = world_.has(Flaw::kKeepTokenWhenArmed);
    if (!actor.word.Arm()) {
      own.token = true;
      return Schedule(actor);
    }
  }
  actor.own.Write().scheduled = false;
}

void Worker::End(Actor& actor) {
  const Actor::Word::Remains remains = actor.word.Die();
  Actor::Own& own = actor.own.Write();
  own.scheduled = false;
  Arrivals& undelivered = actor.undelivered.Write();
  for (const Message* const message : std::exchange(own.list, {})) {
    undelivered.Add(message->content);
  }
  for (const Message* const message : OldestFirst(remains.chain)) {
    if (!message->content.Read().is_signal) undelivered.Add(message->content);
  }
  if (own.token || remains.token_inside ||
      world_.has(Flaw::kReleaseWithoutToken)) {
    Check(!own.token || !remains.token_inside, "a second wake token");
    Release(actor);
  } else {
    own.zombie = true;
  }
}

void Worker::Release(Actor& actor) {
  actor.owner.store(OwnerTag::kUnowned, kRelaxed);
  actor.releases = actor.releases + 1;
}

bool Worker::AwaitWork() {
  if (!inbox_.Rest() || !inbox_.FallAsleep()) return true;
  while (unparked_.exchange(0, std::memory_order_acquire) == 0) {
    if (!PauseOrEnd()) return false;
  }
  return true;
}

Actor* Worker::Drive(Thread& thread, const std::function<void()>& between) {
  do {
    while (true) {
      if (!inbox_.LooksEmpty()) Poll();
      if (between != nullptr) between();
      Actor* const actor = Next();
      if (actor == nullptr) break;
      if (!Run(*actor, thread)) return actor;
    }
  } while (AwaitWork());
  return nullptr;
}

// -- Thread -------------------------------------------------------------------

uint64_t Thread::EnterSeatUnsettled() {
  if (seat_ != nullptr) return seat_->Enter();
  return worker_ != nullptr ? worker_->tag() : OwnerTag::kNoSeat;
}

uint64_t Thread::Settled(uint64_t tag) {
  while (tag == OwnerTag::kSeatBeingRevoked) {
    seat_->Leave();
    schedule::ScheduledAtomics::SpinPause();
    tag = seat_->Enter();
  }
  return tag;
}

void Thread::LeaveSeat() {
  if (seat_ != nullptr) seat_->Leave();
}

void Thread::Settle(uint64_t tag) {
  if (seat_ != nullptr) seat_->Settle(tag);
}

bool Thread::Send(Actor& to, Message::Content content) {
  Message& message = world_.MakeMessage(content);
  uint64_t tag = EnterSeatUnsettled();
  bool taken = true;
  // With a seat, compared before it is settled.
  if (seat_ != nullptr && to.owner.load(kRelaxed) != tag) tag = Settled(tag);
  if (tag != OwnerTag::kNoSeat &&
      OwnerTag::SameOwner(to.owner.load(kRelaxed), tag)) {
    taken = to.word.LooksOpen();
    if (taken) worker_->Append(to, message);
  } else {
    const PushResult result =
        to.word.Push(to.word.Load(), &message, &message,
                     content.is_signal ? Actor::Word::Kind::kClosing
                                       : Actor::Word::Kind::kMessage);
    taken = result != PushResult::kClosed;
    if (result == PushResult::kMustWake &&
        (tag == OwnerTag::kNoSeat || !worker_->Claim(to))) {
      Worker::WakeOwner(world_, to);
    }
  }
  LeaveSeat();
  return taken;
}

// -- flaws --------------------------------------------------------------------

void ExpectFlawsFound(
    const std::function<std::vector<Harness>(Flaw)>& harnesses,
    absl::Span<const FlawFinding> findings) {
  for (const auto& [flaw, finding] : findings) {
    bool known = false;
    for (const Harness& harness : harnesses(flaw)) {
      if (harness.name != finding.harness) continue;
      known = true;
      ExpectFound(finding.mutant, harness);
    }
    EXPECT_TRUE(known) << finding.harness;
  }
}

}  // namespace troupe::ownership_model
