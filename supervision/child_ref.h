// A ChildRef refers to a supervised child whatever becomes of it: to each of
// its instances in turn.
//
//   ChildRef<AccountApi> account =
//       spec.Add<Account>({.id = "account"}, /*opening_cents=*/100);
//   ...                                       // The supervisor starts.
//   account.Send<Deposit>(5);
//   absl::StatusOr<int64_t> cents = co_await account.Call<Balance>();
//   ActorRef<Deposit> payee = account;        // The address, for anybody.
//
// The address is that of an actor of the supervisor's, which hands on each
// message unopened. Between two instances messages wait there, in order, up to
// ChildOptions::hold_messages; the deadlines of calls go on. When there will be
// no next instance, they become dead letters, and calls fail with kNotFound.
//
// Before the supervisor has started, it refers to no actor.
//
// Order: per sender, as sent through ChildRefs and addresses. There is none
// between these and what is sent to ref() directly.
// Watching: who monitors or links the address hears of its end, with the
// supervisor's; a link ends nothing on the other side. Those of one instance
// are made with ref().
// Bounds: an instance with a bounded mailbox that is full makes dead letters of
// what comes by the address: nobody waits for space there.
// Ownership: none; a value, that keeps no actor alive.
// Thread safety: any thread. Each use takes a lock; who sends much keeps the
// address.
#ifndef TROUPE_SUPERVISION_CHILD_REF_H_
#define TROUPE_SUPERVISION_CHILD_REF_H_

#include <memory>
#include <type_traits>
#include <utility>

#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/protocol.h"
#include "troupe/supervision/internal/child_slot.h"

namespace troupe {

template <typename... Ps>
class ChildRef {
 public:
  using Messages = MessagesOf<Ps...>;

  // Refers to no child.
  ChildRef() = default;
  // From a reference that takes all of these messages.
  template <typename... Qs>
  requires internal::kIsSubset<Messages, MessagesOf<Qs...>>
  // NOLINTNEXTLINE(google-explicit-constructor)
  ChildRef(const ChildRef<Qs...>& other) : slot_(other.slot_) {}

  // The actor that hands on to the current instance, whichever that is; null
  // before the supervisor has started. It ends with the topmost supervisor of
  // those that the Spec describes together; stopping it cuts the child off from
  // whoever has the address.
  ActorRef<Ps...> address() const {
    return slot_ == nullptr ? ActorRef<Ps...>() : Typed(slot_->address());
  }
  template <typename... Qs>
  requires internal::kIsSubset<MessagesOf<Qs...>, Messages>
  // NOLINTNEXTLINE(google-explicit-constructor)
  operator ActorRef<Qs...>() const { return address(); }

  // The instance that runs now, for as long as that does: then calls to it fail
  // with kNotFound. Null if there is none at the moment.
  ActorRef<Ps...> ref() const {
    return slot_ == nullptr ? ActorRef<Ps...>() : Typed(slot_->instance());
  }

  // As ActorRef's.
  template <typename M, typename... Args>
  void Send(Args&&... args) const {
    address().template Send<M>(std::forward<Args>(args)...);
  }
  template <typename M>
  requires(!std::is_lvalue_reference_v<M>) void Send(M&& message) const {
    address().Send(std::move(message));
  }
  template <typename M, typename... Args>
  void SendUrgent(Args&&... args) const {
    address().template SendUrgent<M>(std::forward<Args>(args)...);
  }
  template <typename M, typename... Args>
  auto Call(Args&&... args) const {
    return address().template Call<M>(std::forward<Args>(args)...);
  }

  // Whether they refer to the same child.
  friend bool operator==(const ChildRef& a, const ChildRef& b) {
    return a.slot_ == b.slot_;
  }

  // For the runtime.
  explicit ChildRef(std::shared_ptr<const internal::ChildSlot> slot)
      : slot_(std::move(slot)) {}

 private:
  template <typename... Qs>
  friend class ChildRef;

  static ActorRef<Ps...> Typed(const AnyActorRef& ref) {
    return ActorRef<Ps...>(ref.cell(), ref.id().value());
  }

  std::shared_ptr<const internal::ChildSlot> slot_;
};

}  // namespace troupe

#endif  // TROUPE_SUPERVISION_CHILD_REF_H_
