#include "troupe/cluster/internal/bulk_lane.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/cluster/internal/items.h"

namespace troupe::internal {
namespace {

bool IsCallOf(Envelope& message, const ReplyRoute& route) {
  return IsRequest(message) && InfoOf(message).route.IsSame(route);
}

}  // namespace

void BulkLane::Item::Append(size_t from, size_t size, Encoder& out) const {
  const size_t of_begin =
      from < begin.size() ? std::min(size, begin.size() - from) : 0;
  out.WriteRaw(begin.data() + from, of_begin);
  if (of_begin == size) return;
  const size_t of_rest = from + of_begin - begin.size();
  out.WriteRaw(rest->payload().bytes().data() + of_rest, size - of_begin);
}

void BulkLane::Add(uint64_t receiver, EnvelopePtr wrapped,
                   uint64_t data_before) {
  const auto [found, is_new] = streams_.try_emplace(receiver);
  Stream& stream = found->second;
  if (is_new) stream.data_before = data_before;
  const auto& outgoing = wrapped->As<Outgoing>();
  if (const auto* const cancel = outgoing.envelope->TryAs<CancelRequest>()) {
    if (GiveUp(stream, receiver, cancel->route)) {
      // What keeps the place of a plain thread's answer is to be let go.
      if (cancel->route.IsSink()) {
        SendReply(cancel->route,
                  MakeFailure(absl::CancelledError("the call was given up")));
      }
      return;
    }
  }
  stream.waiting.push_back(std::move(wrapped));
  ++waiting_;
  GiveTurn(stream, receiver);
}

bool BulkLane::GiveUp(Stream& stream, uint64_t receiver,
                      const ReplyRoute& route) {
  if (stream.is_writing && !is_given_up_ &&
      IsCallOf(*writing_->wrapped->As<Outgoing>().envelope, route)) {
    is_given_up_ = true;
    return true;
  }
  for (auto it = stream.waiting.begin(); it != stream.waiting.end(); ++it) {
    if (!IsCallOf(*(*it)->As<Outgoing>().envelope, route)) continue;
    const EnvelopePtr wrapped = std::move(*it);
    stream.waiting.erase(it);
    --waiting_;
    outbound_.GiveUp(receiver, *wrapped->As<Outgoing>().envelope);
    return true;
  }
  if (stream.call == 0 || calls_out_.Find(route) != stream.call) return false;
  (void)calls_out_.Take(stream.call);
  if (stream.number != 0) {
    // The peer has a part of it.
    Encoder abandon;
    AppendItem(AbandonItem{stream.number}, abandon);
    first_.append(abandon.bytes().data(), abandon.size());
    --begun_;
    begun_bytes_ -= stream.item.size();
  }
  if (first_to_begin_ == receiver) first_to_begin_ = 0;
  EndItem(stream);
  GiveTurn(stream, receiver);
  return true;
}

void BulkLane::GiveTurn(Stream& stream, uint64_t receiver) {
  if (std::exchange(stream.has_turn, true)) return;
  turns_.push_back(receiver);
}

bool BulkLane::WriteNext(Encoder& frame) {
  if (!first_.empty()) {
    frame.WriteRaw(first_.data(), first_.size());
    first_.clear();
  }
  const size_t begun = frame.size();
  for (size_t tries = turns_.size(); tries != 0 && frame.size() == begun;
       --tries) {
    const uint64_t receiver = turns_.front();
    turns_.pop_front();
    Stream& stream = streams_[receiver];
    stream.has_turn = false;
    if (WriteSome(stream, receiver, frame)) {
      stream.written_up_to = sent_bytes_ + frame.size();
    }
    if (!stream.IsIdle()) {
      GiveTurn(stream, receiver);
    } else if (stream.written_up_to <= handled_bytes_) {
      // All of it was given up, or came to nothing: no credit would tell.
      streams_.erase(receiver);
    }
  }
  return frame.size() != 0;
}

bool BulkLane::WriteSome(Stream& stream, uint64_t receiver, Encoder& frame) {
  if (stream.data_before > handled_data_bytes_) return false;
  const size_t begun = frame.size();
  while (frame.size() < part_bytes_) {
    if (stream.item.empty()) {
      if (stream.waiting.empty() || writing_ != nullptr) break;
      EncodeNext(stream, receiver, frame);
      continue;
    }
    if (stream.number == 0) {
      // It alone fits always; one that does not is not overtaken for ever.
      const bool is_next = first_to_begin_ == 0 || first_to_begin_ == receiver;
      if (!is_next || begun_ == kMaxUnderWayInParts ||
          begun_bytes_ + stream.item.size() > max_bytes_) {
        if (first_to_begin_ == 0) first_to_begin_ = receiver;
        break;
      }
      first_to_begin_ = 0;
      stream.number = ++last_number_;
      ++begun_;
      begun_bytes_ += stream.item.size();
    }
    WritePart(stream, frame);
  }
  return frame.size() != begun;
}

void BulkLane::EncodeNext(Stream& stream, uint64_t receiver, Encoder& frame) {
  EnvelopePtr wrapped = std::move(stream.waiting.front());
  stream.waiting.pop_front();
  scratch_.Clear();
  if (!outbound_.AppendData(wrapped, frame, scratch_)) {
    writing_ = outbound_.BeginLong(std::move(wrapped));
    writing_for_ = receiver;
    is_taken_ = false;
    is_given_up_ = false;
    stream.is_writing = true;
    return;
  }
  --waiting_;
  if (scratch_.size() <= part_bytes_) {
    frame.WriteRaw(scratch_.bytes().data(), scratch_.size());
    return;
  }
  stream.item.begin.assign(scratch_.bytes().data(), scratch_.size());
  stream.sent = 0;
  stream.number = 0;
  stream.call = outbound_.last_call();
  scratch_.Clear();
}

std::shared_ptr<LongWrite> BulkLane::TakeWork() {
  if (writing_ == nullptr || std::exchange(is_taken_, true)) return nullptr;
  return writing_;
}

void BulkLane::OnWritten() {
  Stream& stream = streams_[writing_for_];
  const std::shared_ptr<LongWrite> written = std::move(writing_);
  stream.is_writing = false;
  --waiting_;
  scratch_.Clear();
  Encoder definitions;
  if (is_given_up_) {
    outbound_.GiveUp(writing_for_, *written->wrapped->As<Outgoing>().envelope);
  } else {
    const bool has_payload = outbound_.EndLong(*written, definitions, scratch_);
    stream.item = {std::string(scratch_.bytes()),
                   has_payload ? written : nullptr};
    stream.sent = 0;
    stream.number = 0;
    stream.call = outbound_.last_call();
  }
  first_.append(definitions.bytes().data(), definitions.size());
  offloader_.Free(std::move(written->wrapped));
  GiveTurn(stream, writing_for_);
}

void BulkLane::WritePart(Stream& stream, Encoder& frame) {
  const size_t size =
      std::min(part_bytes_ - frame.size(), stream.item.size() - stream.sent);
  const size_t from = stream.sent;
  stream.sent += size;
  frame.WriteByte(static_cast<uint8_t>(ItemKind::kFragment));
  frame.WriteSized([&](Encoder& fields) {
    Codec<FragmentHead>::Encode(
        {stream.number, stream.item.size() - stream.sent}, fields);
    stream.item.Append(from, size, fields);
  });
  if (stream.sent != stream.item.size()) return;
  --begun_;
  begun_bytes_ -= stream.item.size();
  EndItem(stream);
}

void BulkLane::EndItem(Stream& stream) {
  if (stream.item.rest != nullptr) offloader_.Free(std::move(stream.item.rest));
  stream.item = Item();
  stream.call = 0;
}

void BulkLane::OnHandled(uint64_t bytes) {
  handled_bytes_ += bytes;
  for (auto it = streams_.begin(); it != streams_.end();) {
    const Stream& stream = it->second;
    const bool is_over =
        stream.IsIdle() && stream.written_up_to <= handled_bytes_;
    // Whoever is over has no turn left.
    it = is_over && !stream.has_turn ? streams_.erase(it) : std::next(it);
  }
}

void BulkLane::FailAll() {
  // A session that is killed leaves it to who writes it.
  if (writing_ != nullptr && !writing_->is_under_way) writing_->Fail();
  for (auto& [receiver, stream] : streams_) {
    for (const EnvelopePtr& wrapped : stream.waiting) {
      auto& outgoing = wrapped->As<Outgoing>();
      peer_.Fail(outgoing.id_there, std::move(outgoing.envelope));
    }
  }
  writing_ = nullptr;
  streams_.clear();
  turns_.clear();
  waiting_ = 0;
}

}  // namespace troupe::internal
