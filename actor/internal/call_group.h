// Several calls with the same request, made at once and awaited together: the
// part that does not depend on the message.
#ifndef TROUPE_ACTOR_INTERNAL_CALL_GROUP_H_
#define TROUPE_ACTOR_INTERNAL_CALL_GROUP_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/awaited_argument.h"
#include "troupe/actor/internal/build.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/deadlock.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/send.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/message_type.h"

namespace troupe::internal {

class CallGroupWait;

// One of them.
class GroupedCall final : public PendingCall {
 public:
  GroupedCall(const AnyActorRef& target, EnvelopePtr request)
      : target_(target), envelope_(std::move(request)) {}

  const AnyActorRef& target() const { return target_; }
  Cell& cell() const { return target_.IsNull() ? NoCell() : *target_.cell(); }

  // The request until it is sent, the reply once it is over; else null.
  EnvelopePtr& envelope() { return envelope_; }
  bool is_over() const { return over_; }
  // By an outcome or a failure.
  void End(EnvelopePtr reply) {
    envelope_ = std::move(reply);
    over_ = true;
  }

  void OnReply(EnvelopePtr reply) override;

 private:
  friend class CallGroupWait;

  AnyActorRef target_;
  EnvelopePtr envelope_;
  bool over_ = false;
  bool is_awaited_ = false;  // The answer may come to an actor.
  CallGroupWait* group_ = nullptr;
};

// What to call whom with, for how long, and how much of it is wanted; then how
// far that has come.
struct CallGroup {
  CallName NameOf(const GroupedCall& call) const {
    return {call.target().id(), request};
  }
  // Whether nothing more is wanted.
  bool is_over() const { return left == 0 || enough != nullptr; }
  // Ends one.
  void End(GroupedCall& call, EnvelopePtr reply);
  void Fail(GroupedCall& call, absl::Status why);
  // Ends all that are not over with failure(name).
  template <typename F>
  void FailAll(const F& failure) {
    for (GroupedCall& call : calls) {
      if (!call.is_over()) Fail(call, failure(NameOf(call)));
    }
  }

  const MessageType* request = nullptr;
  std::vector<GroupedCall> calls;
  // Whether this one reply is all that is wanted. Null: it takes all of them.
  bool (*is_enough)(Envelope& reply) = nullptr;
  CallTimeout timeout;

  size_t left = 0;  // Not over.
  GroupedCall* enough = nullptr;
  // In the order in which they ended.
  GroupedCall* first_to_end = nullptr;
  GroupedCall* last_to_end = nullptr;
};

// Waits for them in a coroutine; lives in its frame, as the group does.
class CallGroupWait : public Wait {
 public:
  CallGroupWait(const CallGroupWait&) = delete;
  CallGroupWait& operator=(const CallGroupWait&) = delete;

  bool await_ready() const noexcept { return false; }
  // False: it is over already.
  bool await_suspend(std::coroutine_handle<> waiting);

  void OnDue(HandlerState& state) override;
  void OnCancel(const absl::Status& why) override;
  // The last one, once the others are over.
  std::optional<WaitedCall> ItsCall() const override;

 protected:
  explicit CallGroupWait(CallGroup& group) : group_(group) {}
  ~CallGroupWait() {
    if (is_waiting()) GiveUp(*state());
  }

 private:
  friend class GroupedCall;

  void MakeAll(HandlerState& state);
  void Make(GroupedCall& call, HandlerState& state);
  void TakeReply(GroupedCall& call, EnvelopePtr reply);
  // What is under way is waited for no more, and told so.
  void GiveUp(HandlerState& state);

  CallGroup& group_;
  MonotonicTime deadline_;
};

inline void GroupedCall::OnReply(EnvelopePtr reply) {
  group_->TakeReply(*this, std::move(reply));
}

// Makes them on a plain thread, and waits until nothing more is wanted.
void CallGroupAndBlock(CallGroup& group);

// What a call of any of them yields if none was OK; `status_of` reads a reply.
// REQUIRES: all are over.
absl::Status NoneAnswered(CallGroup& group,
                          absl::Status (*status_of)(Envelope& reply));

// Calls with M(args...), one for each of `refs`.
template <typename M, typename Refs, typename... Args>
CallGroup MakeCallGroup(Refs&& refs, Args&&... args) {
  static_assert(std::ranges::input_range<Refs>,
                "several calls go to a range of ActorRefs");
  static_assert(
      std::is_convertible_v<std::ranges::range_reference_t<Refs>, ActorRef<M>>,
      "these actors do not take this message: it is in none of the protocols "
      "of their ActorRefs");
  static_assert(
      !(kDestroyedTwiceWhenAwaited<Refs> || ... ||
        kDestroyedTwiceWhenAwaited<Args>),
      "GCC before 13 would destroy this aggregate twice where it is awaited: "
      "give what the message is built from, or name the aggregate");
  CallGroup group;
  group.request = &kMessageType<M>;
  if constexpr (std::ranges::sized_range<Refs>) {
    group.calls.reserve(std::ranges::size(refs));
  }
  for (const ActorRef<M> ref : refs) {
    group.calls.emplace_back(
        ref, EnvelopePtr(BuildCalled<M>(std::as_const(args)...)));
  }
  group.left = group.calls.size();
  return group;
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CALL_GROUP_H_
