// Seat under every schedule: a monitor takes a worker away from its thread.
// Docs: docs/design/hot_path.md, sections 5 and 10.
#include <atomic>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/base/ownership.h"
#include "troupe/base/ownership_message.h"
#include "troupe/base/ownership_mutants.h"
#include "troupe/base/ownership_world.h"
#include "troupe/testing/schedule/explore.h"
#include "troupe/testing/schedule/options.h"
#include "troupe/testing/schedule/scheduled_atomics.h"

namespace troupe::ownership_model {
namespace {

using schedule::Check;
using schedule::Execution;
using schedule::Operation;
using schedule::ScheduledAtomics;
using schedule::ScheduledCell;

using SeatWord = Thread::SeatWord;

constexpr int kSender = 1;
constexpr int kOther = 2;
constexpr int kItself = 3;

constexpr uint64_t kTag = OwnerTag::Make(1, 0);

// Enters, waiting for a monitor if need be.
uint64_t Enter(SeatWord& seat) {
  while (true) {
    const uint64_t tag = seat.Enter();
    if (tag != OwnerTag::kSeatBeingRevoked) return tag;
    seat.Leave();
    ScheduledAtomics::SpinPause();
  }
}

// A thread that does two things in its seat, and a monitor that wants it twice.
// Whoever has the seat works on the worker.
void EnterAgainstRevoke(Execution& run) {
  SeatWord seat;
  run.Label(seat, kSeatLabel);
  ScheduledCell<int> worker(0);
  int steps = 0;
  seat.Settle(kTag);
  run.Spawn("thread", [&] {
    for (int i = 0; i < 2; ++i) {
      if (Enter(seat) == kTag) {
        worker = worker + 1;
        ++steps;
      }
      seat.Leave();
    }
  });
  run.Spawn("monitor", [&] {
    for (int i = 0; i < 2; ++i) {
      if (!seat.Revoke()) continue;
      worker = worker + 1;
      ++steps;
      seat.Settle(i == 0 ? kTag : OwnerTag::kNoSeat);
    }
  });
  run.Join();
  Check(worker == steps, "two at a time");
}

// The thread raises its epoch inside.
void RaiseEpochAgainstRevoke(Execution& run) {
  SeatWord seat;
  run.Label(seat, kSeatLabel);
  ScheduledCell<int> worker(0);
  uint64_t tag = kTag;
  bool revoked = false;
  seat.Settle(tag);
  run.Spawn("thread", [&] {
    if (Enter(seat) != OwnerTag::kNoSeat) {
      worker = 1;
      tag = OwnerTag::NextEpoch(tag);
      seat.Settle(tag);
    }
    seat.Leave();
    const uint64_t now = Enter(seat);
    if (now != OwnerTag::kNoSeat) {
      Check(now == tag, "an epoch came back");
      worker = 2;
    }
    seat.Leave();
  });
  run.Spawn("monitor", [&] {
    revoked = seat.Revoke();
    if (!revoked) return;
    worker = 3;
    seat.Settle(OwnerTag::kNoSeat);
  });
  run.Join();
  Check(seat.tag() == (revoked ? OwnerTag::kNoSeat : tag), "the tag is lost");
}

// What a thread without its seat sends comes behind what the monitor sent on
// for it: two read-modify-writes of one word, the monitor's first. A plain cell
// stands for the word, because only what happens before is first for all.
void SendsOfTheMonitorComeFirst(Execution& run) {
  SeatWord seat;
  run.Label(seat, kSeatLabel);
  ScheduledCell<int> sent(0);
  seat.Settle(kTag);
  run.Spawn("thread", [&] {
    if (Enter(seat) == OwnerTag::kNoSeat) {
      Check(sent == 1, "the monitor's came behind");
      sent = 2;
    }
    seat.Leave();
  });
  run.Spawn("monitor", [&] {
    if (!seat.Revoke()) return;
    sent = 1;
    seat.Settle(OwnerTag::kNoSeat);
  });
  run.Join();
}

// A worker that a monitor gives to a spare thread, if it can while a handler
// runs, and the handler that goes on meanwhile.
struct TakeOver {
  TakeOver(Execution& run, Flaw flaw)
      : world(run, flaw),
        worker(world),
        thread(world, seat),
        spare(world, spare_seat),
        entry(world) {
    run.Label(seat, kSeatLabel);
    run.Label(spare_seat, kSeatLabel);
  }

  void Spawn() {
    world.run().Spawn("thread", [this] {
      (void)thread.EnterSeat();
      worker.SeatThread(thread);
      Actor* const lost = worker.Drive(thread);
      thread.LeaveSeat();
      if (lost != nullptr) worker.GiveBack(entry, *lost);
    });
    world.run().Spawn("monitor", [this] {
      // The thread may not have begun.
      if (seat.tag() == OwnerTag::kNoSeat || !seat.Revoke()) return;
      worker.TakeSeat();
      seat.Settle(OwnerTag::kNoSeat);
      (void)spare.EnterSeat();
      worker.SeatThread(spare);
      (void)worker.Drive(spare);
      spare.LeaveSeat();
    });
  }

  World world;
  Worker worker;
  SeatWord seat;
  SeatWord spare_seat;
  Thread thread;
  Thread spare;
  Actor entry;
};

// The handler sends before and after it loses its seat, and again in its next
// turn, when it is back.
void SendAcrossTakeOver(Execution& run, Flaw flaw) {
  TakeOver take_over(run, flaw);
  Actor receiver(take_over.world);
  Actor sender(take_over.world);
  sender.handler = [&](Thread& thread, const Message::Content& content) {
    for (int i = 1; i >= 0; --i) {
      thread.Send(receiver,
                  {.sender = kSender, .number = 2 * content.number - i});
    }
  };
  sender.BelongTo(take_over.worker, true);
  receiver.BelongTo(take_over.worker, true);
  for (int i : {1, 2}) {
    sender.Put(take_over.worker, {.sender = kItself, .number = i});
  }
  take_over.Spawn();
  run.Join();
  receiver.object.Read().arrivals.CheckAllOf(kSender, 4);
  for (const Actor* actor : {&sender, &receiver}) actor->CheckIdle();
}

// The handler sends to its own actor, without its seat and then with another,
// while a stranger that sends to it holds the wake token.
void SendToItselfAcrossTakeOver(Execution& run, Flaw flaw) {
  TakeOver take_over(run, flaw);
  Actor actor(take_over.world);
  actor.handler = [&](Thread& thread, const Message::Content& content) {
    if (content.sender != kItself) return;
    thread.Send(actor, {.sender = kSender, .number = content.number});
  };
  actor.BelongTo(take_over.worker, true);
  for (int i : {1, 2}) {
    actor.Put(take_over.worker, {.sender = kItself, .number = i});
  }
  take_over.Spawn();
  run.Spawn("stranger", [&] {
    Thread stranger(take_over.world);
    stranger.Send(actor, {.sender = kOther, .number = 1});
  });
  run.Join();
  actor.object.Read().arrivals.CheckAllOf(kSender, 2);
  actor.object.Read().arrivals.CheckAllOf(kOther, 1);
  actor.CheckIdle();
}

// Somebody would like to claim the actor whose handler goes on without a seat.
void ClaimAgainstTakeOver(Execution& run, Flaw flaw) {
  TakeOver take_over(run, flaw);
  Worker other(take_over.world);
  Thread other_thread(take_over.world, &other);
  Actor slow(take_over.world);
  Actor sender(take_over.world);
  sender.handler = [&](Thread& thread, const Message::Content&) {
    thread.Send(slow, {.sender = kSender, .number = 1});
  };
  slow.BelongTo(take_over.worker, true);
  sender.BelongTo(other, true);
  slow.Put(take_over.worker, {.sender = kOther, .number = 1});
  sender.Put(other, {.sender = kItself, .number = 1});
  take_over.Spawn();
  run.Spawn("claimer", [&] { (void)other.Drive(other_thread); });
  run.Join();
  slow.object.Read().arrivals.CheckAllOf(kSender, 1);
  slow.object.Read().arrivals.CheckAllOf(kOther, 1);
  for (const Actor* actor : {&sender, &slow}) actor->CheckIdle();
}

std::vector<Harness> Harnesses(Flaw flaw = Flaw::kNone) {
  const auto with = [flaw](void (*body)(Execution&, Flaw)) {
    return [body, flaw](Execution& run) { body(run, flaw); };
  };
  return {
      {"enter/revoke", EnterAgainstRevoke},
      {"raise-epoch/revoke", RaiseEpochAgainstRevoke},
      {"monitor-sends-first", SendsOfTheMonitorComeFirst},
      {"send/take-over", with(SendAcrossTakeOver), {{3, 1}}},
      {"send-to-itself/take-over",
       with(SendToItselfAcrossTakeOver),
       {{2, 1}, {3, 0}}},
      {"claim/take-over", with(ClaimAgainstTakeOver), {{2, 1}, {3, 0}}},
  };
}

TEST(SeatModelTest, HoldsUnderEverySchedule) { ExpectAllHold(Harnesses()); }

TEST(SeatModelTest, NeedsEachOfItsOrderings) {
  ExpectEachOrderingIsNeeded(Harnesses(), kSeatLabel,
                             {
                                 {"ENTER relaxed", "monitor-sends-first"},
                                 {"SETTLE relaxed", "monitor-sends-first"},
                                 {"LEAVE relaxed", "enter/revoke"},
                                 {"LEAVE relaxed", "raise-epoch/revoke"},
                                 {"OUTSIDE relaxed", "enter/revoke"},
                                 {"OUTSIDE relaxed", "raise-epoch/revoke"},
                                 {"light barrier left out", "enter/revoke"},
                                 {"heavy barrier left out", "enter/revoke"},
                             });
}

TEST(SeatModelTest, NeedsEachStepOfItsProtocol) {
  using Kind = Operation::Kind;
  const auto by_monitor = [](Mutation mutation) {
    return [mutation](Operation& operation) {
      if (operation.label == kSeatLabel && operation.thread == "monitor" &&
          operation.size_bytes == sizeof(uint64_t)) {
        mutation(operation);
      }
    };
  };
  ExpectFound("no second look at the tag",
              {"raise-epoch/revoke", RaiseEpochAgainstRevoke},
              by_monitor([](Operation& operation) {
                if (operation.kind != Kind::kLoad) return;
                operation.skip = true;
                operation.current = OwnerTag::kSeatBeingRevoked;
              }));
  ExpectFound("the old tag is put back by a store",
              {"raise-epoch/revoke", RaiseEpochAgainstRevoke},
              by_monitor([](Operation& operation) {
                if (operation.kind == Kind::kCompareExchangeStrong) {
                  operation.kind = Kind::kStore;
                }
              }));
  ExpectFlawsFound(Harnesses,
                   {
                       {Flaw::kSameEpochAtReturn,
                        {"no new epoch at a return", "send/take-over"}},
                       {Flaw::kFreshTagAtReturn,
                        {"fresh tag at a return", "send-to-itself/take-over"}},
                       {Flaw::kClaimWhatRuns,
                        {"claim of an actor in its turn", "claim/take-over"}},
                   });
}

}  // namespace
}  // namespace troupe::ownership_model
