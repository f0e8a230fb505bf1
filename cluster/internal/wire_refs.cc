#include "troupe/cluster/internal/wire_refs.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "troupe/cluster/node_id.h"
#include "troupe/stream/internal/port_core.h"
#include "troupe/stream/internal/subscription_core.h"

namespace troupe::internal {

void WireRefs::Write(const AnyActorRef& ref, WireTypeList types, Encoder& out) {
  if (ref.IsNull()) return out.WriteVarint(kNobodys);
  if (absl::Status status = Learn(types); !status.ok()) {
    return out.Fail(std::move(status));
  }
  FarCell* const far = FarCell::Of(ref.cell());
  const uint64_t id = ref.id().value();
  if (far == nullptr) {
    if (absl::Status status = Export(ref); !status.ok()) {
      return out.Fail(std::move(status));
    }
    out.WriteVarint(kWriters);
    return out.WriteVarint(id);
  }
  out.WriteVarint(far == &peer_ ? kReaders : NumberOf(*far, out));
  out.WriteVarint(id & FarCell::kIdMask);
}

absl::Status WireRefs::Learn(WireTypeList types) {
  if (learned_.contains(types.data())) return absl::OkStatus();
  absl::Status learned = node_.types().Learn(types);
  if (learned.ok()) learned_.insert(types.data());
  return learned;
}

absl::Status WireRefs::Export(const AnyActorRef& ref) {
  uint64_t& last = exported_[ref.id().value() % kExported];
  if (last == ref.id().value()) return absl::OkStatus();
  absl::Status added = node_.exports().Add(ref);
  if (added.ok()) last = ref.id().value();
  return added;
}

uint64_t WireRefs::NumberOf(FarCell& third, Encoder& out) {
  const auto known = introduced_.find(&third);
  if (known != introduced_.end()) return known->second;
  const NodeId* const id = node_.NodeOf(third);
  if (id == nullptr && node_.IsNowhere(third)) {
    out.Fail(absl::ResourceExhaustedError(absl::StrCat(
        "a reference to an actor of ", third.node(), " leads nowhere")));
    return kNobodys;
  }
  if (id == nullptr) {
    out.Fail(absl::InvalidArgumentError(
        absl::StrCat("a reference to an actor of ", third.node(),
                     " is another system's, which has nodes of its own")));
    return kNobodys;
  }
  const uint64_t number = kFirstNode + introduced_.size();
  introduced_.emplace(&third, number);
  AppendItem(NodeItem{number, id->name, id->incarnation}, definitions_);
  return number;
}

AnyActorRef WireRefs::Read(WireTypeList types, Decoder& in) {
  const uint64_t whose = in.ReadVarint();
  if (whose == kNobodys) return AnyActorRef();
  const uint64_t id = in.ReadVarint();
  if (!in.ok()) return AnyActorRef();
  if (id == 0 || id > FarCell::kIdMask) {
    in.Fail(absl::StrCat("an actor has no id ", id));
    return AnyActorRef();
  }
  if (absl::Status status = Learn(types); !status.ok()) {
    in.Fail(status.message());
    return AnyActorRef();
  }
  if (whose == kWriters) return peer_.RefTo(id);
  if (whose == kReaders) return node_.exports().RefTo(id);
  if (whose - kFirstNode >= known_.size()) {
    in.Fail(absl::StrCat("the node ", whose, " was not introduced"));
    return AnyActorRef();
  }
  FarCell* const third = known_[whose - kFirstNode];
  return third != nullptr ? third->RefTo(id) : node_.exports().RefTo(id);
}

uint64_t WireRefs::Subscribe(Subscriber subscriber, const WireType& type) {
  taken_.push_back(subscriber.core);
  if (subscriber.core->actor().IsRemote()) return 0;
  return ports_.Subscribe(std::move(subscriber), type);
}

bool WireRefs::EndWrite(bool crosses) {
  if (taken_.empty()) return false;
  for (const auto& core : std::exchange(taken_, {})) {
    if (!crosses) core->Retire();
  }
  return true;
}

void WireRefs::OnSubscribe(const std::shared_ptr<SubscriptionCore>& core,
                           uint64_t name) {
  // Of others' actors the peer has nothing to say.
  if (FarCell::Of(core->actor().cell()) != &peer_) return;
  ports_.OnSubscribe(core, name);
}

absl::Status WireRefs::OnNode(const NodeItem& item) {
  if (item.number != kFirstNode + known_.size() || known_.size() == kMaxNodes) {
    return absl::DataLossError(absl::StrCat("the node ", item.number,
                                            " is introduced as the ",
                                            kFirstNode + known_.size(), "th"));
  }
  if (absl::Status status = CheckNodeName(item.name); !status.ok()) {
    return absl::DataLossError(status.message());
  }
  const NodeId id{item.name, item.incarnation};
  if (id == node_.self()) {
    known_.push_back(nullptr);  // This one, as the peer had it from others.
    return absl::OkStatus();
  }
  absl::StatusOr<FarCell*> cell = node_.CellOfThird(id, peer_.node());
  if (!cell.ok()) return cell.status();
  known_.push_back(*cell);
  return absl::OkStatus();
}

}  // namespace troupe::internal
