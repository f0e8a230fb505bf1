// The inside of a Supervisor: feeds its machine with what happens, and carries
// out what that decides.
//
// Thread safety: belongs to the turns of the supervisor's actor.
#ifndef TROUPE_SUPERVISION_INTERNAL_SUPERVISION_H_
#define TROUPE_SUPERVISION_INTERNAL_SUPERVISION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/handed_state.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/task.h"
#include "troupe/actor/timer.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/supervision/child_spec.h"
#include "troupe/supervision/internal/start_watch.h"
#include "troupe/supervision/internal/supervisor_machine.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/supervision/supervisor_api.h"

namespace troupe::internal {

class Supervision {
 public:
  Supervision(Supervisor& supervisor, std::shared_ptr<Supervisor::Spec> spec,
              std::string path);
  Supervision(const Supervision&) = delete;
  Supervision& operator=(const Supervision&) = delete;
  ~Supervision();

  // Starts all children; if one cannot start, ends the others.
  Task<absl::Status> Start();
  // Ends all children.
  Task<void> End();
  // Does what was left for later.
  void GoOn();

  void OnChild(const ChildEvent& event);
  // How a start has ended that took its time.
  void OnStartAnswer(ChildKey key, absl::Status status);

  void StartChild(ChildSpec spec, ReplyTo<AnyActorRef> reply);
  void TerminateChild(const ChildName& name, ReplyTo<absl::Status> reply);
  void RestartChild(const ChildName& name, ReplyTo<AnyActorRef> reply);
  void DeleteChild(const ChildName& name, ReplyTo<absl::Status> reply);
  std::vector<ChildInfo> List() const;
  absl::StatusOr<ChildInfo> Get(const ChildName& name) const;
  ChildCounts Count() const;
  absl::Status SetStrategy(Strategy strategy, const Intensity& intensity);

  // The tree as far as it is known here: supervisors among the children have
  // no children yet.
  SupervisionTree Snapshot() const;

 private:
  // What most children need, and temporary ones do not that have no id.
  struct Details {
    ChildSpec* spec;
    std::unique_ptr<ChildSpec> owned;  // Unless it is one of the Spec's.
    AnyActorRef door;                  // Null: there is none.
    // Those that were made here: its own, and those of children below it, so
    // that they outlive a restart of the supervisor between.
    std::vector<AnyActorRef> doors;
    HandedState state;
    uint64_t starts = 0;
    // Its start has failed with what was spawned, which is being killed.
    bool is_refused = false;
    absl::Status start_failure;  // The last one's.
  };
  struct Child {
    AnyActorRef instance;  // Null: there is none.
    std::unique_ptr<Details> details;
    std::unique_ptr<StartWatch> watch;  // While it starts, and takes its time.
  };

  MonotonicTime now() const;
  absl::string_view IdOf(ChildKey key) const;
  std::optional<ChildKey> Find(const ChildName& name) const;
  ChildInfo InfoOf(ChildKey key) const;
  // For messages: "child 'teller'".
  std::string Describe(ChildKey key) const;
  // The one that runs, or has ended last.
  AnyActorRef LatestInstance(ChildKey key) const;

  absl::Status CheckSpec(const ChildSpec& spec) const;
  // Makes doors for a child and those below it, as far as somebody has a
  // reference to them and they have none yet.
  absl::Status MakeDoors(const ChildSpec& spec,
                         std::vector<AnyActorRef>& doors);
  absl::StatusOr<ChildKey> Add(ChildSpec* spec,
                               std::unique_ptr<ChildSpec> owned);
  absl::Status AddAll();

  // Carries out commands, until there are none, or others should have a turn.
  void Pump();
  // The same in a handler: the rest, if there is one, is for later turns.
  void PumpAndGoOn();
  void CarryOut(const SupervisorCommand& command);
  // After something has happened to a child.
  void React();
  void StartInstance(ChildKey key);
  static absl::Status CallStart(ChildSpec& spec, StartContext& context);
  void HasStarted(ChildKey key);
  void StartHasFailed(ChildKey key, absl::Status status);
  void HasEnded(ChildKey key, const ExitReason& reason);
  void LeadDoor(ChildKey key);
  void Forget(ChildKey key);
  void Report(const SupervisorCommand& command);
  void Finish(const SupervisorCommand& command);
  void SetTimer();
  absl::Status WhyFinished() const;
  // In a hook.
  Task<void> PumpUntil(absl::FunctionRef<bool()> done);

  using Answer = absl::AnyInvocable<void(AdminOutcome, ChildKey)>;
  Ticket Owe(Answer answer);
  absl::Status OutcomeStatus(AdminOutcome outcome, ChildKey key,
                             absl::string_view what) const;
  Answer AnswerBy(ReplyTo<AnyActorRef> reply, std::string what);
  Answer AnswerBy(ReplyTo<absl::Status> reply, std::string what);
  // An operation of the machine's, on the child that `name` says.
  using Operation = void (SupervisorMachine::*)(ChildKey, MonotonicTime,
                                                Ticket);
  template <typename T>
  void Operate(Operation operation, absl::string_view what,
               const ChildName& name, ReplyTo<T> reply);

  Supervisor& supervisor_;
  const std::shared_ptr<Supervisor::Spec> spec_;
  const std::string path_;
  Random random_;
  SupervisorMachine machine_;
  Intensity intensity_;
  std::vector<Child> children_;  // By key.
  absl::flat_hash_map<uint64_t, ChildKey> by_instance_;
  absl::flat_hash_map<std::string, ChildKey> by_id_;
  absl::flat_hash_map<Ticket, Answer> tickets_;
  Ticket next_ticket_ = 0;
  Timer timer_;
  MonotonicTime timer_time_ = MonotonicTime::InfiniteFuture();
  bool tick_is_sent_ = false;
  bool is_ready_ = false;
  bool is_in_hook_ = false;        // From Start() to its end, and since End().
  HookWait* hook_wait_ = nullptr;  // While the hook waits.
  // Why children ended, until that is reported; some stay.
  struct Why {
    AnyActorRef instance;  // Null: it could not be started.
    ExitReason reason;
  };
  absl::flat_hash_map<ChildKey, Why> reasons_;
  absl::Status last_start_failure_;
  // Since the end, why that is.
  std::optional<SupervisorCommand> finished_;
  ExitReason finished_reason_;
  std::string finished_child_;
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_SUPERVISION_H_
