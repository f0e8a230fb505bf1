// What tells an actor that another one has ended: a Down or an Exit on its way.
//
// A notice is a message of the actor that has ended, and keeps the order of its
// messages. To a worker elsewhere it goes as a signal, which no mailbox refuses
// as long as its actor lives; the owner puts it into the normal lane where it
// finds it. So what sends and handles messages knows nothing of notices: while
// one is in the lane, Cell::kQueued sends every turn the slow way, message by
// message. Beside the queue of a bounded mailbox it waits in the same list, for
// all that had entered the queue before to leave it.
//
// Ownership: the envelope is made when the watch begins, so that telling cannot
// fail.
#ifndef TROUPE_ACTOR_INTERNAL_NOTICE_H_
#define TROUPE_ACTOR_INTERNAL_NOTICE_H_

#include <cstdint>
#include <utility>

#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

struct Notice {
  ExitReason reason;
  uint64_t key;   // Of a monitor its serial; of a link the id of the other.
  uint32_t slot;  // Of a monitor; or the last digits of LinkSerials::mine.
  uint16_t known = 0;  // The last digits of LinkSerials::known.
  bool is_exit;
  // A link is over and nobody has ended: it was refused, or the connection was
  // lost. It says which link that was, as there may be another one since.
  bool is_loss = false;
};
// With the envelope a block of 64 bytes.
static_assert(sizeof(Notice) <= 40);

// The requests that have made a link, as one side knows them: see WatchTable.
struct LinkSerials {
  uint64_t mine = 0;
  uint64_t known = 0;
};

inline bool IsNotice(const Envelope& envelope) {
  return (envelope.tag & kNoticeTag) != 0;
}

// The duty to tell one actor of the end of another.
//
// Ownership: move-only; of the duty. Dropped, it tells that there is no such
// actor.
class OwedNotice {
 public:
  // Nobody is to be told.
  OwedNotice() = default;
  // Of the end that the watcher knows by its monitor.
  static OwedNotice OfDown(Cell& watcher, uint64_t watcher_id, uint64_t serial,
                           uint32_t slot);
  // Of the end of the actor `linked`.
  static OwedNotice OfExit(Cell& watcher, uint64_t watcher_id, uint64_t linked);

  OwedNotice(OwedNotice&& other) noexcept
      : watcher_(other.watcher_),
        watcher_id_(other.watcher_id_),
        notice_(std::move(other.notice_)) {}
  OwedNotice& operator=(OwedNotice&& other) noexcept {
    std::swap(watcher_, other.watcher_);
    std::swap(watcher_id_, other.watcher_id_);
    std::swap(notice_, other.notice_);
    return *this;
  }
  ~OwedNotice() {
    if (notice_ != nullptr) Push();
  }

  // Tells `reason`, as the actor that has ended, in its last turn: in the seat
  // with `tag`.
  void Give(const ExitReason& reason, uint64_t tag) &&;
  // What a drop tells from now on. REQUIRES: somebody is to be told.
  void SetDefault(const ExitReason& reason) {
    notice_->As<Notice>().reason = reason;
  }
  // The same, of a link that is over although nobody has ended.
  void SetLoss(const LinkSerials& serials, const ExitReason& reason) {
    Notice& notice = notice_->As<Notice>();
    notice.reason = reason;
    notice.slot = static_cast<uint32_t>(serials.mine);
    notice.known = static_cast<uint16_t>(serials.known);
    notice.is_loss = true;
  }
  // Nobody is to be told any more.
  void Forget() { notice_.reset(); }

 private:
  OwedNotice(Cell& watcher, uint64_t watcher_id, Envelope* notice)
      : watcher_(&watcher), watcher_id_(watcher_id), notice_(notice) {}
  // By any thread, in the seat or outside: behind all that has reached the
  // watcher.
  void Push();

  Cell* watcher_ = nullptr;
  uint64_t watcher_id_ = 0;
  EnvelopePtr notice_;
};

// Puts a notice that has come to `cell` where it is to be handled. By the
// owner, in the seat.
void AdmitNotice(Cell& cell, Envelope* notice);

// Whether the place of a notice beside the queue of a bounded mailbox has come:
// `left` envelopes have left it.
inline bool NoticeIsDue(const Envelope& notice, uint64_t left) {
  // Counted modulo 2^32, of which no mailbox holds half.
  return static_cast<int32_t>(static_cast<uint32_t>(left) - notice.target) >= 0;
}

// Handles one: by the actor's hook, or as is done without. Outside the seat.
void HandleNotice(Cell& cell, Envelope* notice);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_NOTICE_H_
