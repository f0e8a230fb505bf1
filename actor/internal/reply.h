// How answers travel: what a request carries behind its message, and how the
// answer finds the one who asked.
#ifndef TROUPE_ACTOR_INTERNAL_REPLY_H_
#define TROUPE_ACTOR_INTERNAL_REPLY_H_

#include <cstdint>
#include <new>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/send.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

// Envelope::tag of messages.
inline constexpr uint16_t kRequestTag = 1;  // A RequestInfo is its trailer.
inline constexpr uint16_t kReplyTag = 2;    // A call's number is its trailer.
inline constexpr uint16_t kFailureTag = 4;  // A reply that is a Status.
inline constexpr uint16_t kControlTag = 8;  // The runtime's own.
inline constexpr uint16_t kNoticeTag = 16;  // Of an end; see notice.h.
inline constexpr uint16_t kSeenTag = 32;    // A handler has set it aside.
// 64: kSourceTag, in shared_payload.h.

// Takes an answer where no actor waits: a plain thread, a forwarded call.
// Ownership: the route of one request; it goes with the one call of Take().
class ReplySink {
 public:
  // The answer, a reply envelope; by any thread, outside the seat.
  virtual void Take(EnvelopePtr reply) = 0;

 protected:
  ~ReplySink() = default;
};

// Who waits for an answer: the call `number` of the actor `id`, or a sink.
struct ReplyRoute {
  static constexpr uintptr_t kIsSink = 1;
  static constexpr uintptr_t kIsCancelled = 2;  // Nobody waits any more.
  // The answer is owed elsewhere: by a ReplyTo.
  static constexpr uintptr_t kIsTaken = 4;
  static constexpr uintptr_t kFlags = kIsSink | kIsCancelled | kIsTaken;
  static constexpr uintptr_t kNobody = kIsSink;  // And no sink.

  static uintptr_t ToActor(Cell& cell) {
    return reinterpret_cast<uintptr_t>(&cell);
  }
  static ReplyRoute To(Cell& cell, uint64_t id, uint64_t number) {
    return {ToActor(cell), id, number};
  }
  // `number`: unique among sinks, so that a call which is cancelled is not
  // taken for another.
  static ReplyRoute To(ReplySink& sink, uint64_t number) {
    return {reinterpret_cast<uintptr_t>(&sink) | kIsSink, 0, number};
  }

  bool IsNull() const { return (where & ~kFlags) == 0; }
  // Whether an actor waits, and nothing more is to be said: the common case, in
  // one look.
  bool IsPlain() const { return (where & kFlags) == 0; }
  bool IsSame(const ReplyRoute& other) const {
    return ((where ^ other.where) & ~(kIsCancelled | kIsTaken)) == 0 &&
           id == other.id && number == other.number;
  }
  // Otherwise the answer goes to an actor.
  bool IsSink() const { return (where & kIsSink) != 0; }
  ReplySink& sink() const {
    return *reinterpret_cast<ReplySink*>(where & ~kFlags);
  }
  Cell& cell() const { return *reinterpret_cast<Cell*>(where & ~kFlags); }

  uintptr_t where = kNobody;
  uint64_t id = 0;
  uint64_t number = 0;
};

struct RequestInfo {
  bool IsCancelled() const {
    return (route.where & ReplyRoute::kIsCancelled) != 0;
  }
  void Cancel() { route.where |= ReplyRoute::kIsCancelled; }
  // Whether the answer is owed here.
  bool OwesAnswer() const {
    return !route.IsNull() && (route.where & ReplyRoute::kIsTaken) == 0;
  }
  // The duty to answer goes elsewhere. The handler still learns here that the
  // caller has given up. REQUIRES: not cancelled.
  ReplyRoute TakeDuty() {
    const ReplyRoute taken = route;
    if (!route.IsNull()) route.where |= ReplyRoute::kIsTaken;
    return taken;
  }

  ReplyRoute route;
  MonotonicTime deadline = MonotonicTime::InfiniteFuture();
};
static_assert(sizeof(RequestInfo) == 32);

inline bool IsRequest(const Envelope& envelope) {
  return (envelope.tag & kRequestTag) != 0;
}
// REQUIRES: IsRequest(envelope)
inline RequestInfo& InfoOf(Envelope& envelope) {
  return *static_cast<RequestInfo*>(envelope.trailer());
}
// The same for an envelope that is known to hold an M.
template <typename M>
RequestInfo& InfoOf(Envelope& envelope) {
  return *reinterpret_cast<RequestInfo*>(reinterpret_cast<char*>(&envelope) +
                                         kMessageType<M>.trailer_offset);
}

// What is no message of a user's.
inline bool IsControl(const Envelope& envelope) {
  return (envelope.tag & (kReplyTag | kControlTag)) != 0;
}
inline bool IsReply(const Envelope& envelope) {
  return (envelope.tag & kReplyTag) != 0;
}
// REQUIRES: IsReply(envelope)
inline uint64_t& NumberOf(Envelope& reply) {
  return *static_cast<uint64_t*>(reply.trailer());
}

void GiveToSink(ReplySink& sink, Envelope* reply);

// In the seat with `tag`, settled or not: as SendControl() the fast way, and
// stays in the seat. False: there is only SendControlSlowly().
[[nodiscard]] inline bool SendControlFast(Cell& cell, uint64_t id,
                                          Envelope* envelope, uint64_t tag) {
  // As in SendFast().
  if (cell.IsMine(tag) && cell.id.load(std::memory_order_relaxed) == id)
      [[likely]] {
    cell.AppendUrgent(envelope);
    if (!cell.IsScheduled()) [[likely]]
      this_thread.worker->Schedule(cell);
    return true;
  }
  return false;
}

// Brings what the runtime itself has to say in the urgent lane to an actor,
// also if that takes no more messages; destroys it if there is no such actor
// any more. Outside the seat.
inline void SendControl(Cell& cell, uint64_t id, Envelope* envelope) {
  envelope->lane = Lane::kUrgent;
  const uint64_t tag = EnterSeatUnsettled();
  if (SendControlFast(cell, id, envelope, tag)) [[likely]]
    return LeaveSeat();
  SendControlSlowly(cell, id, envelope, tag);
}

// The caller of a request that went to `cell` waits for it no more.
struct CancelRequest {
  ReplyRoute route;
};
void SendCancel(Cell& cell, uint64_t id, const ReplyRoute& route);

// Sends the answer to whoever waits for it, if somebody still does: an envelope
// with an outcome, or with a failure, and room for the number. Outside the
// seat.
inline void SendReply(const ReplyRoute& route, Envelope* reply) {
  reply->tag |= kReplyTag;
  if (route.IsSink()) [[unlikely]]
    return GiveToSink(route.sink(), reply);
  NumberOf(*reply) = route.number;
  SendControl(route.cell(), route.id, reply);
}
// Makes the envelope with a Reply the answer to that call.
template <typename Reply>
inline void MarkAsReply(Envelope* reply, uint64_t number) {
  reply->tag |= kReplyTag;
  *reinterpret_cast<uint64_t*>(reinterpret_cast<char*>(reply) +
                               kMessageType<Reply>.trailer_offset) = number;
}
// As SendReply() for a Reply of known type to an actor. REQUIRES:
// route.IsPlain().
template <typename Reply>
inline void SendReplyToActor(const ReplyRoute& route, Envelope* reply) {
  MarkAsReply<Reply>(reply, route.number);
  SendControl(*reinterpret_cast<Cell*>(route.where), route.id, reply);
}
// The same, and returns from user code, both in one visit to the seat. False:
// the seat is lost.
template <typename Reply>
[[nodiscard]] inline bool SendReplyAndReturn(const ReplyRoute& route,
                                             Envelope* reply) {
  MarkAsReply<Reply>(reply, route.number);
  reply->lane = Lane::kUrgent;
  Cell& cell = *reinterpret_cast<Cell*>(route.where);
  const uint64_t tag = EnterSeatUnsettled();
  // What it compares with is the tag of a worker: so this thread drives it.
  if (SendControlFast(cell, route.id, reply, tag)) [[likely]]
    return true;
  SendControlSlowly(cell, route.id, reply, tag);
  return ReturnFromUserCode();
}

// The same anywhere: in the seat or outside, and under a lock. A sink that is
// told so must be brief, and run no user code.
void PushReply(const ReplyRoute& route, Envelope* reply);

// An envelope for a reply.
template <typename Outcome>
[[nodiscard]] Envelope* MakeReply(Outcome&& outcome) {
  return MakeEnvelopeWithTrailer<std::remove_cvref_t<Outcome>,
                                 sizeof(uint64_t)>(
      std::forward<Outcome>(outcome));
}
[[nodiscard]] Envelope* MakeFailure(absl::Status status);

// Whether the envelope of a request M has room for its Reply and a number.
template <typename M, typename Reply>
inline constexpr bool kHasRoomForReply =
    kMessageType<Reply>.trailer_offset + sizeof(uint64_t) <=
    EnvelopePool::SizeOf(kEnvelopeClass<M, sizeof(RequestInfo)>);
// The size class that the Reply to an M mostly has.
template <typename M, typename Reply>
inline constexpr uint8_t kReplyClass =
    kHasRoomForReply<M, Reply> ? kEnvelopeClass<M, sizeof(RequestInfo)>
                               : kEnvelopeClass<Reply, sizeof(uint64_t)>;

// Makes the envelope of a handled request, which holds an M, that of its reply,
// Reply(answer), where only a move of the answer could throw. If it throws, the
// request is as it was.
template <typename M, typename Reply, typename Answer>
[[nodiscard]] Envelope* TurnIntoReply(Envelope* request, Answer&& answer) {
  if constexpr (!kHasRoomForReply<M, Reply> ||
                !std::is_nothrow_move_constructible_v<Answer>) {
    Envelope* const reply = MakeReply(Reply(std::forward<Answer>(answer)));
    request->As<M>().~M();
    FreeEnvelope(request);
    return reply;
  } else {
    request->As<M>().~M();
    ::new (reinterpret_cast<char*>(request) +
           MessageType::PayloadOffset(alignof(Reply)))
        Reply(std::forward<Answer>(answer));
    request->type = &kMessageType<Reply>;
    request->target = 0;
    request->lane = Lane::kUrgent;
    request->size_class = kReplyClass<M, Reply>;
    request->tag = 0;
    return request;
  }
}

// Answers a request with a failure, if it is one. Outside the seat.
void FailRequest(Envelope& envelope, absl::Status status);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_REPLY_H_
