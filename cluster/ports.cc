#include "troupe/cluster/ports.h"

namespace troupe::internal {

void WriteSubscribe(Subscriber subscriber, WireTypeList published,
                    Encoder& out) {
  if (out.refs() == nullptr) {
    return out.Fail(absl::FailedPreconditionError(
        "a subscription crosses only in what a node sends"));
  }
  AnyActorRef actor;
  SubscribeOptions options;
  uint64_t name = 0;
  if (subscriber.core != nullptr) {
    actor = subscriber.core->actor();
    options = subscriber.core->options();
    if (!actor.IsRemote()) {
      name = out.refs()->Subscribe(std::move(subscriber), *published[0]);
      if (name == 0) actor = AnyActorRef();  // It was given up before.
    } else {
      // From here on it is the other node's affair.
      subscriber.core->Retire();
      (void)out.refs()->Subscribe({subscriber.core, nullptr}, *published[0]);
      if (subscriber.convert != nullptr) {
        return out.Fail(absl::FailedPreconditionError(
            "a subscription with a conversion is made on the node of its "
            "actor"));
      }
    }
  }
  out.WriteSized([&](Encoder& fields) {
    EncodeRef(actor, published, fields);
    fields.WriteByte(static_cast<uint8_t>(options.lag));
    fields.WriteVarint(options.limit);
    fields.WriteVarint(options.replay);
    fields.WriteByte(options.replaces ? 1 : 0);
    fields.WriteVarint(name);
  });
  out.CountMemory(sizeof(SubscriptionCore));
}

bool ReadSubscribe(WireTypeList published, Decoder& in, SubscribeOnWire& read) {
  in.ReadSized([&](Decoder& fields) {
    read.actor = DecodeRef(published, fields);
    const uint8_t lag = fields.ReadByte();
    const uint64_t limit = fields.ReadVarint();
    const uint64_t replay = fields.ReadVarint();
    read.options.replaces = fields.ReadByte() != 0;
    read.name = fields.ReadVarint();
    if (!fields.ok()) return;
    if (lag > static_cast<uint8_t>(Lag::kConflate) || limit == 0 ||
        limit > UINT32_MAX || replay > UINT32_MAX) {
      return fields.Fail("nobody can subscribe so");
    }
    read.options.lag = static_cast<Lag>(lag);
    read.options.limit = static_cast<uint32_t>(limit);
    read.options.replay = static_cast<uint32_t>(replay);
  });
  return in.ok() && !read.actor.IsNull() &&
         in.TakeMemory(sizeof(SubscriptionCore));
}

}  // namespace troupe::internal
