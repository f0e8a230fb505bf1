// An ActorSystem is where actors live: their workers, their events, and the
// services they find by type. Systems do not know of each other.
//
//   std::unique_ptr<ActorSystem> system = ActorSystem::Create().value();
//   ActorRef<Deposit> account = system->Spawn<Account>(100).value();
//   account.Send<Deposit>(5);
//
// Ownership: the system owns its actors. References may outlive it.
// Blocking: Create(), Shutdown() and the destructor start and join threads.
// Thread safety: any thread; but only plain threads may destroy it.
// Signals: the threads of a system block them, but SIGPROF and those of errors
// (SIGSEGV and its like); so handlers of signals run on the program's own
// threads. What a handler of an actor starts by fork() and exec inherits that:
// give it a mask (POSIX_SPAWN_SETSIGMASK).
// Fork: a child of fork() has the memory of a system and none of its threads.
// It may exec or _exit. Shutdown(), Spawn() and StartThread() fail there with
// kFailedPrecondition, and so does Create(); what would have to wait for an
// actor or wake one aborts with a message; the destructor, as exit() may call
// it, leaves all as it is. What is sent there is lost. A system on an executor
// without threads works in the child as in the parent.
#ifndef TROUPE_ACTOR_ACTOR_SYSTEM_H_
#define TROUPE_ACTOR_ACTOR_SYSTEM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/end_observer.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/build.h"
#include "troupe/actor/internal/event_hub.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/spawn.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/name_service.h"
#include "troupe/actor/pinned_thread.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/base/log.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/scheduler/executor.h"

namespace troupe {

class ActorSystem {
 public:
  struct Options {
    // 0: as many as the process may use processors.
    int workers = 0;
    Logger logger = {};
    // A turn that takes longer is reported, by an event and in the log.
    absl::Duration long_turn_after = absl::Milliseconds(10);
    // A mailbox with more messages is reported once, likewise.
    uint32_t high_water_messages = 65536;
    // How long a call waits for its answer, unless it says otherwise.
    absl::Duration call_timeout = absl::Seconds(5);
    // How long a call may wait before it is looked at whether actors wait for
    // each other in a circle, which then fails their calls. Infinite: never.
    absl::Duration deadlock_check_after = absl::Seconds(1);
    // The most threads for RunBlocking(), made when they are needed.
    int blocking_threads = 64;
    // How long a child may take to stop, before its parent's end kills it.
    absl::Duration child_stop_timeout = absl::Seconds(5);
    // How long Shutdown() and the destructor let actors stop before they are
    // killed.
    absl::Duration shutdown_timeout = absl::Seconds(10);
  };

  // A system with threads. kResourceExhausted: they cannot be created, or there
  // is no memory. kInvalidArgument: an option makes no sense.
  // kFailedPrecondition: this is the child of a process with a system.
  static absl::StatusOr<std::unique_ptr<ActorSystem>> Create(Options options);
  static absl::StatusOr<std::unique_ptr<ActorSystem>> Create() {
    return Create(Options());
  }
  // A system on any executor: a deterministic one, say. `options.workers` and
  // `options.long_turn_after` are the executor's affair then.
  static std::unique_ptr<ActorSystem> CreateOn(
      std::unique_ptr<Executor> executor, Options options);

  ActorSystem(const ActorSystem&) = delete;
  ActorSystem& operator=(const ActorSystem&) = delete;
  // Shuts down; waits for as long as handlers, and functions that RunBlocking()
  // runs, do not return.
  ~ActorSystem();

  // Makes a top-level actor, an object A(args...), and starts it; see
  // Actor::Spawn(). kFailedPrecondition: the system is shutting down.
  template <typename A, typename... Args>
  absl::StatusOr<typename A::Ref> Spawn(const SpawnOptions& options,
                                        Args&&... args) {
    return internal::Spawn<A>(*core_, nullptr, options,
                              std::forward<Args>(args)...);
  }
  template <typename A, typename... Args>
  requires(!internal::kBeginsWithOptions<Args...>)
      absl::StatusOr<typename A::Ref> Spawn(Args&&... args) {
    return internal::Spawn<A>(*core_, nullptr, SpawnOptions(),
                              std::forward<Args>(args)...);
  }
  template <typename A, typename... Args>
  absl::StatusOr<typename A::Ref> SpawnInstant(const SpawnOptions& options,
                                               Args&&... args) {
    return internal::SpawnInstant<A>(*core_, nullptr, options,
                                     std::forward<Args>(args)...);
  }
  template <typename A, typename... Args>
  requires(!internal::kBeginsWithOptions<Args...>)
      absl::StatusOr<typename A::Ref> SpawnInstant(Args&&... args) {
    return internal::SpawnInstant<A>(*core_, nullptr, SpawnOptions(),
                                     std::forward<Args>(args)...);
  }

  // Starts a thread to which actors can be pinned, with SpawnOptions::thread.
  // kResourceExhausted: there is none to be had. kFailedPrecondition: the
  // system is shutting down.
  absl::StatusOr<PinnedThread> StartThread(absl::string_view name);

  // Calls `subscriber` for each event of type E (events.h, or what another
  // package publishes), until the Subscription is dropped. It must be callable
  // from several threads at once.
  template <typename E>
  Subscription Subscribe(std::function<void(const E&)> subscriber) {
    return ChannelOf<E>().Subscribe(std::move(subscriber));
  }
  // Sends each event to an actor, in the order in which they are published. E
  // must be copyable and own what it names.
  // What was a DeadLetter itself is not sent on: once the actor is gone, that
  // would make the next one.
  template <typename E, typename... Ps>
  Subscription Subscribe(ActorRef<Ps...> subscriber) {
    return Subscribe<E>([ref = ActorRef<E>(subscriber)](const E& event) {
      if constexpr (std::is_same_v<E, DeadLetter>) {
        if (event.message_type == kMessageType<DeadLetter>.name) return;
      }
      internal::SendBehindAll(TargetOf(ref), ref.id().value(),
                              internal::Build<E>(event));
    });
  }

  // Publishes an event of any type, on the calling thread.
  template <typename E>
  void Publish(const E& event) {
    internal::EventChannel<E>& channel = ChannelOf<E>();
    if (channel.HasSubscribers()) channel.Publish(event, logger());
  }

  // The one T of this system, for packages that extend it; made from
  // T(ActorSystem&) when it is first asked for. Who asks meanwhile waits. They
  // are destroyed, the youngest first, when no actor is left. T's constructor
  // may ask for others, but those not for T.
  template <typename T>
  T& Get() {
    return *static_cast<T*>(GetExtension(
        typeid(T), [](ActorSystem& system) -> std::shared_ptr<void> {
          return std::make_shared<T>(system);
        }));
  }

  // Has `observer` told, once, when `actor` has ended: before anybody else. May
  // be called under a lock that OnActorEnd() takes. kNotFound: there is no such
  // actor, or it takes no more messages since it is ending; then the observer
  // is not called. kInvalidArgument: it is another system's.
  absl::Status ObserveEnd(const AnyActorRef& actor, EndObserver& observer);

  // From now on names are kept in `names`, which outlives all actors (an
  // extension does). REQUIRES: no actor has a name.
  void SetNameService(NameService& names) { core_->set_names(&names); }

  // Stops the top-level actors, the youngest first, and kills what has not
  // stopped after `timeout` (Options::shutdown_timeout by default). Nothing is
  // spawned any more. Any number of threads may call it; each returns when all
  // is done. kFailedPrecondition: this process is a child of fork().
  //
  // In a handler it only begins the shutdown, and returns at once.
  // kDeadlineExceeded: the handler of some actor, which is named, does not
  // return, or a function that RunBlocking() runs; the destructor waits for it.
  absl::Status Shutdown() { return Shutdown(options_.shutdown_timeout); }
  absl::Status Shutdown(absl::Duration timeout);

  // Waits until no actor is left. Returns whether that is so within `timeout`.
  // REQUIRES: not in a handler.
  bool AwaitNoActors(absl::Duration timeout = absl::InfiniteDuration());

  Executor& executor() { return core_->executor(); }
  const Logger& logger() const { return core_->logger(); }
  uint64_t live_actors() { return core_->LiveActors(); }
  uint64_t dead_letters() const { return core_->dead_letters(); }

  // For the runtime.
  const std::shared_ptr<internal::SystemCore>& core() const { return core_; }

 private:
  using MakeExtension = std::shared_ptr<void> (*)(ActorSystem&);

  explicit ActorSystem(Options options) : options_(options) {}
  static absl::StatusOr<std::unique_ptr<ActorSystem>> CreateOnThreads(
      const Options& options);

  template <typename E>
  internal::EventChannel<E>& ChannelOf() {
    if constexpr (internal::EventHub::kHas<E>) {
      return core_->events().channel<E>();
    } else {
      return Get<internal::ExtensionChannel<E>>().channel;
    }
  }
  static internal::Cell& TargetOf(const AnyActorRef& ref) {
    return ref.cell() != nullptr ? *ref.cell() : internal::NoCell();
  }
  void Install(std::unique_ptr<Executor> executor);
  // In a child of fork(): leaves all that threads of the parent may hold.
  void Abandon();
  void* GetExtension(std::type_index type, MakeExtension make)
      ABSL_LOCKS_EXCLUDED(extensions_mu_);
  void* MadeExtension(std::type_index type)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(extensions_mu_);
  void PublishLongTurn(const LongTurn& turn);

  const Options options_;
  std::shared_ptr<internal::SystemCore> core_;
  absl::Mutex extensions_mu_;
  std::vector<std::pair<std::type_index, std::shared_ptr<void>>> extensions_
      ABSL_GUARDED_BY(extensions_mu_);
  // Under construction.
  std::vector<std::type_index> being_made_ ABSL_GUARDED_BY(extensions_mu_);
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_ACTOR_SYSTEM_H_
