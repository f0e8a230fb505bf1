// What SupervisorMachine must do, told a second time with no regard to cost:
// the children are a list, who is to stop and who is to start are lists of
// keys, and whatever can be counted is counted when it is asked for.
//
// Written from OTP's description of its supervisors and from the contract in
// supervisor_machine.h, not from the machine.
#ifndef TROUPE_SUPERVISION_INTERNAL_SUPERVISOR_MODEL_H_
#define TROUPE_SUPERVISION_INTERNAL_SUPERVISOR_MODEL_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_status.h"
#include "troupe/supervision/internal/child_table.h"
#include "troupe/supervision/internal/supervisor_command.h"
#include "troupe/supervision/internal/supervisor_machine.h"
#include "troupe/supervision/strategy.h"

namespace troupe::internal {

class SupervisorModel {
 public:
  using Keys = std::vector<ChildKey>;

  SupervisorModel(const SupervisorMachine::Settings& settings, Random& random)
      : how_(settings), random_(random) {}

  // The machine chooses the key.
  void Add(ChildKey key, const ChildRules& rules);
  void Start(MonotonicTime now);
  void Shutdown(MonotonicTime now);
  void SetStrategy(Strategy strategy) { how_.strategy = strategy; }
  void SetIntensity(const Intensity& intensity) { how_.intensity = intensity; }

  void ChildStarted(ChildKey key, MonotonicTime now);
  void StartFailed(ChildKey key, MonotonicTime now);
  void ChildEnded(ChildKey key, ExitReason::Kind kind, MonotonicTime now);
  void TimerDue(MonotonicTime now);

  void StartChild(ChildKey key, MonotonicTime now, Ticket ticket);
  void TerminateChild(ChildKey key, MonotonicTime now, Ticket ticket);
  void RestartChild(ChildKey key, MonotonicTime now, Ticket ticket);
  void DeleteChild(ChildKey key, MonotonicTime now, Ticket ticket);

  // All commands since the last call.
  std::vector<SupervisorCommand> TakeCommands();

  MonotonicTime next_wake() const;
  Keys order() const;
  ChildStatus status(ChildKey key) const;
  uint32_t restarts(ChildKey key) const;
  bool ending() const { return last_word_.has_value(); }

 private:
  enum class StartOf { kOther, kSupervisor, kNewChild, kOldChild };

  struct Kid {
    ChildKey key;
    ChildRules rules;
    ChildStatus status = ChildStatus::kIdle;
    StartOf start_of = StartOf::kOther;
    bool reply_due = false;
    std::optional<ExitReason::Kind> died_before_reply = {};
    std::optional<MonotonicTime> alarm = {};
    MonotonicTime up_since = {};
    uint32_t failures = 0;
    uint32_t restarts = 0;
    std::vector<std::pair<Ticket, char>> waiting = {};  // s, t, r, d
  };

  Kid& Of(ChildKey key);
  const Kid* Find(ChildKey key) const;
  static bool Lives(const Kid& kid);
  bool LeavesNoTrace(const Kid& kid) const;

  void Say(SupervisorCommand command) { said_.push_back(command); }
  void Tell(ChildKey key, Ticket ticket, AdminOutcome outcome);
  // Tells those of one letter.
  void TellWaiting(Kid& kid, char what, AdminOutcome outcome);
  void Judge(const Kid& kid, Verdict verdict,
             absl::Duration delay = absl::ZeroDuration());

  void Boot(Kid& kid);
  void Halt(Kid& kid);
  void Erase(ChildKey key);
  void Dead(ChildKey key, ExitReason::Kind kind);
  void Buried(ChildKey key);
  void Resume(ChildKey key);
  void Broken(ChildKey key);
  void RestartGroup(ChildKey culprit, bool before_too);
  void TheEnd(SupervisorCommand last_word);
  void GoOn();

  SupervisorMachine::Settings how_;
  Random& random_;
  MonotonicTime now_ = MonotonicTime::InfinitePast();
  std::vector<Kid> line_;
  Keys halts_;      // Their instances end one after the other, the last first,
  Keys comebacks_;  // and these are to come back.
  Keys starts_;     // To be started one after the other, the first first.
  std::optional<ChildKey> starting_;  // The one whose turn it is.
  std::vector<MonotonicTime> counted_;
  std::vector<SupervisorCommand> said_;
  std::optional<SupervisorCommand> last_word_;
  bool begun_ = false;
  bool all_up_ = false;
  bool over_ = false;
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_SUPERVISOR_MODEL_H_
