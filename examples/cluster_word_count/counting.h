// Counts the words of files on several nodes:
//
//               Refill, Chunk        Piece, Counted          CountText
//     Reader <----------------> Desk <------------> Clerk <============>
//     counter
//                                     (one for each node)   (on its node)
//
// The desk has one clerk for each node that is there, which has a counter
// started on it and gives it one piece of text after the other. What goes wrong
// with a counter, its node or the connection is an end of its clerk; the desk
// hears of it, as parents do, and gives the piece that the clerk had to another
// one. A node that comes, or comes back, gets a clerk.
//
// Each piece counts exactly once. A call has one outcome, so a counter that has
// counted a piece and is lost with the answer has counted for nobody; and the
// desk takes one answer for each piece, the first.
//
// Example:
//
//   OfferCounting(node);                  // On the nodes that work.
//   absl::StatusOr<Outcome> outcome =     // On the one that asks.
//       CountOnNodes({.paths = {"README.md"}}, system, node);
#ifndef TROUPE_EXAMPLES_CLUSTER_WORD_COUNT_COUNTING_H_
#define TROUPE_EXAMPLES_CLUSTER_WORD_COUNT_COUNTING_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/node.h"
#include "troupe/examples/word_count/counting.h"

namespace troupe::word_count {

// What a node that works exports; who asks has to be allowed to spawn it.
inline constexpr absl::string_view kCounterFactory = "word_counter";

struct NodesCountingOptions {
  std::vector<std::string> paths = {};  // "-" is standard input.
  // Of a piece; a node has one at a time, and another one waits for it here.
  size_t piece_bytes = 256 * 1024;
  // A node that has not counted a piece by then is regarded as lost.
  absl::Duration piece_within = absl::Minutes(1);
  // Told what happens, in words, by one thread at a time.
  std::function<void(absl::string_view)> on_event = [](absl::string_view) {};
};

// Lets other nodes have text counted here. Errors of ExportFactory().
absl::Status OfferCounting(Node& node);

// Counts the words of all inputs on the nodes with which there is a session,
// and those that come meanwhile; waits as long as there is none.
//
// Blocking: until all is counted.
// Thread safety: any thread outside of handlers.
// Errors: kResourceExhausted: the reader's thread cannot be created, or each of
// several counters was lost with the same piece. Others: what an actor has
// failed with.
absl::StatusOr<Outcome> CountOnNodes(const NodesCountingOptions& options,
                                     ActorSystem& system, Node& node);

// The same, without a wait: `outcome` is there when the actor has ended, if it
// has not failed. Both arguments outlive it.
absl::StatusOr<AnyActorRef> StartCountOnNodes(
    const NodesCountingOptions& options, ActorSystem& system, Node& node,
    std::optional<Outcome>& outcome);

}  // namespace troupe::word_count

#endif  // TROUPE_EXAMPLES_CLUSTER_WORD_COUNT_COUNTING_H_
