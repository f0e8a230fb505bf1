// Names by which the actors of a system find each other. An actor may have many
// names; a name leads to one actor, which alone gives it back, or its end does.
//
//   Names& names = system.Get<Names>();  // Once, before an actor has a name.
//   system.Spawn<Account>({.name = "savings"}, 100);
//   absl::StatusOr<ActorRef<AccountApi>> account =
//       names.Find<AccountApi>("savings");
//   account = co_await names.WaitFor<AccountApi>("savings", absl::Seconds(1));
//
// What a name may look like, and what a scope is: see name.h.
//
// Order: a name is free when its owner's clean-up has ended, before anybody is
// told of the end: whoever has been told does not find that actor any more, and
// may give the name to the next one. A name that is reserved by a spawn leads
// to its actor at once, and to nobody when its start fails. Listings are
// sorted.
// Ownership: an extension of its system; it outlives all actors.
// Blocking: no call blocks but NameWait::Wait(). Watchers run on the thread
// that changes a name, or on another one that does so at the time.
// Thread safety: any thread.
// Errors: as each function says. kResourceExhausted: there is no memory for the
// name, which is not given then. Once it is, who waits for it or watches it is
// told, or the process ends (docs/semantics.md, clause 34).
#ifndef TROUPE_REGISTRY_NAMES_H_
#define TROUPE_REGISTRY_NAMES_H_

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/build.h"
#include "troupe/actor/internal/event_hub.h"
#include "troupe/actor/internal/owed_answer.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/name_service.h"
#include "troupe/registry/internal/name_directory.h"
#include "troupe/registry/internal/name_watchers.h"
#include "troupe/registry/name_event.h"
#include "troupe/registry/name_table.h"
#include "troupe/registry/name_wait.h"

namespace troupe {

// Who is told of names: a function, or an actor that takes NameEvents.
class NameSubscriber {
 public:
  // Callable from several threads, one at a time. It may use Names.
  template <typename F>
  requires std::invocable<F&, const NameEvent&>
  // NOLINTNEXTLINE(google-explicit-constructor)
  NameSubscriber(F tell) : tell_(std::move(tell)) {}
  template <typename... Ps>
  // NOLINTNEXTLINE(google-explicit-constructor)
  NameSubscriber(const ActorRef<Ps...>& actor)
      : is_actor_(true),
        actor_(actor),
        tell_([to = ActorRef<NameEvent>(actor)](const NameEvent& event) {
          internal::SendBehindAll(*to.cell(), to.id().value(),
                                  internal::Build<NameEvent>(event));
        }) {}

 private:
  friend class Names;
  bool is_actor_ = false;
  AnyActorRef actor_;
  std::function<void(const NameEvent&)> tell_;
};

class Names final : public NameService, private internal::NameDirectory {
 public:
  struct Entry {
    std::string name;
    AnyActorRef actor;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  // For ActorSystem::Get(): the names of SpawnOptions are kept here from now
  // on.
  explicit Names(ActorSystem& system);

  // -- giving ----------------------------------------------------------------

  // Has `name` lead to `actor` until that ends, or gives it back.
  // kAlreadyExists: it leads to an actor, which is named. kInvalidArgument: no
  // actor may have it, or the actor is another system's. kNotFound: there is no
  // such actor, or it is ending and takes no more messages.
  absl::Status Register(absl::string_view name, const AnyActorRef& actor)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Takes it back. kNotFound: it does not lead to `actor`.
  absl::Status Unregister(absl::string_view name, const AnyActorRef& actor)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Has it lead to `to` instead of `from`: nobody finds it free in between.
  // kNotFound: it does not lead to `from`, or as for Register().
  absl::Status Move(absl::string_view name, const AnyActorRef& from,
                    const AnyActorRef& to) ABSL_LOCKS_EXCLUDED(mu_);

  // -- finding ---------------------------------------------------------------

  // The actor to which `name` leads, to be used with these messages.
  // kNotFound: it leads nowhere. kFailedPrecondition: the actor does not take
  // all of them; says what it takes.
  template <typename... Ps>
  absl::StatusOr<ActorRef<Ps...>> Find(absl::string_view name) const {
    const std::optional<AnyActorRef> found = table_.Find(name);
    if (!found.has_value()) [[unlikely]]
      return LeadsNowhere(name);
    return internal::TypedFor<Ps...>(name, *found);
  }
  absl::StatusOr<AnyActorRef> FindAny(absl::string_view name) const {
    const std::optional<AnyActorRef> found = table_.Find(name);
    if (!found.has_value()) return LeadsNowhere(name);
    return *found;
  }

  // As Find(), once the name leads to an actor, to be awaited or waited for;
  // see NameWait.
  template <typename... Ps>
  NameWait<Ps...> WaitFor(absl::string_view name, absl::Duration timeout) {
    return NameWait<Ps...>(*this, name, timeout);
  }

  // The names in one scope, "" by default; all; and those of one actor.
  std::vector<Entry> List(absl::string_view scope = "") const;
  std::vector<Entry> ListAll() const;
  std::vector<std::string> NamesOf(const AnyActorRef& actor) const {
    return table_.KeysOf(actor);
  }
  // The scopes in which there are names.
  std::vector<std::string> ListScopes() const;

  // -- watching --------------------------------------------------------------

  // Tells `subscriber` what happens to a name, or to all that begin with
  // `prefix` ("": to all), until the Subscription is dropped or the actor that
  // subscribed ends. First it is told that those which are there have
  // appeared, in order; from then on of each change, once, in the order in
  // which they happen. kInvalidArgument: no actor can have the name. kNotFound:
  // as for Register(), about the actor that subscribes.
  //
  // system.Subscribe<NameEvent>() hears of the changes of all names, too.
  absl::StatusOr<Subscription> Watch(absl::string_view name,
                                     const NameSubscriber& subscriber)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<Subscription> WatchPrefix(absl::string_view prefix,
                                           const NameSubscriber& subscriber)
      ABSL_LOCKS_EXCLUDED(mu_);

  // -- for the runtime -------------------------------------------------------

  absl::Status Reserve(absl::string_view name, AnyActorRef owner) override
      ABSL_LOCKS_EXCLUDED(mu_);
  void OnActorEnd(const AnyActorRef& actor) override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Waiters =
      std::vector<internal::OwedAnswer<AnyActorRef>>;  // First come first.

  static absl::Status LeadsNowhere(absl::string_view name);
  // kOk, or that it is taken.
  absl::Status CheckIsFree(absl::string_view name) const;
  // Of a name that is free. Returns whether watchers are to be told.
  [[nodiscard]] bool Give(absl::string_view name, const AnyActorRef& owner)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AnswerWaiters(absl::string_view name, const AnyActorRef& owner)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<Subscription> Watch(absl::string_view pattern, bool is_prefix,
                                     const NameSubscriber& subscriber)
      ABSL_LOCKS_EXCLUDED(mu_);

  // NameDirectory.
  ActorSystem& system() override { return system_; }
  std::optional<AnyActorRef> FindOrAwait(
      absl::string_view name, const internal::ReplyRoute& route) override
      ABSL_LOCKS_EXCLUDED(mu_);
  void AwaitNoMore(absl::string_view name,
                   const internal::ReplyRoute& route) override
      ABSL_LOCKS_EXCLUDED(mu_);

  ActorSystem& system_;
  internal::NameWatchers watchers_;
  // Lookups go there without more ado; it changes under the lock.
  NameTable<std::string, AnyActorRef> table_;
  absl::Mutex mu_;
  absl::flat_hash_map<std::string, Waiters> waiters_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe

#endif  // TROUPE_REGISTRY_NAMES_H_
