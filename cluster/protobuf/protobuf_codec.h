// Messages of protobuf cross as they are: alone, under their full name, and
// within aggregates, containers and what else crosses.
//
//   message Deposit { int64 cents = 1; }          // bank.proto, package bank
//
//   class Account : public troupe::Actor<bank::Deposit> { ... };
//   account.Send(bank::Deposit(deposit));         // On whatever node.
//
//   struct GetBalance {                           // What has a reply:
//     static constexpr absl::string_view kWireName = "bank.GetBalance";
//     using Reply = bank::Balance;
//     bank::Account account;
//   };
//
// On the wire they are what protobuf makes of them, with maps in the order of
// their keys, behind their length.
//
// Changes: as protobuf has them. Two nodes need not agree on the fields; what a
// node does not know it keeps, and sends on. When an actor is resolved, the
// full name is all that is compared.
// Memory: what parsing a message takes is reckoned before it is parsed, from
// the bytes and what the message consists of, and has to be within what a
// decoder grants; see cluster/codec/limits.h. A sender pads for what it knows:
// a message with much that it does not know, in small fields that take more
// than 64 KiB of memory, may be refused by a node that knows them.
// Errors: a message that misses required fields is not written or read, nor is
// one whose messages lie too deep within each other, or of 2 GiB.
#ifndef TROUPE_CLUSTER_PROTOBUF_PROTOBUF_CODEC_H_
#define TROUPE_CLUSTER_PROTOBUF_PROTOBUF_CODEC_H_

#include <concepts>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"

namespace troupe {

// Generated, and with descriptors: option optimize_for is not LITE_RUNTIME.
template <typename M>
concept ProtobufMessage =
    std::derived_from<M, google::protobuf::Message> && requires {
  M::descriptor();
};

namespace internal {

void EncodeProtobuf(const google::protobuf::Message& message, Encoder& out);
void DecodeProtobuf(Decoder& in, google::protobuf::Message& message);

}  // namespace internal

template <ProtobufMessage M>
struct Codec<M> {
  static void Encode(const M& message, Encoder& out) {
    internal::EncodeProtobuf(message, out);
  }
  static void Decode(Decoder& in, M& message) {
    internal::DecodeProtobuf(in, message);
  }
  static void Describe(ShapeBuilder& shape) {
    shape.Add(absl::StrCat("\"", WireName<M>::Get(), "\""));
  }
};

template <ProtobufMessage M>
struct WireName<M> {
  static constexpr bool kHasOne = true;
  static absl::string_view Get() { return M::descriptor()->full_name(); }
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_PROTOBUF_PROTOBUF_CODEC_H_
