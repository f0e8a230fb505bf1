// Where actors' names are kept; registry/ has an implementation. An ActorSystem
// without one refuses names.
//
// Thread safety: any thread.
#ifndef TROUPE_ACTOR_NAME_SERVICE_H_
#define TROUPE_ACTOR_NAME_SERVICE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/any_actor_ref.h"

namespace troupe {

class NameService {
 public:
  virtual ~NameService() = default;

  // Gives `name` to `owner` before it starts; messages may be sent to it from
  // then on. kAlreadyExists: another actor has the name.
  // kInvalidArgument: no actor may have it.
  virtual absl::Status Reserve(absl::string_view name, AnyActorRef owner) = 0;

  // Takes `name` back from `owner`, whose end is complete but for telling it.
  // Without effect if another actor has the name.
  virtual void Release(absl::string_view name, AnyActorRef owner) = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_NAME_SERVICE_H_
