// A supervisor with all that it supervises, as it was at one moment: as data,
// and as text for people.
//
//   std::cout << TreeText(tree);
//
//   bank: supervisor, running
//   ├── account: Account, running, mailbox 3, restarts 1
//   └── tellers: supervisor, running
//       ├── Teller, running
//       └── Teller, waiting, restarts 4
//
// Thread safety: values.
#ifndef TROUPE_SUPERVISION_SUPERVISION_TREE_H_
#define TROUPE_SUPERVISION_SUPERVISION_TREE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "troupe/actor/actor_id.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_status.h"

namespace troupe {

struct SupervisionTree {
  std::string id = {};         // Empty: it has none, as dynamic children.
  std::string type_name = {};  // Of the actor; empty if a function starts it.
  ActorId instance = {};       // Null: there is none.
  ChildKind kind = kWorker;
  ChildStatus status = ChildStatus::kRunning;
  uint64_t mailbox_messages = 0;  // That wait to be handled.
  uint64_t restarts = 0;          // Made of it, since it was added.
  std::vector<SupervisionTree> children = {};  // In the order of their starts.
};

struct TreeTextOptions {
  // Of one supervisor; how many more there are is said.
  size_t max_children = 100;
};

// One line for each, as above; what is zero is left out. Every line ends with
// '\n', and none has another one or a control character: names are escaped.
std::string TreeText(const SupervisionTree& tree,
                     const TreeTextOptions& options = {});

}  // namespace troupe

#endif  // TROUPE_SUPERVISION_SUPERVISION_TREE_H_
