#include "troupe/cluster/internal/collected_refs.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/stream/internal/port_core.h"

namespace troupe::internal {

void CollectedRefs::Write(const AnyActorRef& ref, WireTypeList types,
                          Encoder& out) {
  if (absl::Status status = types_.Learn(types); !status.ok()) {
    return out.Fail(std::move(status));
  }
  if (ref.IsNull()) return out.WriteVarint(0);
  refs_.push_back(ref);
  out.WriteVarint(refs_.size());
}

AnyActorRef CollectedRefs::Read(WireTypeList types, Decoder& in) {
  const uint64_t place = in.ReadVarint();
  if (absl::Status status = types_.Learn(types); !status.ok()) {
    in.Fail(status.message());
    return AnyActorRef();
  }
  if (place == 0) return AnyActorRef();
  if (place > refs_.size()) {
    in.Fail(absl::StrCat("the reference ", place, " of ", refs_.size()));
    return AnyActorRef();
  }
  return refs_[place - 1];
}

uint64_t CollectedRefs::Subscribe(Subscriber, const WireType&) { return 0; }

void CollectedRefs::OnSubscribe(const std::shared_ptr<SubscriptionCore>&,
                                uint64_t) {}

}  // namespace troupe::internal
