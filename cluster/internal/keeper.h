// A keeper is the parent of one actor that another node had started here. It
// ends it when the actor ends for which it was started, or when the connection
// with that one is lost; and tells that one of the end, if it wants to know.
#ifndef TROUPE_CLUSTER_INTERNAL_KEEPER_H_
#define TROUPE_CLUSTER_INTERNAL_KEEPER_H_

#include <optional>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/spawn.h"
#include "troupe/actor/internal/spawn_wait.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/task.h"
#include "troupe/actor/timer.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/internal/collected_refs.h"
#include "troupe/cluster/internal/factories.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/spawn_request.h"

namespace troupe::internal {

// Nobody has said that he knows the actor.
struct Unclaimed {};

class Keeper final : public Actor<KeepActor, Unclaimed> {
 public:
  // How long an actor is kept for nobody, when the caller does not wait any
  // more: as long as an answer and what follows may be under way.
  static constexpr absl::Duration kClaimWithin = absl::Seconds(10);

  Keeper(NodeCore& node, const Factory& factory, SpawnActor request,
         ReplyTo<StartedActor> reply)
      : node_(node),
        factory_(factory),
        request_(std::move(request)),
        reply_(std::move(reply)) {}

  Task<void> PostStart();
  void OnChild(const ChildEvent& event);
  void OnDown(const Down& down);
  void Handle(KeepActor);
  void Handle(Unclaimed);

  // Starts an A by arguments of these types; what Factory::start is.
  template <typename A, typename... Args>
  static Task<absl::StatusOr<AnyActorRef>> StartChild(Keeper& keeper,
                                                      absl::Duration within);

 private:
  void EndIfOver();
  // Whether the owner is one to be told of the end: of the node that asks, and
  // at home one that takes it. A peer could have others told by this node.
  bool MayTell() const;

  NodeCore& node_;
  const Factory& factory_;
  SpawnActor request_;
  ReplyTo<StartedActor> reply_;
  AnyActorRef child_;
  Timer unclaimed_;
  bool is_claimed_ = false;
  bool has_ended_ = false;  // The child.
};

template <typename A, typename... Args>
Task<absl::StatusOr<AnyActorRef>> Keeper::StartChild(Keeper& keeper,
                                                     absl::Duration within) {
  CheckActor<A>();
  std::tuple<Args...> arguments;
  CollectedRefs refs(keeper.node_.types(), std::move(keeper.request_.refs));
  Decoder in(keeper.request_.arguments, &refs);
  if (absl::Status read = Decode(in, arguments); !read.ok()) {
    co_return absl::InvalidArgumentError(read.message());
  }
  LateSpawn spawn{
      PlanFor<A>(keeper.core(), &keeper.cell()), keeper.factory_.options,
      std::apply(
          [](Args&... each) { return ConstructLater<A>(std::move(each)...); },
          arguments),
      within};
  SpawnAwaitable<A> awaitable(std::move(spawn));
  const absl::StatusOr<typename A::Ref> child = co_await std::move(awaitable);
  if (!child.ok()) co_return child.status();
  co_return AnyActorRef(*child);
}

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_KEEPER_H_
