#include "troupe/cluster/ref_codec.h"

namespace troupe::internal {

void EncodeRef(const AnyActorRef& ref, WireTypeList types, Encoder& out) {
  if (out.refs() == nullptr) {
    return out.Fail(absl::FailedPreconditionError(
        "a reference to an actor crosses only in what a node sends"));
  }
  out.refs()->Write(ref, types, out);
}

AnyActorRef DecodeRef(WireTypeList types, Decoder& in) {
  if (in.refs() == nullptr) {
    in.Fail("a reference to an actor, outside of what a node sends");
    return AnyActorRef();
  }
  return in.refs()->Read(types, in);
}

}  // namespace troupe::internal
