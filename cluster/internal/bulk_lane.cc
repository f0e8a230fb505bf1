#include "troupe/cluster/internal/bulk_lane.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/cluster/internal/items.h"

namespace troupe::internal {

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
  for (auto it = stream.waiting.begin(); it != stream.waiting.end(); ++it) {
    Envelope& message = *(*it)->As<Outgoing>().envelope;
    if (!IsRequest(message) || !InfoOf(message).route.IsSame(route)) continue;
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
    abandoned_.append(abandon.bytes().data(), abandon.size());
    begun_bytes_ -= stream.item.size();
  }
  if (first_to_begin_ == receiver) first_to_begin_ = 0;
  stream.item = std::string();
  stream.call = 0;
  GiveTurn(stream, receiver);
  return true;
}

void BulkLane::GiveTurn(Stream& stream, uint64_t receiver) {
  if (std::exchange(stream.has_turn, true)) return;
  turns_.push_back(receiver);
}

bool BulkLane::WriteNext(Encoder& frame) {
  if (!abandoned_.empty()) {
    frame.WriteRaw(abandoned_.data(), abandoned_.size());
    abandoned_.clear();
  }
  for (size_t tries = turns_.size(); tries != 0 && frame.size() == 0; --tries) {
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
  while (frame.size() < part_bytes_) {
    if (stream.item.empty()) {
      if (stream.waiting.empty()) break;
      EncodeNext(stream, frame);
      continue;
    }
    if (stream.number == 0) {
      // It alone fits always; one that does not is not overtaken for ever.
      const bool is_next = first_to_begin_ == 0 || first_to_begin_ == receiver;
      if (!is_next || begun_bytes_ + stream.item.size() > max_bytes_) {
        if (first_to_begin_ == 0) first_to_begin_ = receiver;
        break;
      }
      first_to_begin_ = 0;
      stream.number = ++last_number_;
      begun_bytes_ += stream.item.size();
    }
    WritePart(stream, frame);
  }
  return frame.size() != 0;
}

void BulkLane::EncodeNext(Stream& stream, Encoder& frame) {
  EnvelopePtr wrapped = std::move(stream.waiting.front());
  stream.waiting.pop_front();
  --waiting_;
  scratch_.Clear();
  stream.call = 0;
  (void)outbound_.AppendData(wrapped, frame, scratch_);  // None is too long.
  if (scratch_.size() <= part_bytes_) {
    frame.WriteRaw(scratch_.bytes().data(), scratch_.size());
    return;
  }
  stream.item.assign(scratch_.bytes().data(), scratch_.size());
  stream.sent = 0;
  stream.number = 0;
  stream.call = outbound_.last_call();
  scratch_.Clear();
}

void BulkLane::WritePart(Stream& stream, Encoder& frame) {
  const size_t size =
      std::min(part_bytes_ - frame.size(), stream.item.size() - stream.sent);
  const absl::string_view part =
      absl::string_view(stream.item).substr(stream.sent, size);
  stream.sent += size;
  AppendItem(FragmentHead{stream.number, stream.item.size() - stream.sent},
             part, frame);
  if (stream.sent != stream.item.size()) return;
  begun_bytes_ -= stream.item.size();
  stream.item = std::string();
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
  for (auto& [receiver, stream] : streams_) {
    for (const EnvelopePtr& wrapped : stream.waiting) {
      auto& outgoing = wrapped->As<Outgoing>();
      peer_.Fail(outgoing.id_there, std::move(outgoing.envelope));
    }
  }
  streams_.clear();
  turns_.clear();
  waiting_ = 0;
}

}  // namespace troupe::internal
