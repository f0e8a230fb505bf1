// How long a turn may be, and what follows it.
#include <cstdint>

#include "absl/time/time.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/internal/user_code.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {
namespace {

constexpr absl::Duration kMaxTurn = absl::Microseconds(50);

}  // namespace

bool TurnIsLong(Cell& cell, TurnClock& clock) {
  const int64_t now = cell.system->executor().clock().Now().ToNanoseconds();
  if (clock.began_ns == 0) clock.began_ns = now;
  return now - clock.began_ns > absl::ToInt64Nanoseconds(kMaxTurn);
}

namespace {

// Whether there is something to do at once.
bool HasMore(const Cell& cell) {
  const uint8_t attention = cell.attention() & ~Cell::kToken;
  if ((attention & Cell::kSuspended) == 0)
    return attention != 0 || !cell.empty();
  const bool holds_events =
      !IsExiting(cell) && !cell.actor_type().hears_in_hooks;
  const uint8_t held =
      Cell::kSuspended | Cell::kQueued | (holds_events ? Lanes::kEvents : 0);
  return (attention & ~held) != 0;
}

}  // namespace

bool FinishTurn(Cell& cell, Worker& worker) {
  if (!cell.empty() &&
      cell.queued() > cell.system->limits().high_water_messages &&
      !cell.has(Cell::kReportedHighWater)) [[unlikely]] {
    cell.set(Cell::kReportedHighWater);
    const Identity who(cell);
    const uint32_t queued = cell.queued();
    if (!OutsideSeat([&] { ReportHighWater(cell, who, queued); })) return false;
  }
  if (cell.handler != nullptr && cell.handler->has_cancelled() &&
      HasNoBacklog(cell)) {
    cell.handler->ForgetCancelled();
  }
  const uint8_t attention = cell.attention();
  if (HasMore(cell)) {
    worker.Yield(cell);
  } else if ((attention & Cell::kToken) == 0) {
    cell.queue_next = nullptr;
  } else {
    cell.ClearAttention(Cell::kToken);
    if (cell.Arm()) {
      cell.queue_next = nullptr;
    } else {
      cell.AddAttention(Cell::kToken);
      worker.Yield(cell);
    }
  }
  return true;
}

}  // namespace troupe::internal
