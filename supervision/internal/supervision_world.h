// Random trees of supervisors and what can happen to them, for tests that run
// them by seeds and on threads. What must hold whatever happens is checked on
// the way: one instance of a child at a time, order of starts, stops and
// messages, restarts within the intensity, each failure reported once.
#ifndef TROUPE_SUPERVISION_INTERNAL_SUPERVISION_WORLD_H_
#define TROUPE_SUPERVISION_INTERNAL_SUPERVISION_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/base/random.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_ref.h"
#include "troupe/supervision/child_spec.h"
#include "troupe/supervision/start_context.h"
#include "troupe/supervision/strategy.h"
#include "troupe/supervision/supervision_report.h"
#include "troupe/supervision/supervisor.h"

namespace troupe::internal {

class SupervisionWorld;

// Drops what is logged: in such a world, much goes wrong.
class Silence final : public LogSink {
 public:
  void Send(const LogEntry&) override {}
};

struct Letter {
  int sender;
  int64_t number;
};
struct Question {
  using Reply = int;
};
struct Blow {
  enum class How { kFails, kThrows, kStops };
  How how;
};
struct ResidentApi : Protocol<Letter, Question, Blow> {};

// A worker in the tree.
class Resident : public Actor<ResidentApi> {
 public:
  Resident(SupervisionWorld& world, int number);
  ~Resident();
  absl::Status PreStart();
  Task<void> PostStop(const ExitReason& reason);
  void Handle(Letter letter);
  int Handle(Question) { return number_; }
  absl::Status Handle(Blow blow);

 private:
  SupervisionWorld& world_;
  const int number_;
};

// One that takes its time to start.
class SlowResident : public Resident {
 public:
  SlowResident(SupervisionWorld& world, int number)
      : Resident(world, number), delay_(number % 3) {}
  Task<absl::Status> PreStart();

 private:
  const int delay_;
};

struct Poke {};

// Sends letters and calls from inside.
class Postman : public Actor<Poke> {
 public:
  Postman(SupervisionWorld& world, int number)
      : world_(world), number_(number) {}
  Task<void> Handle(Poke);

 private:
  SupervisionWorld& world_;
  const int number_;
  int64_t letters_ = 0;
};

// Thread safety: any thread, but for MakeTree().
class SupervisionWorld {
 public:
  struct Options {
    // Whether supervisors are killed too. If not, every failure is reported,
    // and every request answered.
    bool kills_supervisors = false;
    // Whether the time of a report is that of its failure.
    bool checks_times = true;
  };

  SupervisionWorld(ActorSystem& system, uint64_t seed, const Options& options);

  Supervisor::Spec MakeTree();
  // From now on starts fail more often.
  void BeginLife() ABSL_LOCKS_EXCLUDED(mu_);
  // No request is under way, and none comes: what stops, stops in order.
  void BeginEnd() ABSL_LOCKS_EXCLUDED(mu_);
  // Nothing lives any more. Checks what can only be known then.
  void CheckEnd() ABSL_LOCKS_EXCLUDED(mu_);

  // -- for those who live there

  void Born(int child) ABSL_LOCKS_EXCLUDED(mu_);
  void Died(int child) ABSL_LOCKS_EXCLUDED(mu_);
  void Stops(int child, const ExitReason& reason) ABSL_LOCKS_EXCLUDED(mu_);
  void Received(int child, const Letter& letter) ABSL_LOCKS_EXCLUDED(mu_);
  bool StartsBadly() ABSL_LOCKS_EXCLUDED(mu_);
  uint64_t Uniform(uint64_t limit) ABSL_LOCKS_EXCLUDED(mu_);
  ChildRef<ResidentApi> AnyChild() ABSL_LOCKS_EXCLUDED(mu_);
  // A supervisor that is a child.
  ChildRef<SupervisorApi> AnySupervisor() ABSL_LOCKS_EXCLUDED(mu_);
  // A child for it that is not in its Spec.
  ChildSpec MakeChild(const ChildRef<SupervisorApi>& supervisor)
      ABSL_LOCKS_EXCLUDED(mu_);
  // For it to be given, with the intensity that it has.
  std::pair<Strategy, Intensity> NextStrategy(
      const ChildRef<SupervisorApi>& supervisor) ABSL_LOCKS_EXCLUDED(mu_);
  void CallBegins() ABSL_LOCKS_EXCLUDED(mu_);
  void CallEnds() ABSL_LOCKS_EXCLUDED(mu_);

  const Options& options() const { return options_; }
  ActorSystem& system() const { return system_; }
  // Of all that happened, in order.
  uint64_t hash() const ABSL_LOCKS_EXCLUDED(mu_);
  int births() const ABSL_LOCKS_EXCLUDED(mu_);
  int letters() const ABSL_LOCKS_EXCLUDED(mu_);
  int reports() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct ChildState {
    size_t supervisor;
    bool from_spec;
    bool has_backoff;
    int alive = 0;
    int first_starts = 0;
    std::map<int, int64_t> last_letters = {};  // By sender.
  };
  struct SupervisorState {
    std::string path;
    Strategy strategy;
    Intensity intensity;
    AutoShutdown auto_shutdown;
    std::vector<int> children = {};  // The workers, in order.
    ChildRef<SupervisorApi> ref = {};
    std::deque<MonotonicTime> restarts = {};  // The latest.
  };

  Supervisor::Spec MakeLevel(const std::string& path, int depth)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  const SupervisorState& Find(const ChildRef<SupervisorApi>& supervisor) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  ChildSpec MakeChildOf(size_t supervisor, bool from_spec)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<ActorRef<ResidentApi>> StartOne(StartContext& start,
                                                 int child);
  void Starts(int child, bool is_first) ABSL_LOCKS_EXCLUDED(mu_);
  void Reported(const SupervisionReport& report) ABSL_LOCKS_EXCLUDED(mu_);
  void Ended(const ActorEnded& event) ABSL_LOCKS_EXCLUDED(mu_);
  void CountRestart(const SupervisionReport& report)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Happened(uint64_t what) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  ActorSystem& system_;
  const Options options_;
  mutable absl::Mutex mu_;
  Random random_ ABSL_GUARDED_BY(mu_);
  std::vector<ChildState> children_ ABSL_GUARDED_BY(mu_);
  std::vector<ChildRef<ResidentApi>> refs_ ABSL_GUARDED_BY(mu_);
  std::vector<SupervisorState> supervisors_ ABSL_GUARDED_BY(mu_);
  std::map<ActorId, int> failed_ ABSL_GUARDED_BY(mu_);  // And how often told.
  std::map<ActorId, int> told_ ABSL_GUARDED_BY(mu_);
  bool lives_ ABSL_GUARDED_BY(mu_) = false;
  bool ends_ ABSL_GUARDED_BY(mu_) = false;
  int open_calls_ ABSL_GUARDED_BY(mu_) = 0;
  int births_ ABSL_GUARDED_BY(mu_) = 0;
  int letters_ ABSL_GUARDED_BY(mu_) = 0;
  int reports_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t hash_ ABSL_GUARDED_BY(mu_) = 0;
  Subscription on_report_;  // The last two: the first to go.
  Subscription on_end_;
};

// Somebody outside who does things to a world. For one thread each.
class WorldDriver {
 public:
  WorldDriver(SupervisionWorld& world, int number, uint64_t seed);

  // One of the things that happen.
  void Step();
  // Waits for the answers to all that it asked. REQUIRES: not in a handler.
  void AwaitAnswers();

 private:
  void AskSupervisor();
  template <typename Call>
  void Keep(Call call, bool is_admin);

  SupervisionWorld& world_;
  const int number_;
  Random random_;
  int64_t letters_ = 0;
  ActorRef<Poke> postman_;
  std::vector<absl::AnyInvocable<absl::Status()>> asked_;
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_SUPERVISION_WORLD_H_
