// Waits until a name leads to an actor:
//
//   absl::StatusOr<ActorRef<AccountApi>> account =
//       co_await names.WaitFor<AccountApi>("savings", absl::Seconds(1));
//
// Yields what Names::Find() would; at once if the name leads to an actor
// already. So a sender gets over the time between two instances of an actor
// that is restarted with its name.
//
// Order: those who wait for one name are answered first come, first served, and
// before the spawn returns that has reserved it.
// Blocking: Wait(), for plain threads; awaiting does not.
// Cancellation: as of a call, see call.h.
//
// kDeadlineExceeded: it leads nowhere in time. kFailedPrecondition: the actor
// does not take these messages; or awaited outside of an actor, or Wait() in a
// turn, which must not block. kCancelled: the request that is handled was given
// up. kInvalidArgument: no actor can have the name. kNotFound: the actor that
// took it has ended meanwhile.
#ifndef TROUPE_REGISTRY_NAME_WAIT_H_
#define TROUPE_REGISTRY_NAME_WAIT_H_

#include <coroutine>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/answer_wait.h"
#include "troupe/registry/internal/name_directory.h"

namespace troupe {

namespace internal {

// The wait of a coroutine, apart from the messages.
class NameWaitBase : public AnswerWait {
 public:
  NameWaitBase(NameDirectory& names, std::string name, absl::Duration timeout)
      : AnswerWait(timeout), names_(names), name_(std::move(name)) {}

  bool await_suspend(std::coroutine_handle<> waiting);

 protected:
  ~NameWaitBase() { Drop(); }

  // REQUIRES: the wait is over.
  absl::StatusOr<AnyActorRef> Found();
  const std::string& name() const { return name_; }

 private:
  std::string What() const override;
  void OnGiveUp() override;

  NameDirectory& names_;
  const std::string name_;
  AnyActorRef found_;  // At once.
};

// The wait of a plain thread.
absl::StatusOr<AnyActorRef> WaitForName(NameDirectory& names,
                                        absl::string_view name,
                                        absl::Duration timeout);

// With the name added to what went wrong.
absl::Status AboutName(absl::string_view name, const absl::Status& status);

// What `name` leads to, to be used with these messages.
template <typename... Ps>
absl::StatusOr<ActorRef<Ps...>> TypedFor(absl::string_view name,
                                         const AnyActorRef& found) {
  absl::StatusOr<ActorRef<Ps...>> typed = found.As<Ps...>();
  if (!typed.ok()) [[unlikely]]
    typed = AboutName(name, typed.status());
  return typed;
}
template <typename... Ps>
absl::StatusOr<ActorRef<Ps...>> TypedFor(
    absl::string_view name, const absl::StatusOr<AnyActorRef>& found) {
  if (!found.ok()) return found.status();
  return TypedFor<Ps...>(name, *found);
}

template <typename... Ps>
class NameAwaiter final : public NameWaitBase {
 public:
  using NameWaitBase::NameWaitBase;
  absl::StatusOr<ActorRef<Ps...>> await_resume() {
    return TypedFor<Ps...>(name(), Found());
  }
};

}  // namespace internal

template <typename... Ps>
class [[nodiscard]] NameWait {
 public:
  NameWait(internal::NameDirectory& names, absl::string_view name,
           absl::Duration timeout)
      : names_(&names), name_(name), timeout_(timeout) {}

  internal::NameAwaiter<Ps...> operator co_await() const {
    return internal::NameAwaiter<Ps...>(*names_, name_, timeout_);
  }
  absl::StatusOr<ActorRef<Ps...>> Wait() const {
    return internal::TypedFor<Ps...>(
        name_, internal::WaitForName(*names_, name_, timeout_));
  }

 private:
  internal::NameDirectory* names_;
  std::string name_;
  absl::Duration timeout_;
};

}  // namespace troupe

#endif  // TROUPE_REGISTRY_NAME_WAIT_H_
