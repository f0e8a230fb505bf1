// A system of actors in a simulation: one thread plays it, its time is virtual,
// and a seed decides everything: which actor runs when, on which of several
// workers, and which faults happen. The same seed gives the same run.
//
//   const auto transfers_keep_money = [](testing::Simulation& sim) {
//     Books& books = sim.Make<Books>();        // Outlives the actors.
//     auto teller = sim.system().Spawn<Teller>(std::ref(books)).value();
//     sim.Always("no account is overdrawn", [&] { return books.low() >= 0; });
//     sim.AtRest("no money is lost", [&] { return books.sum() == 100; });
//     sim.MayKill("teller", [=] { return teller; });
//     teller.Send<Transfer>(60);
//     sim.Play();
//   };
//   testing::ForEachSeed(1000, transfers_keep_money);   // run_simulation.h
//
// Properties are looked at between turns, whoever plays: Play(), a probe, or
// `ref.Call<M>().Wait()`. The first one that does not hold is the failure(),
// which tells what happened last, and ends Play().
//
// Ownership: of the system and of what Make() made. What actors refer to must
// outlive them: nothing that the function above keeps in a variable does.
// Blocking: no call blocks; those that wait play.
// Thread safety: none; all that happens, happens on one thread.
#ifndef TROUPE_TESTING_SIMULATION_H_
#define TROUPE_TESTING_SIMULATION_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/base/log.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/deterministic_choice.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/deterministic_schedule.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/testing/internal/decisions.h"
#include "troupe/testing/internal/filled_mailboxes.h"
#include "troupe/testing/memory_shortage.h"
#include "troupe/testing/simulation_options.h"
#include "troupe/testing/trace.h"

namespace troupe::testing {
namespace internal {
class SimulationObservation;
}  // namespace internal

class Simulation {
 public:
  // Says whether a property holds, or what is wrong.
  using Property = std::function<absl::Status()>;

  explicit Simulation(uint64_t seed, const SimulationOptions& options = {});
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  // Shuts the system down, as its destructor does. No property is looked at and
  // no fault happens any more.
  ~Simulation();

  ActorSystem& system() { return *system_; }
  uint64_t seed() const { return seed_; }
  // Random numbers of this seed, for what the test does.
  Random& random() { return random_; }
  // Virtual time since the simulation began.
  absl::Duration now() const;
  uint64_t steps() const { return schedule_.steps(); }
  // Who plays, in one time: the system's executor, and others that join.
  DeterministicSchedule& schedule() { return schedule_; }
  Logger logger() { return Logger(&log_); }  // To what a failure tells.

  // Makes an object T(args...) that outlives all actors.
  template <typename T, typename... Args>
  T& Make(Args&&... args) {
    auto made = std::make_shared<T>(std::forward<Args>(args)...);
    T& object = *made;
    made_.push_back(std::move(made));
    return object;
  }

  // -- playing ---------------------------------------------------------------
  // All of these end early when there is a failure.

  // Plays until the system is at rest: nothing is ready, and no timer is
  // pending. Where one repeats for ever, that is never; use PlayFor().
  void Play();
  // Plays for that long in virtual time.
  void PlayFor(absl::Duration duration);
  // Plays until `done`, which is asked between turns. Returns whether it was
  // within that time, or before the system came to rest.
  bool PlayUntil(absl::FunctionRef<bool()> done,
                 absl::Duration within = absl::InfiniteDuration());

  // -- properties ------------------------------------------------------------
  // `holds` returns a bool, or a Status that says what is wrong.

  // Must hold between any two turns, from now on.
  template <typename F>
  void Always(std::string name, F holds) {
    always_.push_back({std::move(name), AsProperty(std::move(holds))});
  }
  // Must hold whenever Play() has come to rest. It is a failure if that never
  // happens; see Finish().
  template <typename F>
  void AtRest(std::string name, F holds) {
    at_rest_.push_back({std::move(name), AsProperty(std::move(holds))});
  }
  // Must hold now.
  template <typename F>
  void Check(absl::string_view name, F holds) {
    LookAt(name, AsProperty(std::move(holds)));
  }

  // -- faults ----------------------------------------------------------------

  // Calls `fault` between turns, as often as the seed decides: at most so often
  // in this simulation. It may do what the test may, but must not play.
  // REQUIRES: `name`, which traces know it by, is not empty, nor one of those
  // below: "late timers", "throw at ...", "no memory at ...".
  void MayHappen(std::string name, std::function<void()> fault,
                 Chance chance = {});
  // Kills the actor to which `find` refers at that time; null and ended ones
  // are let off.
  void MayKill(std::string name, std::function<AnyActorRef()> find,
               Chance chance = {});
  // The mailbox of that actor is full with what it holds, for up to 20 steps:
  // its OverflowPolicy decides what becomes of a message. If it is empty, one
  // still fits where senders can wait or the oldest is dropped. An actor whose
  // mailbox has no bounds is let off.
  void MayFill(std::string name, std::function<AnyActorRef()> find,
               Chance chance = {});
  // When timers of actors are due, also of sleeps and calls, a worker does not
  // look at them for up to `at_most`, while all else goes on. `probability` is
  // for each time that some are due.
  void MayDelayTimers(absl::Duration at_most, Chance chance = {});
  // For actors of the test, at a point of a handler that is called `point`: may
  // throw an InjectedFault. `probability` is for each time that one comes by.
  void MayThrow(absl::string_view point, Chance chance = {});
  // The same, but memory is short until the result goes, at each message, each
  // coroutine and each actor that is asked for: std::bad_alloc, or from a spawn
  // kResourceExhausted. Not to be kept across a co_await.
  MemoryShortage MayLackMemory(absl::string_view point, Chance chance = {});

  // -- what happened ---------------------------------------------------------

  // Notes that something happened. Counts for the hash, and is told with a
  // failure. Must not contain what differs from run to run, such as the ids of
  // actors or addresses.
  void Record(absl::string_view what);

  // A hash of which actor had a turn where and when, of how much waited, of the
  // systems' events, and of what was recorded. Two runs of one seed that differ
  // in it took different courses.
  uint64_t hash() const { return hash_; }
  // The faults that happened so far, and where the course was no plain one.
  const Trace& trace() const { return decisions_.taken(); }

  // What is wrong. OK: nothing. The first failure stays.
  const absl::Status& failure() const { return failure_; }
  // The same at the end of a test: there must be no property AtRest() that was
  // never looked at.
  absl::Status Finish();
  // The property that did not hold; empty if it was none of these.
  const std::string& failed_property() const { return failed_property_; }

 private:
  friend class internal::SimulationObservation;

  struct Named {
    std::string name;
    Property holds;
    bool looked_at = false;
  };
  using Fault = internal::Decisions::Fault;
  struct StepFault {
    Fault fault;
    std::function<void(Fault&)> happen;  // Calls Happened(), if it does.
  };
  // Takes what the system logs.
  class Log final : public LogSink {
   public:
    explicit Log(Simulation& simulation) : simulation_(simulation) {}
    void Send(const LogEntry& entry) override;

   private:
    Simulation& simulation_;
  };
  // The last events that a failure tells.
  static constexpr size_t kTold = 24;

  template <typename F>
  static Property AsProperty(F holds) {
    if constexpr (std::convertible_to<std::invoke_result_t<F&>, bool>) {
      return [holds = std::move(holds)]() mutable {
        return holds() ? absl::OkStatus()
                       : absl::FailedPreconditionError("does not hold");
      };
    } else {
      return Property(std::move(holds));
    }
  }

  uint32_t Choose(DeterministicChoice choice, uint32_t alternatives,
                  uint32_t drawn);
  void BeforeTurn(const Runnable& next);
  void AfterStep();
  absl::Duration TimerDelay();
  void AddStepFault(std::string name, Chance chance,
                    std::function<void(Fault&)> happen);
  void Happened(Fault& fault, int64_t amount = 0, absl::string_view told = "");
  // Of those that happen at a point of a handler.
  Fault& PointFault(std::string name, Chance chance);
  void LookAt(absl::string_view name, const Property& holds);
  void Fail(absl::string_view property, absl::Status status);
  void Tell(absl::string_view what);
  void Mix(uint64_t word);
  void Mix(absl::string_view text);
  // Ids differ from run to run; these numbers do not.
  uint64_t NumberOf(ActorId actor);

  const uint64_t seed_;
  const uint64_t max_steps_;
  const uint64_t max_steps_of_waits_;
  Random random_;
  internal::Decisions decisions_;
  uint64_t hash_ = 0;
  bool over_ = false;
  absl::Status failure_;
  std::string failed_property_;
  std::deque<std::string> told_;
  std::map<ActorId, uint64_t> numbers_;
  // What runs may add others, and stays where it is.
  std::deque<Named> always_;
  std::deque<Named> at_rest_;
  std::deque<StepFault> step_faults_;
  std::map<std::string, Fault> point_faults_;
  std::optional<Fault> late_timers_;
  int64_t latest_ms_ = 0;
  internal::FilledMailboxes filled_;
  std::vector<std::shared_ptr<void>> made_;
  Log log_;
  DeterministicSchedule schedule_;
  std::vector<DeterministicExecutor*> executors_;  // Of those observed.
  std::unique_ptr<ActorSystem> system_;
  std::unique_ptr<internal::SimulationObservation>
      observation_;  // Last: the first to go.
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SIMULATION_H_
