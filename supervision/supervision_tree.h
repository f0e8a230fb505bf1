// A snapshot of a tree of supervisors, as data and as text:
//
//   absl::StatusOr<SupervisionTree> tree = bank.Call<GetTree>().Wait();
//   if (tree.ok()) std::cout << FormatTree(*tree);
//
//   bank             supervisor  running  one_for_one
//   |-- account      Account     running  1 restart
//   `-- tellers      supervisor  running  dynamic
//       `-- teller   Teller      waiting  3 restarts
//
// Order: children in the order of their start.
// Thread safety: values.
#ifndef TROUPE_SUPERVISION_SUPERVISION_TREE_H_
#define TROUPE_SUPERVISION_SUPERVISION_TREE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "troupe/actor/any_actor_ref.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_status.h"
#include "troupe/supervision/strategy.h"

namespace troupe {

struct SupervisionTree {
  std::string id;
  std::string class_name;  // Empty if a function starts it.
  ChildKind kind = kWorker;
  ChildStatus status = ChildStatus::kIdle;
  AnyActorRef instance;   // Null if there is none.
  uint64_t restarts = 0;  // Of this child, over its supervisor's life.
  // Messages that wait in its mailbox; none if it did not say so in time.
  std::optional<uint64_t> queued_messages = {};
  std::optional<Strategy> strategy = {};  // Of a supervisor that answered.
  std::vector<SupervisionTree> children = {};
};

}  // namespace troupe

#endif  // TROUPE_SUPERVISION_SUPERVISION_TREE_H_
