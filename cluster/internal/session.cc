#include "troupe/cluster/internal/session.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/cluster/codec/decoder.h"

namespace troupe::internal {
namespace {

// What this code speaks.
constexpr uint32_t kMinProtocol = 1;
constexpr uint32_t kMaxProtocol = 1;

// What a peer may grant at a time, and have granted.
constexpr uint64_t kMaxCredit = uint64_t{1} << 40;

int64_t CreditFrom(uint64_t bytes) {
  return static_cast<int64_t>(std::min(bytes, kMaxCredit));
}

// Of the items, those at the beginning that are at most so long together.
size_t BytesOfItems(absl::string_view items, size_t most) {
  if (items.size() <= most) return items.size();
  size_t bytes = 0;
  Decoder in(items);
  while (in.ok() && items.size() - in.left() <= most) {
    bytes = items.size() - in.left();
    (void)in.ReadByte();
    (void)in.ReadBytes();
  }
  return bytes;
}

std::string Frame(const auto& item) {
  Encoder frame;
  AppendItem(item, frame);
  return std::string(frame.bytes());
}

}  // namespace

Session::Session(Shared& shared, std::string expected, Connect connect)
    : shared_(shared),
      expected_(std::move(expected)),
      connect_(std::move(connect)),
      max_frame_bytes_(shared.max_frame_bytes),
      arrival_credit_(FirstCredit(shared)) {
  BeginIntroduction();
}

Session::Session(Shared& shared, std::unique_ptr<Connection> connection,
                 std::shared_ptr<ArrivalCredit> credit)
    : shared_(shared),
      connection_(std::move(connection)),
      max_frame_bytes_(shared.max_frame_bytes),
      arrival_credit_(std::move(credit)) {
  BeginIntroduction();
}

std::shared_ptr<ArrivalCredit> Session::FirstCredit(const Shared& shared) {
  return std::make_shared<ArrivalCredit>(shared.options.control_credit,
                                         shared.options.data_credit,
                                         shared.options.bulk_credit);
}

Session::Lane::Lane(Up& up, NodeCore& node)
    : outbound(node, up.peer,
               std::make_shared<WireRefs>(node, up.peer, up.ports),
               up.calls_out, up.calls_in, up.watches, up.groups, up.ports),
      inbound(node, up.peer,
              std::make_shared<WireRefs>(node, up.peer, up.ports), up.calls_out,
              up.calls_in, up.watches, up.groups, up.ports) {}

absl::Status Session::PreStart() {
  self_ = self();
  if (connect_ == nullptr) return absl::OkStatus();
  if (!shared_.directory.BeginDial(expected_, self_)) {
    why_ = absl::AbortedError("somebody else dials");  // Nothing has failed.
    return absl::AlreadyExistsError(absl::StrCat(
        "there is a session with '", expected_, "', or it is being dialled"));
  }
  if (why_ = CheckAdmitted(expected_); !why_.ok()) return why_;
  absl::StatusOr<std::unique_ptr<Connection>> connection =
      connect_(std::make_shared<SessionPort>(self(), arrival_credit_));
  if (!connection.ok()) return why_ = std::move(connection).status();
  connection_ = *std::move(connection);
  return absl::OkStatus();
}

void Session::PostStart() {
  const absl::Duration greeting = shared_.options.greeting_timeout;
  // The look at its end is the last one.
  Listen(std::min(shared_.options.heartbeat, greeting),
         greeting - absl::Nanoseconds(1));
  if (expected_.empty()) return;  // The other end begins.
  number_ = system().core()->RandomNumber() | 1;
  Encoder first;
  if (introduction_.has_value()) {
    introduction_->Begin(first);
  } else {
    AppendItem(Hello(), first);
  }
  SendFrame(TransportLane::kControl, first);
}

Session::~Session() {
  if (connection_ != nullptr) connection_->Close(ForPeer(why_));
  if (!expected_.empty()) shared_.directory.EndDial(expected_, self_);
  if (up_ == nullptr) {
    TellNobodyCame();
    return;
  }
  if (why_.ok()) why_ = absl::UnavailableError("the session was stopped");
  // First nobody sends any more, and what was sent and not written fails; then
  // all that waits for the peer.
  up_->bulk_lane.FailAll();
  up_->FailPopped();
  up_->peer.Close();
  up_->groups.Close();
  up_->calls_out.FailAll(up_->peer);
  up_->calls_in.CancelAll();
  up_->watches.End();
  for (const AnyActorRef& subscriber : up_->ports.Close()) {
    shared_.observer.OnLost(peer_id_, subscriber);
  }
  shared_.directory.Leave(peer_id_, self_);
  shared_.observer.OnDown(peer_id_, why_);
}

void Session::TellNobodyCame() const {
  // Of two connections that cross one is given up: nothing has failed.
  if (absl::IsAborted(why_)) return;
  if (!expected_.empty()) {
    shared_.observer.OnDialFailed(expected_, why_);
  } else if (!why_.ok()) {
    shared_.observer.OnRefused(connection_->peer(), why_);
  }
}

void Session::End(const absl::Status& why) {
  if (ended_) return;
  connection_->Send(TransportLane::kControl,
                    up_ != nullptr ? Frame(GoodbyeItem{why})
                                   : Frame(RefusalItem{ForPeer(why)}));
  EndSilently(why);
}

void Session::EndSilently(const absl::Status& why) {
  if (ended_) return;
  ended_ = true;
  why_ = why;
  // What has come already is passed over; it is no dead letter.
  self_.Drain();
}

// -- greeting

HelloItem Session::Hello() const {
  const NodeId& self = shared_.node.self();
  return {
      .cluster = shared_.options.cluster,
      .name = self.name,
      .incarnation = self.incarnation,
      .min_protocol = kMinProtocol,
      .max_protocol = kMaxProtocol,
      .features = 0,
      .session = number_,
      .after = expected_.empty() ? 0 : shared_.directory.LastSession(expected_),
      .max_frame_bytes = shared_.max_frame_bytes,
      .data_credit = shared_.options.data_credit,
      .receptionist = shared_.receptionist.id().value(),
      .bulk_credit = shared_.options.bulk_credit,
      .max_message_bytes = shared_.options.max_message_bytes,
      .control_credit = shared_.options.control_credit};
}

absl::Status Session::OnHello(const HelloItem& hello) {
  if (absl::Status status = CheckNodeName(hello.name); !status.ok()) {
    return status;
  }
  if (introduction_.has_value()) {
    absl::Status status = introduction_->CheckHello(hello);
    if (!status.ok()) return status;
  }
  if (hello.cluster != shared_.options.cluster) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", hello.name, "' belongs to the cluster '",
                     hello.cluster, "', and '", shared_.node.self().name,
                     "' to '", shared_.options.cluster, "'"));
  }
  if (hello.min_protocol > kMaxProtocol || hello.max_protocol < kMinProtocol) {
    return absl::FailedPreconditionError(absl::StrCat(
        "'", hello.name, "' speaks the protocols ", hello.min_protocol, " to ",
        hello.max_protocol, ", and '", shared_.node.self().name, "' ",
        kMinProtocol, " to ", kMaxProtocol));
  }
  if (hello.max_frame_bytes < kMinFrameBytes) {
    return absl::FailedPreconditionError(absl::StrCat(
        "'", hello.name, "' takes frames of ", hello.max_frame_bytes,
        " bytes, and '", shared_.node.self().name, "' needs ", kMinFrameBytes));
  }
  if (hello.receptionist == 0 || hello.receptionist > FarCell::kIdMask) {
    return absl::DataLossError(absl::StrCat(
        "'", hello.name, "' has no actor with the id ", hello.receptionist));
  }
  const bool dialled = !expected_.empty();
  if (dialled && hello.name != expected_) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", expected_, "' was dialled, and '", hello.name,
                     "' answers at ", connection_->peer()));
  }
  absl::Status status = CheckIdentity(hello.name);
  if (status.ok()) status = CheckAdmitted(hello.name);
  if (!status.ok()) return status;
  if (!dialled) number_ = hello.session;
  const NodeId peer{hello.name, hello.incarnation};
  absl::Status admitted =
      shared_.directory.Enter({.peer = peer,
                               .session = number_,
                               .dialled_here = dialled,
                               .after = dialled ? 0 : hello.after,
                               .actor = self_});
  return admitted.ok() ? GoUp(peer, hello) : admitted;
}

absl::Status Session::CheckIdentity(const std::string& claimed) const {
  const std::optional<std::vector<std::string>> proven =
      connection_->proven_names();
  if (!proven.has_value() ||
      std::find(proven->begin(), proven->end(), claimed) != proven->end()) {
    return absl::OkStatus();
  }
  return absl::UnauthenticatedError(absl::StrCat(
      "who is at ", connection_->peer(), " claims to be '", claimed,
      "', and has proven to be '", absl::StrJoin(*proven, "' or '"), "'"));
}

absl::Status Session::GoUp(const NodeId& peer, const HelloItem& hello) {
  absl::StatusOr<FarCell*> cell = shared_.node.CellOf(peer);
  if (!cell.ok()) {
    shared_.directory.Leave(peer, self_);
    return cell.status();
  }
  peer_id_ = peer;
  up_ = std::make_unique<Up>(shared_.node, **cell,
                             shared_.options.max_message_bytes + kMaxHeadBytes);
  const size_t max_frame_bytes = static_cast<size_t>(
      std::min<uint64_t>(hello.max_frame_bytes, shared_.max_frame_bytes));
  max_frame_bytes_ = max_frame_bytes;
  // An item may follow others in a frame that is not sent yet.
  frame_bytes_ = std::min(shared_.options.frame_bytes, max_frame_bytes / 2);
  const uint64_t max_message_bytes =
      std::min(hello.max_message_bytes, shared_.options.max_message_bytes);
  if (max_message_bytes > frame_bytes_) {
    const size_t whole_bytes = max_frame_bytes - frame_bytes_;
    up_->data.outbound.SetLimits(frame_bytes_, whole_bytes, max_message_bytes);
    up_->bulk.outbound.SetLimits(kLongBytes, whole_bytes, max_message_bytes);
    up_->bulk_lane.SetLimits(frame_bytes_, max_message_bytes + kMaxHeadBytes);
  } else {
    // Nothing crosses in parts.
    const size_t item_bytes = max_frame_bytes - frame_bytes_;
    const uint64_t longest = hello.max_message_bytes == 0
                                 ? shared_.options.max_message_bytes
                                 : max_message_bytes;
    up_->data.outbound.SetLimits(
        item_bytes, item_bytes,
        std::min<uint64_t>(longest, item_bytes - kMaxHeadBytes));
  }
  up_->data.inbound.SetLimit(shared_.options.kept);
  up_->bulk.inbound.SetLimit(shared_.options.kept);
  up_->ports.SetLimit(shared_.options.kept);
  control_flow_.credit = CreditFrom(hello.control_credit);
  data_flow_.credit = CreditFrom(hello.data_credit);
  bulk_flow_.credit = CreditFrom(hello.bulk_credit);
  if (expected_.empty()) {
    connection_->Send(TransportLane::kControl, Frame(Hello()));
  }
  const uint64_t session_number = (*cell)->Open(shared_.options.outbox, self_);
  up_->calls_in.set_session_number(session_number);
  up_->ports.Open(session_number);
  up_->groups.Open(session_number);
  Listen(shared_.options.heartbeat, shared_.options.silence);
  shared_.directory.SetReceptionist(peer, (*cell)->RefTo(hello.receptionist));
  shared_.observer.OnUp(peer);
  for (FrameCame& frame : std::exchange(early_, {})) Handle(std::move(frame));
  return absl::OkStatus();
}

// -- the connection

void Session::Handle(FrameCame m) {
  if (ended_) return;
  // Whatever comes before the greeting is none.
  if (up_ != nullptr) detector_->Heard(Now());
  if (up_ == nullptr && m.lane != TransportLane::kControl) {
    // The one who accepted may speak before we know that he has.
    if (expected_.empty() || IsStranger()) {
      return End(absl::DataLossError("data came before a hello"));
    }
    early_.push_back(std::move(m));
    return;
  }
  absl::Status status = HandleFrame(m.lane, std::move(m.frame));
  if (!status.ok()) End(status);
}

void Session::Handle(CreditOverrun m) {
  if (ended_) return;
  static constexpr absl::string_view kLanes[kTransportLanes] = {"control",
                                                                "data", "bulk"};
  if (m.is_empty) {
    return End(absl::DataLossError(absl::StrCat(
        "an empty frame came as ", kLanes[static_cast<int>(m.lane)])));
  }
  End(absl::ResourceExhaustedError(
      absl::StrCat("'", up_ != nullptr ? peer_id_.name : connection_->peer(),
                   "' has sent more ", kLanes[static_cast<int>(m.lane)],
                   " than it was granted")));
}

absl::Status Session::HandleFrame(TransportLane lane, std::string frame) {
  if (lane == TransportLane::kBulk) {
    up_->unread.push_back({std::move(frame)});
    return HandleUnread();
  }
  Decoder in(frame);
  while (!in.AtEnd()) {
    const auto kind = static_cast<ItemKind>(in.ReadByte());
    if (kind == ItemKind::kFragment || kind == ItemKind::kAbandon) {
      return absl::DataLossError("a part that comes where none may be");
    }
    absl::Status status = HandleItem(lane, kind, in);
    if (!status.ok() || ended_) return status;
  }
  if (up_ == nullptr) return absl::OkStatus();
  up_->data.inbound.EndFrame();
  return EndFrame(lane, frame.size());
}

absl::Status Session::EndFrame(TransportLane lane, size_t frame_bytes) {
  Grant(lane, frame_bytes);
  return CheckWaiting();
}

absl::Status Session::CheckWaiting() const {
  // All that is kept may be answered at once, and as much may be refused.
  const uint64_t most =
      shared_.options.outbox.messages + 2 * shared_.options.kept;
  const uint64_t waiting = up_->peer.waiting();
  if (waiting <= most) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "'", peer_id_.name, "' does not take what it asks for: ", waiting,
      " messages and answers wait for it, and ", most, " may"));
}

Session::Flow& Session::FlowOf(TransportLane lane) {
  if (lane == TransportLane::kControl) return control_flow_;
  return lane == TransportLane::kData ? data_flow_ : bulk_flow_;
}

void Session::Grant(TransportLane lane, size_t frame_bytes) {
  Flow& flow = FlowOf(lane);
  flow.handled += frame_bytes;
  CreditItem credit;
  uint64_t* granted = &credit.control_bytes;
  uint64_t window = shared_.options.control_credit;
  bool is_awaited = false;
  if (lane == TransportLane::kData) {
    granted = &credit.bytes;
    window = shared_.options.data_credit;
    is_awaited = std::exchange(peer_awaits_credit_, false);
  } else if (lane == TransportLane::kBulk) {
    granted = &credit.bulk_bytes;
    window = shared_.options.bulk_credit;
    // Also when nothing more is to come: what is for the same actors may go in
    // the data lane then.
    is_awaited = up_->parts.empty();
  }
  if (flow.handled < window / 4 && !is_awaited) return;
  *granted = std::exchange(flow.handled, 0);
  arrival_credit_->Grant(lane, *granted);
  AppendItem(credit, up_->control_frame);
  SendFrame(TransportLane::kControl, up_->control_frame);
}

absl::Status Session::HandleCredit(Decoder& in) {
  const auto item = ReadItem<CreditItem>(in);
  if (!in.ok()) return in.status();
  for (const auto& [flow, bytes] :
       {std::pair(&data_flow_, item.bytes),
        std::pair(&bulk_flow_, item.bulk_bytes),
        std::pair(&control_flow_, item.control_bytes)}) {
    // More than can be under way is nothing that one of us says.
    if (bytes > kMaxCredit || flow->credit > int64_t{kMaxCredit}) {
      return absl::DataLossError(absl::StrCat("a credit of ", bytes, " bytes"));
    }
    flow->credit += static_cast<int64_t>(bytes);
  }
  up_->bulk_lane.OnDataHandled(item.bytes);
  if (item.bulk_bytes != 0) up_->bulk_lane.OnHandled(item.bulk_bytes);
  Flush();
  return absl::OkStatus();
}

absl::Status Session::HandleItem(TransportLane lane, ItemKind kind,
                                 Decoder& in) {
  switch (kind) {
    case ItemKind::kHello: {
      const auto hello = ReadItem<HelloItem>(in);
      if (!in.ok()) return in.status();
      if (up_ != nullptr) return absl::DataLossError("a second hello");
      return OnHello(hello);
    }
    case ItemKind::kChallenge: {
      const auto challenge = ReadItem<ChallengeItem>(in);
      return in.ok() ? OnChallenge(challenge) : in.status();
    }
    case ItemKind::kProof: {
      const auto proof = ReadItem<ProofItem>(in);
      return in.ok() ? OnProof(proof) : in.status();
    }
    case ItemKind::kRefusal: {
      const auto refusal = ReadItem<RefusalItem>(in);
      if (!in.ok()) return in.status();
      OnRefused(refusal.why);
      return absl::OkStatus();
    }
    case ItemKind::kGoodbye: {
      const auto goodbye = ReadItem<GoodbyeItem>(in);
      if (!in.ok()) return in.status();
      OnRefused(goodbye.why);
      return absl::OkStatus();
    }
    case ItemKind::kHeartbeat:
      (void)ReadItem<HeartbeatItem>(in);
      return in.status();
    default:
      break;
  }
  if (up_ == nullptr) return absl::DataLossError("no hello comes first");
  if (kind == ItemKind::kCredit) return HandleCredit(in);
  if (kind == ItemKind::kMark) {
    (void)ReadItem<MarkItem>(in);
    peer_awaits_credit_ = true;
    return in.status();
  }
  return ReaderOf(lane).inbound.Handle(kind, in);
}

void Session::Handle(FramesSent m) {
  if (m.lane == TransportLane::kControl) return;
  Flow& flow = FlowOf(m.lane);
  flow.under_way -= std::min(flow.under_way, m.bytes);
  if (up_ != nullptr && !ended_) Flush();
}

void Session::Handle(ConnectionClosed m) {
  OnRefused(m.why.ok() ? absl::UnavailableError("the connection was closed")
                       : m.why);
}

void Session::Listen(absl::Duration heartbeat, absl::Duration silence) {
  detector_.emplace(heartbeat, silence, Now());
  beat_ = Now();
  ticks_.Cancel();
  ticks_ = SendEvery<SessionTick>(detector_->step());
}

absl::Status Session::NothingHeard() const {
  if (up_ == nullptr) {
    return absl::DeadlineExceededError(
        absl::StrCat(connection_->peer(), " has not greeted within ",
                     absl::FormatDuration(shared_.options.greeting_timeout)));
  }
  return absl::DeadlineExceededError(
      absl::StrCat("nothing was heard of '", peer_id_.name, "' for ",
                   absl::FormatDuration(shared_.options.silence)));
}

void Session::Handle(SessionTick) {
  if (ended_) return;
  const MonotonicTime now = Now();
  if (detector_->Look(now)) return End(NothingHeard());
  if (up_ == nullptr) return;
  // With one look in so many, and at once when it goes on after a standstill.
  const absl::Duration due = shared_.options.heartbeat - detector_->step() / 2;
  if (now - beat_ < due) return;
  beat_ = now;
  AppendItem(HeartbeatItem{}, up_->control_frame);
  SendFrame(TransportLane::kControl, up_->control_frame);
  // Where the peer takes no more, it need not be told yet.
  if (data_flow_.credit <= 0) return;
  up_->data.outbound.AppendLate(now, up_->data.frame);
  SendFrame(TransportLane::kData, up_->data.frame);
}

SessionTables Session::Handle(CountTables) const {
  if (up_ == nullptr) return {};
  return {.calls_out = up_->calls_out.size(),
          .calls_in = up_->calls_in.size(),
          .watches = up_->watches.size(),
          .subscriptions = up_->ports.size(),
          .outbox = (up_->next != nullptr ? 1 : 0) + up_->bulk_lane.waiting()};
}

// -- to the peer

void Session::Handle(FarMailWaits) {
  if (up_ != nullptr && !ended_) Flush();
}

void Session::Flush() {
  FlushControl();
  bool is_done = FlushData();
  const bool had_streams = up_->bulk_lane.streams() != 0;
  if (!FlushBulk()) is_done = false;
  // Data may have waited for streams that came to nothing.
  if (had_streams && up_->bulk_lane.streams() == 0) is_done = false;
  if (!is_done) self().Send<FarMailWaits>();
}

void Session::FlushControl() {
  Encoder& frame = up_->control_frame;
  while (control_flow_.credit > static_cast<int64_t>(frame.size()) && !ended_) {
    EnvelopePtr wrapped = up_->peer.PopControl();
    if (wrapped == nullptr) break;
    up_->data.outbound.AppendControl(std::move(wrapped), frame);
    if (frame.size() >= frame_bytes_) {
      SendFrame(TransportLane::kControl, frame);
    }
  }
  SendFrame(TransportLane::kControl, frame);
}

bool Session::FlushData() {
  Encoder& frame = up_->data.frame;
  Outbound& outbound = up_->data.outbound;
  BulkLane& bulk = up_->bulk_lane;
  for (int frames = 0; data_flow_.IsOpen() && !ended_;) {
    // Only so many envelopes leave the outbox for the other lane.
    if (bulk.waiting() >= shared_.options.outbox.messages) break;
    if (up_->next == nullptr) {
      up_->popped = up_->peer.PopData(kPopAtOnce);
      up_->next = up_->popped.Pop();
    }
    if (up_->next == nullptr) break;
    // What is for many is in order with all that is for each of them.
    if (bulk.streams() != 0 && Outbound::IsForMany(*up_->next)) break;
    EnvelopePtr wrapped = std::exchange(up_->next, up_->popped.Pop());
    const bool is_bulk =
        bulk.streams() != 0 && bulk.IsBusy(outbound.ReceiverOf(*wrapped));
    if (is_bulk || !outbound.AppendData(wrapped, frame, frame)) {
      AddToBulk(std::move(wrapped));
    }
    if (frame.size() < frame_bytes_) continue;
    SendFrame(TransportLane::kData, frame);
    if (++frames == kMaxFramesAtOnce) return false;
  }
  SendFrame(TransportLane::kData, frame);
  return true;
}

void Session::SendFrame(TransportLane lane, Encoder& frame) {
  const bool is_data = lane == TransportLane::kData;
  const bool waits = lane != TransportLane::kControl;
  Flow& flow = FlowOf(lane);
  absl::string_view left = frame.bytes();
  while (!left.empty() && !ended_ && (!waits || flow.credit > 0)) {
    const size_t bytes = BytesOfItems(left, max_frame_bytes_);
    if (bytes == 0) {
      End(absl::ResourceExhaustedError(
          absl::StrCat("a frame of ", left.size(), " bytes would be sent to '",
                       up_ != nullptr ? peer_id_.name : connection_->peer(),
                       "', which takes ", max_frame_bytes_)));
      break;
    }
    flow.credit -= static_cast<int64_t>(bytes);
    flow.under_way += bytes;
    flow.sent += bytes;
    if (is_data) up_->data.outbound.EndFrame();
    connection_->Send(lane, std::string(left.substr(0, bytes)));
    left.remove_prefix(bytes);
  }
  const std::string rest(ended_ ? absl::string_view() : left);
  frame.Clear();
  frame.WriteRaw(rest.data(), rest.size());
}

}  // namespace troupe::internal
