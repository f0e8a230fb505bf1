// The actors of the swarm. Each does at random, when it gets a message, what
// actors can do, and says so to those who check.
#ifndef TROUPE_TESTING_SWARM_CITIZEN_H_
#define TROUPE_TESTING_SWARM_CITIZEN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/request.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/stash.h"
#include "troupe/actor/task.h"
#include "troupe/actor/timer.h"
#include "troupe/supervision/supervisor_api.h"
#include "troupe/testing/swarm/messages.h"
#include "troupe/testing/swarm/stash_order.h"
#include "troupe/testing/swarm/world.h"

namespace troupe::swarm {

class Citizen : public Actor<CitizenApi> {
 public:
  Citizen(World* world, Number number);
  ~Citizen();

  absl::Status PreStart();
  void PostStart();
  absl::Status PostStop(const ExitReason& reason);
  void OnDown(const Down& down);

  absl::Status Handle(Parcel&& parcel) { return Receive(parcel); }
  absl::Status Handle(Freight&& freight) { return Receive(freight); }
  Task<absl::Status> Handle(Errand errand);
  void Handle(const Tick& tick);
  absl::StatusOr<int64_t> Handle(const Inquiry& inquiry, Request& request);
  Task<absl::StatusOr<int64_t>> Handle(Question question, Request& request);
  void Handle(Favor favor, ReplyTo<int64_t> reply);
  void Handle(const Outcome&);
  void Handle(const Cry& cry);
  void Handle(const Told& told);
  void Handle(const GroupChanged& change);

 protected:
  // Says that code of the actor runs.
  class Inside {
   public:
    explicit Inside(Citizen& citizen) : citizen_(citizen) {
      citizen_.world_.lives.Enter(citizen_.number_);
    }
    ~Inside() { citizen_.world_.lives.Leave(citizen_.number_); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Citizen& citizen_;
  };
  // The same in a coroutine: it is left before each await and entered behind
  // it.
  class Frame {
   public:
    explicit Frame(Citizen& citizen) : citizen_(citizen) {
      Enter();
      citizen_.world_.lives.TaskBegins(citizen_.number_, !citizen_.juggles_);
    }
    ~Frame() {
      citizen_.world_.lives.TaskEnds(citizen_.number_, !citizen_.juggles_);
      if (inside_) Leave();
    }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

    void Enter() {
      inside_ = true;
      citizen_.world_.lives.Enter(citizen_.number_);
    }
    void Leave() {
      inside_ = false;
      citizen_.world_.lives.Leave(citizen_.number_);
    }

   private:
    Citizen& citizen_;
    bool inside_ = false;
  };

  World& world() const { return world_; }
  Number number() const { return number_; }
  // Several errands and questions are handled at a time.
  void Juggles() { juggles_ = true; }
  void HearsExit(const Exit& exit);

  // Throws, if the seed says so.
  void MayBeStruck(Fault fault);
  absl::Status MayFail(Fault fault);

 private:
  struct OwnTimer {
    uint32_t number;
    Timer handle;
  };
  struct OwnMonitor {
    uint32_t number;
    MonitorHandle handle;
  };

  // -- citizen.cc
  absl::Status Receive(Parcel& parcel);
  Acquaintance Me() const { return {untyped_self(), number_}; }
  Acquaintance SomebodyKnown();
  void Meet(const Acquaintance& one);
  void Fulfil(Duty duty);

  // Whether it was set aside.
  bool SetAside(Parcel& parcel);
  bool SetAside(Favor& favor, ReplyTo<int64_t>& reply);

  // -- citizen_services.cc: what is found in the system
  void TakeName();
  void GiveName();
  void FindName();
  void JoinGroup();
  void LeaveGroup();
  void CryToGroup();
  void PickMember();
  void MonitorGroup();
  void DemonitorGroup();
  void PublishNow();
  void SubscribeToPort();
  void UnsubscribeFromPort();
  Task<void> AwaitName(Frame& frame);
  Task<void> AwaitPublish(Frame& frame);

  // -- citizen_deeds.cc
  void DoSome();
  void Do(Deed deed);
  void Send(Way way);
  void Bear(bool instantly);
  void ForwardCall();
  void SetTimer();
  void SetTimerForOther();
  void Repeat();
  void CancelSomeTimer();
  void EndLater();
  void MonitorSomebody();
  void DemonitorSomebody();
  void LinkSomebody();
  void UnlinkSomebody();
  void EndSomebody(Deed deed);

  // -- citizen_waits.cc
  Task<void> AwaitOne(Frame& frame, uint32_t depth, int64_t deadline_ns);
  Task<void> AwaitCall(Frame& frame, uint32_t depth, int64_t deadline_ns);
  Task<void> AwaitRetry(Frame& frame, uint32_t depth, int64_t deadline_ns);
  Task<void> AwaitMany(Frame& frame, uint32_t depth, int64_t deadline_ns,
                       bool all);
  Task<void> AwaitStarted(Frame& frame, uint32_t depth, int64_t deadline_ns);
  Task<void> AwaitBlocking(Frame& frame, int64_t deadline_ns);
  Task<void> AwaitSpace(Frame& frame);
  Task<void> AwaitSpawn(Frame& frame);
  Task<void> AwaitEnd(Frame& frame);
  Task<void> AwaitCallOrSleep(Frame& frame, uint32_t depth,
                              int64_t deadline_ns);

  // -- citizen_requests.cc
  Task<void> AwaitSupervisor(Frame& frame, int64_t deadline_ns);
  Task<void> AwaitStartChild(Frame& frame, int64_t deadline_ns);
  // Asks the supervisor `number`. Returns whether the answer is its own.
  template <typename M, typename... Args>
  Task<bool> AskWarden(Frame& frame, SupervisorRef warden, Number number,
                       int64_t deadline_ns, Args... args);

  World& world_;
  const Number number_;
  bool juggles_ = false;
  std::vector<Acquaintance> known_;
  std::vector<Duty> duties_;
  std::vector<OwnTimer> timers_;
  std::vector<OwnMonitor> monitors_;
  std::vector<size_t> names_;
  std::vector<uint32_t> subscriptions_;
  std::optional<size_t> monitored_;  // Of groups: which, or all.
  Stash<Parcel, Favor> stash_;
  StashOrder stash_order_;
};

// Does not know of exits, and starts at once.
class Plain final : public Citizen {
 public:
  using Citizen::Citizen;
};

// Hears of exits and of its children.
class Trapper final : public Citizen {
 public:
  Trapper(World* world, Number number);
  void OnExit(const Exit& exit);
  void OnChild(const ChildEvent& event);
};

// Handles several things at a time.
class Juggler final : public Citizen {
 public:
  using Interleaved = Protocol<Errand, Question>;

  Juggler(World* world, Number number);
  void OnExit(const Exit& exit) { HearsExit(exit); }
};

// Takes its time to start and to stop.
class Sluggard final : public Citizen {
 public:
  using Citizen::Citizen;
  Task<absl::Status> PreStart();
  Task<absl::Status> PostStop(const ExitReason& reason);
};

enum class Kind : uint8_t { kPlain, kTrapper, kJuggler, kSluggard };

// A random mailbox, and perhaps a thread.
SpawnOptions SomeOptions(World& world, Number number);

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_CITIZEN_H_
