#include "troupe/cluster/internal/inbound.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/base/contain.h"
#include "troupe/cluster/internal/brief_texts.h"
#include "troupe/cluster/internal/group_items.h"
#include "troupe/cluster/internal/port_items.h"
#include "troupe/cluster/internal/spawn_request.h"

namespace troupe::internal {
namespace {

// How long a call from elsewhere may wait, whatever it says: so that a clock
// can be added up.
constexpr int64_t kMaxLeftNs = int64_t{365} * 24 * 3600 * 1'000'000'000;

bool Takes(const Exports::Entry& entry, const WireType& type) {
  return std::find(entry.messages.begin(), entry.messages.end(), type.type) !=
         entry.messages.end();
}

Verb VerbOf(Ending request) {
  return request == Ending::kKill ? Verb::kKill : Verb::kStop;
}

// Reads an item, and calls `handle` with it unless that failed.
template <typename Item, typename F>
absl::Status With(Decoder& in, F&& handle) {
  const Item item = ReadItem<Item>(in);
  if (in.ok()) handle(item);
  return in.status();
}

// The same of an item that is from an actor of the peer's: with more bits its
// id would be that of an actor of another node.
template <typename Item, typename F>
absl::Status WithFrom(Decoder& in, F&& handle) {
  return With<Item>(in, [&](const Item& item) {
    if (item.from == 0 || item.from > FarCell::kIdMask) {
      return in.Fail(absl::StrCat("an actor has no id ", item.from));
    }
    handle(item);
  });
}

}  // namespace

absl::Status Inbound::Handle(ItemKind kind, Decoder& in) {
  switch (kind) {
    case ItemKind::kEnd:
      return With<EndItem>(in, [&](const auto& item) { OnEnd(item); });
    case ItemKind::kMonitor:
      return WithFrom<MonitorItem>(
          in, [&](const auto& item) { OnMonitor(item, in); });
    case ItemKind::kDemonitor:
      return WithFrom<DemonitorItem>(
          in, [&](const auto& item) { watches_.OnDemonitor(item); });
    case ItemKind::kLink:
      return WithFrom<LinkItem>(in, [&](const auto& item) { OnLink(item); });
    case ItemKind::kUnlink:
      return WithFrom<UnlinkItem>(in, [&](const auto& item) {
        watches_.OnUnlink(item, node_.exports().RefTo(item.to));
      });
    case ItemKind::kAwaitEnd:
      return OnAwaitEnd(in);
    case ItemKind::kAwaitEndNoMore:
      return With<AwaitEndNoMoreItem>(
          in, [&](const auto& item) { calls_in_.CancelWait(item.number); });
    case ItemKind::kType: {
      auto item = ReadItem<TypeItem>(in);
      return in.ok() ? types_.Add(std::move(item)) : in.status();
    }
    case ItemKind::kNode: {
      const auto item = ReadItem<NodeItem>(in);
      return in.ok() ? refs_->OnNode(item) : in.status();
    }
    case ItemKind::kSend:
      return OnSend(in);
    case ItemKind::kCall:
      return OnCall(in);
    case ItemKind::kCancel:
      return With<CancelItem>(
          in, [&](const auto& item) { calls_in_.Cancel(item.number); });
    case ItemKind::kReply:
      return OnReply(in);
    case ItemKind::kFailure:
      return With<FailureItem>(in, [&](const auto& item) { OnFailure(item); });
    case ItemKind::kDown:
      return With<DownItem>(in,
                            [&](const auto& item) { watches_.OnDown(item); });
    case ItemKind::kExit:
      return With<ExitItem>(in,
                            [&](const auto& item) { watches_.OnExit(item); });
    case ItemKind::kEnded:
      return With<EndedItem>(in,
                             [&](const auto& item) { watches_.OnEnded(item); });
    case ItemKind::kGroupsWanted: {
      const auto item = ReadItem<GroupsWantedItem>(in);
      if (!in.ok()) return in.status();
      // Who may not watch them hears of no members.
      if (item.name.empty()) {
        return groups_.OnWanted(item, gate_.WatchableIn(item.scope));
      }
      const absl::Status may =
          gate_.CheckGroup(Verb::kWatch, {item.scope, item.name});
      return may.ok() ? groups_.OnWanted(item, nullptr) : absl::OkStatus();
    }
    case ItemKind::kGroupSaid: {
      const auto item = ReadItem<GroupSaidItem>(in);
      if (!in.ok()) return in.status();
      return groups_.OnSaid(item, gate_.MayKnow({item.scope, item.name}),
                            [this](uint64_t number, absl::Status& why) {
                              return types_.Same(number, why);
                            });
    }
    case ItemKind::kGroupLeft: {
      const auto item = ReadItem<GroupLeftItem>(in);
      return in.ok() ? groups_.OnLeft(item) : in.status();
    }
    case ItemKind::kGroupSend:
      return OnGroupSend(in);
    case ItemKind::kPortOpen: {
      const auto item = ReadItem<PortOpenItem>(in);
      if (!in.ok()) return in.status();
      return ports_.OnOpen(item, node_.exports().Find(item.to).actor);
    }
    case ItemKind::kPublished:
      return OnPublished(in);
    case ItemKind::kPublishedAgain:
      return OnPublishedAgain(in);
    case ItemKind::kPortTaken:
      return With<PortTakenItem>(
          in, [&](const auto& item) { ports_.OnTaken(item); });
    case ItemKind::kPortEnd:
      return With<PortEndItem>(in,
                               [&](const auto& item) { ports_.OnEnd(item); });
    case ItemKind::kPortLeft:
      return With<PortLeftItem>(in,
                                [&](const auto& item) { ports_.OnLeft(item); });
    case ItemKind::kRefused:
      return With<RefusedItem>(in, [&](const auto& item) { OnRefused(item); });
    default:
      (void)in.ReadBytes();  // Of a newer peer.
      return in.status();
  }
}

absl::Status Inbound::CheckRoom() const {
  if (watches_.kept() + calls_in_.size() < max_kept_) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat(node_.self().name, " keeps ", max_kept_,
                   " calls, monitors, links and waits for ", peer_.node(),
                   " already, and takes no more"));
}

absl::Status Inbound::MayWatch(uint64_t to) {
  absl::Status may = CheckRoom();
  return may.ok() ? gate_.Check(Verb::kWatch, to) : may;
}

void Inbound::OnMonitor(const MonitorItem& item, Decoder& in) {
  if (absl::Status may = MayWatch(item.to); !may.ok()) {
    return watches_.RefuseMonitor(item, may);
  }
  if (!watches_.OnMonitor(item, node_.exports().RefTo(item.to))) {
    in.Fail(absl::StrCat("the monitor ", item.serial, " of actor #", item.from,
                         " has begun before"));
  }
}

void Inbound::OnLink(const LinkItem& item) {
  // See Outbound, where it is looked at again.
  if (!watches_.AreLinked(item.to, item.from)) {
    absl::Status may = MayWatch(item.to);
    // The other end may say then that it has failed, and end this one.
    if (may.ok()) may = gate_.Check(Verb::kStop, item.to);
    if (!may.ok()) return calls_in_.RefuseLink(item, may);
  }
  watches_.OnLink(item, node_.exports().RefTo(item.to));
}

absl::Status Inbound::OnAwaitEnd(Decoder& in) {
  const auto item = ReadItem<AwaitEndItem>(in);
  if (!in.ok()) return in.status();
  absl::Status may = MayWatch(item.to);
  if (may.ok() && item.next != 0) {
    absl::Status next =
        gate_.Check(VerbOf(static_cast<Ending>(item.next)), item.to);
    // Who has ended has no name by which it could be allowed: that is told.
    if (!next.ok() && !node_.exports().Find(item.to).actor.IsNull()) {
      may = std::move(next);
    }
  }
  const bool is_new =
      may.ok() ? calls_in_.AwaitEnd(item.number, node_.exports().RefTo(item.to))
               : calls_in_.RefuseWait(item.number, may);
  if (!is_new) {
    in.Fail(absl::StrCat("the wait ", item.number, " has begun before"));
  }
  return in.status();
}

void Inbound::OnRefused(const RefusedItem& item) {
  if (++refusals_ > kMaxRefusals) return;
  node_.system().logger().Log(
      LogSeverity::kWarning,
      absl::StrCat("actor #", item.to, " of '", peer_.node(),
                   "' is not ended: ", item.why.message()));
}

void Inbound::OnEnd(const EndItem& item) {
  const absl::Status may =
      gate_.Check(VerbOf(static_cast<Ending>(item.request)), item.to);
  if (!may.ok()) return calls_in_.RefuseEnd(item.to, may);
  const AnyActorRef actor = node_.exports().RefTo(item.to);
  switch (static_cast<Ending>(item.request)) {
    case Ending::kDrain:
      return actor.Drain();
    case Ending::kStop:
      return actor.Stop(item.reason);
    case Ending::kKill:
      return actor.Kill();
    default:
      return;  // Of a newer peer.
  }
}

const Exports::Entry& Inbound::Target(uint64_t to) {
  Known& known = targets_[to % kTargets];
  if (known.to != to || known.entry.actor.status() == ActorStatus::kStopped) {
    known = {to, node_.exports().Find(to)};
  }
  return known.entry;
}

EnvelopePtr Inbound::Parse(Verb verb, uint64_t to, uint64_t type_number,
                           absl::string_view payload, AnyActorRef& actor,
                           const WireType*& type, absl::Status& why) {
  PeerType* const known = types_.Find(type_number);
  if (known == nullptr) {
    why = absl::DataLossError(
        absl::StrCat("the type ", type_number, " was not introduced"));
    return nullptr;
  }
  actor = Target(to).actor;
  DeadLetter::Reason reason = DeadLetter::Reason::kUndecodable;
  why = Admit(verb, to, *known, reason);
  if (why.ok()) {
    type = known->type;
    EnvelopePtr message = Read(type->decode, payload, why);
    if (message == nullptr) {
      why = absl::InvalidArgumentError(
          absl::StrCat("a ", InWords(known->name), " of ", peer_.node(),
                       " makes no sense: ", why.message()));
    } else if (why = gate_.CheckContent(to, *message); why.ok()) {
      return message;
    } else {
      reason = DeadLetter::Reason::kRefused;
    }
  }
  if (known->type != nullptr && known->type->has_other_end &&
      known->differs.ok()) {
    Decoder in(payload, refs_.get());
    absl::Status unread;
    (void)LongRead::Read(known->type->decode, in, unread);
  }
  Mourn(to, reason, known->name, why);
  return nullptr;
}

absl::Status Inbound::Admit(Verb verb, uint64_t to, const PeerType& type,
                            DeadLetter::Reason& reason) {
  const Exports::Entry& entry = Target(to);
  absl::Status may = gate_.CheckMessage(verb, to, type.name);
  if (entry.actor.IsNull()) {
    reason = DeadLetter::Reason::kNoActor;
    return absl::NotFoundError(absl::StrCat(
        "actor #", to, " of ", node_.self().name,
        " does not exist, or may not be addressed from elsewhere"));
  }
  if (!may.ok()) {
    reason = DeadLetter::Reason::kRefused;
    return may;
  }
  if (type.type == nullptr || !Takes(entry, *type.type)) {
    return absl::InvalidArgumentError(
        absl::StrCat(entry.actor.ToString(), " of ", node_.self().name,
                     " does not take ", InWords(type.name)));
  }
  if (type.differs.ok()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(InWords(type.name), " of ", peer_.node(), " and of ",
                   node_.self().name, ": ", type.differs.message()));
}

EnvelopePtr Inbound::Read(LongRead::Decode decode, absl::string_view payload,
                          absl::Status& why) {
  if (read_ != nullptr && read_->IsOf(payload)) return read_->Take(why);
  Decoder in(payload, refs_.get());
  return LongRead::Read(decode, in, why);
}

SharedBody Inbound::ReadShared(const WireType& type, absl::string_view payload,
                               absl::Status& why) {
  SharedBody body;
  Decoder in(payload, refs_.get());
  if (const EnvelopePtr message = LongRead::Read(type.decode, in, why)) {
    absl::Status thrown = Contain([&] { body = type.share(*message); });
    if (!thrown.ok()) why = std::move(thrown);
  }
  return body;
}

LongRead::Decode Inbound::ReaderOf(Verb verb, uint64_t to,
                                   uint64_t type_number) {
  const PeerType* const type = types_.Find(type_number);
  DeadLetter::Reason reason;
  if (type == nullptr || !Admit(verb, to, *type, reason).ok()) return nullptr;
  return type->type->decode;
}

std::shared_ptr<LongRead> Inbound::LookAhead(absl::string_view items) {
  if (items.size() <= kLongBytes) return nullptr;
  LongRead::Decode decode = nullptr;
  absl::string_view payload;
  Decoder in(items);
  const auto kind = static_cast<ItemKind>(in.ReadByte());
  in.ReadSized([&](Decoder& fields) {
    if (fields.left() <= kLongBytes) return;
    if (kind == ItemKind::kSend) {
      const auto head = ReadItem<SendHead>(fields);
      decode = ReaderOf(Verb::kSend, head.to, head.type);
    } else if (kind == ItemKind::kCall) {
      const auto head = ReadItem<CallHead>(fields);
      decode = ReaderOf(Verb::kCall, head.to, head.type);
    } else if (kind == ItemKind::kReply) {
      const auto call = calls_out_.Look(ReadItem<ReplyHead>(fields).number);
      if (call != nullptr) decode = call->type->decode_reply;
    }
    payload = fields.ReadRest();
  });
  if (!in.ok() || decode == nullptr) return nullptr;
  if (read_ != nullptr && read_->IsOf(payload)) return nullptr;
  return std::make_shared<LongRead>(refs_, decode, payload);
}

void Inbound::Mourn(uint64_t to, DeadLetter::Reason reason,
                    absl::string_view message_type, const absl::Status& why) {
  if (reason == DeadLetter::Reason::kUndecodable &&
      undecodable_ < kMaxRefusals) {
    ++undecodable_;
    node_.system().logger().Log(LogSeverity::kWarning, why.message());
  }
  node_.system().core()->MournUnknown(
      ActorId(to), reason,
      std::string_view(message_type.data(), message_type.size()));
}

absl::Status Inbound::OnSend(Decoder& in) {
  in.ReadSized([&](Decoder& fields) {
    const auto head = ReadItem<SendHead>(fields);
    const absl::string_view payload = fields.ReadRest();
    if (!fields.ok()) return;
    AnyActorRef actor;
    const WireType* type = nullptr;
    absl::Status why;
    EnvelopePtr message =
        Parse(Verb::kSend, head.to, head.type, payload, actor, type, why);
    if (message == nullptr) {
      if (absl::IsDataLoss(why)) fields.Fail(why.message());
      return;
    }
    if (head.urgent) {
      message->lane = Lane::kUrgent;
      SendInLane(*actor.cell(), actor.id().value(), message.release());
    } else {
      SendEnvelope(*actor.cell(), actor.id().value(), message.release());
    }
  });
  return in.status();
}

absl::Status Inbound::OnCall(Decoder& in) {
  in.ReadSized([&](Decoder& fields) {
    const auto head = ReadItem<CallHead>(fields);
    const absl::string_view payload = fields.ReadRest();
    if (!fields.ok()) return;
    AnyActorRef actor;
    const WireType* type = nullptr;
    absl::Status why;
    EnvelopePtr request =
        Parse(Verb::kCall, head.to, head.type, payload, actor, type, why);
    if (request != nullptr && !type->IsRequest()) {
      why = absl::DataLossError(
          absl::StrCat(type->name, " is called, but is no request"));
    }
    if (absl::IsDataLoss(why)) return fields.Fail(why.message());
    if (absl::Status room = CheckRoom(); request != nullptr && !room.ok()) {
      request.reset();
      why = std::move(room);
    }
    if (request == nullptr) {
      return calls_in_.Fail(
          head.number,
          WithDelivery(std::move(why), DeliveryState::kNotDelivered));
    }
    RequestInfo& info = InfoOf(*request);
    if (!calls_in_.Begin(head.number, actor, *type, head.from, info.route)) {
      return fields.Fail(
          absl::StrCat("the call ", head.number, " has begun before"));
    }
    info.deadline = node_.system().executor().clock().Now() +
                    absl::Nanoseconds(std::min(head.left_ns, kMaxLeftNs));
    SendEnvelope(*actor.cell(), actor.id().value(), request.release());
  });
  return in.status();
}

absl::Status Inbound::OnPublished(Decoder& in) {
  in.ReadSized([&](Decoder& fields) {
    const auto head = ReadItem<PublishedHead>(fields);
    const absl::string_view payload = fields.ReadRest();
    if (!fields.ok()) return;
    if (types_.Find(head.type) == nullptr) {
      return fields.Fail(
          absl::StrCat("the type ", head.type, " was not introduced"));
    }
    published_ = {true, head.type, payload, SharedBody()};
    Publish(head.number);
  });
  return in.status();
}

absl::Status Inbound::OnPublishedAgain(Decoder& in) {
  const auto item = ReadItem<PublishedAgainItem>(in);
  if (!in.ok()) return in.status();
  if (!published_.is_there) {
    return absl::DataLossError("nothing was published that comes again");
  }
  Publish(item.number);
  return absl::OkStatus();
}

void Inbound::Publish(uint64_t number) {
  const AnyActorRef subscriber = ports_.SubscriberOf(number);
  if (subscriber.IsNull()) return;  // It wants nothing more.
  const std::string& name = types_.Find(published_.type)->name;
  // An end is told to one alone, and not published.
  if (!ports_.WasAskedFor(number) &&
      (name == RemoteEnd::kWireName ||
       !gate_.CheckMessage(Verb::kSend, subscriber.id().value(), name).ok())) {
    ports_.OnLost(number);
    return Mourn(subscriber.id().value(), DeadLetter::Reason::kRefused, name,
                 absl::OkStatus());
  }
  absl::Status why;
  const WireType* const type = types_.Same(published_.type, why);
  if (type != nullptr && ports_.Takes(number, *type)) {
    if (published_.body.IsNull()) {
      published_.body = ReadShared(*type, published_.payload, why);
    }
    if (!published_.body.IsNull()) {
      return ports_.OnPublished(number, *type, published_.body);
    }
  }
  ports_.OnLost(number);
  Mourn(subscriber.id().value(), DeadLetter::Reason::kUndecodable, name,
        absl::InvalidArgumentError(
            absl::StrCat("a ", InWords(name), " of a port of ", peer_.node(),
                         " makes no sense to ", subscriber.ToString(),
                         why.ok() ? "" : ": ", why.message())));
}

absl::Status Inbound::OnGroupSend(Decoder& in) {
  in.ReadSized([&](Decoder& fields) {
    const auto head = ReadItem<GroupSendHead>(fields);
    const absl::string_view payload = fields.ReadRest();
    if (!fields.ok()) return;
    const GroupName group{head.scope, head.name};
    if (absl::Status status = CheckGroupName(group); !status.ok()) {
      return fields.Fail(status.message());
    }
    const PeerType* const known = types_.Find(head.type);
    if (known == nullptr) {
      return fields.Fail(
          absl::StrCat("the type ", head.type, " was not introduced"));
    }
    const auto share = node_.groups().Find(group);
    absl::Status why;
    const WireType* const type = types_.Same(head.type, why);
    // Nobody is there: it is not shared, or its members have left just now.
    DeadLetter::Reason reason = DeadLetter::Reason::kNoActor;
    if (absl::Status may = gate_.CheckGroup(Verb::kSend, group); !may.ok()) {
      reason = DeadLetter::Reason::kRefused;
      why = std::move(may);
    } else if (share != nullptr && type != nullptr && type->share != nullptr &&
               std::find(share->types.begin(), share->types.end(), type) !=
                   share->types.end()) {
      absl::Status unread;
      SharedBody body = ReadShared(*type, payload, unread);
      if (body.IsNull()) {
        reason = DeadLetter::Reason::kUndecodable;
        why = absl::InvalidArgumentError(
            absl::StrCat("a ", InWords(known->name), " of ", peer_.node(),
                         " makes no sense: ", unread.message()));
      } else if (node_.groups().seam().Deliver(
                     group,
                     static_cast<const SharedMessageType&>(*type->shared),
                     std::move(body))) {
        return;
      }
    } else if (share != nullptr) {
      reason = DeadLetter::Reason::kUndecodable;
      why = absl::InvalidArgumentError(absl::StrCat(
          "the members of the group '", group.ToString(), "' of ",
          node_.self().name, " do not take the ", InWords(known->name), " of ",
          peer_.node(), why.ok() ? "" : ": ", why.message()));
    }
    Mourn(0, reason, known->name, why);
  });
  return in.status();
}

absl::Status Inbound::OnReply(Decoder& in) {
  in.ReadSized([&](Decoder& fields) {
    const auto head = ReadItem<ReplyHead>(fields);
    const absl::string_view payload = fields.ReadRest();
    if (!fields.ok()) return;
    // It may have been given up.
    const std::optional<CallsOut::Call> call = calls_out_.Take(head.number);
    if (!call.has_value()) return;
    absl::Status why;
    EnvelopePtr reply = Read(call->type->decode_reply, payload, why);
    if (reply == nullptr) {
      reply.reset(MakeFailure(WithDelivery(
          absl::DataLossError(absl::StrCat(
              "the answer of actor #", call->to, " of ", peer_.node(), " to a ",
              call->type->name, " makes no sense: ", why.message())),
          DeliveryState::kUnknown)));
    }
    SendReply(call->route, reply.release());
  });
  return in.status();
}

void Inbound::OnFailure(const FailureItem& item) {
  if (item.status.ok()) return;  // Not from one of us.
  if (const auto call = calls_out_.Take(item.number)) {
    SendReply(call->route, MakeFailure(item.status));
  }
}

}  // namespace troupe::internal
