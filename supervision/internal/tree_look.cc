#include "troupe/supervision/internal/tree_look.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/queue_length.h"
#include "troupe/actor/when_all.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/supervisor_api.h"

namespace troupe::internal {
namespace {

// How long an actor may take to say how many messages wait for it.
constexpr absl::Duration kQueueTimeout = absl::Milliseconds(100);
// And a supervisor, to tell what is below it, however long the caller waits.
constexpr absl::Duration kTreeTimeout = absl::Seconds(5);

}  // namespace

LookAtTree::~LookAtTree() {
  if (!reply.pending()) return;
  reply.Send(absl::AbortedError(absl::StrCat("GetTree of supervisor '", tree.id,
                                             "': the system ended first")));
}

Task<void> TreeLook::Handle(LookAtTree m) {
  std::vector<Task<void>> looks;
  looks.reserve(m.instances.size());
  for (size_t i = 0; i < m.instances.size(); ++i) {
    looks.push_back(
        Complete(m.tree.children[i], m.instances[i], m.reply.deadline()));
  }
  (void)co_await WhenAll(std::move(looks));
  m.reply.Send(std::move(m.tree));
  StopSelf();
}

Task<void> TreeLook::Complete(SupervisionTree& child, AnyActorRef instance,
                              MonotonicTime deadline) {
  const absl::StatusOr<uint64_t> waiting =
      co_await QueueLength(instance, kQueueTimeout);
  if (waiting.ok()) child.mailbox_messages = *waiting;
  if (child.kind != kSupervisor) co_return;
  const absl::StatusOr<SupervisorRef> supervisor = instance.As<SupervisorApi>();
  if (!supervisor.ok()) co_return;
  // What is left for whoever asks is enough to send on what is known.
  const absl::Duration left = deadline - system().executor().clock().Now();
  absl::StatusOr<SupervisionTree> below =
      co_await supervisor->Call<GetTree>().Within(
          std::min(left * 0.8, kTreeTimeout));
  if (below.ok()) child.children = std::move(below->children);
}

}  // namespace troupe::internal
