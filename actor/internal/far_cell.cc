#include "troupe/actor/internal/far_cell.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/notice.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe::internal {
namespace {

// The `target` of all that lies in the queues: they are never used for others.
constexpr uint32_t kTarget = 0;

bool IsOneOf(const Envelope& envelope, auto... types) {
  return ((envelope.type == types) || ...);
}

// Keeps what `object` refers to, for as long as the process, where those look
// who look for leaks.
void Keep(const void* object) {
  struct Kept {
    absl::Mutex mu;
    std::vector<const void*> objects ABSL_GUARDED_BY(mu);
  };
  static Kept* const kept = new Kept;
  absl::MutexLock lock(&kept->mu);
  kept->objects.push_back(object);
}

}  // namespace

FarCell::FarCell(uint64_t number, absl::string_view node)
    : number_(number << kIdBits), node_(node) {
  shared_type.store(kIsFar, std::memory_order_relaxed);
}

absl::StatusOr<FarCell*> FarCell::Make(
    const std::shared_ptr<SystemCore>& system, absl::string_view node) {
  const uint64_t number = IdSpace::TakeNode(system);
  if (number == 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("this process has known ", IdSpace::kMaxNodes,
                     " nodes, counting each restart of one, and cannot know ",
                     node, " too; restart it"));
  }
  auto* const cell = new FarCell(number, node);
  Keep(cell);
  return cell;
}

FarCell::Kind FarCell::KindOf(Envelope& envelope) {
  // A source has a limit of its own.
  if (IsNotice(envelope) || IsOfSource(envelope)) return Kind::kOrdered;
  if (IsControl(envelope)) {
    // The end of one who is linked follows the link.
    return IsOneOf(envelope, &kMessageType<CancelRequest>,
                   &kMessageType<LinkRequest>, &kMessageType<UnlinkRequest>)
               ? Kind::kOrdered
               : Kind::kOther;
  }
  if (envelope.lane == Lane::kSignal) {
    // What was sent before it is to be handled.
    const auto* const end = envelope.TryAs<EndRequest>();
    if (end != nullptr && end->request == Ending::kDrain) return Kind::kOrdered;
    const auto* const wait = envelope.TryAs<AwaitEnd>();
    if (wait != nullptr && wait->next == Ending::kDrain) return Kind::kOrdered;
    // Follows what it takes back.
    const auto* const over = envelope.TryAs<AwaitEndNoMore>();
    if (over != nullptr && over->next == Ending::kDrain) return Kind::kOrdered;
    return IsOneOf(envelope, &kMessageType<EndRequest>,
                   &kMessageType<BeginWatch>, &kMessageType<EndWatch>,
                   &kMessageType<AwaitEnd>, &kMessageType<AwaitEndNoMore>)
               ? Kind::kControl
               : Kind::kOther;
  }
  return Kind::kMessage;
}

EnvelopePtr FarCell::Wrap(uint64_t id, EnvelopePtr message) {
  EnvelopePtr wrapped(MakeEnvelope<Outgoing>(id & kIdMask, std::move(message)));
  wrapped->target = kTarget;
  return wrapped;
}

EnvelopePtr FarCell::MustWrap(uint64_t id, EnvelopePtr message) {
  return MustHaveMemory("what goes to another node",
                        [&] { return Wrap(id, std::move(message)); });
}

SendResult FarCell::Take(uint64_t id, Envelope* envelope) {
  const Kind kind = KindOf(*envelope);
  if (kind == Kind::kOther) return SendResult::kNoActor;
  return TakeAs(kind, id, envelope);
}

SendResult FarCell::TakeAs(Kind kind, uint64_t id, Envelope* envelope) {
  EnvelopePtr wrapped = MustWrap(id, EnvelopePtr(envelope));
  Admission admission;
  switch (kind) {
    case Kind::kMessage: {
      EnvelopeList dropped;  // Stays empty: the policy drops nothing.
      admission = data_.Push(wrapped.get(), dropped);
      break;
    }
    case Kind::kOrdered:
      admission = data_.PushBeyond(wrapped.get());
      break;
    default:
      admission = control_.PushBeyond(wrapped.get());
      break;
  }
  const SendResult result = Conclude(admission);
  if (IsRefused(result)) {
    (void)wrapped->As<Outgoing>().envelope.release();  // The caller's again.
  } else {
    (void)wrapped.release();
  }
  return result;
}

void FarCell::TakeFromSession(uint64_t session_number, EnvelopePtr control) {
  control->tag |= kControlTag;
  EnvelopePtr wrapped = MustWrap(0, std::move(control));
  Admission admission = Admission::kClosed;
  {
    absl::MutexLock lock(&mu_);
    if (session_number == sessions_ && !session_.IsNull()) {
      admission = data_.PushBeyond(wrapped.get());
    }
  }
  if (!IsRefused(Conclude(admission))) (void)wrapped.release();
}

BoundedQueue* FarCell::TakeOrWait(Envelope* wrapped,
                                  BoundedQueue::Waiter& waiter,
                                  SendResult& result) {
  EnvelopeList dropped;
  const Admission admission = data_.PushOrWait(wrapped, waiter, dropped);
  if (admission == Admission::kWaiting) return &data_;
  result = Conclude(admission);
  return nullptr;
}

SendResult FarCell::Conclude(Admission admission) {
  switch (admission) {
    case Admission::kMustWake:
      break;
    case Admission::kEnqueued:
      return SendResult::kSent;
    case Admission::kFull:
    case Admission::kTooLarge:
      return SendResult::kMailboxFull;
    default:
      return SendResult::kUnreachable;
  }
  AnyActorRef session;
  {
    absl::MutexLock lock(&mu_);
    session = session_;
  }
  if (session.IsNull()) return SendResult::kSent;  // It closes just now.
  // Something has been taken, and the queue asks for no other wake.
  Envelope* const wake = MustHaveMemory(
      "the wake of a session", [] { return MakeEnvelope<FarMailWaits>(); });
  if (IsRefused(PushBehindAll(*session.cell(), session.id().value(), wake))) {
    DestroyEnvelope(wake);  // It ends, and closes this.
  }
  return SendResult::kSent;
}

bool FarCell::IsOpen() const {
  absl::MutexLock lock(&mu_);
  return !session_.IsNull();
}

uint64_t FarCell::Open(const Capacity& limit, const AnyActorRef& session) {
  uint64_t number;
  {
    absl::MutexLock lock(&mu_);
    session_ = session;
    number = ++sessions_;
  }
  control_.Open(Capacity(), kTarget);
  data_.Open(limit, kTarget);
  return number;
}

void FarCell::Close() {
  {
    absl::MutexLock lock(&mu_);
    session_ = AnyActorRef();
  }
  for (BoundedQueue* const queue : {&control_, &data_}) {
    EnvelopeList left = queue->Close();
    while (EnvelopePtr wrapped = left.Pop()) {
      Outgoing& outgoing = wrapped->As<Outgoing>();
      Fail(outgoing.id_there, std::move(outgoing.envelope));
    }
  }
}

void FarCell::Fail(uint64_t id_there, EnvelopePtr envelope) {
  if (KindOf(*envelope) == Kind::kMessage || IsOfSource(*envelope)) {
    return BecomeDeadLetter(*this, IdOf(id_there), envelope.release(),
                            SendResult::kUnreachable);
  }
  BlameConnection(*envelope);
}

void SendOwed(const AnyActorRef& to, EnvelopePtr message) {
  Cell& cell = to.cell() != nullptr ? *to.cell() : NoCell();
  const uint64_t id = to.id().value();
  FarCell* const far = FarCell::Of(&cell);
  if (far == nullptr) return SendEnvelope(cell, id, message.release());
  const SendResult result = far->TakeBeyond(id, message.get());
  Envelope* const given = message.release();
  if (IsRefused(result)) BecomeDeadLetter(cell, id, given, result);
}

void BlameConnection(Envelope& envelope) {
  const ExitReason reason = ExitReason::NoConnection();
  if (auto* const watch = envelope.TryAs<BeginWatch>()) {
    watch->down.SetDefault(reason);
  } else if (auto* const link = envelope.TryAs<LinkRequest>()) {
    link->exit.SetLoss({.mine = link->serial}, reason);
  } else if (auto* const wait = envelope.TryAs<AwaitEnd>()) {
    wait->why.SetDefault(reason);
  }
}

}  // namespace troupe::internal
