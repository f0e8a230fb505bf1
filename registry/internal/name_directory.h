// What a wait for a name needs of Names.
#ifndef TROUPE_REGISTRY_INTERNAL_NAME_DIRECTORY_H_
#define TROUPE_REGISTRY_INTERNAL_NAME_DIRECTORY_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/reply.h"

namespace troupe {

class ActorSystem;

namespace internal {

class NameDirectory {
 public:
  virtual ActorSystem& system() = 0;

  // The actor to which `name` leads. If it leads nowhere: nothing, and the
  // AnyActorRef goes to `route` when it does.
  virtual std::optional<AnyActorRef> FindOrAwait(absl::string_view name,
                                                 const ReplyRoute& route) = 0;
  // Who waited has given up: gets an AnyActorRef that is null, or has been
  // answered.
  virtual void AwaitNoMore(absl::string_view name, const ReplyRoute& route) = 0;

 protected:
  ~NameDirectory() = default;
};

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_REGISTRY_INTERNAL_NAME_DIRECTORY_H_
