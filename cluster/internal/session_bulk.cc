// A session's bulk lane: what comes in it, what goes, and the long messages
// that are read and written elsewhere meanwhile.
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/long_message.h"
#include "troupe/cluster/internal/offloader.h"
#include "troupe/cluster/internal/pieces.h"
#include "troupe/cluster/internal/session.h"

namespace troupe::internal {

// -- what comes

absl::Status Session::HandleUnread() {
  while (!up_->unread.empty() && !up_->is_reading) {
    Unread& now = up_->unread.front();
    absl::Status status =
        now.handled < now.bytes.size() ? HandleSome(now) : EndUnread();
    if (!status.ok() || ended_) return status;
  }
  return absl::OkStatus();
}

absl::Status Session::HandleSome(Unread& now) {
  Decoder in(absl::string_view(now.bytes).substr(now.handled));
  // Until something else has to be handled first.
  while (!in.AtEnd() && !up_->is_reading && &now == &up_->unread.front()) {
    if (now.is_whole) {
      auto work = up_->bulk.inbound.LookAhead(
          absl::string_view(now.bytes).substr(now.handled));
      if (work != nullptr) {
        work->bytes = std::move(now.bytes);
        BeginRead(std::move(work));
        break;
      }
    }
    const auto kind = static_cast<ItemKind>(in.ReadByte());
    absl::Status status = HandleBulkItem(now.is_whole, kind, in);
    if (!status.ok() || ended_) return status;
    now.handled = now.bytes.size() - in.left();
  }
  return absl::OkStatus();
}

absl::Status Session::EndUnread() {
  Unread now = std::move(up_->unread.front());
  up_->unread.pop_front();
  up_->bulk.inbound.EndFrame();
  if (!now.is_whole) return EndFrame(TransportLane::kBulk, now.bytes.size());
  if (now.bytes.size() > kLongBytes) {
    shared_.node.offloader().Free(std::move(now.bytes));
  }
  return absl::OkStatus();
}

absl::Status Session::HandleBulkItem(bool is_whole, ItemKind kind,
                                     Decoder& in) {
  if (kind != ItemKind::kFragment && kind != ItemKind::kAbandon) {
    return HandleItem(TransportLane::kBulk, kind, in);
  }
  if (is_whole) {
    return absl::DataLossError("a part that comes where none may be");
  }
  if (kind == ItemKind::kFragment) return HandlePart(in);
  up_->parts.Abandon(ReadItem<AbandonItem>(in).number);
  return in.status();
}

absl::Status Session::HandlePart(Decoder& in) {
  absl::StatusOr<std::optional<Pieces>> whole = std::nullopt;
  in.ReadSized([&](Decoder& fields) {
    const auto head = ReadItem<FragmentHead>(fields);
    const absl::string_view part = fields.ReadRest();
    if (fields.ok()) whole = up_->parts.Add(head.number, head.left, part);
  });
  if (!in.ok()) return in.status();
  if (!whole.ok() || !whole->has_value()) return whole.status();
  if ((*whole)->size() > kLongBytes) {
    up_->unread.push_front({.bytes = {}, .is_whole = true});
    BeginRead(std::make_shared<LongRead>(**std::move(whole)));
  } else {
    up_->unread.push_front(
        {.bytes = (**std::move(whole)).Join(), .is_whole = true});
  }
  return absl::OkStatus();
}

void Session::BeginRead(std::shared_ptr<LongRead> work) {
  up_->is_reading = true;
  // Who ends takes nothing more, and has no need of it.
  (void)self().TrySend(ReadLong{std::move(work)});
}

Task<void> Session::Handle(ReadLong m) {
  if (ended_) co_return;
  auto [completer, done] = MakeCompletion<void>();
  shared_.node.offloader().Run(
      [work = m.work, completer = std::move(completer)]() mutable {
        work->Run();
        (void)completer.Complete();
      });
  absl::Status status = co_await std::move(done);
  if (ended_) co_return;
  if (!status.ok()) co_return End(status);
  up_->is_reading = false;
  up_->unread.front().bytes = std::move(m.work->bytes);
  status = m.work->status();
  if (m.work->is_message()) up_->bulk.inbound.OnRead(std::move(m.work));
  if (status.ok()) status = HandleUnread();
  if (!status.ok()) End(status);
}

// -- what goes

void Session::AddToBulk(EnvelopePtr wrapped) {
  const uint64_t receiver = up_->data.outbound.ReceiverOf(*wrapped);
  Encoder& frame = up_->data.frame;
  if (receiver != 0 && !up_->bulk_lane.IsBusy(receiver)) {
    AppendItem(MarkItem{}, frame);
  }
  up_->bulk_lane.Add(receiver, std::move(wrapped),
                     receiver != 0 ? data_flow_.sent + frame.size() : 0);
}

bool Session::FlushBulk() {
  Encoder& frame = up_->bulk.frame;
  for (int frames = 0; bulk_flow_.IsOpen() && !ended_;) {
    const bool has_more = up_->bulk_lane.WriteNext(frame);
    BeginWrite();
    if (!has_more) return true;
    const size_t size = frame.size();
    SendFrame(TransportLane::kBulk, frame);
    up_->bulk_lane.OnSent(size - frame.size());
    if (++frames == kMaxFramesAtOnce) return false;
  }
  return true;
}

void Session::BeginWrite() {
  std::shared_ptr<LongWrite> work = up_->bulk_lane.TakeWork();
  if (work != nullptr) (void)self().TrySend(WriteLong{std::move(work)});
}

Task<void> Session::Handle(WriteLong m) {
  if (ended_) co_return;
  m.work->is_under_way = true;
  auto [completer, done] = MakeCompletion<void>();
  shared_.node.offloader().Run(
      [work = m.work, completer = std::move(completer)]() mutable {
        work->Run();
        if (!completer.Complete()) work->Fail();  // Killed.
      });
  const absl::Status status = co_await std::move(done);
  if (!status.ok()) co_return End(status);
  m.work->is_under_way = false;
  if (ended_) co_return;  // It fails with all else.
  up_->bulk_lane.OnWritten();
  Flush();
}

}  // namespace troupe::internal
