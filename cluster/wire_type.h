// What the cluster knows of a message's type: its name on the wire, its shape,
// and how it becomes bytes and a message again. One constant object for each.
//
// Thread safety: constants; WireTypes from any thread.
#ifndef TROUPE_CLUSTER_WIRE_TYPE_H_
#define TROUPE_CLUSTER_WIRE_TYPE_H_

#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "troupe/actor/internal/build.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/reply_of.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/message_type.h"

namespace troupe {

// What a node takes of its peers, and so what all types have at most.
inline constexpr size_t kMaxTypeNameBytes = size_t{1} << 10;
inline constexpr size_t kMaxShapeBytes = size_t{64} << 10;

struct WireType {
  absl::string_view name;
  std::string shape;
  std::string reply_shape;  // Empty: it is no request.
  const MessageType* type;
  // The same, of a message that several receivers share; null: it has one.
  const MessageType* shared;

  // Writes the message in an envelope of either type.
  void (*encode)(Envelope& message, Encoder& out);
  // Makes the envelope of a message, a request with nobody who waits. Null: the
  // decoder has failed.
  Envelope* (*decode)(Decoder& in);
  // Makes a message in an envelope one that several receivers share. Null:
  // `shared` is.
  internal::SharedBody (*share)(Envelope& message);
  // Where the message of an envelope of type `shared` lies: the same place for
  // all who share it. Null: `shared` is.
  const void* (*place)(Envelope& message);
  // As encode and decode for an answer: an outcome, OutcomeOf<M>, or a failure
  // that the runtime made. Null: it is no request.
  void (*encode_reply)(Envelope& reply, Encoder& out);
  Envelope* (*decode_reply)(Decoder& in);

  // Whether somebody at the other end hears of the end of a message: then one
  // that nobody handles is read, too.
  bool has_other_end = false;

  bool IsRequest() const { return encode_reply != nullptr; }
};

namespace internal {

template <typename M>
void EncodeMessage(Envelope& envelope, Encoder& out) {
  if constexpr (std::copy_constructible<M>) {
    if (envelope.type == &kSharedMessageType<M>) {
      return Encode(SharedContentOf(envelope).body.template As<M>(), out);
    }
  }
  Encode(envelope.As<M>(), out);
}

template <typename M>
Envelope* DecodeMessage(Decoder& in) {
  EnvelopePtr envelope(MakeMessage<M>());
  return Decode(in, envelope->As<M>()).ok() ? envelope.release() : nullptr;
}

template <RequestType M>
void EncodeReply(Envelope& reply, Encoder& out) {
  using Outcome = OutcomeOf<M>;
  if ((reply.tag & kFailureTag) != 0) {
    // The runtime's, which says what became of the request.
    Encode(Outcome(reply.As<absl::Status>()), out);
  } else {
    Encode(reply.As<Outcome>(), out);
  }
}

template <RequestType M>
Envelope* DecodeReply(Decoder& in) {
  EnvelopePtr reply(MakeReply(OutcomeOf<M>(absl::UnknownError(""))));
  return Decode(in, reply->As<OutcomeOf<M>>()).ok() ? reply.release() : nullptr;
}

template <typename M>
WireType MakeWireType() {
  static_assert(WireName<M>::kHasOne,
                "this message has no name on the wire: give it one by static "
                "constexpr absl::string_view kWireName = ..., or see "
                "cluster/codec/codec.h");
  static_assert(Encodable<M>,
                "this message cannot cross: it is no aggregate, and has no "
                "Codec<M>; see cluster/codec/codec.h");
  WireType type{.name = WireName<M>::Get(),
                .shape = ShapeOf<M>(),
                .reply_shape = {},
                .type = &kMessageType<M>,
                .shared = nullptr,
                .encode = &EncodeMessage<M>,
                .decode = &DecodeMessage<M>,
                .share = nullptr,
                .place = nullptr,
                .encode_reply = nullptr,
                .decode_reply = nullptr};
  if constexpr (requires { Codec<M>::kHasOtherEnd; }) {
    type.has_other_end = Codec<M>::kHasOtherEnd;
  }
  if constexpr (RequestType<M>) {
    static_assert(Encodable<OutcomeOf<M>>,
                  "the reply of this message cannot cross: it is no aggregate, "
                  "and has no Codec; see cluster/codec/codec.h");
    type.reply_shape = ShapeOf<OutcomeOf<M>>();
    type.encode_reply = &EncodeReply<M>;
    type.decode_reply = &DecodeReply<M>;
  } else if constexpr (std::copy_constructible<M>) {
    type.shared = &kSharedMessageType<M>;
    type.share = [](Envelope& message) {
      return SharedBody::Make<M>(std::move(message.As<M>()));
    };
    type.place = [](Envelope& message) -> const void* {
      return &SharedContentOf(message).body.template As<M>();
    };
  }
  return type;
}

}  // namespace internal

template <typename M>
const WireType& WireTypeOf() {
  static const WireType* const type =
      new WireType(internal::MakeWireType<M>());  // As long as the process.
  return *type;
}

// The types of several messages; there is one object for each list of them.
using WireTypeList = absl::Span<const WireType* const>;

namespace internal {

template <typename List>
struct WireTypesOfList;
template <typename... Ms>
struct WireTypesOfList<TypeList<Ms...>> {
  static WireTypeList Get() {
    static const WireType* const types[] = {&WireTypeOf<Ms>()..., nullptr};
    return WireTypeList(types, sizeof...(Ms));
  }
};

}  // namespace internal

// Of all messages of P...: protocols, or single messages.
template <typename... Ps>
WireTypeList WireTypesOf() {
  return internal::WireTypesOfList<MessagesOf<Ps...>>::Get();
}

// The types that a node knows.
class WireTypes {
 public:
  // Nothing happens for what is known already. kAlreadyExists: another type has
  // that name; kInvalidArgument: the name or the shape of one is too long. None
  // of the list is known then.
  absl::Status Learn(WireTypeList types) ABSL_LOCKS_EXCLUDED(mu_);

  // Null: not known.
  const WireType* Find(const MessageType* type) const ABSL_LOCKS_EXCLUDED(mu_);
  const WireType* Find(absl::string_view name) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable absl::Mutex mu_;
  // By where they begin: each is one object.
  absl::flat_hash_set<const WireType* const*> learned_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<const MessageType*, const WireType*> by_type_
      ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<absl::string_view, const WireType*> by_name_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_WIRE_TYPE_H_
