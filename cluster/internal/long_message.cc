#include "troupe/cluster/internal/long_message.h"

#include "troupe/base/contain.h"
#include "troupe/stream/internal/port_core.h"

namespace troupe::internal {

void LongRefs::Write(const AnyActorRef& ref, WireTypeList types, Encoder& out) {
  refs_->Write(ref, types, out);
}

uint64_t LongRefs::Subscribe(Subscriber, const WireType&) {
  has_lost_subscription_ = true;
  return 0;
}

AnyActorRef LongRefs::Read(WireTypeList types, Decoder& in) {
  return refs_->Read(types, in);
}

void LongRefs::OnSubscribe(const std::shared_ptr<SubscriptionCore>& core,
                           uint64_t name) {
  read_.emplace_back(core, name);
}

void LongRefs::HandOver() {
  for (const auto& [core, name] : std::exchange(read_, {})) {
    refs_->OnSubscribe(core, name);
  }
}

void LongWrite::Run() {
  absl::Status thrown = Contain([this] { encode_(message_, payload_); });
  if (!thrown.ok()) payload_.Fail(std::move(thrown));
  if (refs_.has_lost_subscription()) {
    payload_.Fail(absl::FailedPreconditionError(
        "a subscription does not cross within a message as long as that; send "
        "it by itself"));
  }
}

void LongWrite::Fail() {
  auto& outgoing = wrapped->As<Outgoing>();
  peer_.Fail(outgoing.id_there, std::move(outgoing.envelope));
}

void LongRead::Run() {
  if (!is_message()) {
    why_ = Contain([this] { bytes = std::move(pieces_).Join(); });
    return;
  }
  Decoder in(payload_, refs_.get());
  message_ = Read(decode_, in, why_);
}

EnvelopePtr LongRead::Read(Decode decode, Decoder& in, absl::Status& why) {
  EnvelopePtr message;
  absl::Status thrown = Contain([&] { message.reset(decode(in)); });
  why = thrown.ok() ? in.status() : std::move(thrown);
  return message;
}

EnvelopePtr LongRead::Take(absl::Status& why) {
  if (message_ != nullptr) refs_->HandOver();
  why = why_;
  return std::move(message_);
}

}  // namespace troupe::internal
