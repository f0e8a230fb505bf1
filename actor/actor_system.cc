#include "troupe/actor/actor_system.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/end_observers.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/shared_thread.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"
#include "troupe/base/contain.h"
#include "troupe/scheduler/thread_executor.h"

namespace troupe {
namespace {

// A time that far away is never, and can be added to any clock's.
int64_t NanosecondsWithinAYear(absl::Duration duration) {
  return absl::ToInt64Nanoseconds(
      std::clamp(duration, absl::ZeroDuration(), absl::Hours(24 * 365)));
}

// After the kill: what still runs then is a handler that does not return.
constexpr absl::Duration kKillTimeout = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::unique_ptr<ActorSystem>> ActorSystem::Create(
    Options options) {
  if (options.blocking_threads < 1) {
    return absl::InvalidArgumentError(absl::StrCat("blocking_threads is ",
                                                   options.blocking_threads,
                                                   "; give a positive number"));
  }
  absl::StatusOr<std::unique_ptr<ActorSystem>> system = nullptr;
  const absl::Status status =
      internal::Contain([&] { system = CreateOnThreads(options); });
  if (!status.ok()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for a system: ", status.message()));
  }
  return system;
}

absl::StatusOr<std::unique_ptr<ActorSystem>> ActorSystem::CreateOnThreads(
    const Options& options) {
  // Told below, before there is a turn that could be long.
  const auto address = std::make_shared<ActorSystem*>(nullptr);
  ThreadExecutor::Options executor_options;
  executor_options.workers = options.workers;
  executor_options.long_turn_after = options.long_turn_after;
  executor_options.logger = options.logger;
  executor_options.on_long_turn =
      [address](const ThreadExecutor::LongTurn& turn) {
        (*address)->PublishLongTurn(LongTurn{turn.name, turn.so_far});
      };
  // First of all: in a child of fork() it refuses. A system that was there
  // would be destroyed, which takes a lock of Abseil's that may be locked for
  // ever.
  absl::StatusOr<std::unique_ptr<ThreadExecutor>> executor =
      ThreadExecutor::Create(std::move(executor_options));
  if (!executor.ok()) return executor.status();
  std::unique_ptr<ActorSystem> system(new ActorSystem(options));
  *address = system.get();
  system->Install(*std::move(executor));
  return system;
}

std::unique_ptr<ActorSystem> ActorSystem::CreateOn(
    std::unique_ptr<Executor> executor, Options options) {
  std::unique_ptr<ActorSystem> system(new ActorSystem(options));
  system->Install(std::move(executor));
  return system;
}

void ActorSystem::Install(std::unique_ptr<Executor> executor) {
  TROUPE_CHECK(options_.blocking_threads >= 1, "blocking work needs a thread");
  core_ = std::make_shared<internal::SystemCore>(
      *this, std::move(executor), options_.logger,
      internal::SystemCore::Limits{
          options_.high_water_messages, options_.child_stop_timeout,
          absl::ToInt64Nanoseconds(options_.call_timeout),
          NanosecondsWithinAYear(options_.deadlock_check_after),
          options_.blocking_threads});
  core_->executor().SetLocals(
      [core = core_.get()](Worker&) { return core->MakeLocal(); });
}

ActorSystem::~ActorSystem() {
  if (core_ == nullptr) return;  // Its creation failed.
  if (executor().lost_threads()) {
    Abandon();
    return;
  }
  TROUPE_CHECK(!this_thread.InTurn(),
               "an ActorSystem is destroyed inside a handler");
  const absl::Status status = Shutdown();
  if (!status.ok())
    core_->logger().Log(LogSeverity::kWarning, status.message());
  AwaitNoActors();
  (void)core_->EndBlocking(MonotonicTime::InfiniteFuture());  // Waits.
  {
    std::vector<std::pair<std::type_index, std::shared_ptr<void>>> extensions;
    {
      absl::MutexLock lock(&extensions_mu_);
      extensions.swap(extensions_);
    }
    while (!extensions.empty()) extensions.pop_back();
  }
  core_->EndExecutor();
  core_ = nullptr;
  internal::IdSpace::Prune();
}

void ActorSystem::Abandon() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  // Reachable for ever, so that nobody takes it for a leak.
  struct Remains {
    std::shared_ptr<internal::SystemCore> core;
    decltype(extensions_) extensions;
    Remains* older;
  };
  static Remains* newest = nullptr;
  newest = new Remains{std::move(core_), std::move(extensions_), newest};
}

void* ActorSystem::MadeExtension(std::type_index type) {
  for (const auto& [key, extension] : extensions_) {
    if (key == type) return extension.get();
  }
  return nullptr;
}

void* ActorSystem::GetExtension(std::type_index type, MakeExtension make) {
  {
    absl::MutexLock lock(&extensions_mu_);
    const auto is_settled =
        [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(extensions_mu_) {
          return std::find(being_made_.begin(), being_made_.end(), type) ==
                 being_made_.end();
        };
    extensions_mu_.Await(absl::Condition(&is_settled));
    if (void* const made = MadeExtension(type)) return made;
    being_made_.push_back(type);
  }
  // Outside the lock: an extension may ask for others. If it throws, the next
  // who asks tries again.
  const auto settle = absl::MakeCleanup([&] {
    absl::MutexLock lock(&extensions_mu_);
    std::erase(being_made_, type);
  });
  std::shared_ptr<void> made = make(*this);
  absl::MutexLock lock(&extensions_mu_);
  extensions_.emplace_back(type, std::move(made));
  return extensions_.back().second.get();
}

absl::Status ActorSystem::ObserveEnd(const AnyActorRef& actor,
                                     EndObserver& observer) {
  if (actor.IsRemote()) {
    return absl::InvalidArgumentError(
        absl::StrCat(actor.ToString(), " is another node's"));
  }
  const std::shared_ptr<internal::SystemCore> owner =
      internal::IdSpace::Find(actor.id().value());
  if (owner != nullptr && owner != core_) {
    return absl::InvalidArgumentError(
        absl::StrCat(actor.ToString(), " is another system's"));
  }
  if (owner == nullptr || !internal::ObserveEnd(actor, observer)) {
    return absl::NotFoundError(
        absl::StrCat(actor.ToString(), " does not exist, or is ending"));
  }
  return absl::OkStatus();
}

absl::StatusOr<PinnedThread> ActorSystem::StartThread(absl::string_view name) {
  if (executor().lost_threads()) {
    return internal::ParentsThreads(absl::StrCat("thread '", name, "'"));
  }
  if (core_->closed()) {
    return absl::FailedPreconditionError(
        absl::StrCat("thread '", name, "': the system is shutting down"));
  }
  absl::StatusOr<std::shared_ptr<internal::SharedThread>> thread =
      internal::SharedThread::Start(*core_, name);
  if (!thread.ok()) return thread.status();
  return PinnedThread(*std::move(thread));
}

void ActorSystem::PublishLongTurn(const LongTurn& turn) {
  core_->logger().Log(
      LogSeverity::kWarning,
      absl::StrCat("a turn of ", turn.actor, " has taken longer than ",
                   absl::FormatDuration(options_.long_turn_after)));
  core_->Publish(turn);
}

bool ActorSystem::AwaitNoActors(absl::Duration timeout) {
  TROUPE_CHECK(!this_thread.InTurn(),
               "waiting for all actors to end inside a handler");
  return executor().RunUntil([this] { return core_->LiveActors() == 0; },
                             executor().clock().Now() + timeout);
}

absl::Status ActorSystem::Shutdown(absl::Duration timeout) {
  if (executor().lost_threads())
    return internal::ParentsThreads("shutting down");
  core_->Close();
  core_->EndTopLevelActors(/*kill=*/false);
  if (this_thread.InTurn()) return absl::OkStatus();
  const MonotonicTime deadline = RealClock().Now() + timeout;
  if (AwaitNoActors(timeout)) return core_->EndBlocking(deadline);
  core_->EndTopLevelActors(/*kill=*/true);
  if (AwaitNoActors(kKillTimeout)) {
    return core_->EndBlocking(RealClock().Now() + kKillTimeout);
  }
  return absl::DeadlineExceededError(absl::StrCat(
      "shutting down: ", core_->SomeLiveActor(), " (of ", core_->LiveActors(),
      ") does not end; does its handler "
      "return?"));
}

}  // namespace troupe
