// A message, or an answer, that is too long to be written or read in a turn of
// its session: what is known of it while that is done elsewhere.
//
// At most one of a session is written, and one is read. Meanwhile the
// references of the bulk lane, which are written or read with it, are its own.
//
// Ownership: shared by the session and who does the work. Nothing of the
// session is used, which may be killed meanwhile.
// Thread safety: none; it is handed over, and back by a Completion.
#ifndef TROUPE_CLUSTER_INTERNAL_LONG_MESSAGE_H_
#define TROUPE_CLUSTER_INTERNAL_LONG_MESSAGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/pieces.h"
#include "troupe/cluster/internal/wire_refs.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// The references of a lane, outside of the turns of its session. Subscriptions
// are the session's: those that are read wait for it, none is written.
// (Outbound refuses them, but for one that the first attempt has not come to.)
class LongRefs final : public RefWriter, public RefReader {
 public:
  explicit LongRefs(std::shared_ptr<WireRefs> refs) : refs_(std::move(refs)) {}

  void Write(const AnyActorRef& ref, WireTypeList types, Encoder& out) override;
  uint64_t Subscribe(Subscriber subscriber, const WireType& type) override;
  AnyActorRef Read(WireTypeList types, Decoder& in) override;
  void OnSubscribe(const std::shared_ptr<SubscriptionCore>& core,
                   uint64_t name) override;

  bool has_lost_subscription() const { return has_lost_subscription_; }
  // In a turn: the session hears of the subscriptions that were read.
  void HandOver();

 private:
  const std::shared_ptr<WireRefs> refs_;
  bool has_lost_subscription_ = false;
  std::vector<std::pair<std::shared_ptr<SubscriptionCore>, uint64_t>> read_;
};

class LongWrite {
 public:
  using Encode = void (*)(Envelope& message, Encoder& out);

  // `message` lies within `wrapped`, an Outgoing to `peer`.
  LongWrite(FarCell& peer, std::shared_ptr<WireRefs> refs, EnvelopePtr wrapped,
            Envelope& message, Encode encode)
      : wrapped(std::move(wrapped)),
        peer_(peer),
        refs_(std::move(refs)),
        message_(message),
        encode_(encode),
        payload_(&refs_) {}

  // The work.
  void Run();
  // There is no session any more.
  void Fail();

  // What was written, or its status says why not.
  const Encoder& payload() const { return payload_; }
  EnvelopePtr wrapped;
  // Of the session alone: the work has begun, and has not come back.
  bool is_under_way = false;

 private:
  FarCell& peer_;
  LongRefs refs_;
  Envelope& message_;
  const Encode encode_;
  Encoder payload_;
};

class LongRead {
 public:
  using Decode = Envelope* (*)(Decoder& in);

  // What `decode` reads, also where the code of users throws. Null: why not.
  static EnvelopePtr Read(Decode decode, Decoder& in, absl::Status& why);

  // What came in parts is put together.
  explicit LongRead(Pieces pieces) : pieces_(std::move(pieces)) {}
  // `payload`, which lies within what will be `bytes`, is read.
  LongRead(std::shared_ptr<WireRefs> refs, Decode decode,
           absl::string_view payload)
      : refs_(std::make_unique<LongRefs>(std::move(refs))),
        decode_(decode),
        payload_(payload) {}

  // The work.
  void Run();

  // The items that came, which the session gives and takes.
  std::string bytes;
  // Not OK: what came could not be put together.
  absl::Status status() const { return is_message() ? absl::OkStatus() : why_; }

  // -- of a payload that was read

  bool is_message() const { return decode_ != nullptr; }
  bool IsOf(absl::string_view payload) const {
    return payload.data() == payload_.data();
  }
  // In a turn: the message; null: why not.
  EnvelopePtr Take(absl::Status& why);

 private:
  Pieces pieces_;
  std::unique_ptr<LongRefs> refs_;
  Decode decode_ = nullptr;
  absl::string_view payload_;
  EnvelopePtr message_;
  absl::Status why_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_LONG_MESSAGE_H_
