// The protocol of ownership.h while actors move between workers, under every
// schedule: order per pair, wake tokens, ends.
// Docs: docs/design/hot_path.md, sections 4 and 10.
#include <functional>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "troupe/base/ownership_message.h"
#include "troupe/base/ownership_mutants.h"
#include "troupe/base/ownership_world.h"
#include "troupe/testing/schedule/explore.h"

namespace troupe::ownership_model {
namespace {

using schedule::Check;
using schedule::Execution;

constexpr int kSender = 1;
constexpr int kOther = 2;
constexpr int kItself = 3;

// Two workers with a thread each.
struct Pair {
  explicit Pair(World& world)
      : first(world),
        second(world),
        first_thread(world, &first),
        second_thread(world, &second) {}

  void Spawn(Execution& run,
             std::function<void()> before_turns_of_first = nullptr) {
    run.Spawn("first", [this, before_turns_of_first] {
      first.Drive(first_thread, before_turns_of_first);
    });
    run.Spawn("second", [this] { second.Drive(second_thread); });
  }

  Worker first;
  Worker second;
  Thread first_thread;
  Thread second_thread;
};

// Gives `actor` away before one of the giver's turns, whichever.
std::function<void()> GiveSomeTime(Execution& run, Worker& giver,
                                   Worker& receiver, Actor& actor) {
  return [&, given = false]() mutable {
    if (!given && run.Choose(2) == 1) given = giver.GiveTo(receiver, actor);
  };
}

// The handler of an actor that sends one message a turn, `count` in all.
Actor::Handler SendOneATurn(Actor& self, Actor& receiver, int count) {
  return [&self, &receiver, count](Thread& thread,
                                   const Message::Content& content) {
    thread.Send(receiver, {.sender = kSender, .number = content.number});
    if (content.number < count) {
      thread.Send(self, {.sender = kItself, .number = content.number + 1});
    }
  };
}

// Sender and receiver share a worker; the receiver is given away, and claimed
// back when it is idle.
void ReceiverLeaves(Execution& run, Flaw flaw) {
  World world(run, flaw);
  Pair workers(world);
  Actor receiver(world);
  Actor sender(world);
  sender.handler = SendOneATurn(sender, receiver, 3);
  sender.BelongTo(workers.first, true);
  receiver.BelongTo(workers.first, true);
  sender.Put(workers.first, {.sender = kItself, .number = 1});
  workers.Spawn(run,
                GiveSomeTime(run, workers.first, workers.second, receiver));
  run.Join();
  receiver.object.Read().arrivals.CheckAllOf(kSender, 3);
  receiver.CheckIdle();
}

// The receiver is given to the sender's worker, with mail in its word.
void ReceiverArrives(Execution& run, Flaw flaw) {
  World world(run, flaw);
  Pair workers(world);
  Actor receiver(world);
  Actor sender(world);
  sender.handler = SendOneATurn(sender, receiver, 3);
  sender.BelongTo(workers.second, true);
  receiver.BelongTo(workers.first, true);
  sender.Put(workers.second, {.sender = kItself, .number = 1});
  receiver.Put(workers.first, {.sender = kOther, .number = 1});
  receiver.Put(workers.first, {.sender = kOther, .number = 2});
  workers.Spawn(run, [&] { workers.first.GiveTo(workers.second, receiver); });
  run.Join();
  receiver.object.Read().arrivals.CheckAllOf(kSender, 3);
  receiver.object.Read().arrivals.CheckAllOf(kOther, 2);
  receiver.CheckIdle();
}

// The sender is given to the receiver's worker.
void SenderArrives(Execution& run, Flaw flaw) {
  World world(run, flaw);
  Pair workers(world);
  Actor receiver(world);
  Actor sender(world);
  sender.handler = SendOneATurn(sender, receiver, 2);
  sender.BelongTo(workers.first, true);
  receiver.BelongTo(workers.second, false);
  sender.Put(workers.first, {.sender = kItself, .number = 1});
  receiver.Put(workers.second, {.sender = kOther, .number = 1});
  workers.Spawn(run, GiveSomeTime(run, workers.first, workers.second, sender));
  run.Join();
  receiver.object.Read().arrivals.CheckAllOf(kSender, 2);
  receiver.CheckIdle();
}

// The receiver is claimed because of the first of two messages. Meanwhile a
// stranger wakes its worker for a neighbour, which sends to it too.
void ReceiverIsClaimed(Execution& run, Flaw flaw) {
  World world(run, flaw);
  Pair workers(world);
  Actor receiver(world);
  Actor sender(world);
  sender.handler = [&](Thread& thread, const Message::Content&) {
    for (int i : {1, 2}) {
      thread.Send(receiver, {.sender = kSender, .number = i});
    }
  };
  Actor neighbour(world);
  neighbour.handler = [&](Thread& thread, const Message::Content&) {
    thread.Send(receiver, {.sender = kOther, .number = 1});
  };
  sender.BelongTo(workers.first, true);
  receiver.BelongTo(workers.second, true);
  neighbour.BelongTo(workers.second, true);
  sender.Put(workers.first, {.sender = kItself});
  workers.Spawn(run);
  run.Spawn("stranger", [&] {
    Thread stranger(world);
    stranger.Send(neighbour, {.sender = kItself});
  });
  run.Join();
  receiver.object.Read().arrivals.CheckAllOf(kSender, 2);
  receiver.object.Read().arrivals.CheckAllOf(kOther, 1);
  for (const Actor* actor : {&receiver, &sender, &neighbour}) {
    actor->CheckIdle();
  }
}

// An actor that answers is claimed by who asks it, between two answers.
void AnswererIsClaimed(Execution& run, Flaw flaw) {
  World world(run, flaw);
  Pair workers(world);
  Actor asker(world);
  Actor answerer(world);
  answerer.handler = [&](Thread& thread, const Message::Content& content) {
    thread.Send(asker, {.sender = kSender, .number = content.number});
  };
  asker.handler = [&](Thread& thread, const Message::Content& content) {
    if (content.sender != kItself) return;
    thread.Send(answerer, {.sender = kOther, .number = content.number});
    if (content.number < 2) {
      thread.Send(asker, {.sender = kItself, .number = content.number + 1});
    }
  };
  asker.BelongTo(workers.first, true);
  answerer.BelongTo(workers.second, true);
  asker.Put(workers.first, {.sender = kItself, .number = 1});
  workers.Spawn(run);
  run.Join();
  asker.object.Read().arrivals.CheckAllOf(kSender, 2);
  answerer.object.Read().arrivals.CheckAllOf(kOther, 2);
  for (const Actor* actor : {&asker, &answerer}) actor->CheckIdle();
}

// That an actor has ended once, and of every sender got or gave back what it
// took: `count` messages of each.
void CheckEnded(const Actor& actor, absl::Span<const int> count) {
  Check(actor.releases == 1, "its memory was not given back once");
  Arrivals all = actor.object.Read().arrivals;
  for (const auto& content : actor.undelivered.Read().all()) all.Add(content);
  for (size_t sender = 0; sender < count.size(); ++sender) {
    all.CheckAllOf(static_cast<int>(sender), count[sender]);
  }
}

// An actor is given away while a stranger sends to it and ends it, in either
// order.
void GiveAgainstPushAndEnd(Execution& run, Flaw flaw) {
  World world(run, flaw);
  Pair workers(world);
  Actor actor(world);
  actor.BelongTo(workers.first, true);
  actor.Put(workers.first, {.sender = kOther, .number = 1});
  const bool ends_first = run.Choose(2) == 1;
  bool taken = false;
  workers.Spawn(run, [&] { workers.first.GiveTo(workers.second, actor); });
  run.Spawn("stranger", [&] {
    Thread stranger(world);
    const auto end = [&] { stranger.Send(actor, {.is_signal = true}); };
    if (ends_first) end();
    taken = stranger.Send(actor, {.sender = kSender, .number = 1});
    if (!ends_first) end();
  });
  run.Join();
  CheckEnded(actor, {0, taken ? 1 : 0, 1});
}

// An idle actor ends on its own while strangers send to it: the wake token may
// be on its way then.
void EndAgainstPush(Execution& run, Flaw flaw) {
  World world(run, flaw);
  Worker worker(world);
  Thread driver(world, &worker);
  Actor actor(world);
  actor.BelongTo(worker, true);
  actor.Put(worker, {.is_signal = true});
  int taken[3] = {};
  run.Spawn("driver", [&] { worker.Drive(driver); });
  for (int sender : {kSender, kOther}) {
    run.Spawn("stranger", [&, sender] {
      Thread stranger(world);
      taken[sender] = stranger.Send(actor, {.sender = sender, .number = 1});
    });
  }
  run.Join();
  CheckEnded(actor, taken);
}

std::vector<Harness> Harnesses(Flaw flaw = Flaw::kNone) {
  const auto with = [flaw](void (*body)(Execution&, Flaw)) {
    return [body, flaw](Execution& run) { body(run, flaw); };
  };
  return {
      {"receiver-leaves", with(ReceiverLeaves), {{2, 1}, {3, 0}}},
      {"receiver-arrives", with(ReceiverArrives), {{3, 1}}},
      {"sender-arrives", with(SenderArrives), {{3, 1}}},
      {"receiver-is-claimed", with(ReceiverIsClaimed), {{2, 1}, {3, 0}}},
      {"answerer-is-claimed", with(AnswererIsClaimed), {{3, 1}}},
      {"give/push/end", with(GiveAgainstPushAndEnd), {{2, 1}, {3, 0}}},
      {"end/push", with(EndAgainstPush)},
  };
}

TEST(MovesModelTest, HoldsUnderEverySchedule) { ExpectAllHold(Harnesses()); }

TEST(MovesModelTest, NeedsEachStepOfTheProtocol) {
  ExpectFlawsFound(Harnesses,
                   {
                       {Flaw::kSameEpochAtArrival,
                        {"no new epoch at an arrival", "sender-arrives"}},
                       {Flaw::kSameEpochAtClaim,
                        {"no new epoch at a claim", "answerer-is-claimed"}},
                       {Flaw::kFreshTagAtArrival,
                        {"fresh tag at an arrival", "receiver-arrives"}},
                       {Flaw::kFreshTagAtClaim,
                        {"fresh tag at a claim", "receiver-is-claimed"}},
                       {Flaw::kAppendWithoutDraining,
                        {"append without draining", "receiver-is-claimed"}},
                       {Flaw::kAppendWithoutDraining,
                        {"append without draining", "sender-arrives"}},
                       {Flaw::kAppendBeforeDraining,
                        {"append before draining", "receiver-is-claimed"}},
                       {Flaw::kGiveWithoutToken,
                        {"given away without token", "give/push/end"}},
                       {Flaw::kKeepTokenWhenArmed,
                        {"token kept when armed", "receiver-leaves"}},
                       {Flaw::kClaimWithoutLock,
                        {"claim without the lock", "receiver-is-claimed"}},
                       {Flaw::kReleaseWithoutToken,
                        {"memory given back without token", "end/push"}},
                   });
}

}  // namespace
}  // namespace troupe::ownership_model
