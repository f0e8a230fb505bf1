#include "troupe/actor/internal/queued_turn.h"

#include <algorithm>

#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/notice.h"
#include "troupe/actor/internal/shared_payload.h"

namespace troupe::internal {
namespace {

// How many messages lie between looks at the clock, and are looked at ahead.
constexpr int kMessagesPerLook = 256;

}  // namespace

Envelope* QueuedTurn::Next() {
  BoundedMailbox* const bounded = cell_.bounded();
  if (left_ < 0) {
    left_ = cell_.queued();
    if (bounded != nullptr) {
      left_ += static_cast<int64_t>(bounded->queue.messages());
    }
    left_ = std::max<int64_t>(left_, 1);
  }
  if (left_ == 0) return nullptr;
  if (left_-- % kMessagesPerLook == 0 && TurnIsLong(cell_, clock_)) left_ = 0;
  return bounded != nullptr ? NextOfQueue(bounded->queue) : NextOfLane();
}

Envelope* QueuedTurn::NextOfQueue(BoundedQueue& queue) {
  // What had been set aside comes before the queue.
  if (!cell_.empty() && (!IsForSlowWay(*cell_.oldest()) ||
                         NoticeIsDue(*cell_.oldest(), queue.left()))) {
    return cell_.Pop();
  }
  Envelope* const envelope = queue.Pop();
  if (envelope != nullptr) return envelope;
  if (!cell_.empty()) return cell_.Pop();  // All that was before it has left.
  cell_.ClearAttention(Cell::kQueued);
  return nullptr;
}

Envelope* QueuedTurn::NextOfLane() {
  if (cell_.empty() || (plain_ == 0 && !LookAhead())) {
    cell_.ClearAttention(Cell::kQueued);
    return nullptr;
  }
  if (plain_ > 0) --plain_;
  return cell_.Pop();
}

bool QueuedTurn::LookAhead() {
  return cell_.AnyWaiting([this](const Envelope& waiting) {
    return IsForSlowWay(waiting) || plain_++ == kMessagesPerLook;
  });
}

namespace {

// Puts it where its place beside the queue of a bounded mailbox is. Others that
// were sent later may have come before.
void AppendByPlace(Cell& cell, Envelope* envelope) {
  envelope->target = SharedContentOf(*envelope).place;
  const auto comes_before = [envelope](const Envelope& other) {
    return IsForSlowWay(other) &&
           static_cast<int32_t>(envelope->target - other.target) < 0;
  };
  if (cell.empty() || !comes_before(*cell.newest()))
    return cell.Append(envelope);
  bool placed = false;
  for (uint32_t left = cell.queued(); left > 0; --left) {
    Envelope* const other = cell.Pop();
    if (!placed && comes_before(*other)) {
      cell.Append(envelope);
      placed = true;
    }
    cell.Append(other);
  }
}

}  // namespace

void AdmitAside(Cell& cell, Envelope* envelope) {
  if (cell.bounded() != nullptr) {
    AppendByPlace(cell, envelope);
  } else {
    cell.Append(envelope);
  }
  if (!IsExiting(cell)) cell.AddAttention(Cell::kQueued);
}

void HandleQueued(Cell& cell, Envelope* envelope) {
  if (IsNotice(*envelope)) {
    HandleNotice(cell, envelope);
  } else {
    (void)cell.actor_type().deliver(cell, envelope);
  }
}

}  // namespace troupe::internal
