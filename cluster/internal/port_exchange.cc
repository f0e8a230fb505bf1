#include "troupe/cluster/internal/port_exchange.h"

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// Stands for the port to the subscription at the subscriber.
class PortExchange::Owner final : public SubscriptionOwner {
 public:
  Owner(FarCell& peer, uint64_t session_number, uint64_t key,
        const SubscribeOptions& options)
      : peer_(peer),
        session_number_(session_number),
        key_(key),
        // Those who wait for room wait for fewer than half of it in vain.
        at_once_(std::max<uint64_t>(1, options.limit / 8)) {}

  void Remove(const SubscriptionCore&) override {
    peer_.TakeFromSession(session_number_,
                          EnvelopePtr(MakeEnvelope<PortLeftOut>(key_)));
  }
  void RemoveLater(const SubscriptionCore& core) override { Remove(core); }
  void AddFull() override {}
  void TakeFull() override {}
  bool CountsTaken() const override { return true; }
  void OnTaken() override {
    absl::MutexLock lock(&mu_);
    if (++taken_ < at_once_) return;
    peer_.TakeFromSession(session_number_,
                          EnvelopePtr(MakeEnvelope<PortTakenOut>(
                              key_, std::exchange(taken_, 0))));
  }

 private:
  FarCell& peer_;
  const uint64_t session_number_;
  const uint64_t key_;
  const uint64_t at_once_;
  absl::Mutex mu_;
  uint64_t taken_ ABSL_GUARDED_BY(mu_) = 0;
};

// Hears of the end of the one at the port.
class PortExchange::End final : public FarEnd {
 public:
  End(FarCell& peer, uint64_t session_number, uint64_t number)
      : peer_(peer), session_number_(session_number), number_(number) {}

  void OnLeft(bool cancelled) override {
    peer_.TakeFromSession(session_number_, EnvelopePtr(MakeEnvelope<PortEndOut>(
                                               number_, cancelled)));
  }

 private:
  FarCell& peer_;
  const uint64_t session_number_;
  const uint64_t number_;
};

PortExchange::~PortExchange() = default;

std::vector<AnyActorRef> PortExchange::Close() {
  for (auto& [number, out] : std::exchange(out_, {})) out.core->OnActorEnded();
  numbers_.clear();
  std::vector<AnyActorRef> lost;
  for (auto& [key, in] : std::exchange(in_, {})) {
    if (in.subscriber.core == nullptr || !in.subscriber.core->is_live())
      continue;
    in.subscriber.core->Retire();
    lost.push_back(in.subscriber.core->actor());
  }
  keys_.clear();
  return lost;
}

// -- at the port

uint64_t PortExchange::Add(const std::shared_ptr<SubscriptionCore>& core,
                           uint64_t token) {
  const uint64_t number = ++last_number_;
  out_.emplace(number, Out{core, token});
  numbers_.emplace(core.get(), number);
  core->SetFarEnd(std::make_unique<End>(peer_, session_number_, number));
  return number;
}

PortOpenItem PortExchange::Introduction(uint64_t number,
                                        const SubscriptionCore& core) const {
  const auto out = out_.find(number);
  return {number, out != out_.end() ? out->second.token : 0,
          core.actor().id().value() & FarCell::kIdMask,
          static_cast<uint8_t>(core.options().lag), core.options().limit};
}

void PortExchange::OnSubscribe(const std::shared_ptr<SubscriptionCore>& core,
                               uint64_t token) {
  const bool has_room = out_.size() < max_out_;
  const uint64_t number = Add(core, token);
  peer_.TakeFromSession(session_number_,
                        EnvelopePtr(MakeEnvelope<PortOpenOut>(number)));
  if (!has_room) core->Cancel();
}

uint64_t PortExchange::ReceiverOf(uint64_t number) const {
  const auto found = out_.find(number);
  return found != out_.end()
             ? found->second.core->actor().id().value() & FarCell::kIdMask
             : 0;
}

void PortExchange::Append(const PortOpenOut& out, Encoder& frame) {
  const auto found = out_.find(out.number);
  if (found == out_.end()) return;
  AppendItem(Introduction(out.number, *found->second.core), frame);
}

std::shared_ptr<SubscriptionCore> PortExchange::Arrive(SharedContent& message,
                                                       uint64_t& number,
                                                       Encoder& frame) {
  // Nothing else is a source.
  auto* const source = static_cast<SubscriptionCore*>(message.source());
  std::shared_ptr<SubscriptionCore> core = source->shared_from_this();
  if (!message.Arrive()) return nullptr;
  const auto known = numbers_.find(core.get());
  if (known != numbers_.end()) {
    number = known->second;
  } else {
    number = Add(core, 0);
    AppendItem(Introduction(number, *core), frame);
  }
  return core;
}

void PortExchange::Append(const PortEndOut& out, Encoder& frame) {
  const auto found = out_.find(out.number);
  if (found == out_.end()) return;
  numbers_.erase(found->second.core.get());
  out_.erase(found);
  AppendItem(PortEndItem{out.number, out.cancelled}, frame);
}

void PortExchange::OnTaken(const PortTakenItem& item) {
  const auto found = out_.find(item.number);
  if (found == out_.end()) return;
  // It knows how many that can be.
  found->second.core->Acknowledge(item.messages);
}

void PortExchange::OnLeft(const PortLeftItem& item) {
  const auto found = out_.find(item.number);
  if (found == out_.end()) return;
  const std::shared_ptr<SubscriptionCore> core = found->second.core;
  core->Cancel();
}

// -- at the subscriber

std::shared_ptr<PortExchange::Owner> PortExchange::OwnerFor(
    uint64_t key, const SubscribeOptions& options) {
  return std::make_shared<Owner>(peer_, session_number_, key, options);
}

bool PortExchange::Begin(In& in) {
  const std::shared_ptr<SubscriptionCore>& core = in.subscriber.core;
  if (!core->Begin(in.owner)) return false;
  core->EndHold({});
  core->WatchEnd();
  return true;
}

uint64_t PortExchange::Subscribe(Subscriber subscriber, const WireType& type) {
  In in;
  in.was_asked_for = true;
  in.type = &type;
  in.actor = subscriber.core->actor();
  in.options = subscriber.core->options();
  in.subscriber = std::move(subscriber);
  const uint64_t key = ++last_key_;
  in.owner = OwnerFor(key, in.options);
  if (!Begin(in)) return 0;
  in_.emplace(key, std::move(in));
  return key;
}

void PortExchange::Append(const PortLeftOut& out, Encoder& frame) {
  const auto found = in_.find(out.key);
  if (found == in_.end()) return;
  const uint64_t number = found->second.number;
  Forget(out.key);
  // If it is not known yet, this is said when it is.
  if (number != 0) AppendItem(PortLeftItem{number}, frame);
}

void PortExchange::Append(const PortTakenOut& out, Encoder& frame) {
  const auto found = in_.find(out.key);
  if (found == in_.end()) return;
  AppendItem(PortTakenItem{found->second.number, out.messages}, frame);
}

absl::Status PortExchange::OnOpen(const PortOpenItem& item,
                                  const AnyActorRef& to) {
  const auto no_sense = [&](absl::string_view what) {
    return absl::DataLossError(
        absl::StrCat("the subscription ", item.number, ": ", what));
  };
  if (item.number == 0 || keys_.contains(item.number)) {
    return no_sense("it has begun before");
  }
  if (in_.size() >= kMaxSubscriptions) return no_sense("there are too many");
  uint64_t key = item.token;
  if (key == 0) {
    if (item.lag > static_cast<uint8_t>(Lag::kConflate) || item.limit == 0) {
      return no_sense("nobody can subscribe so");
    }
    key = ++last_key_;
    if (!to.IsNull()) {
      In in;
      in.actor = to;
      in.options = {.lag = static_cast<Lag>(item.lag), .limit = item.limit};
      in.owner = OwnerFor(key, in.options);
      in_.emplace(key, std::move(in));
    }
  }
  const auto found = in_.find(key);
  if (found == in_.end()) {
    // It was given up meanwhile, or there is no such actor. What still comes
    // of it is passed over.
    In over;
    over.number = item.number;
    key = ++last_key_;
    keys_.emplace(item.number, key);
    in_.emplace(key, std::move(over));
    peer_.TakeFromSession(session_number_,
                          EnvelopePtr(MakeEnvelope<PortLeftOut>(key)));
    return absl::OkStatus();
  }
  if (found->second.number != 0) return no_sense("another one has its token");
  found->second.number = item.number;
  keys_.emplace(item.number, key);
  return absl::OkStatus();
}

void PortExchange::Forget(uint64_t key) {
  const auto found = in_.find(key);
  if (found == in_.end()) return;
  keys_.erase(found->second.number);
  in_.erase(found);
}

void PortExchange::OnEnd(const PortEndItem& item) {
  const auto key = keys_.find(item.number);
  if (key == keys_.end()) return;
  const Subscriber subscriber = std::move(in_.at(key->second).subscriber);
  Forget(key->second);
  if (subscriber.core == nullptr) return;
  if (item.cancelled) {
    subscriber.core->Cancel();
  } else {
    subscriber.core->Retire();
  }
}

AnyActorRef PortExchange::SubscriberOf(uint64_t number) const {
  const auto key = keys_.find(number);
  return key != keys_.end() ? in_.at(key->second).actor : AnyActorRef();
}

bool PortExchange::WasAskedFor(uint64_t number) const {
  return in_.at(keys_.at(number)).was_asked_for;
}

bool PortExchange::Takes(uint64_t number, const WireType& type) const {
  const In& in = in_.at(keys_.at(number));
  if (in.type != nullptr) return in.type == &type;
  const auto messages = in.actor.messages();
  return type.share != nullptr && std::find(messages.begin(), messages.end(),
                                            type.type) != messages.end();
}

void PortExchange::OnPublished(uint64_t number, const WireType& type,
                               SharedBody body) {
  In& in = in_.at(keys_.at(number));
  Subscriber& subscriber = in.subscriber;
  if (in.type == nullptr) {
    in.type = &type;
    subscriber.core = std::make_shared<SubscriptionCore>(
        in.actor, static_cast<const SharedMessageType&>(*type.shared),
        in.options);
    if (!Begin(in)) return;
  }
  body = PortCore::Convert(subscriber, body);
  if (body.IsNull()) return OnLost(number);
  subscriber.core->Offer(std::move(body));
}

void PortExchange::OnLost(uint64_t number) {
  const In& in = in_.at(keys_.at(number));
  // It waits no more.
  if (in.options.lag == Lag::kLossless) in.owner->OnTaken();
}

}  // namespace troupe::internal
