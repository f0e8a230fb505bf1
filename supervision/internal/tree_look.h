// Completes what a supervisor tells of the tree below it: how many messages
// wait for each child, and what is below those that are supervisors.
//
// An actor of its own, so that a child that does not answer holds up neither
// its supervisor nor that one's end.
#ifndef TROUPE_SUPERVISION_INTERNAL_TREE_LOOK_H_
#define TROUPE_SUPERVISION_INTERNAL_TREE_LOOK_H_

#include <utility>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/supervision/supervision_tree.h"

namespace troupe::internal {

struct LookAtTree {
  LookAtTree(SupervisionTree tree, std::vector<AnyActorRef> instances,
             ReplyTo<SupervisionTree> reply)
      : tree(std::move(tree)),
        instances(std::move(instances)),
        reply(std::move(reply)) {}
  LookAtTree(LookAtTree&&) = default;
  // Says that nobody will look, if it has not been answered.
  ~LookAtTree();

  SupervisionTree tree;                // Without what is to be asked.
  std::vector<AnyActorRef> instances;  // Of its children.
  ReplyTo<SupervisionTree> reply;
};

// Answers once, and ends. Children that do not answer in time are shown as far
// as they are known.
class TreeLook final : public Actor<LookAtTree> {
 public:
  Task<void> Handle(LookAtTree m);

 private:
  Task<void> Complete(SupervisionTree& child, AnyActorRef instance,
                      MonotonicTime deadline);
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_TREE_LOOK_H_
