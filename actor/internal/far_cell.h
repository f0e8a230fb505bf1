// What references to actors of another node lead to: one cell for a node, and
// behind it what is on its way there.
//
// A far cell has no actor, ever. So whoever uses a reference goes the same way
// as to one that is gone, and only where that is found out, by the id that
// differs, is it asked whether the cell is a far one. References to actors here
// pay nothing for it.
//
// The id of an actor elsewhere has the number of its node above the id that it
// has there: ids differ, wherever their actors are.
//
// What is sent waits in two queues, for the session with the node to take it:
//   data      messages within a limit, and in order with them what has none:
//             links, notices of ends, what cancels calls, drains, and messages
//             that are owed
//   control   all else that one actor may want of another
//
// Ownership: far cells stay as long as the process, as references do.
// Thread safety: any thread; Open(), Pop...() and Close() belong to the
// session.
#ifndef TROUPE_ACTOR_INTERNAL_FAR_CELL_H_
#define TROUPE_ACTOR_INTERNAL_FAR_CELL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/send_result.h"
#include "troupe/mailbox/bounded_queue.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe::internal {

class SystemCore;

// What lies in the queues of a far cell.
struct Outgoing {
  uint64_t id_there;  // Whom it is for.
  EnvelopePtr envelope;
};

// Tells the session, an actor, that there is something to take. Once, until it
// has found a queue empty.
struct FarMailWaits {};

class FarCell : private Cell {
 public:
  static constexpr int kIdBits = 48;
  static constexpr uint64_t kIdMask = (uint64_t{1} << kIdBits) - 1;

  // For a node that is called `node` in what people read, as `system` knows
  // it. kResourceExhausted: the process has known too many.
  static absl::StatusOr<FarCell*> Make(
      const std::shared_ptr<SystemCore>& system, absl::string_view node);

  // Null: `cell` is no far one, or null.
  static FarCell* Of(Cell* cell) {
    return cell != nullptr && cell->IsFar() ? static_cast<FarCell*>(cell)
                                            : nullptr;
  }
  static const FarCell* Of(const Cell* cell) {
    return Of(const_cast<Cell*>(cell));
  }

  // A reference to the actor that has that id there. REQUIRES: it has at most
  // kIdBits.
  AnyActorRef RefTo(uint64_t id_there) {
    return AnyActorRef(this, IdOf(id_there));
  }
  uint64_t IdOf(uint64_t id_there) const { return number_ | id_there; }
  const std::string& node() const { return node_; }

  // -- for whoever uses a reference

  // Takes what is meant for the actor `id`, if it can: otherwise it is still
  // the caller's. Anywhere: in the seat or outside, and under a lock.
  SendResult Take(uint64_t id, Envelope* envelope) ABSL_LOCKS_EXCLUDED(mu_);
  // The same for a message that somebody waits for, and that is not sent again:
  // in order with others, and beyond their limit.
  SendResult TakeBeyond(uint64_t id, Envelope* message)
      ABSL_LOCKS_EXCLUDED(mu_) {
    return TakeAs(Kind::kOrdered, id, message);
  }
  // Takes what the session with that number has to say itself, a control, in
  // order with messages and beyond their limit; destroys it if that session is
  // over: the next one would take it for its own. Anywhere.
  void TakeFromSession(uint64_t session_number, EnvelopePtr control)
      ABSL_LOCKS_EXCLUDED(mu_);
  // A message for TakeOrWait(), in the envelope of its own that it needs.
  // Throws std::bad_alloc; then the message is destroyed.
  static EnvelopePtr Wrap(uint64_t id, EnvelopePtr message);
  // As TrySendOrWait() in send.h, with what Wrap() has made.
  BoundedQueue* TakeOrWait(Envelope* wrapped, BoundedQueue::Waiter& waiter,
                           SendResult& result) ABSL_LOCKS_EXCLUDED(mu_);
  // Why something was refused just now.
  SendResult WhyRefused() const ABSL_LOCKS_EXCLUDED(mu_) {
    return IsOpen() ? SendResult::kMailboxFull : SendResult::kUnreachable;
  }
  // Whether there is a session.
  bool IsOpen() const ABSL_LOCKS_EXCLUDED(mu_);

  // -- for the session

  // Begins to take what is sent; `limit` is that of messages, with a policy
  // that drops nothing. `session` handles FarMailWaits. Returns a number of its
  // own for each session. REQUIRES: closed.
  uint64_t Open(const Capacity& limit, const AnyActorRef& session)
      ABSL_LOCKS_EXCLUDED(mu_);
  // The oldest ones, Outgoings, up to `most`. None: the next one wakes the
  // session.
  EnvelopePtr PopControl() { return EnvelopePtr(control_.Pop()); }
  EnvelopeList PopData(int most) { return data_.PopSome(most); }
  // How many of the data queue have not been taken.
  uint64_t waiting() const { return data_.messages(); }
  // Takes nothing more. What waits is told that there is no connection, or
  // becomes a dead letter. Outside the seat.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

  // An envelope that cannot cross any more: whoever waits for something from it
  // is told that there is no connection; a message becomes a dead letter.
  // Outside the seat.
  void Fail(uint64_t id_there, EnvelopePtr envelope);

 private:
  enum class Kind : uint8_t {
    kMessage,  // Within the limit.
    kOrdered,  // In order with messages, beyond it.
    kControl,
    kOther,  // Nothing that can be asked of an actor elsewhere.
  };

  FarCell(uint64_t number, absl::string_view node);

  static Kind KindOf(Envelope& envelope);
  SendResult TakeAs(Kind kind, uint64_t id, Envelope* envelope)
      ABSL_LOCKS_EXCLUDED(mu_);

  // As Wrap(), for those whose callers rely on that nothing throws: they may
  // be in the seat, and what they send be owed to somebody.
  static EnvelopePtr MustWrap(uint64_t id, EnvelopePtr message);
  // What a queue's answer means; wakes the session.
  SendResult Conclude(Admission admission) ABSL_LOCKS_EXCLUDED(mu_);

  const uint64_t number_;  // Above kIdBits.
  const std::string node_;
  BoundedQueue control_;
  BoundedQueue data_;
  mutable absl::Mutex mu_;
  AnyActorRef session_ ABSL_GUARDED_BY(mu_);  // Null: closed.
  uint64_t sessions_ ABSL_GUARDED_BY(mu_) = 0;
};

// Sends what the actor is owed once: if it lives elsewhere, beyond the limit of
// messages that wait for its node. So there is to be only so much of it, by
// whatever it is owed for. Makes a dead letter of what is refused otherwise.
void SendOwed(const AnyActorRef& to, EnvelopePtr message);

// Before an envelope is destroyed that was refused: whoever waits for something
// from it will be told that there is no connection, not that there is no such
// actor.
void BlameConnection(Envelope& envelope);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_FAR_CELL_H_
