#include "troupe/cluster/internal/outbound.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/internal/notice.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/base/contain.h"
#include "troupe/cluster/internal/group_items.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/port_items.h"
#include "troupe/registry/internal/group_letter.h"

namespace troupe::internal {
namespace {

absl::Status CheckSize(size_t bytes, uint64_t most) {
  if (bytes <= most) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("it has ", bytes, " bytes, and may have ", most));
}

}  // namespace

void Outbound::AppendControl(EnvelopePtr wrapped, Encoder& frame) {
  Outgoing& outgoing = wrapped->As<Outgoing>();
  const uint64_t to = outgoing.id_there;
  Envelope& envelope = *outgoing.envelope;
  if (auto* const end = envelope.TryAs<EndRequest>()) {
    AppendItem(EndItem{to, static_cast<uint8_t>(end->request), end->reason},
               frame);
  } else if (auto* const begin = envelope.TryAs<BeginWatch>()) {
    AppendItem(watches_.Monitor(to, std::move(*begin)), frame);
  } else if (auto* const unwatch = envelope.TryAs<EndWatch>()) {
    AppendItem(watches_.Demonitor(to, *unwatch), frame);
  } else if (auto* const wait = envelope.TryAs<AwaitEnd>()) {
    AppendItem(watches_.AwaitEnd(to, std::move(*wait)), frame);
  } else if (auto* const over = envelope.TryAs<AwaitEndNoMore>()) {
    AppendNoMore(*over, frame);
  }
}

void Outbound::AppendNoMore(const AwaitEndNoMore& over, Encoder& frame) {
  if (const uint64_t number = watches_.AwaitEndNoMore(over.route)) {
    AppendItem(AwaitEndNoMoreItem{number}, frame);
  }
}

// A link that both want needs no leave, and a refusal behind the request of the
// one here would end it for the other alone: then it is taken after all.
void Outbound::AppendRefusal(const LinkRefused& refusal, Encoder& frame) {
  const LinkItem& link = refusal.link;
  if (watches_.AreLinked(link.to, link.from)) {
    return watches_.OnLink(link, node_.exports().RefTo(link.to));
  }
  AppendItem(ExitItem{link.from, link.to, ExitReason::Failed(refusal.why),
                      link.serial},
             frame);
}

bool Outbound::AppendData(EnvelopePtr& wrapped, Encoder& definitions,
                          Encoder& frame) {
  Outgoing& outgoing = wrapped->As<Outgoing>();
  const uint64_t to = outgoing.id_there;
  Envelope& envelope = *outgoing.envelope;
  last_call_ = 0;
  if (IsNotice(envelope)) {
    const Notice& notice = envelope.As<Notice>();
    if (notice.is_exit) {
      AppendItem(watches_.Exit(to, notice), frame);
    } else {
      AppendItem(watches_.Down(to, notice), frame);
    }
  } else if (auto* const link = envelope.TryAs<LinkRequest>()) {
    // The other side is to be able to name the one here.
    (void)node_.exports().Add(link->from);
    AppendItem(watches_.Link(to, std::move(*link)), frame);
  } else if (auto* const wait = envelope.TryAs<AwaitEnd>()) {
    AppendItem(watches_.AwaitEnd(to, std::move(*wait)), frame);
  } else if (auto* const over = envelope.TryAs<AwaitEndNoMore>()) {
    AppendNoMore(*over, frame);
  } else if (auto* const unlink = envelope.TryAs<UnlinkRequest>()) {
    AppendItem(watches_.Unlink(to, *unlink), frame);
  } else if (auto* const answer = envelope.TryAs<AnswerReady>()) {
    return AppendAnswer(*answer, definitions, frame);
  } else if (auto* const failed = envelope.TryAs<CallFailed>()) {
    AppendItem(FailureItem{failed->number, failed->status}, frame);
  } else if (auto* const refused = envelope.TryAs<EndRefused>()) {
    AppendItem(RefusedItem{refused->id, refused->why}, frame);
  } else if (auto* const refusal = envelope.TryAs<LinkRefused>()) {
    AppendRefusal(*refusal, frame);
  } else if (auto* const end = envelope.TryAs<EndKnown>()) {
    if (calls_in_.TakeWait(end->number)) {
      AppendItem(EndedItem{end->number, end->reason, end->refused}, frame);
    }
  } else if (auto* const drain = envelope.TryAs<EndRequest>()) {
    AppendItem(EndItem{to, static_cast<uint8_t>(drain->request), drain->reason},
               frame);
  } else if (auto* const cancel = envelope.TryAs<CancelRequest>()) {
    if (const uint64_t number = calls_out_.TakeByRoute(cancel->route)) {
      AppendItem(CancelItem{number}, frame);
      // What keeps the place of a plain thread's answer is to be let go.
      if (cancel->route.IsSink()) {
        SendReply(cancel->route,
                  MakeFailure(absl::CancelledError("the call was given up")));
      }
    }
  } else if (auto* const news = envelope.TryAs<GroupNewsOut>()) {
    groups_.Append(
        *news,
        [&](const WireType& type) -> std::optional<uint64_t> {
          if (!CheckIntroduction(type).ok()) return std::nullopt;
          const uint64_t number = NumberOf(type);
          AppendDefinitions(frame);
          return number;
        },
        frame);
  } else if (envelope.TryAs<GroupsChangedOut>() != nullptr) {
    groups_.CatchUp();
  } else if (IsGroupLetter(envelope)) {
    AppendGroupLetter(std::move(outgoing.envelope), frame);
  } else if (IsOfSource(envelope)) {
    AppendPublished(to, std::move(outgoing.envelope), definitions, frame);
  } else if (auto* const open = envelope.TryAs<PortOpenOut>()) {
    ports_.Append(*open, frame);
  } else if (auto* const taken = envelope.TryAs<PortTakenOut>()) {
    ports_.Append(*taken, frame);
  } else if (auto* const port_end = envelope.TryAs<PortEndOut>()) {
    ports_.Append(*port_end, frame);
  } else if (auto* const left = envelope.TryAs<PortLeftOut>()) {
    ports_.Append(*left, frame);
  } else {
    return AppendMessage(to, outgoing.envelope, definitions, frame);
  }
  return true;
}

uint64_t Outbound::ReceiverOf(const Envelope& wrapped) const {
  const auto& outgoing = const_cast<Envelope&>(wrapped).As<Outgoing>();
  Envelope& envelope = *outgoing.envelope;
  if (const auto* const answer = envelope.TryAs<AnswerReady>()) {
    return calls_in_.CallerOf(answer->number);
  }
  if (const auto* const open = envelope.TryAs<PortOpenOut>()) {
    return ports_.ReceiverOf(open->number);
  }
  if (const auto* const end = envelope.TryAs<PortEndOut>()) {
    return ports_.ReceiverOf(end->number);
  }
  return outgoing.id_there;
}

bool Outbound::IsForMany(const Envelope& wrapped) {
  return IsGroupLetter(*const_cast<Envelope&>(wrapped).As<Outgoing>().envelope);
}

void Outbound::GiveUp(uint64_t to, Envelope& request) {
  node_.system().core()->MournMessage(ActorId(peer_.IdOf(to)),
                                      DeadLetter::Reason::kExpired, request);
}

void Outbound::AppendLate(MonotonicTime now, Encoder& frame) {
  for (const auto& [number, call] : calls_out_.TakeLate(now)) {
    AppendItem(CancelItem{number}, frame);
    absl::Status status = absl::DeadlineExceededError(
        absl::StrCat("calling actor #", call.to, " of ", peer_.node(), " with ",
                     call.type->name, ": no answer came in time"));
    SendReply(call.route, MakeFailure(WithDelivery(std::move(status),
                                                   DeliveryState::kUnknown)));
  }
}

bool Outbound::AppendMessage(uint64_t to, EnvelopePtr& message,
                             Encoder& definitions, Encoder& frame) {
  const KnownType* const known = KnownTypeOf(message->type);
  if (known == nullptr) {
    const WireType* const type = node_.types().Find(message->type);
    absl::Status why =
        type != nullptr ? CheckIntroduction(*type) : absl::OkStatus();
    // Also where the type has come to be known just now.
    if (why.ok()) {
      why = absl::FailedPreconditionError(
          "the node does not know how this type of message is written; export "
          "or resolve a protocol that has it");
    }
    Refuse(to, std::move(message), why);
    return true;
  }
  absl::Status why;
  switch (WritePayload([&] { known->type->encode(*message, payload_); }, why)) {
    case Written::kTooLong:
      return false;
    case Written::kFailed:
      Refuse(to, std::move(message), why);
      return true;
    case Written::kYes:
      break;
  }
  AppendDefinitions(definitions);
  AppendWritten(to, *message, *known, [&](const auto& head) {
    AppendItem(head, payload_.bytes(), frame);
  });
  return true;
}

template <typename F>
void Outbound::AppendWritten(uint64_t to, Envelope& message,
                             const KnownType& type, F&& append) {
  if (IsRequest(message) && !InfoOf(message).route.IsNull()) {
    const RequestInfo& info = InfoOf(message);
    const absl::Duration left =
        info.deadline - node_.system().executor().clock().Now();
    last_call_ = calls_out_.Begin({info.route, type.type, to, info.deadline});
    append(CallHead{to, type.number, last_call_, absl::ToInt64Nanoseconds(left),
                    info.route.IsSink() ? 0 : info.route.id});
  } else {
    append(SendHead{to, type.number, message.lane == Lane::kUrgent});
  }
}

std::shared_ptr<LongWrite> Outbound::BeginLong(EnvelopePtr wrapped) {
  Envelope& envelope = *wrapped->As<Outgoing>().envelope;
  if (auto* const answer = envelope.TryAs<AnswerReady>()) {
    return std::make_shared<LongWrite>(peer_, refs_, std::move(wrapped),
                                       *answer->reply,
                                       answer->type->encode_reply);
  }
  return std::make_shared<LongWrite>(peer_, refs_, std::move(wrapped), envelope,
                                     KnownTypeOf(envelope.type)->type->encode);
}

bool Outbound::EndLong(LongWrite& written, Encoder& definitions,
                       Encoder& item) {
  auto& [to, envelope] = written.wrapped->As<Outgoing>();
  const size_t size = written.payload().size();
  absl::Status why = written.payload().status();
  if (why.ok()) why = CheckSize(size, message_bytes_);
  last_call_ = 0;
  if (auto* const answer = envelope->TryAs<AnswerReady>()) {
    const uint64_t number = answer->number;
    if (!calls_in_.Take(number)) return false;
    AppendDefinitions(definitions);
    if (!why.ok()) {
      AppendNoAnswer(number, why, item);
      return false;
    }
    AppendHead(ReplyHead{number}, size, item);
    return true;
  }
  AppendDefinitions(definitions);
  if (!why.ok()) {
    Refuse(to, std::move(envelope), why);
    return false;
  }
  AppendWritten(to, *envelope, *KnownTypeOf(envelope->type),
                [&](const auto& head) { AppendHead(head, size, item); });
  return true;
}

void Outbound::AppendPublished(uint64_t to, EnvelopePtr message,
                               Encoder& definitions, Encoder& frame) {
  uint64_t number = 0;
  const std::shared_ptr<SubscriptionCore> core =
      ports_.Arrive(SharedContentOf(*message), number, definitions);
  if (core == nullptr) return;  // It has nothing to say any more.
  absl::Status why = absl::FailedPreconditionError(
      "the node does not know how this type of message is written");
  const WireType* const type = node_.types().Find(message->type);
  if (last_published_ != nullptr && last_published_->type == message->type &&
      type->place(*last_published_) == type->place(*message)) {
    return AppendItem(PublishedAgainItem{number}, frame);
  }
  if (type != nullptr) why = CheckIntroduction(*type);
  if (!why.ok() ||
      !WriteWhole([&] { type->encode(*message, payload_); }, why)) {
    core->Acknowledge(1);
    return Refuse(to, std::move(message), why);
  }
  const uint64_t type_number = NumberOf(*type);
  AppendDefinitions(definitions);
  AppendItem(PublishedHead{number, type_number}, payload_.bytes(), frame);
  // Items of streams do not stay together.
  if (&definitions == &frame) last_published_ = std::move(message);
}

void Outbound::AppendGroupLetter(EnvelopePtr letter, Encoder& frame) {
  GroupLetter& content = letter->As<GroupLetter>();
  // Who shares a group has told the types of its messages.
  const WireType& type = *node_.types().Find(MessageTypeOf(*letter).plain);
  absl::Status why = CheckIntroduction(type);
  const EnvelopePtr message(
      MakeSharedEnvelope(MessageTypeOf(*letter), std::move(content.body)));
  if (!why.ok() || !WriteWhole([&] { type.encode(*message, payload_); }, why)) {
    return Refuse(0, std::move(letter), why);
  }
  const uint64_t number = NumberOf(type);
  AppendDefinitions(frame);
  AppendItem(GroupSendHead{content.group.scope, content.group.name, number},
             payload_.bytes(), frame);
}

bool Outbound::AppendAnswer(AnswerReady& answer, Encoder& definitions,
                            Encoder& frame) {
  if (!calls_in_.Waits(answer.number)) return true;
  absl::Status why;
  switch (WritePayload(
      [&] { answer.type->encode_reply(*answer.reply, payload_); }, why)) {
    case Written::kTooLong:
      return false;
    case Written::kYes:
      AppendDefinitions(definitions);
      AppendItem(ReplyHead{answer.number}, payload_.bytes(), frame);
      break;
    case Written::kFailed:
      AppendNoAnswer(answer.number, why, frame);
      break;
  }
  (void)calls_in_.Take(answer.number);
  return true;
}

void Outbound::AppendNoAnswer(uint64_t number, const absl::Status& why,
                              Encoder& frame) {
  AppendItem(
      FailureItem{number,
                  WithDelivery(
                      absl::Status(why.code(), absl::StrCat("the answer cannot "
                                                            "cross: ",
                                                            why.message())),
                      DeliveryState::kUnknown)},
      frame);
}

template <typename F>
absl::Status Outbound::Write(F&& write, size_t most) {
  payload_.Clear();
  payload_.SetLimit(most);
  absl::Status thrown = Contain(write);
  return thrown.ok() ? payload_.status() : thrown;
}

template <typename F>
Outbound::Written Outbound::WritePayload(F&& write, absl::Status& why) {
  why = Write(write, written_bytes_);
  Written written = Written::kYes;
  if (payload_.is_over_limit()) {
    written = Written::kTooLong;
  } else {
    const size_t size = payload_.size();
    if (why.ok()) why = CheckSize(size, message_bytes_);
    if (!why.ok()) {
      written = Written::kFailed;
    } else if (size + kMaxHeadBytes > item_bytes_) {
      written = Written::kTooLong;
    }
    if (written != Written::kYes) payload_.Clear();
  }
  const bool has_taken = refs_->EndWrite(written == Written::kYes);
  if (written != Written::kTooLong || !has_taken) return written;
  payload_.Clear();
  why = absl::FailedPreconditionError(
      "a subscription does not cross within a message as long as that; send it "
      "by itself");
  return Written::kFailed;
}

template <typename F>
bool Outbound::WriteWhole(F&& write, absl::Status& why) {
  const size_t most = static_cast<size_t>(
      std::min<uint64_t>(frame_bytes_ - kMaxHeadBytes, message_bytes_));
  why = Write(write, most);
  if (why.ok()) why = CheckSize(payload_.size(), most);
  (void)refs_->EndWrite(why.ok());
  return why.ok();
}

void Outbound::AppendDefinitions(Encoder& frame) {
  if (definitions_.size() == 0) return;
  frame.WriteRaw(definitions_.bytes().data(), definitions_.size());
  definitions_.Clear();
}

absl::Status Outbound::CheckIntroduction(const WireType& type) const {
  constexpr size_t kOthers = 32;  // The kind, the number and four lengths.
  const size_t bytes =
      type.name.size() + type.shape.size() + type.reply_shape.size() + kOthers;
  if (bytes <= frame_bytes_) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("what introduces its type has ", bytes,
                   " bytes, and may have ", frame_bytes_));
}

const Outbound::KnownType* Outbound::KnownTypeOf(const MessageType* asked) {
  if (asked == last_asked_) return &last_known_;
  auto known = known_types_.find(asked);
  if (known == known_types_.end()) {
    const WireType* const type = node_.types().Find(asked);
    if (type == nullptr) return nullptr;  // It may come to know it.
    if (!CheckIntroduction(*type).ok()) return nullptr;
    // Two types of envelopes may hold one type of message.
    known = known_types_.emplace(asked, KnownType{type, NumberOf(*type)}).first;
  }
  last_asked_ = asked;
  last_known_ = known->second;
  return &last_known_;
}

uint64_t Outbound::NumberOf(const WireType& type) {
  const auto [number, is_new] =
      type_numbers_.try_emplace(&type, type_numbers_.size());
  if (is_new) {
    AppendItem(TypeItem{number->second, std::string(type.name), type.shape,
                        type.reply_shape},
               definitions_);
  }
  return number->second;
}

void Outbound::Refuse(uint64_t to, EnvelopePtr message,
                      const absl::Status& why) {
  const ActorId id(peer_.IdOf(to));
  const std::string what = absl::StrCat(
      "a ",
      absl::string_view(message->type->name.data(), message->type->name.size()),
      " for actor #", to, " of ", peer_.node(),
      " cannot cross: ", why.message());
  node_.system().logger().Log(LogSeverity::kWarning, what);
  FailRequest(*message, WithDelivery(absl::Status(why.code(), what),
                                     DeliveryState::kNotDelivered));
  node_.system().core()->MournMessage(id, DeadLetter::Reason::kUndecodable,
                                      *message);
}

}  // namespace troupe::internal
