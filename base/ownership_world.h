// A model of what surrounds the words of ownership.h: actors, workers and the
// threads that drive them, in plain data that is checked for races. It does
// what scheduler/worker.cc and actor/internal/ do, in the same order, and
// leaves out what touches no word.
//
// Order: which of the ready actors of a worker runs next is tried each way, so
// that nothing rests on the order of a queue.
// Ownership: the harness's; everything lives as long as its run.
// Thread safety: as in the runtime, and any other use fails the run.
//
//   World world(run, Flaw::kNone);
//   Worker worker(world);
//   Thread driver(world, &worker);
//   Actor actor(world);
//   actor.BelongTo(worker, true);
//   run.Spawn("driver", [&] { worker.Drive(driver); });
//   run.Spawn("stranger", [&] { Thread(world).Send(actor, {.number = 1}); });
//   run.Join();
//   actor.CheckIdle();
#ifndef TROUPE_BASE_OWNERSHIP_WORLD_H_
#define TROUPE_BASE_OWNERSHIP_WORLD_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "absl/types/span.h"
#include "troupe/base/ownership.h"
#include "troupe/base/ownership_message.h"
#include "troupe/base/ownership_mutants.h"
#include "troupe/testing/schedule/explore.h"
#include "troupe/testing/schedule/scheduled_atomics.h"

namespace troupe::ownership_model {

// A step of the protocol that is left out or done wrong.
enum class Flaw : uint8_t {
  kNone,
  // The epoch is not raised when an actor arrives, is claimed, or comes back
  // from a turn that lost its seat.
  kSameEpochAtArrival,
  kSameEpochAtClaim,
  kSameEpochAtReturn,
  // It then gets the tag of the new epoch, not a stale one.
  kFreshTagAtArrival,
  kFreshTagAtClaim,
  kFreshTagAtReturn,
  // A local send to an actor with a stale tag does not look into its word, or
  // too late.
  kAppendWithoutDraining,
  kAppendBeforeDraining,
  kGiveWithoutToken,
  kKeepTokenWhenArmed,
  kClaimWithoutLock,
  kClaimWhatRuns,
  kReleaseWithoutToken,
};

class Actor;
class Thread;
class Worker;

// What the parts have in common.
class World {
 public:
  World(schedule::Execution& run, Flaw flaw) : run_(run), flaw_(flaw) {}

  schedule::Execution& run() { return run_; }
  bool has(Flaw flaw) const { return flaw_ == flaw; }
  Message& MakeMessage(Message::Content content);

  void AddWorker(Worker& worker) { workers_.push_back(&worker); }
  // REQUIRES: `tag` is a worker's.
  Worker& Find(uint64_t tag);
  uint64_t NextTag() const {
    return OwnerTag::Make(OwnerTag::kFirstEpoch, workers_.size());
  }

 private:
  schedule::Execution& run_;
  const Flaw flaw_;
  std::vector<Worker*> workers_;
  std::deque<Message> messages_;
};

class alignas(16) Actor {
 public:
  using Handler = std::function<void(Thread&, const Message::Content&)>;
  using Word = MailWord<Message, schedule::ScheduledAtomics>;

  // What the owner keeps.
  struct Own {
    std::vector<Message*> list;  // Oldest first.
    bool token = false;
    bool scheduled = false;
    bool ending = false;
    bool zombie = false;
  };
  // What the handler keeps.
  struct Object {
    Arrivals arrivals;
  };

  explicit Actor(World& world);

  // From the body: makes `worker` its owner, with its tag of now.
  void BelongTo(Worker& worker, bool token_inside);
  // From the body: puts a message into its list, and makes it ready.
  void Put(Worker& worker, Message::Content content);
  // From the body, at the end: that it waits as it should.
  void CheckIdle() const;

  schedule::ScheduledCell<Actor*> next{nullptr};
  schedule::ScheduledAtomics::Atomic<uint64_t> owner{OwnerTag::kUnowned};
  Word word;
  schedule::ScheduledCell<Own> own;
  schedule::ScheduledCell<Object> object;
  // Its memory: who writes here has another use of it.
  schedule::ScheduledCell<int> releases{0};
  // Messages that it took and did not handle when it ended. The owner's.
  schedule::ScheduledCell<Arrivals> undelivered;
  // Set once, before there are threads; null: does nothing.
  Handler handler;
  // What an entry brings back to its worker; null for an actor.
  Actor* returning = nullptr;
};

class Worker {
 public:
  explicit Worker(World& world);

  uint64_t tag() const { return tag_; }

  // -- any thread ------------------------------------------------------------
  void Deliver(Actor& actor);
  static void WakeOwner(World& world, Actor& actor);
  void GiveBack(Actor& entry, Actor& actor);

  // -- the driving thread, inside its seat -----------------------------------
  void Schedule(Actor& actor);
  // Appends, behind what was pushed by those who are here now.
  void Append(Actor& actor, Message& message);
  bool Claim(Actor& actor);
  // Gives the actor away, if it is ready and its token can be had.
  bool GiveTo(Worker& receiver, Actor& actor);
  void SeatThread(Thread& thread);
  void TakeSeat() { thread_ = nullptr; }
  void TakeBack(Actor& actor);

  // Drives until nothing can come any more, or the seat is lost: returns the
  // actor whose turn lost it, or null. `between` is called before each turn.
  Actor* Drive(Thread& thread, const std::function<void()>& between = nullptr);

 private:
  friend class Actor;

  void RaiseEpoch();
  void Arrive(Actor& actor, Flaw same_epoch, Flaw fresh_tag);
  void Woken(Actor& actor);
  void Poll();
  Actor* Next();
  void Drain(Actor& actor);
  // False: the seat was lost in the turn.
  bool Run(Actor& actor, Thread& thread);
  void Finish(Actor& actor);
  void End(Actor& actor);
  void Release(Actor& actor);
  // False: nothing will come.
  bool AwaitWork();

  World& world_;
  schedule::ScheduledCell<uint64_t> tag_;
  schedule::ScheduledCell<std::vector<Actor*>> ready_;
  schedule::ScheduledCell<Thread*> thread_{nullptr};
  WorkerWord<Actor, schedule::ScheduledAtomics> inbox_;
  schedule::ScheduledAtomics::Atomic<int> unparked_{0};
};

// Who sends: the driver of a worker, or a stranger.
class Thread {
 public:
  using SeatWord = Seat<schedule::ScheduledAtomics>;

  // A thread without a worker; or with one that nobody takes from it, and then
  // it needs no seat.
  explicit Thread(World& world, Worker* worker = nullptr)
      : world_(world), worker_(worker) {}
  Thread(World& world, SeatWord& seat) : world_(world), seat_(&seat) {}

  Worker* worker() const { return worker_; }
  void set_worker(Worker* worker) { worker_ = worker; }

  uint64_t EnterSeat() { return Settled(EnterSeatUnsettled()); }
  void LeaveSeat();
  void Settle(uint64_t tag);

  // Outside its seat. Returns whether the actor took it.
  bool Send(Actor& to, Message::Content content);

 private:
  uint64_t EnterSeatUnsettled();
  uint64_t Settled(uint64_t tag);

  World& world_;
  Worker* worker_ = nullptr;
  SeatWord* seat_ = nullptr;
};

// Which harness finds a flaw: of harnesses(flaw), the one that the finding
// names.
struct FlawFinding {
  Flaw flaw;
  Finding finding;
};

// Fails the test unless all of them are found.
void ExpectFlawsFound(
    const std::function<std::vector<Harness>(Flaw)>& harnesses,
    absl::Span<const FlawFinding> findings);

}  // namespace troupe::ownership_model

#endif  // TROUPE_BASE_OWNERSHIP_WORLD_H_
