#include "troupe/actor/stash.h"

#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/stashes.h"
#include "troupe/base/check.h"

namespace troupe::internal {

absl::Status StashBase::MakeRoom() {
  Cell& cell = actor_.cell();
  TROUPE_DCHECK(CurrentActor() == &cell, "an actor uses its stash itself");
  if (IsExiting(cell)) {
    return absl::FailedPreconditionError(
        "an actor that is ending sets nothing aside");
  }
  if (size_ >= capacity_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the stash is full: it holds ", size_, " messages"));
  }
  HandlerState::Of(cell).MakeStashes();
  return absl::OkStatus();
}

namespace {

// Whether the request's caller gave it up while its handler, a coroutine, had
// it. That was told so; the duty to answer, which it holds, was not.
bool WasGivenUp(Envelope& request) {
  const RootTask* const root = this_handler.root;
  return root != nullptr && root->cancelled &&
         InfoOf(*root->envelope).route.IsSame(InfoOf(request).route);
}

}  // namespace

void StashBase::Keep(Envelope* envelope) {
  envelope->tag |= kSeenTag;
  if (IsRequest(*envelope) && WasGivenUp(*envelope)) Expire(*envelope);
  actor_.cell().handler->stashes()->Add(*this, envelope);
}

void StashBase::Unstash() {
  if (empty()) return;
  HandlerState& handler = *actor_.cell().handler;
  handler.stashes()->GiveBack(*this);
  handler.AddNews();
}

}  // namespace troupe::internal
