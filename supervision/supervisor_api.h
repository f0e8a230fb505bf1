// What a supervisor can be asked, as requests to a SupervisorRef:
//
//   absl::StatusOr<AnyActorRef> worker = co_await bank.Call<StartChild>(
//       ChildSpec::Of<Worker>({.id = "worker-7"}, 7));
//   absl::Status gone = co_await bank.Call<TerminateChild>("worker-7");
//
// The answers are those of Erlang's supervisor, as canonical codes. They come
// while children are being restarted, too.
#ifndef TROUPE_SUPERVISION_SUPERVISOR_API_H_
#define TROUPE_SUPERVISION_SUPERVISOR_API_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/protocol.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_spec.h"
#include "troupe/supervision/child_status.h"
#include "troupe/supervision/strategy.h"
#include "troupe/supervision/supervision_tree.h"

namespace troupe {

// Says which child: by its id, or by the actor that it is now.
class ChildName {
 public:
  // NOLINTBEGIN(google-explicit-constructor)
  ChildName(std::string id) : id_(std::move(id)) {}
  ChildName(absl::string_view id) : id_(id) {}
  ChildName(const char* id) : id_(id) {}
  ChildName(const AnyActorRef& instance) : instance_(instance) {}
  // NOLINTEND(google-explicit-constructor)

  // Empty if it is the instance that says it.
  const std::string& id() const { return id_; }
  const AnyActorRef& instance() const { return instance_; }
  // Such as "'teller'", "actor #12".
  std::string ToString() const;

 private:
  std::string id_;
  AnyActorRef instance_;
};

// Adds a child, the last one in order, and starts it. Answers with its
// instance, once that has started.
//
// kInvalidArgument: its options make no sense. kAlreadyExists: a child with
// this id exists; it runs, or could be restarted. Otherwise as its start; then
// there is no such child.
struct StartChild {
  ChildSpec child;
  using Reply = AnyActorRef;
};

// Ends a child, as its options say, and answers when it has ended; it stays in
// the list, unless it is temporary or the supervisor is kDynamic. OK also if it
// does not run. kNotFound: no such child.
struct TerminateChild {
  ChildName which;
  using Reply = absl::Status;
};

// Starts a child that was terminated, or is done, or waits for its next start.
// Answers with its instance, once that has started.
//
// kNotFound: no such child. kFailedPrecondition: it runs, or is about to; the
// supervisor is kDynamic. Otherwise as its start.
struct RestartChild {
  ChildName which;
  using Reply = AnyActorRef;
};

// Forgets a child that does not run. kNotFound: no such child.
// kFailedPrecondition: it runs, or is about to; the supervisor is kDynamic.
struct DeleteChild {
  ChildName which;
  using Reply = absl::Status;
};

// What is known of a child.
struct ChildInfo {
  ChildOptions options;
  std::string class_name;  // Empty if a function starts it.
  ChildStatus status;
  AnyActorRef instance;   // Null if there is none.
  uint64_t restarts = 0;  // Over the supervisor's life.
};

// All children, in order.
struct ListChildren {
  using Reply = std::vector<ChildInfo>;
};

// One child. kNotFound: no such child.
struct GetChild {
  ChildName which;
  using Reply = ChildInfo;
};

struct ChildCounts {
  uint64_t specs = 0;   // All there are.
  uint64_t active = 0;  // That have an instance.
  uint64_t supervisors = 0;
  uint64_t workers = 0;
};
struct CountChildren {
  using Reply = ChildCounts;
};

// Replaces what was said in the Spec, from the next end of a child on.
//
// kFailedPrecondition: to or from kDynamic. kInvalidArgument: the intensity
// makes no sense.
struct SetStrategy {
  Strategy strategy;
  Intensity intensity;
  using Reply = absl::Status;
};

// The tree below the supervisor, itself included; children that are
// supervisors are asked in turn, and shown without what is below them if they
// do not answer in time.
struct GetTree {
  using Reply = SupervisionTree;
};

struct SupervisorApi
    : Protocol<StartChild, TerminateChild, RestartChild, DeleteChild,
               ListChildren, GetChild, CountChildren, SetStrategy, GetTree> {};

using SupervisorRef = ActorRef<SupervisorApi>;

}  // namespace troupe

#endif  // TROUPE_SUPERVISION_SUPERVISOR_API_H_
