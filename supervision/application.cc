#include "troupe/supervision/application.h"

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/supervision/internal/wake_or_signal.h"

namespace troupe {
namespace {

using internal::WakeOrSignal;

// How the root has ended, from its parent to the main thread.
class Outcome {
 public:
  explicit Outcome(WakeOrSignal& main) : main_(main) {}

  void Put(const ExitReason& reason) ABSL_LOCKS_EXCLUDED(mu_) {
    {
      absl::MutexLock lock(&mu_);
      if (reason_.has_value()) return;
      reason_ = reason;
    }
    main_.Wake();
  }
  std::optional<ExitReason> Get() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return reason_;
  }

 private:
  WakeOrSignal& main_;
  mutable absl::Mutex mu_;
  std::optional<ExitReason> reason_ ABSL_GUARDED_BY(mu_);
};

// The root's parent, which alone is told of its end whenever that is.
class Top : public Actor<> {
 public:
  Top(Supervisor::Spec root, Outcome& outcome)
      : root_(std::make_shared<Supervisor::Spec>(std::move(root))),
        outcome_(outcome) {}
  // Killed, it is told of nothing; else the outcome is known.
  ~Top() { outcome_.Put(ExitReason::Killed()); }

  Task<void> PostStart() {
    const std::string path = root_->name;
    const absl::StatusOr<Supervisor::Ref> root =
        co_await SpawnAsync<Supervisor>(root_, path);
    if (!root.ok()) {
      outcome_.Put(ExitReason::Failed(root.status()));
      StopSelf();
    }
  }
  void OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kStarted) return;
    outcome_.Put(event.reason);
    StopSelf();
  }
  // Asked to stop: the root is stopped with what follows, in its own time.
  Task<void> PostStop(const ExitReason&) {
    for (const AnyActorRef& root : children()) {
      const absl::StatusOr<ExitReason> why = co_await Ended(root).ByShutdown();
      outcome_.Put(why.ok() ? *why : ExitReason::Failed(why.status()));
    }
    outcome_.Put(ExitReason::Shutdown());
  }

 private:
  const std::shared_ptr<Supervisor::Spec> root_;
  Outcome& outcome_;
};

class Application {
 public:
  Application(Supervisor::Spec root, ApplicationOptions options)
      : name_(root.name),
        root_(std::move(root)),
        options_(std::move(options)) {}

  int Run() {
    absl::StatusOr<std::unique_ptr<WakeOrSignal>> main = WakeOrSignal::Create();
    if (!main.ok()) return Complain(options_.system.logger, main.status());
    Outcome outcome(**main);  // Outlives the actors.
    absl::StatusOr<std::unique_ptr<ActorSystem>> system =
        ActorSystem::Create(options_.system);
    if (!system.ok()) return Complain(options_.system.logger, system.status());
    if (options_.prepare) {
      if (absl::Status status = options_.prepare(**system); !status.ok()) {
        return Complain((*system)->logger(), status);
      }
    }
    return RunIn(**system, **main, outcome);
  }

 private:
  int RunIn(ActorSystem& system, WakeOrSignal& main, Outcome& outcome) {
    const absl::StatusOr<Top::Ref> top =
        system.SpawnInstant<Top>(std::move(root_), std::ref(outcome));
    if (!top.ok()) return Complain(system.logger(), top.status());
    const bool asked =
        main.Wait(absl::InfiniteDuration()) == WakeOrSignal::Cause::kSignal;
    if (asked) top->Stop();
    if (!AwaitEnd(system, main, outcome)) {
      system.logger().Log(
          LogSeverity::kError,
          absl::StrCat("application '", name_, "' did not stop in time"));
      // Kills; who does not even return now is left behind.
      const absl::Status killed = system.Shutdown(absl::ZeroDuration());
      if (!killed.ok()) {
        (void)Complain(system.logger(), killed);
        std::_Exit(EXIT_FAILURE);
      }
      return EXIT_FAILURE;
    }
    const ExitReason reason = *outcome.Get();
    if (!reason.IsGraceful()) {
      return Complain(system.logger(), absl::AbortedError(reason.ToString()));
    }
    return EXIT_SUCCESS;
  }

  // False: its time is over, or another signal has come.
  bool AwaitEnd(ActorSystem& system, WakeOrSignal& main,
                const Outcome& outcome) {
    const Clock& clock = system.executor().clock();
    const MonotonicTime deadline = clock.Now() + options_.shutdown_timeout;
    while (!outcome.Get().has_value()) {
      if (main.Wait(deadline - clock.Now()) != WakeOrSignal::Cause::kWoken) {
        return outcome.Get().has_value();
      }
    }
    return true;
  }

  int Complain(const Logger& logger, const absl::Status& why) const {
    logger.Log(LogSeverity::kError,
               absl::StrCat("application '", name_, "': ", why.message()));
    return EXIT_FAILURE;
  }

  const std::string name_;
  Supervisor::Spec root_;
  const ApplicationOptions options_;
};

}  // namespace

int RunApplication(Supervisor::Spec root, ApplicationOptions options) {
  return Application(std::move(root), std::move(options)).Run();
}

}  // namespace troupe
