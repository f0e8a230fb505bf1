// Writes what actors here want of the peer's as items of frames.
//
// Thread safety: belongs to the session. Outside the seat.
#ifndef TROUPE_CLUSTER_INTERNAL_OUTBOUND_H_
#define TROUPE_CLUSTER_INTERNAL_OUTBOUND_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/base/clock.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/call_book.h"
#include "troupe/cluster/internal/group_exchange.h"
#include "troupe/cluster/internal/long_message.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/port_exchange.h"
#include "troupe/cluster/internal/watch_book.h"
#include "troupe/cluster/internal/wire_refs.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/message_type.h"

namespace troupe::internal {

class Outbound {
 public:
  Outbound(NodeCore& node, FarCell& peer, std::shared_ptr<WireRefs> refs,
           CallsOut& calls_out, CallsIn& calls_in, WatchBook& watches,
           GroupExchange& groups, PortExchange& ports)
      : node_(node),
        peer_(peer),
        refs_(std::move(refs)),
        definitions_(refs_->definitions()),
        calls_out_(calls_out),
        calls_in_(calls_in),
        watches_(watches),
        groups_(groups),
        ports_(ports),
        payload_(refs_.get()) {}

  // Items that are longer than `item_bytes` are not written, and no more of
  // them than that shows; those of groups and ports may have `frame_bytes`, or
  // cannot cross, whichever lane they go in. Messages that are longer than
  // `message_bytes` cannot cross.
  void SetLimits(size_t item_bytes, size_t frame_bytes,
                 uint64_t message_bytes) {
    item_bytes_ = item_bytes;
    frame_bytes_ = frame_bytes;
    message_bytes_ = message_bytes;
    // What is longer goes elsewhere, or its length is to be told.
    written_bytes_ = message_bytes > item_bytes
                         ? item_bytes
                         : std::numeric_limits<size_t>::max();
  }

  // Appends what `wrapped`, an Outgoing of the control queue, asks for.
  void AppendControl(EnvelopePtr wrapped, Encoder& frame);
  // The same for the data queue, in order. What it introduces is appended to
  // `definitions`, which may be the frame and is to be sent first. False: it is
  // longer than items may be, and is still the caller's.
  [[nodiscard]] bool AppendData(EnvelopePtr& wrapped, Encoder& definitions,
                                Encoder& frame);
  // For one that was too long: what has to be done elsewhere, and meanwhile
  // AppendData() is not called.
  std::shared_ptr<LongWrite> BeginLong(EnvelopePtr wrapped);
  // That has been done. Appends what it introduces to `definitions`, which is
  // sent first, and to `item` what is to be sent of it. True: the payload
  // follows. False: it came to nothing, or to what says so.
  [[nodiscard]] bool EndLong(LongWrite& written, Encoder& definitions,
                             Encoder& item);
  // The frame with what was written of the data queue is sent.
  void EndFrame() { last_published_.reset(); }
  // The number of the call that was written last; 0: that was no call.
  uint64_t last_call() const { return last_call_; }

  // The actor there whose messages it has to be in order with; 0: nobody's.
  uint64_t ReceiverOf(const Envelope& wrapped) const;
  // Whether it is for actors there that are not known here.
  static bool IsForMany(const Envelope& wrapped);
  // A request whose caller has given up before it was written.
  void GiveUp(uint64_t to, Envelope& request);
  // The peer is to work no more on calls for which nobody waits since `now`.
  void AppendLate(MonotonicTime now, Encoder& frame);

 private:
  // What became of a payload.
  enum class Written : uint8_t { kYes, kTooLong, kFailed };
  // A type of message as it crosses in this session.
  struct KnownType {
    const WireType* type = nullptr;
    uint64_t number = 0;
  };

  bool AppendMessage(uint64_t to, EnvelopePtr& message, Encoder& definitions,
                     Encoder& frame);
  void AppendPublished(uint64_t to, EnvelopePtr message, Encoder& definitions,
                       Encoder& frame);
  void AppendGroupLetter(EnvelopePtr letter, Encoder& frame);
  void AppendNoMore(const AwaitEndNoMore& over, Encoder& frame);
  void AppendRefusal(const LinkRefused& refusal, Encoder& frame);
  bool AppendAnswer(AnswerReady& answer, Encoder& definitions, Encoder& frame);
  // The message has been written: it is a call that has begun, or none. Calls
  // `append` with the head of its item.
  template <typename F>
  void AppendWritten(uint64_t to, Envelope& message, const KnownType& type,
                     F&& append);
  // The same for an answer that has not been written.
  void AppendNoAnswer(uint64_t number, const absl::Status& why, Encoder& frame);
  // Writes a payload of at most so many bytes by `write`, code of users.
  template <typename F>
  absl::Status Write(F&& write, size_t most);
  // Writes a payload by `write`. kFailed: `why` says it.
  template <typename F>
  [[nodiscard]] Written WritePayload(F&& write, absl::Status& why);
  // The same for what has to be in a frame: false: it failed.
  template <typename F>
  [[nodiscard]] bool WriteWhole(F&& write, absl::Status& why);
  // Appends what has been introduced meanwhile.
  void AppendDefinitions(Encoder& frame);
  // Whether what introduces the type fits in a frame.
  absl::Status CheckIntroduction(const WireType& type) const;
  // Null: the node does not know it, or it cannot be introduced. Introduces it
  // the first time.
  const KnownType* KnownTypeOf(const MessageType* type);
  // Introduces it the first time. REQUIRES: it can be.
  uint64_t NumberOf(const WireType& type);
  // The message cannot cross.
  void Refuse(uint64_t to, EnvelopePtr message, const absl::Status& why);

  NodeCore& node_;
  FarCell& peer_;
  const std::shared_ptr<WireRefs> refs_;
  Encoder& definitions_;  // Of what `refs_` and this introduce.
  CallsOut& calls_out_;
  CallsIn& calls_in_;
  WatchBook& watches_;
  GroupExchange& groups_;
  PortExchange& ports_;
  size_t item_bytes_ = 0;
  size_t written_bytes_ = 0;  // Of a message, before it is given up.
  size_t frame_bytes_ = 0;
  uint64_t message_bytes_ = 0;
  uint64_t last_call_ = 0;
  Encoder payload_;
  // The message of a port that was written last, if it is in the same frame: of
  // those that are for several subscribers there, one copy crosses.
  EnvelopePtr last_published_;
  absl::flat_hash_map<const WireType*, uint64_t> type_numbers_;
  // What has been asked for, by the types of envelopes: so that it costs
  // neither a lock nor, mostly, a search.
  absl::flat_hash_map<const MessageType*, KnownType> known_types_;
  const MessageType* last_asked_ = nullptr;
  KnownType last_known_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_OUTBOUND_H_
