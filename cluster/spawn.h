// Starts actors on other nodes.
//
//   // On b: which classes, by which names, from which arguments.
//   ExportFactory<Counter(int64_t)>(node, "counter");
//
//   // On a, in a handler that is a Task:
//   absl::StatusOr<ActorRef<CounterApi>> counter =
//       co_await SpawnOn<CounterApi>(node, "counter@b", {.owner = self()}, 5);
//
// An actor that has an owner ends with it: it is stopped when that one has
// ended gracefully, or cannot be reached any more, and killed when it has
// failed or was killed. So an owner that lives behind a lost connection may
// find that its actor has ended; there may be two for a while if it starts
// another one elsewhere at once. Without an owner it lives until it is ended,
// or its system is. The owner hears of its end as of any actor's, by a monitor
// or a link; a supervisor by remote_child.h.
//
// What has not been exported cannot be started, and nothing is unless the rules
// of that node allow it (Verb::kSpawn): see authorization.h. Who had an actor
// started may use and end it. That node watches the owner, so the owner's has
// to let it (Verb::kWatch): an actor whose owner cannot be watched is killed.
//
// Arguments: copied by their codecs, also at home; a subscription to a port is
// none. "name@node" may name the own
// node.
// Order: the answer comes when PreStart has ended. What the new actor sends may
// come before it.
// Deadline: of the start, `within`. An actor that starts too late, or of whose
// start nobody has heard, is killed.
// Blocking: SpawnOnAndWait() waits; it is not called in a turn.
// Thread safety: any thread.
// Errors: besides those of the start itself (kInvalidArgument also for
// arguments that make no sense there) and those of a call:
//   kNotFound            no factory of that name is exported there
//   kFailedPrecondition  it takes other arguments, or makes an actor that takes
//                        other messages; says which, and where they differ
//   kPermissionDenied    the rules of that node
//   kInvalidArgument     the path is no "name@node"
//   kUnavailable         there is no session with that node
#ifndef TROUPE_CLUSTER_SPAWN_H_
#define TROUPE_CLUSTER_SPAWN_H_

#include <concepts>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"
#include "troupe/cluster/internal/collected_refs.h"
#include "troupe/cluster/internal/factories.h"
#include "troupe/cluster/internal/keeper.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/spawn_request.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/wire_type.h"

namespace troupe {

struct SpawnOnOptions {
  // Null: nobody.
  AnyActorRef owner = {};
  absl::Duration within = absl::Seconds(5);
};

namespace internal {

// As what an argument crosses: text as a string.
template <typename T>
using WireArgument =
    std::conditional_t<std::convertible_to<T, absl::string_view>, std::string,
                       std::decay_t<T>>;

template <typename Signature>
struct FactoryOf;
template <typename A, typename... Args>
struct FactoryOf<A(Args...)> {
  using Actor = A;
  static Factory Make(absl::string_view name, SpawnOptions options) {
    static_assert((Encodable<std::decay_t<Args>> && ...),
                  "an argument of this factory cannot cross: it has no Codec; "
                  "see cluster/codec/codec.h");
    static_assert(std::is_constructible_v<A, std::decay_t<Args>&&...>,
                  "this actor cannot be constructed from these arguments");
    return {.name = std::string(name),
            .shape = ShapeOf<std::tuple<std::decay_t<Args>...>>(),
            .messages = {},
            .options = std::move(options),
            .start = &Keeper::StartChild<A, std::decay_t<Args>...>};
  }
};

// What asks for a start, but where.
template <typename... Args>
absl::StatusOr<SpawnActor> AskForStart(NodeCore& node, WireTypeList types,
                                       const Args&... args) {
  using Arguments = std::tuple<WireArgument<const Args&>...>;
  static_assert((Encodable<WireArgument<const Args&>> && ...),
                "an argument cannot cross: it has no Codec; see "
                "cluster/codec/codec.h");
  if (absl::Status status = node.types().Learn(types); !status.ok()) {
    return status;
  }
  CollectedRefs refs(node.types());
  Encoder out(&refs);
  Encode(Arguments(args...), out);
  if (!out.ok()) return out.status();
  SpawnActor request;
  request.shape = ShapeOf<Arguments>();
  request.arguments = std::string(out.bytes());
  request.refs = refs.Take();
  request.types = AskedTypes(types);
  return request;
}

// Has an actor started, and says that it is known.
Task<absl::StatusOr<StartedActor>> StartOn(NodeCore& node, std::string path,
                                           absl::StatusOr<SpawnActor> request,
                                           absl::Duration within);
absl::StatusOr<StartedActor> StartOnAndWait(NodeCore& node,
                                            const std::string& path,
                                            absl::StatusOr<SpawnActor> request,
                                            absl::Duration within);

// The messages of the actor were compared there.
template <typename... Ps>
absl::StatusOr<ActorRef<Ps...>> TypedStarted(
    const absl::StatusOr<StartedActor>& started) {
  if (!started.ok()) return started.status();
  return ActorRef<Ps...>(started->actor.cell(), started->actor.id().value());
}

template <typename... Ps>
Task<absl::StatusOr<ActorRef<Ps...>>> StartTypedOn(
    NodeCore& node, std::string path, absl::StatusOr<SpawnActor> request,
    absl::Duration within) {
  co_return TypedStarted<Ps...>(
      co_await StartOn(node, std::move(path), std::move(request), within));
}

}  // namespace internal

// Lets other nodes have A(args...) started here by that name, with these
// options; `Signature` is A(Args...). They may send it the messages of Ps...,
// without which all of A's are meant. kAlreadyExists: the name is taken, or
// another message has the name of one of these.
template <typename Signature, typename... Ps>
absl::Status ExportFactory(Node& node, absl::string_view name,
                           SpawnOptions options = {}) {
  using Of = internal::FactoryOf<Signature>;
  using Messages =
      std::conditional_t<sizeof...(Ps) == 0, typename Of::Actor::Messages,
                         MessagesOf<Ps...>>;
  static_assert(internal::kIsSubset<Messages, typename Of::Actor::Messages>,
                "the actor does not take all of these messages");
  absl::Status status =
      node.core().types().Learn(internal::WireTypesOfList<Messages>::Get());
  if (!status.ok()) return status;
  internal::Factory factory = Of::Make(name, std::move(options));
  factory.messages = internal::kMessageTypes<Messages>;
  return node.core().factories().Add(std::move(factory));
}

// Has an actor started by the factory that `path`, such as "counter@b", names,
// in a handler; Ps... is what will be sent to it.
template <typename... Ps, typename... Args>
Task<absl::StatusOr<ActorRef<Ps...>>> SpawnOn(Node& node, std::string path,
                                              const SpawnOnOptions& options,
                                              const Args&... args) {
  absl::StatusOr<internal::SpawnActor> request =
      internal::AskForStart(node.core(), WireTypesOf<Ps...>(), args...);
  if (request.ok()) request->owner = options.owner;
  return internal::StartTypedOn<Ps...>(node.core(), std::move(path),
                                       std::move(request), options.within);
}
// The same on a plain thread.
template <typename... Ps, typename... Args>
absl::StatusOr<ActorRef<Ps...>> SpawnOnAndWait(Node& node,
                                               const std::string& path,
                                               const SpawnOnOptions& options,
                                               const Args&... args) {
  absl::StatusOr<internal::SpawnActor> request =
      internal::AskForStart(node.core(), WireTypesOf<Ps...>(), args...);
  if (request.ok()) request->owner = options.owner;
  return internal::TypedStarted<Ps...>(internal::StartOnAndWait(
      node.core(), path, std::move(request), options.within));
}

}  // namespace troupe

#endif  // TROUPE_CLUSTER_SPAWN_H_
