#include "troupe/cluster/internal/session.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/cluster/codec/decoder.h"

namespace troupe::internal {
namespace {

// What this code speaks.
constexpr uint32_t kMinProtocol = 1;
constexpr uint32_t kMaxProtocol = 1;

std::string Frame(const auto& item) {
  Encoder frame;
  AppendItem(item, frame);
  return std::string(frame.bytes());
}

}  // namespace

Session::Session(Shared& shared, std::string expected, Connect connect)
    : shared_(shared),
      expected_(std::move(expected)),
      connect_(std::move(connect)) {}

Session::Session(Shared& shared, std::unique_ptr<Connection> connection)
    : shared_(shared), connection_(std::move(connection)) {}

absl::Status Session::PreStart() {
  self_ = self();
  if (connect_ == nullptr) return absl::OkStatus();
  if (!shared_.directory.BeginDial(expected_, self_)) {
    return absl::AlreadyExistsError(absl::StrCat(
        "there is a session with '", expected_, "', or it is being dialled"));
  }
  absl::StatusOr<std::unique_ptr<Connection>> connection =
      connect_(std::make_shared<SessionPort>(self()));
  if (connection.ok()) connection_ = *std::move(connection);
  return connection.status();
}

void Session::PostStart() {
  heard_ = Now();
  SendAfter<GreetingIsLate>(shared_.options.greeting_timeout);
  if (expected_.empty()) return;  // The other end begins.
  number_ = system().core()->RandomNumber() | 1;
  connection_->Send(TransportLane::kControl, Frame(Hello()));
}

Session::~Session() {
  if (connection_ != nullptr) connection_->Close(why_);
  if (!expected_.empty()) shared_.directory.EndDial(expected_, self_);
  if (up_ == nullptr) return;
  if (why_.ok()) why_ = absl::UnavailableError("the session was stopped");
  // First nobody sends any more, and what was sent and not written fails; then
  // all that waits for the peer.
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

void Session::End(const absl::Status& why) {
  if (ended_) return;
  connection_->Send(TransportLane::kControl, up_ != nullptr
                                                 ? Frame(GoodbyeItem{why})
                                                 : Frame(RefusalItem{why}));
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
      .receptionist = shared_.receptionist.id().value()};
}

absl::Status Session::OnHello(const HelloItem& hello) {
  if (absl::Status status = CheckNodeName(hello.name); !status.ok()) {
    return status;
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
  const bool dialled = !expected_.empty();
  if (dialled && hello.name != expected_) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", expected_, "' was dialled, and '", hello.name,
                     "' answers at ", connection_->peer()));
  }
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

absl::Status Session::GoUp(const NodeId& peer, const HelloItem& hello) {
  absl::StatusOr<FarCell*> cell = shared_.node.CellOf(peer);
  if (!cell.ok()) {
    shared_.directory.Leave(peer, self_);
    return cell.status();
  }
  peer_id_ = peer;
  up_ = std::make_unique<Up>(shared_.node, **cell);
  const size_t max_frame_bytes = static_cast<size_t>(
      std::min<uint64_t>(hello.max_frame_bytes, shared_.max_frame_bytes));
  // An item may follow others in a frame that is not sent yet.
  frame_bytes_ = std::min(shared_.options.frame_bytes, max_frame_bytes / 2);
  up_->outbound.set_max_item_bytes(max_frame_bytes - frame_bytes_);
  credit_ = static_cast<int64_t>(std::min<uint64_t>(
      hello.data_credit, std::numeric_limits<int64_t>::max() / 2));
  if (expected_.empty()) {
    connection_->Send(TransportLane::kControl, Frame(Hello()));
  }
  const uint64_t session_number = (*cell)->Open(shared_.options.outbox, self_);
  up_->calls_in.set_session_number(session_number);
  up_->ports.Open(session_number);
  up_->groups.Open(session_number);
  ticked_ = Now();
  SendEvery<SessionTick>(shared_.options.heartbeat);
  shared_.directory.SetReceptionist(peer, (*cell)->RefTo(hello.receptionist));
  shared_.observer.OnUp(peer);
  for (std::string& frame : std::exchange(early_, {})) {
    Handle(FrameCame{TransportLane::kData, std::move(frame)});
  }
  return absl::OkStatus();
}

void Session::Handle(GreetingIsLate) {
  if (up_ != nullptr) return;
  End(absl::DeadlineExceededError(
      absl::StrCat(connection_->peer(), " has not greeted within ",
                   absl::FormatDuration(shared_.options.greeting_timeout))));
}

// -- the connection

void Session::Handle(FrameCame m) {
  if (ended_) return;
  heard_ = Now();
  if (up_ == nullptr && m.lane != TransportLane::kControl) {
    // The one who accepted may speak before we know that he has.
    early_bytes_ += m.frame.size();
    if (expected_.empty() || early_bytes_ > shared_.options.data_credit) {
      return End(absl::DataLossError("data came before a hello"));
    }
    early_.push_back(std::move(m.frame));
    return;
  }
  absl::Status status = HandleFrame(m.lane, m.frame);
  if (!status.ok()) End(status);
}

absl::Status Session::HandleFrame(TransportLane lane,
                                  const std::string& frame) {
  Decoder in(frame);
  while (!in.AtEnd()) {
    const auto kind = static_cast<ItemKind>(in.ReadByte());
    absl::Status status = HandleItem(kind, in);
    if (!status.ok() || ended_) return status;
  }
  if (lane == TransportLane::kData) {
    handled_ += frame.size();
    if (handled_ >= shared_.options.data_credit / 4) {
      AppendItem(CreditItem{std::exchange(handled_, 0)}, up_->control_frame);
      SendFrame(TransportLane::kControl, up_->control_frame);
    }
  }
  return absl::OkStatus();
}

absl::Status Session::HandleItem(ItemKind kind, Decoder& in) {
  switch (kind) {
    case ItemKind::kHello: {
      const auto hello = ReadItem<HelloItem>(in);
      if (!in.ok()) return in.status();
      if (up_ != nullptr) return absl::DataLossError("a second hello");
      return OnHello(hello);
    }
    case ItemKind::kRefusal: {
      const auto refusal = ReadItem<RefusalItem>(in);
      if (!in.ok()) return in.status();
      EndSilently(refusal.why);
      return absl::OkStatus();
    }
    case ItemKind::kGoodbye: {
      const auto goodbye = ReadItem<GoodbyeItem>(in);
      if (!in.ok()) return in.status();
      EndSilently(goodbye.why);
      return absl::OkStatus();
    }
    case ItemKind::kHeartbeat:
      (void)ReadItem<HeartbeatItem>(in);
      return in.status();
    default:
      break;
  }
  if (up_ == nullptr) return absl::DataLossError("no hello comes first");
  if (kind != ItemKind::kCredit) return up_->inbound.Handle(kind, in);
  const auto credit = ReadItem<CreditItem>(in);
  if (!in.ok()) return in.status();
  // More than can be under way is nothing that one of us says.
  if (credit.bytes > uint64_t{1} << 40 || credit_ > int64_t{1} << 40) {
    return absl::DataLossError(
        absl::StrCat("a credit of ", credit.bytes, " bytes"));
  }
  credit_ += static_cast<int64_t>(credit.bytes);
  Flush();
  return absl::OkStatus();
}

void Session::Handle(FramesSent m) {
  if (m.lane != TransportLane::kData) return;
  under_way_ -= std::min(under_way_, m.bytes);
  if (up_ != nullptr && !ended_) Flush();
}

void Session::Handle(ConnectionClosed m) {
  EndSilently(m.why.ok() ? absl::UnavailableError("the connection was closed")
                         : m.why);
}

void Session::Handle(SessionTick) {
  if (ended_) return;
  const MonotonicTime now = Now();
  // Who was late himself has not listened for so long: that does not count. And
  // if it was more than a heartbeat, the other gets another window.
  const absl::Duration late = now - ticked_ - shared_.options.heartbeat;
  ticked_ = now;
  if (late > shared_.options.heartbeat) {
    heard_ = now;
  } else if (late > absl::ZeroDuration()) {
    heard_ = std::min(now, heard_ + late);
  }
  if (now - heard_ > shared_.options.silence) {
    return End(absl::DeadlineExceededError(
        absl::StrCat("nothing was heard of '", peer_id_.name, "' for ",
                     absl::FormatDuration(shared_.options.silence))));
  }
  AppendItem(HeartbeatItem{}, up_->control_frame);
  SendFrame(TransportLane::kControl, up_->control_frame);
  up_->outbound.AppendLate(now, up_->data_frame);
  SendFrame(TransportLane::kData, up_->data_frame);
}

SessionTables Session::Handle(CountTables) const {
  if (up_ == nullptr) return {};
  return {.calls_out = up_->calls_out.size(),
          .calls_in = up_->calls_in.size(),
          .watches = up_->watches.size()};
}

// -- to the peer

void Session::Handle(FarMailWaits) {
  if (up_ != nullptr && !ended_) Flush();
}

void Session::Flush() {
  FlushControl();
  FlushData();
}

void Session::FlushControl() {
  while (EnvelopePtr wrapped = up_->peer.PopControl()) {
    up_->outbound.AppendControl(std::move(wrapped), up_->control_frame);
    if (up_->control_frame.size() >= frame_bytes_) {
      SendFrame(TransportLane::kControl, up_->control_frame);
    }
  }
  SendFrame(TransportLane::kControl, up_->control_frame);
}

void Session::FlushData() {
  Encoder& frame = up_->data_frame;
  for (int frames = 0; credit_ > 0 && under_way_ < kMaxUnderWay;) {
    if (up_->popped.empty()) up_->popped = up_->peer.PopData(kPopAtOnce);
    EnvelopePtr wrapped = up_->popped.Pop();
    if (wrapped == nullptr) break;
    up_->outbound.AppendData(std::move(wrapped), frame);
    if (frame.size() < frame_bytes_) continue;
    SendFrame(TransportLane::kData, frame);
    if (++frames == kMaxFramesAtOnce) {
      self().Send<FarMailWaits>();
      return;
    }
  }
  SendFrame(TransportLane::kData, frame);
}

void Session::SendFrame(TransportLane lane, Encoder& frame) {
  if (frame.size() == 0) return;
  if (lane == TransportLane::kData) {
    credit_ -= static_cast<int64_t>(frame.size());
    under_way_ += frame.size();
  }
  connection_->Send(lane, std::string(frame.bytes()));
  frame.Clear();
}

}  // namespace troupe::internal
