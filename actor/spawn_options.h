// How an actor is spawned, beyond its class and its arguments.
//
//   system.Spawn<Account>({.name = "savings"}, 100);
#ifndef TROUPE_ACTOR_SPAWN_OPTIONS_H_
#define TROUPE_ACTOR_SPAWN_OPTIONS_H_

#include <concepts>
#include <string>
#include <type_traits>

#include "troupe/actor/pinned_thread.h"
#include "troupe/mailbox/capacity.h"

namespace troupe {

struct SpawnOptions {
  // Reserved before the actor starts, free when it has ended. Needs a
  // NameService. Empty: no name.
  std::string name = {};

  // Runs on a thread of its own, which ends with it: for handlers that block,
  // or that must not share a thread. Costs a thread.
  bool dedicated_thread = false;

  // Runs on that thread, which others may share; see
  // ActorSystem::StartThread(). One of the same system.
  PinnedThread thread = {};

  // Bounds the mailbox; by default it has no bounds. Only messages without
  // urgency count, from when they are sent to when their handler begins. With
  // OverflowPolicy::kAwait who uses ActorRef::SendWhenReady() waits for space;
  // to Send() and TrySend(), which do not wait, a full mailbox refuses. Sends
  // cost a lock.
  //
  //   system.Spawn<Printer>({.mailbox = {.messages = 1000}});
  Capacity mailbox = {};
};

namespace internal {

// Whether the actor is to begin on another thread than its spawner's.
inline bool RunsElsewhere(const SpawnOptions& options) {
  return options.dedicated_thread || !options.thread.IsNull();
}

// Tells Spawn(options, args...) from Spawn(args...), also where the options are
// a variable that is not constant.
template <typename... Args>
inline constexpr bool kBeginsWithOptions = false;
template <typename First, typename... Rest>
inline constexpr bool kBeginsWithOptions<First, Rest...> =
    std::same_as<std::remove_cvref_t<First>, SpawnOptions>;

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTOR_SPAWN_OPTIONS_H_
