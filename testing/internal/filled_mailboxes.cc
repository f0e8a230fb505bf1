#include "troupe/testing/internal/filled_mailboxes.h"

#include <algorithm>

#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/mailbox/bounded_queue.h"

namespace troupe::testing::internal {
namespace {

// False: the actor has ended, or its mailbox has no bounds.
bool PretendFull(const AnyActorRef& actor, bool full) {
  const uint64_t id = actor.id().value();
  if (actor.IsNull() || !actor.cell()->IsAliveAs(id)) return false;
  troupe::internal::BoundedMailbox* const bounded = actor.cell()->bounded();
  return bounded != nullptr &&
         bounded->queue.PretendFull(static_cast<uint32_t>(id), full);
}

}  // namespace

bool FilledMailboxes::Fill(const AnyActorRef& actor) {
  const bool is_filled =
      std::any_of(filled_.begin(), filled_.end(),
                  [&](const Filled& filled) { return filled.actor == actor; });
  if (is_filled || !PretendFull(actor, true)) return false;
  filled_.push_back({actor});
  return true;
}

void FilledMailboxes::EmptyThoseDue(uint64_t step) {
  std::erase_if(filled_, [step](const Filled& filled) {
    if (filled.until_step > step) return false;
    // It may have ended.
    (void)PretendFull(filled.actor, false);
    return true;
  });
}

}  // namespace troupe::testing::internal
