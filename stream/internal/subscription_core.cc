// Invariants, whenever the lock is free:
//  1. If messages wait and are not held, an envelope is under way.
//  2. The subscription keeps itself alive while it is live or under_way_ > 0.
//  3. While it is live and lossless, the port counts it as full if and only if
//     under_way_ >= options_.limit.

#include "troupe/stream/internal/subscription_core.h"

#include <utility>

#include "troupe/actor/internal/end_question.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/send_result.h"
#include "troupe/base/check.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/stream/internal/port_core.h"

namespace troupe::internal {
namespace {

Cell& CellOf(const AnyActorRef& actor) {
  return actor.IsNull() ? NoCell() : *actor.cell();
}

uint32_t LimitOf(const SubscribeOptions& options) {
  return options.lag == Lag::kConflate ? 1 : options.limit;
}

}  // namespace

// Hears of the end of the actor, once, and goes with that.
class SubscriptionCore::EndWatch final : public ReplySink {
 public:
  explicit EndWatch(std::shared_ptr<SubscriptionCore> core)
      : core_(std::move(core)) {}

  ReplyRoute route() { return ReplyRoute::To(*this, /*number=*/0); }
  void Take(EnvelopePtr) override {
    core_->OnActorEnded();
    delete this;
  }

 private:
  const std::shared_ptr<SubscriptionCore> core_;
};

SubscriptionCore::SubscriptionCore(const AnyActorRef& actor,
                                   const SharedMessageType& type,
                                   const SubscribeOptions& options)
    : actor_(actor), type_(type), options_(options) {
  TROUPE_CHECK(options.limit > 0, "a subscription lets 1 message wait or more");
}

bool SubscriptionCore::is_live() const {
  absl::MutexLock lock(&mu_);
  return state_ == State::kLive;
}

bool SubscriptionCore::is_full() const {
  absl::MutexLock lock(&mu_);
  return state_ == State::kLive && is_lossless() &&
         under_way_ >= options_.limit;
}

SubscriptionStats SubscriptionCore::stats() const {
  absl::MutexLock lock(&mu_);
  return {.waiting = waiting_.size() + (is_lossless() ? under_way_ : 0),
          .delivered = delivered_,
          .dropped = dropped_,
          .active = state_ == State::kNew || state_ == State::kLive};
}

bool SubscriptionCore::Begin(const std::shared_ptr<SubscriptionOwner>& owner) {
  absl::MutexLock lock(&mu_);
  if (state_ != State::kNew) return false;
  state_ = State::kLive;
  holds_ = true;
  owner_ = owner;
  counts_taken_ = owner->CountsTaken();
  self_ = shared_from_this();
  return true;
}

void SubscriptionCore::EndHold(std::vector<SharedBody> replayed) {
  while (true) {
    for (SharedBody& body : replayed) AdmitAndSend(std::move(body));
    replayed.clear();
    absl::MutexLock lock(&mu_);
    while (!held_.empty()) replayed.push_back(held_.Pop());
    if (replayed.empty()) {
      holds_ = false;
      return;
    }
  }
}

void SubscriptionCore::WatchEnd() {
  {
    absl::MutexLock lock(&mu_);
    if (far_end_ != nullptr) return;
  }
  // Its own from here on; it may be gone when the actor has been asked.
  const ReplyRoute route = (new EndWatch(shared_from_this()))->route();
  MustHaveMemory("the end of a subscriber",
                 [&] { (void)AskForEnd(actor_, route); });
  {
    absl::MutexLock lock(&mu_);
    if (state_ == State::kLive) {
      end_route_ = route;
      return;
    }
  }
  AskForEndNoMore(actor_, route);
}

void SubscriptionCore::Offer(SharedBody body, bool is_promised) {
  SharedBody dropped;
  Envelope* envelope = nullptr;
  {
    absl::MutexLock lock(&mu_);
    if (state_ != State::kLive) return;
    const auto take = [&] {
      mu_.AssertHeld();
      if (holds_) {
        held_.Push(std::move(body));
      } else {
        envelope = Admit(std::move(body), dropped);
      }
    };
    if (is_promised) {
      MustHaveMemory("what a port has published", take);
    } else {
      take();
    }
  }
  if (envelope != nullptr) Send(envelope);
}

void SubscriptionCore::AdmitAndSend(SharedBody body) {
  SharedBody dropped;
  Envelope* envelope;
  {
    absl::MutexLock lock(&mu_);
    if (state_ != State::kLive && state_ != State::kRetired) return;
    envelope = Admit(std::move(body), dropped);
  }
  if (envelope != nullptr) Send(envelope);
}

Envelope* SubscriptionCore::Admit(SharedBody body, SharedBody& dropped) {
  if (self_ == nullptr) self_ = shared_from_this();
  if (is_lossless()) {
    Envelope* const envelope =
        MakeSourceEnvelope(type_, std::move(body), *this);
    AddUnderWay();
    return envelope;
  }
  if (waiting_.size() >= LimitOf(options_)) {
    ++dropped_;
    if (options_.lag == Lag::kDropNewest) {
      dropped = std::move(body);
      return nullptr;
    }
    dropped = waiting_.Pop();
  }
  Envelope* const envelope =
      under_way_ == 0 ? MakeSourceEnvelope(type_, SharedBody(), *this)
                      : nullptr;
  waiting_.Push(std::move(body));
  under_way_ = 1;
  return envelope;
}

void SubscriptionCore::Send(Envelope* envelope) {
  const SendResult result =
      TrySendInLane(CellOf(actor_), actor_.id().value(), envelope);
  if (!IsRefused(result)) [[likely]]
    return;
  // It takes no more messages: what is published now comes after its end.
  DestroyEnvelope(envelope);
  Retire();
}

void SubscriptionCore::CountDropped() {
  absl::MutexLock lock(&mu_);
  ++dropped_;
}

void SubscriptionCore::AddUnderWay() {
  if (++under_way_ != options_.limit || state_ != State::kLive) return;
  if (const auto owner = owner_.lock()) owner->AddFull();
}

void SubscriptionCore::TakeUnderWay() {
  if (counts_taken_ && state_ == State::kLive) {
    if (const auto owner = owner_.lock()) owner->OnTaken();
  }
  if (under_way_-- != options_.limit || state_ != State::kLive) return;
  if (const auto owner = owner_.lock()) owner->TakeFull();
}

SharedBody SubscriptionCore::Arrive(SharedBody body) {
  std::shared_ptr<SubscriptionCore> let_go;
  SharedBody discarded;
  Envelope* next = nullptr;
  {
    absl::MutexLock lock(&mu_);
    const bool wanted = state_ != State::kCancelled && state_ != State::kEnded;
    if (is_lossless()) {
      if (state_ == State::kLive && is_acknowledged()) {
        ++sent_;
      } else {
        TakeUnderWay();
      }
      if (!wanted) discarded = std::move(body);
    } else {
      if (!waiting_.empty()) body = waiting_.Pop();
      if (waiting_.empty()) {
        under_way_ = 0;
      } else {
        next = MakeSourceEnvelope(type_, SharedBody(), *this);
      }
    }
    if (!body.IsNull() && !is_acknowledged()) ++delivered_;
    let_go = LetGo();
  }
  if (next != nullptr) {
    // Behind what waits. If it is refused, what waits here is lost with it.
    SendInLane(CellOf(actor_), actor_.id().value(), next);
  }
  return body;
}

uint32_t SubscriptionCore::Lose() {
  std::shared_ptr<SubscriptionCore> let_go;
  Fifo<SharedBody> lost;
  absl::MutexLock lock(&mu_);
  uint32_t count;
  if (is_lossless()) {
    TakeUnderWay();
    count = state_ == State::kCancelled ? 0 : 1;
  } else {
    under_way_ = 0;
    count = static_cast<uint32_t>(waiting_.size());
    std::swap(lost, waiting_);
  }
  let_go = LetGo();
  return count;
}

void SubscriptionCore::Cancel() {
  std::shared_ptr<SubscriptionCore> let_go;
  std::shared_ptr<SubscriptionOwner> owner;
  Fifo<SharedBody> discarded;
  Fifo<SharedBody> also_discarded;
  ReplyRoute end_route;
  {
    absl::MutexLock lock(&mu_);
    if (state_ == State::kCancelled || state_ == State::kEnded) return;
    owner = Leave(State::kCancelled);
    std::swap(discarded, waiting_);
    std::swap(also_discarded, held_);
    end_route = std::exchange(end_route_, ReplyRoute());
    let_go = LetGo();
  }
  if (owner != nullptr) owner->Remove(*this);
  if (!end_route.IsNull()) AskForEndNoMore(actor_, end_route);
}

void SubscriptionCore::Retire() {
  std::shared_ptr<SubscriptionCore> let_go;
  std::shared_ptr<SubscriptionOwner> owner;
  ReplyRoute end_route;
  {
    absl::MutexLock lock(&mu_);
    if (state_ != State::kNew && state_ != State::kLive) return;
    owner = Leave(State::kRetired);
    end_route = std::exchange(end_route_, ReplyRoute());
    let_go = LetGo();
  }
  if (owner != nullptr) owner->Remove(*this);
  if (!end_route.IsNull()) AskForEndNoMore(actor_, end_route);
}

void SubscriptionCore::OnActorEnded() {
  std::shared_ptr<SubscriptionCore> let_go;
  std::shared_ptr<SubscriptionOwner> owner;
  {
    absl::MutexLock lock(&mu_);
    end_route_ = ReplyRoute();
    if (state_ != State::kNew && state_ != State::kLive) return;
    // What waits is lost with its envelope, by whoever destroys that.
    owner = Leave(State::kEnded);
    let_go = LetGo();
  }
  if (owner != nullptr) owner->RemoveLater(*this);
}

std::shared_ptr<SubscriptionOwner> SubscriptionCore::Leave(State state) {
  std::shared_ptr<SubscriptionOwner> owner;
  if (state_ == State::kLive) {
    owner = owner_.lock();
    if (owner != nullptr && is_lossless() && under_way_ >= options_.limit) {
      owner->TakeFull();
    }
  }
  state_ = state;
  // Whether they are taken does not matter any more.
  under_way_ -= std::exchange(sent_, 0);
  return owner;
}

void SubscriptionCore::SetFarEnd(std::unique_ptr<FarEnd> end) {
  std::shared_ptr<SubscriptionCore> let_go;
  absl::MutexLock lock(&mu_);
  far_end_ = std::move(end);
  let_go = LetGo();
}

void SubscriptionCore::Acknowledge(uint64_t messages) {
  std::shared_ptr<SubscriptionCore> let_go;
  absl::MutexLock lock(&mu_);
  for (; messages > 0 && sent_ > 0; --messages) {
    --sent_;
    ++delivered_;
    TakeUnderWay();
  }
  let_go = LetGo();
}

std::shared_ptr<SubscriptionCore> SubscriptionCore::LetGo() {
  const bool is_over = state_ != State::kNew && state_ != State::kLive;
  if (is_over && far_end_ != nullptr && (is_lossless() || under_way_ == 0)) {
    std::exchange(far_end_, nullptr)->OnLeft(state_ == State::kCancelled);
  }
  if (state_ == State::kLive || under_way_ > 0) return nullptr;
  return std::move(self_);
}

}  // namespace troupe::internal
