// References within something that is written before it is known which session
// it goes by: they are kept in a list, and written as places in it. The list
// crosses as any references do.
//
// Thread safety: none.
#ifndef TROUPE_CLUSTER_INTERNAL_COLLECTED_REFS_H_
#define TROUPE_CLUSTER_INTERNAL_COLLECTED_REFS_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "troupe/actor/any_actor_ref.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/wire_type.h"

namespace troupe::internal {

class CollectedRefs final : public RefWriter, public RefReader {
 public:
  // `types` is what the node knows.
  explicit CollectedRefs(WireTypes& types, std::vector<AnyActorRef> refs = {})
      : types_(types), refs_(std::move(refs)) {}

  void Write(const AnyActorRef& ref, WireTypeList types, Encoder& out) override;
  AnyActorRef Read(WireTypeList types, Decoder& in) override;
  // A subscription needs a session that it goes by: what is written so is over.
  uint64_t Subscribe(Subscriber subscriber, const WireType& type) override;
  void OnSubscribe(const std::shared_ptr<SubscriptionCore>& core,
                   uint64_t name) override;

  std::vector<AnyActorRef> Take() { return std::move(refs_); }

 private:
  WireTypes& types_;
  std::vector<AnyActorRef> refs_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_COLLECTED_REFS_H_
