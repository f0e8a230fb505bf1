#include "troupe/actor/internal/deadlock.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {
namespace {

// A longer chain of calls is given up.
constexpr size_t kMaxSteps = 1000;

absl::string_view ToAbsl(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

// Sends the probe to the callee of `call`.
void SendOn(Cell& caller, const WaitedCall& call, DeadlockProbe probe) {
  probe.path.push_back({ReplyRoute::To(caller, caller.CurrentId(), call.number),
                        caller.actor_type().class_name, call.request});
  Envelope* const envelope = MakeEnvelope<DeadlockProbe>(std::move(probe));
  envelope->tag = kControlTag;
  SendControl(*call.target, call.target_id, envelope);
}

// Such as "Teller #3 waits for Account #5 (Withdraw), Account #5 waits for
// ...".
std::string Describe(const std::vector<DeadlockProbe::Step>& path) {
  std::string text;
  for (size_t i = 0; i < path.size(); ++i) {
    const DeadlockProbe::Step& callee = path[(i + 1) % path.size()];
    absl::StrAppend(&text, i == 0 ? "" : ", ", ToAbsl(path[i].class_name), " ",
                    ActorId(path[i].call.id).ToString(), " waits for ",
                    ToAbsl(callee.class_name), " ",
                    ActorId(callee.call.id).ToString(), " to answer ",
                    ToAbsl(path[i].request->name));
  }
  return text;
}

void BreakCircle(const std::vector<DeadlockProbe::Step>& path) {
  const absl::Status status = WithDelivery(
      absl::FailedPreconditionError(absl::StrCat(
          "these actors wait for each other in a cycle: ", Describe(path))),
      DeliveryState::kUnknown);
  for (const DeadlockProbe::Step& step : path) {
    SendReply(step.call, MakeFailure(status));
  }
}

}  // namespace

void LookForDeadlock(Cell& caller, const WaitedCall& call) {
  SendOn(caller, call, DeadlockProbe());
}

void FollowProbe(Cell& cell, DeadlockProbe& probe) {
  const ReplyRoute& request = probe.path.back().call;
  if (cell.handler == nullptr || !cell.handler->HoldsUp(request)) return;
  const std::optional<WaitedCall> call = cell.handler->OnlyCall();
  if (!call.has_value()) return;
  const ReplyRoute mine = ReplyRoute::To(cell, cell.CurrentId(), call->number);
  if (probe.path.front().call.IsSame(mine)) return BreakCircle(probe.path);
  const bool was_here = std::any_of(
      probe.path.begin(), probe.path.end(),
      [&mine](const auto& step) { return step.call.id == mine.id; });
  // A circle further down the chain is found by its own members.
  if (was_here || probe.path.size() >= kMaxSteps) return;
  SendOn(cell, *call, std::move(probe));
}

}  // namespace troupe::internal
