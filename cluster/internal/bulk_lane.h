// What is too long for a frame of the data lane, and all that is for the same
// actors behind it: the bulk lane of one session, as its sender sees it.
//
// Each receiver with something in this lane has a stream, whose items go in
// order, long ones in parts. Streams take turns with their parts. Everything
// for that receiver goes this way until the peer has handled the last of it:
// only then would an item in the data lane not come before those here. Likewise
// a stream begins when the peer has handled all data for that receiver.
//
// What is too long for a turn (kLongBytes) is written elsewhere, one item at a
// time; until that is done no stream begins another one, and those that have
// begun go on.
//
// Memory: items are encoded when it is their turn. Those that have begun, and
// are not sent as a whole, have at most as many bytes as the peer takes under
// way, and are no more than it takes; one more is encoded and waits for its
// turn. All others are envelopes.
// Thread safety: belongs to the session. Outside the seat.
#ifndef TROUPE_CLUSTER_INTERNAL_BULK_LANE_H_
#define TROUPE_CLUSTER_INTERNAL_BULK_LANE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/container/btree_map.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/call_book.h"
#include "troupe/cluster/internal/long_message.h"
#include "troupe/cluster/internal/offloader.h"
#include "troupe/cluster/internal/outbound.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

class BulkLane {
 public:
  // `outbound` writes for this lane alone.
  BulkLane(FarCell& peer, Outbound& outbound, CallsOut& calls_out,
           Offloader& offloader)
      : peer_(peer),
        outbound_(outbound),
        calls_out_(calls_out),
        offloader_(offloader) {}

  // Parts have `part_bytes`; the peer takes `max_bytes` under way.
  void SetLimits(size_t part_bytes, uint64_t max_bytes) {
    part_bytes_ = part_bytes;
    max_bytes_ = max_bytes;
  }

  // Whether what is for that actor there has to go this way. 0, nobody, is in
  // no order to anything.
  bool IsBusy(uint64_t receiver) const {
    return receiver != 0 && streams_.contains(receiver);
  }
  // An Outgoing for that actor, behind all others for it; one that cancels a
  // call overtakes what is not sent of it. If it was not busy: after the first
  // `data_before` bytes of the data lane.
  void Add(uint64_t receiver, EnvelopePtr wrapped, uint64_t data_before);

  // Appends to `frame` what a stream has next, about a part long. False: none
  // has anything.
  [[nodiscard]] bool WriteNext(Encoder& frame);
  // What has to be done elsewhere, once: then OnWritten() is called. Null:
  // nothing.
  std::shared_ptr<LongWrite> TakeWork();
  void OnWritten();
  // So many bytes have been sent of what was written, or the peer has handled
  // so many.
  void OnSent(size_t bytes) { sent_bytes_ += bytes; }
  void OnHandled(uint64_t bytes);
  // The peer has handled so many bytes of data more.
  void OnDataHandled(uint64_t bytes) { handled_data_bytes_ += bytes; }

  // Envelopes that wait here.
  size_t waiting() const { return waiting_; }
  size_t streams() const { return streams_.size(); }

  // The session is over: what was not written has nowhere to go.
  void FailAll();

 private:
  // One that is sent in parts. The payload of a long one stays where it was
  // written.
  struct Item {
    std::string begin;
    std::shared_ptr<const LongWrite> rest;  // Null: there is none.

    size_t size() const {
      return begin.size() + (rest != nullptr ? rest->payload().size() : 0);
    }
    bool empty() const { return begin.empty(); }
    void Append(size_t from, size_t size, Encoder& out) const;
  };
  struct Stream {
    std::deque<EnvelopePtr> waiting;  // Outgoings.
    bool is_writing = false;          // The next item is `writing_`.
    Item item;                        // Empty: none is sent in parts.
    size_t sent = 0;                  // Of it.
    uint64_t number = 0;              // Of it; 0: it has not begun.
    uint64_t call = 0;                // The call's that it makes; 0: none.
    uint64_t data_before = 0;         // Has to be handled first.
    // Of the lane, up to the end of what this stream has written.
    uint64_t written_up_to = 0;
    bool has_turn = false;  // Is in `turns_`.

    bool IsIdle() const {
      return waiting.empty() && item.empty() && !is_writing;
    }
  };

  // False: the call is not under way here.
  bool GiveUp(Stream& stream, uint64_t receiver, const ReplyRoute& route);
  // Appends what the stream has next; false: it cannot have its turn now.
  bool WriteSome(Stream& stream, uint64_t receiver, Encoder& frame);
  // Has the next envelope that waits become `item`, or be in `frame`, or
  // `writing_`. REQUIRES: nothing is being written.
  void EncodeNext(Stream& stream, uint64_t receiver, Encoder& frame);
  void WritePart(Stream& stream, Encoder& frame);
  void EndItem(Stream& stream);
  void GiveTurn(Stream& stream, uint64_t receiver);

  FarCell& peer_;
  Outbound& outbound_;
  CallsOut& calls_out_;
  Offloader& offloader_;
  size_t part_bytes_ = 0;
  uint64_t max_bytes_ = 0;

  absl::btree_map<uint64_t, Stream> streams_;  // By receiver.
  std::deque<uint64_t> turns_;                 // Of those that have something.
  Encoder scratch_;
  std::string first_;  // Items that go before all others.
  size_t waiting_ = 0;
  std::shared_ptr<LongWrite> writing_;  // Null: nothing is.
  uint64_t writing_for_ = 0;            // The receiver.
  bool is_taken_ = false;               // By TakeWork().
  bool is_given_up_ = false;            // It is not to be sent.
  uint64_t last_number_ = 0;
  size_t begun_ = 0;          // Items that have.
  uint64_t begun_bytes_ = 0;  // Of them.
  // The receiver whose item is the next to begin, as it did not fit; 0: none.
  uint64_t first_to_begin_ = 0;
  uint64_t sent_bytes_ = 0;
  uint64_t handled_bytes_ = 0;
  uint64_t handled_data_bytes_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_BULK_LANE_H_
