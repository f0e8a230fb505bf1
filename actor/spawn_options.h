// How an actor is spawned, beyond its class and its arguments.
//
//   system.Spawn<Account>({.name = "savings"}, 100);
#ifndef TROUPE_ACTOR_SPAWN_OPTIONS_H_
#define TROUPE_ACTOR_SPAWN_OPTIONS_H_

#include <string>

namespace troupe {

struct SpawnOptions {
  // Reserved before the actor starts, free when it has ended. Needs a
  // NameService. Empty: no name.
  std::string name = {};

  // Runs on a thread of its own, which ends with it: for handlers that block,
  // or that must not share a thread. Costs a thread.
  bool dedicated_thread = false;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_SPAWN_OPTIONS_H_
