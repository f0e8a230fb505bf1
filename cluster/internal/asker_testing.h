// An actor that has another one started by the node "b", for tests.
#ifndef TROUPE_CLUSTER_INTERNAL_ASKER_TESTING_H_
#define TROUPE_CLUSTER_INTERNAL_ASKER_TESTING_H_

#include "absl/status/status.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/spawn.h"

namespace troupe::internal {

// Asks for the start. Answers how it went.
struct Begin {
  using Reply = absl::Status;
};
// Asks for one that takes M; whoever plays b answers what it likes.
template <typename M>
class Asker : public Actor<Begin> {
 public:
  explicit Asker(Node& node) : node_(node) {}
  Task<absl::Status> Handle(Begin) {
    const auto started = co_await SpawnOn<M>(node_, "any@b", {});
    co_return started.status();
  }

 private:
  Node& node_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_ASKER_TESTING_H_
