// Where actors' names are kept; registry/ has an implementation. An ActorSystem
// without one refuses names.
//
// Thread safety: any thread.
#ifndef TROUPE_ACTOR_NAME_SERVICE_H_
#define TROUPE_ACTOR_NAME_SERVICE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/end_observer.h"

namespace troupe {

class NameService : public EndObserver {
 public:
  // Gives `name` to `owner` before it starts; messages may be sent to it from
  // then on. OnActorEnd() takes it back: that is called for every actor that
  // was given a name, also if its start fails. kAlreadyExists: another actor
  // has the name. kInvalidArgument: no actor may have it.
  virtual absl::Status Reserve(absl::string_view name, AnyActorRef owner) = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_NAME_SERVICE_H_
