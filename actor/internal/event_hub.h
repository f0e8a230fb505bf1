// Who subscribed to what happens in a system.
//
// Thread safety: any thread. A subscriber is never called after its
// Subscription was dropped, unless dropping happens inside that very call.
#ifndef TROUPE_ACTOR_INTERNAL_EVENT_HUB_H_
#define TROUPE_ACTOR_INTERNAL_EVENT_HUB_H_

#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/events.h"
#include "troupe/base/contain.h"
#include "troupe/base/log.h"

namespace troupe {

class ActorSystem;

namespace internal {

class EventEntry;

}  // namespace internal

// Keeps a subscriber subscribed. Empty when default-constructed or moved from.
class [[nodiscard]] Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::shared_ptr<internal::EventEntry> entry)
      : entry_(std::move(entry)) {}
  Subscription(Subscription&&) = default;
  Subscription& operator=(Subscription&& other) {
    Drop();
    entry_ = std::move(other.entry_);
    return *this;
  }
  ~Subscription() { Drop(); }

  // Ends the subscription. Blocks while the subscriber runs on another thread.
  void Drop();

 private:
  std::shared_ptr<internal::EventEntry> entry_;
};

namespace internal {

// One subscriber of some type of event.
class EventEntry {
 public:
  // From here on no call begins; returns when those on other threads have
  // ended.
  void Drop() ABSL_LOCKS_EXCLUDED(mu_) {
    for (const Frame* frame = frames_; frame != nullptr; frame = frame->outer) {
      if (frame->entry == this) {  // Dropped by its own call.
        absl::MutexLock lock(&mu_);
        dropped_ = true;
        return;
      }
    }
    const auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return calls_ == 0;
    };
    absl::MutexLock lock(&mu_);
    dropped_ = true;
    mu_.Await(absl::Condition(&idle));
  }
  bool dropped() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return dropped_;
  }

 protected:
  // Runs `call` unless the subscription was dropped.
  void Guarded(absl::FunctionRef<void()> call) ABSL_LOCKS_EXCLUDED(mu_) {
    {
      absl::MutexLock lock(&mu_);
      if (dropped_) return;
      ++calls_;
    }
    const Frame frame{this, frames_};
    frames_ = &frame;
    call();
    frames_ = frame.outer;
    absl::MutexLock lock(&mu_);
    --calls_;
  }

 private:
  // The calls that this thread is in.
  struct Frame {
    const EventEntry* entry;
    const Frame* outer;
  };
  static inline constinit thread_local const Frame* frames_ = nullptr;

  mutable absl::Mutex mu_;
  bool dropped_ ABSL_GUARDED_BY(mu_) = false;
  int calls_ ABSL_GUARDED_BY(mu_) = 0;
};

// Subscribers of one type of event.
template <typename E>
class EventChannel {
 public:
  using Subscriber = std::function<void(const E&)>;

  // Relaxed: a subscription that comes while an event is published may miss it.
  bool HasSubscribers() const {
    return count_.load(std::memory_order_relaxed) > 0;
  }

  Subscription Subscribe(Subscriber subscriber) ABSL_LOCKS_EXCLUDED(mu_) {
    auto entry = std::make_shared<Entry>(std::move(subscriber));
    count_.fetch_add(1, std::memory_order_relaxed);
    {
      absl::MutexLock lock(&mu_);
      entries_.push_back(entry);
    }
    return Subscription(std::move(entry));
  }

  // A subscriber that throws is logged; the others are called.
  void Publish(const E& event, const Logger& logger) ABSL_LOCKS_EXCLUDED(mu_) {
    // What they hold is the user's, and goes without the lock.
    std::vector<std::shared_ptr<Entry>> dropped;
    std::vector<std::shared_ptr<Entry>> entries;
    {
      absl::MutexLock lock(&mu_);
      const auto first_dropped = std::stable_partition(
          entries_.begin(), entries_.end(),
          [](const auto& entry) { return !entry->dropped(); });
      dropped.assign(std::make_move_iterator(first_dropped),
                     std::make_move_iterator(entries_.end()));
      entries_.erase(first_dropped, entries_.end());
      count_.fetch_sub(static_cast<int>(dropped.size()),
                       std::memory_order_relaxed);
      entries = entries_;
    }
    for (const std::shared_ptr<Entry>& entry : entries) {
      entry->Call(event, logger);
    }
  }

 private:
  class Entry : public EventEntry {
   public:
    explicit Entry(Subscriber subscriber)
        : subscriber_(std::move(subscriber)) {}

    void Call(const E& event, const Logger& logger) {
      Guarded([&] {
        const absl::Status status = Contain([&] { subscriber_(event); });
        if (!status.ok()) {
          logger.Log(LogSeverity::kError,
                     absl::StrCat("a subscriber to the system's events: ",
                                  status.ToString()));
        }
      });
    }

   private:
    const Subscriber subscriber_;
  };

  std::atomic<int> count_{0};
  absl::Mutex mu_;
  std::vector<std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mu_);
};

// The channel of a type of event that another package defines: an extension
// of the system.
template <typename E>
struct ExtensionChannel {
  explicit ExtensionChannel(ActorSystem&) {}
  EventChannel<E> channel;
};

// The channels of events of these types.
template <typename... Es>
class EventChannels {
 public:
  template <typename E>
  static constexpr bool kHas = (std::is_same_v<E, Es> || ...);

  template <typename E>
  EventChannel<E>& channel() {
    return std::get<EventChannel<E>>(channels_);
  }

 private:
  std::tuple<EventChannel<Es>...> channels_;
};

// Those of the system's own.
using EventHub =
    EventChannels<DeadLetter, ActorStarted, ActorEnded, LongTurn, HighWater>;

}  // namespace internal

inline void Subscription::Drop() {
  if (entry_ != nullptr) entry_->Drop();
  entry_ = nullptr;
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_INTERNAL_EVENT_HUB_H_
