// The factories by which other nodes may have actors started on this one.
//
// Thread safety: any thread.
#ifndef TROUPE_CLUSTER_INTERNAL_FACTORIES_H_
#define TROUPE_CLUSTER_INTERNAL_FACTORIES_H_

#include <functional>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/task.h"
#include "troupe/mailbox/message_type.h"

namespace troupe::internal {

class Keeper;

struct Factory {
  std::string name;
  std::string shape;  // Of the arguments.
  // What others may send to what it makes.
  absl::Span<const MessageType* const> messages;
  SpawnOptions options;
  // Makes a child of `keeper`, from the arguments that it has.
  Task<absl::StatusOr<AnyActorRef>> (*start)(Keeper& keeper,
                                             absl::Duration within);
};

class Factories {
 public:
  // kAlreadyExists: there is one of that name. kInvalidArgument: it has none.
  absl::Status Add(Factory factory) ABSL_LOCKS_EXCLUDED(mu_);
  // Null: there is none. What it returns stays.
  const Factory* Find(absl::string_view name) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable absl::Mutex mu_;
  // None ever goes.
  std::map<std::string, Factory, std::less<>> factories_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_FACTORIES_H_
