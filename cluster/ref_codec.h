// References to actors cross within messages, in all directions: they lead to
// the same actor wherever they arrive, and back home become local ones again.
//
//   struct Subscribe {
//     static constexpr absl::string_view kWireName = "news.Subscribe";
//     troupe::ActorRef<Headline> reader;   // Headline has a wire name, too.
//   };
//
// Errors: an actor here that does not take the messages of the reference which
// claims to lead to it is an error of the one who sent it.
#ifndef TROUPE_CLUSTER_REF_CODEC_H_
#define TROUPE_CLUSTER_REF_CODEC_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"
#include "troupe/cluster/wire_type.h"

namespace troupe {

namespace internal {
struct Subscriber;
class SubscriptionCore;
}  // namespace internal

// How the node at one end of a session writes references. `types` are what is
// sent through this one.
class RefWriter {
 public:
  virtual void Write(const AnyActorRef& ref, WireTypeList types,
                     Encoder& out) = 0;
  // Has what is published to a subscription, of that type, brought to it.
  // Returns what it is called; 0: it is over, or its actor lives elsewhere.
  virtual uint64_t Subscribe(internal::Subscriber subscriber,
                             const WireType& type) = 0;

 protected:
  ~RefWriter() = default;
};

// How it reads them. Null after a failure.
class RefReader {
 public:
  virtual AnyActorRef Read(WireTypeList types, Decoder& in) = 0;
  // `core` is for the actor of a subscription that the writer calls so.
  virtual void OnSubscribe(
      const std::shared_ptr<internal::SubscriptionCore>& core,
      uint64_t name) = 0;

 protected:
  ~RefReader() = default;
};

namespace internal {

void EncodeRef(const AnyActorRef& ref, WireTypeList types, Encoder& out);
AnyActorRef DecodeRef(WireTypeList types, Decoder& in);

}  // namespace internal

template <>
struct Codec<AnyActorRef> {
  static void Encode(const AnyActorRef& ref, Encoder& out) {
    internal::EncodeRef(ref, {}, out);
  }
  static void Decode(Decoder& in, AnyActorRef& ref) {
    ref = internal::DecodeRef({}, in);
  }
  static void Describe(ShapeBuilder& shape) { shape.Add("@"); }
};

template <typename... Ps>
struct Codec<ActorRef<Ps...>> {
  static void Encode(const ActorRef<Ps...>& ref, Encoder& out) {
    internal::EncodeRef(ref, WireTypesOf<Ps...>(), out);
  }
  static void Decode(Decoder& in, ActorRef<Ps...>& ref) {
    const AnyActorRef any = internal::DecodeRef(WireTypesOf<Ps...>(), in);
    if (any.IsNull()) {
      ref = ActorRef<Ps...>();
      return;
    }
    if (!any.IsRemote()) {
      // One of our own. Whoever sent it may be wrong about it.
      const absl::StatusOr<ActorRef<Ps...>> typed = any.As<Ps...>();
      if (absl::IsFailedPrecondition(typed.status())) {
        return in.Fail(typed.status().message());
      }
    }
    ref = ActorRef<Ps...>(any.cell(), any.id().value());
  }
  static void Describe(ShapeBuilder& shape) { shape.Add("@"); }
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_REF_CODEC_H_
