// A child as its supervisor knows it: options, and how to start it.
//
//   ChildSpec::Of<Worker>({.id = "worker-7"}, /*shard=*/7)
//   ChildSpec::Of({.id = "teller"}, [account](StartContext& start) {
//     return start.Spawn<Teller>(account.ref());
//   })
//
// The arguments are copied, and copied again for each start; std::ref() keeps a
// reference. What can only be moved needs the second form.
//
// Ownership: of the arguments, or the function. Move-only.
// Thread safety: none; it goes to the supervisor, whose turn calls it.
#ifndef TROUPE_SUPERVISION_CHILD_SPEC_H_
#define TROUPE_SUPERVISION_CHILD_SPEC_H_

#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_ref.h"
#include "troupe/supervision/internal/child_slot.h"
#include "troupe/supervision/internal/door.h"
#include "troupe/supervision/start_context.h"

namespace troupe {

namespace internal {

// The reference that a starting function returns, out of its StatusOr.
template <typename R>
struct StartedRef {};
template <typename... Ps>
struct StartedRef<ActorRef<Ps...>> {
  using type = ActorRef<Ps...>;
};
template <typename... Ps>
struct StartedRef<absl::StatusOr<ActorRef<Ps...>>> {
  using type = ActorRef<Ps...>;
};

template <typename Ref>
struct ChildRefOf;
template <typename... Ps>
struct ChildRefOf<ActorRef<Ps...>> {
  using type = ChildRef<Ps...>;
};

template <typename F>
concept StartsChild = requires {
  typename StartedRef<std::invoke_result_t<F&, StartContext&>>::type;
};
template <StartsChild F>
using StartedBy =
    typename StartedRef<std::invoke_result_t<F&, StartContext&>>::type;

}  // namespace internal

class ChildSpec {
 public:
  using Start = absl::AnyInvocable<absl::StatusOr<AnyActorRef>(StartContext&)>;

  // An object A(args...).
  template <typename A, typename... Args>
  static ChildSpec Of(ChildOptions options, Args&&... args) {
    static_assert(
        (std::is_copy_constructible_v<std::decay_t<Args>> && ...),
        "the arguments of a child are copied for each start, and this one "
        "cannot be: give a function instead, "
        "[...](StartContext& start) { return start.Spawn<A>(...); }");
    static_assert(
        std::is_constructible_v<A, const std::decay_t<Args>&...>,
        "this actor cannot be constructed from copies of these arguments");
    return ChildSpec(
        std::move(options), internal::TypeName<A>(),
        &internal::MakeDoorFor<typename A::Messages>,
        [kept = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)](
            StartContext& start) -> absl::StatusOr<AnyActorRef> {
          return std::apply(
              [&start](const auto&... each) -> absl::StatusOr<AnyActorRef> {
                return start.Spawn<A>(each...);
              },
              kept);
        });
  }

  // What `start` spawns; see start_context.h.
  template <typename F>
  static ChildSpec Of(ChildOptions options, F start) {
    static_assert(internal::StartsChild<F>,
                  "this function cannot start a child: it takes a "
                  "StartContext&, and returns an ActorRef<...> or an "
                  "absl::StatusOr of one");
    using Ref = internal::StartedBy<F>;
    return ChildSpec(std::move(options), /*class_name=*/{},
                     &internal::MakeDoorFor<typename Ref::Messages>,
                     [start = std::move(start)](StartContext& context) mutable
                     -> absl::StatusOr<AnyActorRef> { return start(context); });
  }

  ChildOptions& options() { return options_; }
  const ChildOptions& options() const { return options_; }
  // Of the actor; empty where a function starts it.
  std::string_view class_name() const { return class_name_; }

  // A reference to the child, whose messages are those of Ref.
  template <typename Ref>
  typename internal::ChildRefOf<Ref>::type RefTo() {
    if (slot_ == nullptr) slot_ = std::make_shared<internal::ChildSlot>();
    return typename internal::ChildRefOf<Ref>::type(slot_);
  }

  // For the runtime.
  Start& start() { return start_; }
  internal::MakeDoor make_door() const { return make_door_; }
  // Null: nobody has a reference.
  const std::shared_ptr<internal::ChildSlot>& slot() const { return slot_; }
  // The children that it has itself, if it is a supervisor with a Spec.
  std::vector<ChildSpec>* children() const { return children_.get(); }
  void set_children(std::shared_ptr<std::vector<ChildSpec>> children) {
    children_ = std::move(children);
  }

 private:
  ChildSpec(ChildOptions options, std::string_view class_name,
            internal::MakeDoor make_door, Start start)
      : options_(std::move(options)),
        class_name_(class_name),
        make_door_(make_door),
        start_(std::move(start)) {}

  ChildOptions options_;
  std::string_view class_name_;
  internal::MakeDoor make_door_;
  Start start_;
  std::shared_ptr<internal::ChildSlot> slot_;
  std::shared_ptr<std::vector<ChildSpec>> children_;  // Null: none.
};

}  // namespace troupe

#endif  // TROUPE_SUPERVISION_CHILD_SPEC_H_
