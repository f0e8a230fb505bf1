#include "troupe/stream/internal/port_core.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/base/check.h"
#include "troupe/base/contain.h"
#include "troupe/base/log.h"
#include "troupe/base/must_have_memory.h"

namespace troupe::internal {

PortCore::~PortCore() {
  absl::MutexLock lock(&mu_);
  TROUPE_CHECK(closed_, "a port is closed before it goes");
}

void PortCore::Publish(const SharedBody& body) {
  Garbage garbage;
  SharedBody no_longer_kept;
  AudiencePtr audience;
  {
    absl::MutexLock lock(&mu_);
    if (closed_) return;
    std::swap(garbage, garbage_);
    audience = CurrentAudience();
    if (options_.keeps > 0) {
      if (kept_.size() == options_.keeps) no_longer_kept = kept_.Pop();
      kept_.Push(body);
    }
  }
  // What it keeps, or one has got, all get.
  bool is_promised = options_.keeps > 0;
  SharedBodies bodies(body, audience->unconverted);
  for (const Subscriber& subscriber : audience->subscribers) {
    SharedBody its = subscriber.convert == nullptr ? bodies.Take()
                                                   : Convert(subscriber, body);
    if (its.IsNull()) continue;
    subscriber.core->Offer(std::move(its), is_promised);
    is_promised = true;
  }
}

SharedBody PortCore::Convert(const Subscriber& subscriber,
                             const SharedBody& body) {
  if (subscriber.convert == nullptr) return body;
  SharedBody converted;
  const absl::Status status =
      Contain([&] { converted = (*subscriber.convert)(body); });
  if (status.ok()) return converted;
  subscriber.core->CountDropped();
  const AnyActorRef& actor = subscriber.core->actor();
  if (const auto system = IdSpace::Find(actor.id().value())) {
    system->logger().Log(
        LogSeverity::kError,
        absl::StrCat("what a port has for ", actor.ToString(),
                     " is lost, the conversion threw: ", status.ToString()));
  }
  return SharedBody();
}

PortCore::AudiencePtr PortCore::CurrentAudience() {
  if (audience_ == nullptr) {
    auto audience = std::make_shared<Audience>();
    audience->subscribers.reserve(subscribers_.size());
    for (const auto& [serial, subscriber] : subscribers_) {
      audience->subscribers.push_back(subscriber);
      if (subscriber.convert == nullptr) ++audience->unconverted;
    }
    audience_ = std::move(audience);
  }
  return audience_;
}

void PortCore::Attach(Subscriber subscriber) {
  const std::shared_ptr<SubscriptionCore> core = subscriber.core;
  if (!core->Begin(shared_from_this())) return;
  Garbage garbage;
  std::vector<std::shared_ptr<SubscriptionCore>> replaced;
  std::vector<SharedBody> replayed;
  const Subscriber kept = subscriber;
  {
    absl::MutexLock lock(&mu_);
    if (!closed_) {
      std::swap(garbage, garbage_);
      if (core->options().replaces) {
        for (const auto& [serial, other] : subscribers_) {
          if (other.core->actor() == core->actor()) {
            replaced.push_back(other.core);
          }
        }
        for (const auto& other : replaced) TakeOut(*other, garbage);
      }
      // From here on it is offered what is published.
      core->serial = ++next_serial_;
      subscribers_.emplace(core->serial, std::move(subscriber));
      garbage.audiences.push_back(std::move(audience_));
      audience_ = nullptr;
      const size_t count =
          std::min<size_t>(core->options().replay, kept_.size());
      kept_.ForLast(count,
                    [&](const SharedBody& body) { replayed.push_back(body); });
    }
  }
  for (const auto& other : replaced) other->Retire();
  if (core->serial == 0) return core->Retire();
  // Cancelled before it could be found here.
  if (!core->is_live()) Remove(*core);
  std::vector<SharedBody> converted;
  for (const SharedBody& body : replayed) {
    if (SharedBody one = Convert(kept, body); !one.IsNull()) {
      converted.push_back(std::move(one));
    }
  }
  core->EndHold(std::move(converted));
  core->WatchEnd();
}

size_t PortCore::Cancel(const AnyActorRef& actor) {
  size_t cancelled = 0;
  for (const std::shared_ptr<SubscriptionCore>& core : Cores()) {
    if (core->actor() != actor) continue;
    core->Cancel();
    ++cancelled;
  }
  return cancelled;
}

void PortCore::Close() {
  Garbage garbage;
  Fifo<SharedBody> kept;
  absl::btree_map<uint64_t, Subscriber> subscribers;
  {
    absl::MutexLock lock(&mu_);
    closed_ = true;
    std::swap(garbage, garbage_);
    std::swap(kept, kept_);
    std::swap(subscribers, subscribers_);
    garbage.audiences.push_back(std::move(audience_));
    audience_ = nullptr;
    while (first_waiter_ != nullptr) {
      PublishWaiter& waiter = *first_waiter_;
      TakeFromLine(waiter);
      waiter.OnTurn(false);
    }
  }
  for (const auto& [serial, subscriber] : subscribers) {
    subscriber.core->Retire();
  }
}

size_t PortCore::subscriptions() const {
  absl::MutexLock lock(&mu_);
  return subscribers_.size();
}

std::vector<std::shared_ptr<SubscriptionCore>> PortCore::Cores() const {
  std::vector<std::shared_ptr<SubscriptionCore>> cores;
  absl::MutexLock lock(&mu_);
  for (const auto& [serial, subscriber] : subscribers_) {
    cores.push_back(subscriber.core);
  }
  return cores;
}

void PortCore::TakeOut(const SubscriptionCore& core, Garbage& garbage) {
  const auto found = subscribers_.find(core.serial);
  if (found == subscribers_.end()) return;
  MustHaveMemory("the end of a subscription", [&] {
    mu_.AssertHeld();
    garbage.subscribers.push_back(std::move(found->second));
    subscribers_.erase(found);
    if (audience_ != nullptr) {
      garbage.audiences.push_back(std::move(audience_));
      audience_ = nullptr;
    }
  });
}

void PortCore::Remove(const SubscriptionCore& core) {
  Garbage garbage;
  absl::MutexLock lock(&mu_);
  TakeOut(core, garbage);
}

void PortCore::RemoveLater(const SubscriptionCore& core) {
  absl::MutexLock lock(&mu_);
  TakeOut(core, garbage_);
}

// -- turns --------------------------------------------------------------------

PortCore::Turn PortCore::BeginTurn(PublishWaiter* waiter) {
  absl::MutexLock lock(&mu_);
  if (closed_) return Turn::kClosed;
  if (!turn_taken_ && first_waiter_ == nullptr && full_ == 0) {
    turn_taken_ = true;
    return Turn::kGranted;
  }
  if (waiter == nullptr) return Turn::kRefused;
  waiter->waits_ = true;
  waiter->next_ = nullptr;
  waiter->previous_ = last_waiter_;
  (last_waiter_ != nullptr ? last_waiter_->next_ : first_waiter_) = waiter;
  last_waiter_ = waiter;
  return Turn::kWaits;
}

void PortCore::EndTurn() {
  absl::MutexLock lock(&mu_);
  turn_taken_ = false;
  GiveTurn();
}

bool PortCore::Withdraw(PublishWaiter& waiter) {
  absl::MutexLock lock(&mu_);
  if (!waiter.waits_) return false;
  TakeFromLine(waiter);
  return true;
}

void PortCore::TakeFromLine(PublishWaiter& waiter) {
  (waiter.next_ != nullptr ? waiter.next_->previous_ : last_waiter_) =
      waiter.previous_;
  (waiter.previous_ != nullptr ? waiter.previous_->next_ : first_waiter_) =
      waiter.next_;
  waiter.waits_ = false;
}

void PortCore::GiveTurn() {
  if (turn_taken_ || full_ > 0 || first_waiter_ == nullptr) return;
  PublishWaiter& waiter = *first_waiter_;
  TakeFromLine(waiter);
  turn_taken_ = true;
  waiter.OnTurn(true);
}

void PortCore::AddFull() {
  absl::MutexLock lock(&mu_);
  ++full_;
}

void PortCore::TakeFull() {
  absl::MutexLock lock(&mu_);
  --full_;
  GiveTurn();
}

}  // namespace troupe::internal
